#!/bin/bash
# Write requirements.txt: a clean environment from requirements.in, frozen with all transitive packages.
# Not in it: pip itself and what a torch build chooses for its own accelerator (nvidia-*, triton, cuda-*).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/python" -m pip install -r "$here/requirements.in"
{
    echo "# Made by envs/host/freeze.sh from requirements.in; every package that is installed, in its exact version."
    "$scratch/venv/bin/python" -m pip freeze --all |
        grep -vE '^(pip|triton|(nvidia|cuda)-[^=]*)==' | sed -E 's/(==[^+]*)\+.*/\1/' | LC_ALL=C sort -f
} >"$scratch/requirements.txt"
mv "$scratch/requirements.txt" "$here/requirements.txt"
