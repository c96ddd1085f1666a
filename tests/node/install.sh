#!/bin/sh
# Installs undock on the node that up.sh started, with the shipped manifests, as the README says:
#
#   install.sh FOLDER [BINARY]
#
# BINARY is a static build; without it, it is built as the Containerfile does. Ends with the enforce overlay.
set -eu

folder=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
project=$here/../..
target=x86_64-unknown-linux-gnu
binary=${2:-$project/target/$target/release/undock}
if [ $# -lt 2 ]; then
  (cd "$project" && RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --release --locked --bin undock --target "$target")
fi
"$here/image.sh" "$folder/images/undock.tar" docker.io/library/undock:0.1.0 /undock "$binary=/undock"

inside() { "$here/enter.sh" "$folder" "$@"; }
inside ctr -a "$folder/run/containerd.sock" -n k8s.io images import "$folder/images/undock.tar"
inside kubectl apply -k "$project/manifests/overlays/warn"
inside "$project/certs-script/generate.sh" --out "$folder/certs" --apply
inside kubectl apply -k "$project/manifests/overlays/enforce"
# What the attacks need: a socket that only the configuration knows, and a group that may weaken.
inside kubectl -n undock create configmap undock --dry-run=client -o yaml --from-file="$here/config/undock.yaml" |
  inside kubectl apply -f -
inside kubectl -n undock rollout restart deployment
inside kubectl -n undock rollout status deployment --timeout=120s
