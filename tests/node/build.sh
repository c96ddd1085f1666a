#!/bin/sh
# Builds what the node tests run beside the control plane, from the Go modules of ../cluster, containerd/ and
# cni/, and prints the folder: kubelet, kube-scheduler, containerd with its shim and ctr, and cni/.
#
# Kept in a cache and named by the hash of its inputs, like the control plane (../cluster/control-plane.sh):
# about 5 minutes on two cores after the control plane, nothing after that.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cluster=$here/../cluster
cache=${UNDOCK_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/undock-tests}
key=$(cat "$cluster/go.mod" "$here/containerd/go.mod" "$here/cni/go.mod" "$0" | sha256sum | cut -c1-16)
folder=$cache/node-$key

if [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi

command -v go >/dev/null || { echo "build.sh: needs Go 1.26 or newer in PATH" >&2; exit 4; }
mkdir -p "$cache"
partial=$(mktemp -d "$cache/building-XXXXXX")
trap 'rm -rf "$partial"' EXIT INT TERM
mkdir "$partial/cni"
export CGO_ENABLED=0

# build MODULE OUTPUT LDFLAGS PACKAGE...: OUTPUT is a folder below $partial.
build() {
  module=$1 output=$2 flags=$3
  shift 3
  for package in "$@"; do
    echo "build.sh: building ${package##*/}" >&2
    # The snapshotters for btrfs and zfs need headers of C libraries and are not used.
    (cd "$module" && go build -trimpath -tags "no_btrfs no_zfs" -ldflags "-s -w $flags" \
      -o "$partial/$output/" "$package" >&2)
  done
}

# kubelet reports its version in the Node object; without the flag it is v0.0.0.
version=$(cd "$cluster" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
build "$cluster" . "-X k8s.io/component-base/version.gitVersion=$version" \
  k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubelet
containerd=github.com/containerd/containerd/v2
version=$(cd "$here/containerd" && go list -m -f '{{.Version}}' "$containerd")
build "$here/containerd" . "-X $containerd/version.Version=$version" \
  "$containerd/cmd/containerd" "$containerd/cmd/containerd-shim-runc-v2" "$containerd/cmd/ctr"
plugins=github.com/containernetworking/plugins/plugins
build "$here/cni" cni "" \
  "$plugins/main/bridge" "$plugins/main/loopback" "$plugins/ipam/host-local" "$plugins/meta/portmap"

mv "$partial" "$folder"
trap - EXIT INT TERM
echo "$folder"
