#!/bin/sh
# A Kubernetes control plane on this machine with undock registered in mode warn, until Ctrl-C.
#
#   tests/cluster/up.sh
#
# It builds undock and, the first time, the control plane (about 11 minutes on two cores, needs Go), starts both
# in a network namespace of their own and prints the KUBECONFIG to export in another shell. No root is needed
# where unprivileged user namespaces are allowed; needs unshare (util-linux), ip (iproute2) and openssl.
set -eu

cd "$(dirname "$0")/../.."
assets=${KUBEBUILDER_ASSETS:-$(tests/cluster/control-plane.sh)}

# cargo names the test binary on stderr. It is started without cargo, so that a signal reaches it directly.
echo "up.sh: building undock" >&2
built=$(cargo test --locked --no-run --test cluster 2>&1) || { echo "$built" >&2; exit 4; }
binary=$(echo "$built" | sed -n 's/.*Executable tests\/cluster\/main\.rs (\(.*\))$/\1/p')

export KUBEBUILDER_ASSETS="$assets" UNDOCK_CLUSTER_STAY=1
# Only the test runner's own report is on stdout.
exec "$binary" cluster --exact --nocapture >/dev/null
