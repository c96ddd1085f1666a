#!/bin/sh
# Runs a command inside the node that up.sh started, with its KUBECONFIG and kubectl in PATH:
#
#   enter.sh FOLDER COMMAND [ARGUMENT...]
set -eu

folder=$(cd "$1" && pwd)
shift
init=$(cat "/proc/$(cat "$folder/pid")/task/$(cat "$folder/pid")/children")
# shellcheck disable=SC1091 # Written by cluster.sh: where the programs are.
. "$folder/environment"
export KUBECONFIG="$folder/kubeconfig" PATH="$KUBEBUILDER_ASSETS:$NODE_ASSETS:$PATH"
exec nsenter --target "${init%% *}" --net --mount --pid --wd="$PWD" -- "$@"
