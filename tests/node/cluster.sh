#!/bin/bash
# The first process of the node's namespaces: starts every part of the cluster, writes FOLDER/ready, and waits.
# Started by up.sh, which says why and gives FOLDER, KUBEBUILDER_ASSETS and NODE_ASSETS.
set -eu

folder=$1
control=$KUBEBUILDER_ASSETS
node=$NODE_ASSETS
address=10.9.8.1
cgroup=undock-node-$(basename "$folder")
config=$(cd "$(dirname "$0")" && pwd)/config
PATH=$node:$control:$PATH
cd "$folder"
mkdir -p etcd pki containerd kubelet run logs
printf 'KUBEBUILDER_ASSETS=%s\nNODE_ASSETS=%s\n' "$control" "$node" >environment

# What the parts write outside of FOLDER stays in here.
mount -t tmpfs tmpfs /run
mkdir -p /run/bin /var/lib/cni
mount -t tmpfs tmpfs /var/lib/cni
cp bin/docker-socket /run/bin/docker

# kubelet wants a default route. 10.0.0.1 is the Service of the API server: no kube-proxy is needed for it.
ip link set lo up
ip addr add 10.0.0.1/32 dev lo
ip link add node0 type veth peer name node1
ip addr add "$address/24" dev node0
ip link set node0 up
ip link set node1 up
ip route add default dev node0
echo 1 >/proc/sys/net/ipv4/ip_forward

start() {
  local name=$1
  shift
  "$@" >"logs/$name.log" 2>&1 &
}

# wait_for NAME SECONDS COMMAND...
wait_for() {
  local name=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $end ]; then
      echo "$name is not ready; the end of its log:"
      tail -15 "logs/$name.log"
      exit 1
    fi
    sleep 0.5
  done
}

fill() { sed -e "s|@folder@|$folder|g; s|@node@|$node|g; s|@cgroup@|$cgroup|g" "$config/$1" >"$2"; }

openssl genrsa -out pki/sa.key 2048 2>/dev/null
openssl rsa -in pki/sa.key -pubout -out pki/sa.pub 2>/dev/null
for user in admin controllers kubelet; do
  fill kubeconfig "kubeconfig.$user"
  sed -i "s|@user@|$user|" "kubeconfig.$user"
done
cp kubeconfig.admin kubeconfig
export KUBECONFIG=$folder/kubeconfig

start docker-socket "$folder/bin/docker-socket" serve "$folder/reached"
start etcd etcd --data-dir "$folder/etcd" --unsafe-no-fsync
# The API server dials webhook Pods from EndpointSlices itself, again without kube-proxy.
start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=443 \
  --advertise-address=$address --endpoint-reconciler-type=none --enable-aggregator-routing=true \
  --cert-dir="$folder/pki/api" --service-account-key-file="$folder/pki/sa.pub" \
  --service-account-signing-key-file="$folder/pki/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc --token-auth-file="$config/tokens.csv" \
  --authorization-mode=Node,RBAC --service-cluster-ip-range=10.0.0.0/24 --allow-privileged=true \
  --kubelet-preferred-address-types=InternalIP
wait_for kube-apiserver 90 kubectl get --raw /readyz
start kube-controller-manager kube-controller-manager --kubeconfig="$folder/kubeconfig.controllers" \
  --service-account-private-key-file="$folder/pki/sa.key" --root-ca-file="$folder/pki/api/apiserver.crt" \
  --use-service-account-credentials=true --leader-elect=false --allocate-node-cidrs=true \
  --cluster-cidr=10.244.0.0/16
start kube-scheduler kube-scheduler --kubeconfig="$folder/kubeconfig.controllers" --leader-elect=false

mkdir -p cni
fill bridge.conflist cni/10-bridge.conflist
fill containerd.toml containerd.toml
start containerd containerd -c "$folder/containerd.toml"
ctr=(ctr -a "$folder/run/containerd.sock" -n k8s.io)
wait_for containerd 30 "${ctr[@]}" version
for image in images/*.tar; do "${ctr[@]}" images import "$image" >/dev/null; done

# With / as its root kubelet would end processes of others as orphans. cpuset starts empty in cgroup v1.
for hierarchy in /sys/fs/cgroup/*/; do mkdir -p "$hierarchy$cgroup"; done
for file in cpuset.cpus cpuset.mems; do
  cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$cgroup/$file" 2>/dev/null || true
done
fill kubelet.yaml kubelet.yaml
start kubelet kubelet --config="$folder/kubelet.yaml" --kubeconfig="$folder/kubeconfig.kubelet" \
  --root-dir="$folder/kubelet" --cert-dir="$folder/kubelet/pki" --hostname-override=node1 --node-ip=$address
node_is_ready() { kubectl get node node1 | grep -q ' Ready'; }
wait_for kubelet 90 node_is_ready

touch ready
# An init's working directory is /: row a6-cwd goes through /proc/1/cwd.
cd /
echo "ready after $SECONDS s: $(kubectl version | tail -1), $(containerd --version)"
# As an init: collects what ends, until down.sh ends it.
while :; do wait; sleep 3600 & done
