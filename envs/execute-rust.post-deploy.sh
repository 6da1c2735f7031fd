#!/bin/sh
# Puts the sources of the crates that Rust programs use into the environment, below share/cargo/registry.
# Run by Snakemake in the activated environment, once; running it again changes nothing. Cargo checks what it downloads
# against its index.
set -eu

place="$CONDA_PREFIX/share/cargo/registry"
if [ -e "$place/.installed" ]; then
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export CARGO_HOME="$scratch/home"
cargo init --quiet --lib --name fetch .
cargo add --quiet rand@=0.8.5 regex@=1.7.1 md5@=0.7.0
rm -rf "$place"
mkdir -p "$(dirname "$place")"
cargo vendor --quiet "$place" >/dev/null
touch "$place/.installed"
