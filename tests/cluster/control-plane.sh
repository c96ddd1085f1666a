#!/bin/sh
# Builds the control plane of the cluster tests from the Go modules in go.mod and prints the folder
# that holds it, for KUBEBUILDER_ASSETS (the convention of envtest).
#
# The folder is kept in a cache and named by the hash of go.mod and of this script: about 11 minutes
# on two cores the first time, nothing after that. A build that was cut off never gets that name.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${UNDOCK_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/undock-tests}
key=$(cat "$here/go.mod" "$0" | sha256sum | cut -c1-16)
folder=$cache/control-plane-$key

if [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi

command -v go >/dev/null || { echo "control-plane.sh: needs Go 1.26 or newer in PATH" >&2; exit 4; }
mkdir -p "$cache"
partial=$(mktemp -d "$cache/building-XXXXXX")
trap 'rm -rf "$partial"' EXIT INT TERM

version_of() { (cd "$here" && go list -m -f '{{.Version}}' "$1"); }

# Without a version the API server calls itself v0.0.0 and clients refuse it.
version=$(version_of k8s.io/kubernetes)
minor=${version#v1.}
minor=${minor%%.*}
base=k8s.io/component-base/version
flags="-s -w -X $base.gitVersion=$version -X $base.gitMajor=1 -X $base.gitMinor=$minor"

cd "$here"
for package in go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kubectl \
  k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager; do
  case $package in
    */etcd/*) name=etcd built=$(version_of "$package") ;;
    *) name=${package##*/} built=$version ;;
  esac
  echo "control-plane.sh: building $name $built" >&2
  CGO_ENABLED=0 go build -trimpath -ldflags "$flags" -o "$partial/$name" "$package" >&2
done

mv "$partial" "$folder"
trap - EXIT INT TERM
echo "$folder"
