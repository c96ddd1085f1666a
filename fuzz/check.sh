#!/bin/sh
# Compiles the fuzz targets with the stable compiler, so that they follow the library. `run.sh` runs
# them.
#
#   fuzz/check.sh
set -eu

cd "$(dirname "$0")"
# The versions that undock ships with.
cp ../Cargo.lock Cargo.lock
# As cargo-fuzz builds them.
RUSTFLAGS="--cfg fuzzing" cargo check --bins
