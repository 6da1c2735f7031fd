#!/bin/bash
# Make the pin file of each conda environment: every package with its address and checksum, as conda solves it now.
# Left out are environments with a pip section: Snakemake installs nothing but what a pin file lists, which are conda's
# packages alone.
# usage: lock.sh [ENV.yaml…]     without names: all in this folder; needs conda and its channels
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
command -v conda >/dev/null || { echo "error: no conda here, and only conda can solve an environment: install Miniforge" >&2; exit 1; }
[ $# -gt 0 ] || set -- "$here"/*.yaml
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for file; do
    name=$(basename "$file" .yaml)
    if grep -q '^ *- pip:' "$file"; then
        echo "$name has a pip section, which a pin file cannot hold: its exact versions stay the only pins" >&2
        continue
    fi
    echo "solving $name" >&2
    # A machine without a GPU has to say which CUDA the others have, or builds with CUDA do not solve.
    [[ $name != *-gpu ]] || export CONDA_OVERRIDE_CUDA=${CONDA_OVERRIDE_CUDA:-12.9}
    conda env create --quiet --file "$file" --prefix "$scratch/$name" >&2
    conda list --explicit --md5 --prefix "$scratch/$name" >"$scratch/pin"
    mv "$scratch/pin" "$(dirname "$file")/$name.linux-64.pin.txt"
    rm -rf "${scratch:?}/$name"
done
