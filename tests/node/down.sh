#!/bin/sh
# Ends what up.sh started: down.sh FOLDER. Logs and certificates stay in FOLDER.
set -eu

folder=$(cd "$1" && pwd)
[ -e "$folder/pid" ] || exit 0
# Everything is below the first process of a process namespace and ends with it.
kill -KILL "$(cat "$folder/pid")" 2>/dev/null || true
sleep 1
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
  group=$hierarchy/undock-node-$(basename "$folder")
  if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + || true; fi
done
rm -rf "$folder/pid" "$folder/ready" "$folder/etcd" "$folder/containerd" "$folder/kubelet" "$folder/run"
