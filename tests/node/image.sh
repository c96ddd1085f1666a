#!/bin/sh
# Writes an OCI image archive without a registry: one layer with the files that are given, nothing else.
#
#   image.sh ARCHIVE NAME:TAG PROGRAM FILE=PATH...
#
# PROGRAM is the entry point; each FILE of this machine gets PATH in the image. Prints nothing.
set -eu

archive=$1 name=$2 program=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
blobs=$work/image/blobs/sha256
mkdir -p "$blobs" "$work/root/tmp"

for pair in "$@"; do
  mkdir -p "$work/root/$(dirname "${pair#*=}")"
  cp "${pair%%=*}" "$work/root/${pair#*=}"
done

# keep FILE: moves it among the blobs and prints its digest and size as the fields of a descriptor.
keep() {
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  size=$(wc -c <"$1")
  mv "$1" "$blobs/$digest"
  printf '"digest":"sha256:%s","size":%d' "$digest" "$size"
}

oci=application/vnd.oci.image
tar -C "$work/root" --numeric-owner --owner=0 --group=0 --mtime=@0 -cf "$work/layer" .
layer=$(keep "$work/layer")
layer_digest=${layer#*:\"}
# /run/bin comes first for nsenter: there the node has its test programs (cluster.sh).
cat >"$work/config" <<END
{"architecture":"amd64","os":"linux",
 "config":{"Entrypoint":["$program"],"Env":["PATH=/run/bin:/bin"]},
 "rootfs":{"type":"layers","diff_ids":["${layer_digest%%\"*}"]}}
END
config=$(keep "$work/config")
cat >"$work/manifest" <<END
{"schemaVersion":2,"mediaType":"$oci.manifest.v1+json",
 "config":{"mediaType":"$oci.config.v1+json",$config},
 "layers":[{"mediaType":"$oci.layer.v1.tar",$layer}]}
END
manifest=$(keep "$work/manifest")
cat >"$work/image/index.json" <<END
{"schemaVersion":2,"manifests":[{"mediaType":"$oci.manifest.v1+json",$manifest,
 "annotations":{"io.containerd.image.name":"$name","org.opencontainers.image.ref.name":"${name##*:}"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/image/oci-layout"
tar -C "$work/image" -cf "$archive" .
