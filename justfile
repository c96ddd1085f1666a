# Tasks of a developer: `just` lists them. `.ci/run` is what a change has to pass.

_default:
    @just --list --unsorted

# What to run before a commit: format, lints, spelling, tests without a cluster
check: fmt lint spelling test

# Format the sources
fmt:
    cargo fmt

# Lints of Rust and shell
lint:
    cargo clippy --locked --all-targets -- -D warnings
    git ls-files '*.sh' .ci/run | xargs shellcheck

# Spelling (cargo install --locked typos-cli)
spelling:
    typos

# Tests; FILTER chooses some: `just test rules::`
test *FILTER:
    cargo test --locked --lib {{ FILTER }}
    cargo test --locked --test it {{ FILTER }}

# Tests against a real API server; builds the control plane once, which needs Go
test-cluster:
    KUBEBUILDER_ASSETS=$(tests/cluster/control-plane.sh) cargo test --locked --test cluster

# Tests of the report's page in a browser; needs Node and Chromium
test-browser:
    npm ci --prefix tests/browser
    UNDOCK_BROWSER=$(command -v chromium) cargo test --locked --test browser

# Licences, sources and advisories of the dependencies (cargo install --locked cargo-deny)
deny:
    cargo deny --locked check

# Write the list of rules anew, after a rule came or went
rules-index:
    cargo run --locked -- explain -o markdown=docs/rules/README.md

# Write the man pages to FOLDER
man FOLDER='target/man':
    cargo run --locked --example man -- {{ FOLDER }}

# Compile the fuzz targets
fuzz-check:
    fuzz/check.sh

# Fuzz each target for SECONDS (cargo install --locked cargo-fuzz)
fuzz SECONDS='600':
    fuzz/run.sh {{ SECONDS }}

# Instructions of one evaluation, memory, and the server against its floor
bench:
    cargo bench --locked --bench server

# A control plane of this machine with undock registered in it, until Ctrl-C
up:
    tests/cluster/up.sh
