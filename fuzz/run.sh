#!/bin/sh
# Runs fuzz targets, each for a bounded time; stops at the first crash, whose input is kept in
# fuzz/artifacts.
#
#   fuzz/run.sh [SECONDS [TARGET...]]
#
# Default: 600 seconds, every target. Needs `cargo install --locked cargo-fuzz`, and a stable
# toolchain is enough. The first build takes a quarter of an hour on two cores. What is found worth
# keeping is in fuzz/corpus. The first inputs are the manifests of tests/fixtures and, where there
# are some, captured reviews.
set -eu

cd "$(dirname "$0")"
seconds=${1:-600}
if [ $# -gt 0 ]; then shift; fi
if [ $# -eq 0 ]; then set -- cost manifest review shell text; fi

reviews=${UNDOCK_TEST_SHARED:-../../shared}/captures/reviews
if [ ! -d "$reviews" ]; then reviews=../tests/fixtures/rules; fi
# The versions that undock ships with.
cp ../Cargo.lock Cargo.lock
# The flags that count coverage are for nightly compilers; this lets a stable one take them.
export RUSTC_BOOTSTRAP=1
for target in "$@"; do
  mkdir -p "corpus/$target"
  # undock has no unsafe code, so it needs no sanitizer.
  cargo fuzz run --sanitizer none "$target" "corpus/$target" ../tests/fixtures/rules "$reviews" -- \
    -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
done
