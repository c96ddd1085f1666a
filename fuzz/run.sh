#!/bin/sh
# Runs fuzz targets, each for a bounded time; stops at the first crash, whose input is kept in fuzz/artifacts.
#
#   fuzz/run.sh [SECONDS [TARGET...]]
#
# Default: 600 seconds, every target. Needs `cargo install cargo-fuzz`, and a stable toolchain is enough. What is found worth
# keeping is in fuzz/corpus. Takes the manifests of tests/fixtures as the first inputs.
set -eu

cd "$(dirname "$0")"
seconds=${1:-600}
if [ $# -gt 0 ]; then shift; fi
if [ $# -eq 0 ]; then set -- manifest quick review shell text; fi

# The versions that undock ships with.
cp ../Cargo.lock Cargo.lock
# The flags of the sanitizer are for nightly compilers; this lets a stable one take them.
export RUSTC_BOOTSTRAP=1
for target in "$@"; do
  mkdir -p "corpus/$target"
  cargo fuzz run "$target" "corpus/$target" ../tests/fixtures/rules -- \
    -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
