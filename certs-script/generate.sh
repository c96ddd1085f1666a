#!/bin/sh
# Makes the certificate authority (CA) and the server certificate of the undock webhook with openssl
# and, with --apply, puts them into the cluster with kubectl. Safe to run again at any time.
set -eu
umask 077

ca_days=3650
# The CA must outlive its leaf. With half of its life as the limit it is never replaced on every run.
max_days=$((ca_days / 2))
# The names that manifests/ use; only the Service and its namespace can differ.
secret=undock-tls
configuration=undock

usage() {
  cat <<END
Makes the TLS certificates of the undock webhook, and puts them into the cluster.

Usage: generate.sh [--namespace NAME] [--service NAME] [--days N] [--out DIR] [--apply] [--rotate]

  --namespace NAME  namespace of the Service (default: undock)
  --service NAME    name of the Service (default: undock)
  --days N          days that the server certificate is valid, 1 to $max_days (default: 365)
  --out DIR         folder of the files (default: ./certs)
  --apply           store Secret $secret in the namespace, and the CA in every webhook of
                    ValidatingWebhookConfiguration $configuration, with kubectl; apply the manifests first
  --rotate          make a new CA; the old one stays in ca.crt until the next --rotate
  --help            show this text

Files in DIR, all P-256: ca.crt (the trusted CAs, the current one first), ca.key, tls.crt, tls.key.
Keep ca.key out of the cluster and out of version control.

A CA that is already in DIR is used again, unless --rotate is given or it would end before the server
certificate; the server certificate is made anew on each run. --apply writes the CAs first and the
Secret second, so that the API server trusts the new certificate before it meets it.

Exit codes: 0 done, 2 wrong usage, 4 could not run.
END
}

say() { printf '%s\n' "$*"; }
wrong_usage() { say "generate.sh: $*; see generate.sh --help" >&2; exit 2; }
fail() { say "generate.sh: $*" >&2; exit 4; }

# ssl WHAT ARGS...: openssl ARGS; when it fails, one line that says what could not be done.
ssl() {
  what=$1
  shift
  openssl "$@" 2>"$work/stderr" || fail "could not $what: $(reason openssl)"
}

# kube WHAT ARGS...: the same for kubectl.
kube() {
  what=$1
  shift
  kubectl "$@" 2>"$work/stderr" ||
    fail "could not $what: $(reason kubectl); check the context and rights of kubectl, then run again"
}

# The last line that a failed command wrote: it is the error, the lines before it are context.
reason() {
  last=$(tail -n 1 "$work/stderr")
  say "${last:-$1 gave no reason}"
}

# Namespace and Service become DNS names in the certificate and lines in openssl's configuration.
check_name() {
  case $2 in
    '' | *[!a-z0-9-]* | -* | *-)
      wrong_usage "$1 takes a Kubernetes name: lower case letters, digits and -, such as undock" ;;
  esac
  [ "${#2}" -le 63 ] || wrong_usage "$1 takes at most 63 characters"
}

namespace=undock
service=undock
days=365
out=./certs
apply=false
rotate=false

while [ $# -gt 0 ]; do
  case $1 in
    --namespace=* | --service=* | --days=* | --out=*)
      flag=${1%%=*}
      value=${1#*=}
      shift
      set -- "$flag" "$value" "$@" ;;
  esac
  case $1 in
    --namespace | --service | --days | --out)
      [ $# -ge 2 ] || wrong_usage "$1 needs a value"
      case $1 in
        --namespace) namespace=$2 ;;
        --service) service=$2 ;;
        --days) days=$2 ;;
        --out) out=$2 ;;
      esac
      shift 2 ;;
    --apply) apply=true; shift ;;
    --rotate) rotate=true; shift ;;
    --help | -h) usage; exit 0 ;;
    *) wrong_usage "unknown argument '$1'" ;;
  esac
done

check_name --namespace "$namespace"
check_name --service "$service"
case $days in
  '' | *[!0-9]* | 0* | ?????*) days=0 ;;
esac
{ [ "$days" -ge 1 ] && [ "$days" -le "$max_days" ]; } ||
  wrong_usage "--days takes a whole number from 1 to $max_days"
