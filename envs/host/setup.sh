#!/bin/bash
# Set up the host route: system packages by apt-get, Python packages in .venv; does nothing where all is there.
# usage: setup.sh [NAME …]      adds the Debian packages of apt-NAME.txt: test, slurm, swift, training, browser
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/envs/host
venv=$root/.venv
stamp=$venv/.complete
log=$root/.setup.log

say() { echo "[set-up] $*" >&2; }

# Run a command with its output in the log; where it fails, show the end of its output.
logged() {
    local start code=0
    echo "+ $*" >>"$log"
    start=$(wc -l <"$log")
    "$@" >>"$log" 2>&1 || code=$?
    [ "$code" != 0 ] || return 0
    tail -n +"$((start + 1))" "$log" | tail -n 15 >&2
    say "this failed: $*; its whole output is in ${log#"$root/"}"
    return "$code"
}

# Packages named in the given lists that dpkg does not report as wholly installed.
missing_packages() {
    local name
    sed -e 's/#.*//' "$@" | while read -r name; do
        [ -z "$name" ] || [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
    done
}

# Install the given packages; where this user may not, print the one command that does it and end.
install_packages() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "packages are missing and this user may not install them; run this once, then again what you just ran:"
            echo "sudo apt-get install -y --no-install-recommends $*"
            exit 1
        fi
        as_root=(sudo -n)
    fi
    say "installing $# packages by apt-get; output: ${log#"$root/"}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o DPkg::Lock::Timeout=600)
    # An installation that was cut off leaves packages half configured.
    logged "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
    logged "${apt[@]}" -q update
    logged "${apt[@]}" install --no-install-recommends "$@"
}

system_packages() {
    local lists=("$here/apt.txt") more missing
    for more; do lists+=("$here/apt-$more.txt"); done
    if ! command -v apt-get >/dev/null; then
        say "no apt-get here: the packages of envs/host/apt.txt must be there by other means ('make doctor' lists them)"
        return
    fi
    missing=$(missing_packages "${lists[@]}")
    python3 -c 'import ensurepip' 2>/dev/null || missing+=" python3-venv"
    # shellcheck disable=SC2086  # a list of names
    [ -z "$missing" ] || install_packages $missing
}

check_python() {
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' && return
    say "python3 is $(python3 --version 2>&1); the pinned packages need Python 3.11 or newer"
    exit 1
}

# What .venv was made from; a folder that moved has wrong paths in its scripts and is created again.
fingerprint() {
    { cat "$here/requirements.txt" && python3 --version && echo "$venv"; } | sha256sum | cut -d' ' -f1
}

python_packages() {
    local wanted
    wanted=$(fingerprint)
    [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
    say "installing $(grep -c == "$here/requirements.txt") Python packages into .venv (a few minutes); output: ${log#"$root/"}"
    rm -rf "$venv"
    hash -r  # the Makefile has .venv first in PATH, where bash remembers a python3 that is gone by now
    python3 -m venv "$venv"
    # As constraints, the pins also hold in the throw-away environments in which pip builds packages without a wheel.
    PIP_CONSTRAINT=$here/requirements.txt logged "$venv/bin/python" -m pip install --disable-pip-version-check \
        --progress-bar off --use-pep517 -r "$here/requirements.txt"
    logged "$venv/bin/python" -m pip check
    echo "$wanted" >"$stamp"
}

# Two set-ups at the same time would delete each other's half-made .venv.
exec 9>"$root/.setup.lock"
flock -n 9 || { say "another set-up is running here; waiting for it"; flock 9; }
check_python
system_packages "$@"
python_packages
