#!/bin/sh
# Starts a cluster of one real node below FOLDER, with a test daemon on the node's Docker socket:
#
#   up.sh FOLDER
#
# Needs root and cgroups. Everything runs in network, mount and process namespaces of its own (cluster.sh);
# the node's /run is a tmpfs there, so nothing listens on this machine. FOLDER/kubeconfig works inside only:
# enter.sh FOLDER COMMAND. FOLDER must not be below /run. End it with down.sh FOLDER.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
if [ -e "$folder/pid" ]; then
  echo "up.sh: $folder is in use: down.sh $folder" >&2
  exit 2
fi
for tool in busybox runc; do
  if ! command -v "$tool" >/dev/null; then
    echo "up.sh: $tool is missing: apt-get install busybox-static runc" >&2
    exit 4
  fi
done
KUBEBUILDER_ASSETS=${KUBEBUILDER_ASSETS:-$("$here/../cluster/control-plane.sh")}
NODE_ASSETS=$("$here/build.sh")
export KUBEBUILDER_ASSETS NODE_ASSETS
mkdir -p "$folder/images" "$folder/bin"

rustc --edition 2024 -O -C target-feature=+crt-static --target x86_64-unknown-linux-gnu \
  -o "$folder/bin/docker-socket" "$here/docker_socket.rs"
busybox=$(command -v busybox)
socket=$folder/bin/docker-socket
# One image under the names that the tests use; the last looks like Docker's own client image.
"$here/image.sh" "$folder/images/pause.tar" registry.k8s.io/pause:3.10.1 /bin/pause "$socket=/bin/pause"
for name in docker.io/library/busybox:1.36 registry.example/docker:27-cli; do
  "$here/image.sh" "$folder/images/$(basename "$name").tar" "$name" /bin/dial "$socket=/bin/dial" \
    "$socket=/bin/docker" "$busybox=/bin/sh" "$busybox=/bin/nsenter" "$busybox=/bin/sleep"
done

# It must have left this shell's own session, or a Ctrl-C would end the cluster.
setsid unshare --net --mount --pid --fork --kill-child --mount-proc \
  "$here/cluster.sh" "$folder" >"$folder/cluster.log" 2>&1 &
echo $! >"$folder/pid"

until [ -e "$folder/ready" ]; do
  if ! kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
    tail -20 "$folder/cluster.log" >&2
    rm "$folder/pid"
    exit 4
  fi
  sleep 0.5
done
tail -1 "$folder/cluster.log"