case $out in
  '') wrong_usage "--out needs the name of a folder" ;;
  /* | ./* | ../*) ;;
  *) out=./$out ;; # a name that begins with - is not an option of mkdir or openssl
esac

command -v openssl >/dev/null || fail "needs openssl in PATH: install it, for example with apt-get install openssl"
if $apply; then
  command -v kubectl >/dev/null || fail "--apply needs kubectl in PATH: install it, or run without --apply"
fi

# The work folder is inside DIR: moving a file into place is atomic only within one file system.
problem=$(mkdir -p "$out" 2>&1) || fail "could not make folder $out: ${problem##*: }; choose another with --out"
work=$(mktemp -d "$out/.work-XXXXXX" 2>/dev/null) || fail "could not write to $out: choose another folder with --out"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# split FILE PREFIX: each certificate of FILE into PREFIX1, PREFIX2, ...
split() {
  awk -v prefix="$2" '
    /-----BEGIN CERTIFICATE-----/ { n++; inside = 1 }
    inside { print > (prefix n) }
    /-----END CERTIFICATE-----/ { inside = 0; close(prefix n) }' "$1"
}

# trust CERT: adds it to the new ca.crt, unless it has expired or is already there.
trust() {
  openssl x509 -in "$1" -noout -checkend 0 >/dev/null 2>&1 || return 0
  mark=$(openssl x509 -in "$1" -noout -fingerprint -sha256)
  case $trusted in
    *"$mark"*) return 0 ;;
  esac
  trusted="$trusted $mark"
  openssl x509 -in "$1" >>"$work/ca.crt"
}

# Everything that --apply needs is asked before anything is written.
if $apply; then
  kube "read ValidatingWebhookConfiguration $configuration" \
    get validatingwebhookconfiguration "$configuration" --ignore-not-found \
    -o 'jsonpath={range .webhooks[*]}{.name} {.clientConfig.service.namespace}/{.clientConfig.service.name}{"\n"}{end}' \
    >"$work/webhooks"
  [ -s "$work/webhooks" ] ||
    fail "the cluster has no ValidatingWebhookConfiguration $configuration: apply the manifests first (kubectl apply -k manifests/overlays/warn)"
  while read -r name target; do
    [ "$target" = "$namespace/$service" ] ||
      fail "webhook $name calls Service $target, the certificate would be for $namespace/$service: pass --namespace and --service as there"
  done <"$work/webhooks"
  kube "read namespace $namespace" get namespace "$namespace" --ignore-not-found -o name >"$work/namespace"
  [ -s "$work/namespace" ] ||
    fail "the cluster has no namespace $namespace: apply the manifests first (kubectl apply -k manifests/overlays/warn)"
  # The CA behind the certificate that the Pods show now: it may have been made in another folder.
  kube "read Secret $secret" get secret "$secret" --namespace "$namespace" --ignore-not-found \
    -o 'jsonpath={.data.ca\.crt}' >"$work/secret-ca"
  openssl base64 -d -A -in "$work/secret-ca" -out "$work/cluster-ca" 2>/dev/null || : >"$work/cluster-ca"
  split "$work/cluster-ca" "$work/cluster-"
fi

cat >"$work/openssl.cnf" <<END
[req]
distinguished_name = dn
prompt = no
[dn]
CN = overridden by -subj
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:$service, DNS:$service.$namespace, DNS:$service.$namespace.svc, DNS:$service.$namespace.svc.cluster.local
END

make_key() {
  ssl "make a key" genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out "$1"
}

# The CA: the one in DIR, or a new one.
new_ca=false
if [ -e "$out/ca.crt" ]; then
  split "$out/ca.crt" "$work/old-"
  openssl x509 -in "$work/old-1" -noout 2>/dev/null ||
    fail "$out/ca.crt begins with no readable certificate: restore it, or move it away to get a new CA"
fi
if $rotate; then
  new_ca=true
elif [ ! -e "$out/ca.crt" ] && [ ! -e "$out/ca.key" ]; then
  new_ca=true
elif [ ! -e "$out/ca.crt" ] || [ ! -e "$out/ca.key" ]; then
  fail "$out has only one of ca.crt and ca.key: restore the other, or pass --rotate for a new CA"
elif [ "$(openssl x509 -in "$work/old-1" -noout -pubkey)" != "$(openssl pkey -in "$out/ca.key" -pubout 2>/dev/null)" ]; then
  fail "$out/ca.key is not the key of the first certificate in ca.crt: restore the pair, or pass --rotate for a new CA"
elif ! openssl x509 -in "$work/old-1" -noout -checkend $((days * 86400)) >/dev/null; then
  say "The CA in $out ends within $days days: making a new one, as with --rotate."
  new_ca=true
fi

trusted=
if $new_ca; then
  make_key "$work/ca.key"
  # Two CAs with the time in their names can be told apart in a bundle.
  ssl "make the CA" req -x509 -new -sha256 -key "$work/ca.key" -days "$ca_days" \
    -subj "/CN=undock CA $(date -u +%Y-%m-%dT%H:%M:%SZ)" \
    -config "$work/openssl.cnf" -extensions ca -out "$work/current"
  trust "$work/current"
  if [ -e "$work/old-1" ]; then trust "$work/old-1"; fi
  ca_key=$work/ca.key
else
  for certificate in "$work"/old-*; do trust "$certificate"; done
  cp "$work/old-1" "$work/current"
  ca_key=$out/ca.key
fi
if [ -e "$work/cluster-1" ]; then trust "$work/cluster-1"; fi

make_key "$work/tls.key"
ssl "make the certificate request" req -new -sha256 -key "$work/tls.key" -subj "/CN=$service" \
  -config "$work/openssl.cnf" -out "$work/request"
ssl "sign the certificate" x509 -req -sha256 -in "$work/request" -days "$days" \
  -CA "$work/current" -CAkey "$ca_key" -set_serial "0x$(openssl rand -hex 16)" \
  -extfile "$work/openssl.cnf" -extensions leaf -out "$work/tls.crt"

# ca.key goes before ca.crt: if the run is cut off between the two, ca.crt still begins with the CA
# in use, and the next --rotate keeps that one.
for file in ca.key ca.crt tls.key tls.crt; do
  if [ -e "$work/$file" ]; then
    mv -f "$work/$file" "$out/$file" 2>/dev/null || fail "could not write $out/$file: check the permissions, or choose another --out"
  fi
done
say "Wrote ca.crt, ca.key, tls.crt and tls.key to $out: $(openssl x509 -in "$out/tls.crt" -noout -enddate | sed 's/notAfter=/valid until /')."

if ! $apply; then
  say "To put them into the cluster, run again with --apply."
  exit 0
fi

bundle=$(openssl base64 -A -in "$out/ca.crt")
patch=
index=0
while read -r name target; do
  # The test makes the patch fail, not hit another webhook, if somebody changes the list meanwhile.
  patch="$patch${patch:+,}{\"op\":\"test\",\"path\":\"/webhooks/$index/name\",\"value\":\"$name\"},"
  patch="$patch{\"op\":\"add\",\"path\":\"/webhooks/$index/clientConfig/caBundle\",\"value\":\"$bundle\"}"
  index=$((index + 1))
done <"$work/webhooks"
kube "write the CA into ValidatingWebhookConfiguration $configuration" \
  patch validatingwebhookconfiguration "$configuration" --type=json --patch "[$patch]"

kube "prepare Secret $secret" create secret generic "$secret" --namespace "$namespace" --type=kubernetes.io/tls \
  --from-file="tls.crt=$out/tls.crt" --from-file="tls.key=$out/tls.key" --from-file="ca.crt=$out/ca.crt" \
  --dry-run=client -o yaml >"$work/secret.yaml"
# Server-side: a client-side apply would copy the private key into an annotation.
kube "store Secret $secret" \
  apply --server-side --force-conflicts --field-manager=undock-certs -f - <"$work/secret.yaml"
say "Pods of undock use the new certificate as soon as kubelet shows it to them, in about a minute."
