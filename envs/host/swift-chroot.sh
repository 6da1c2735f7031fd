#!/bin/bash
# Make a folder with Debian 13 and its Swift, 2.5 GB, for `make swift-test`. Needs root.
# usage: swift-chroot.sh FOLDER
set -euo pipefail
folder=$1
new=$folder.new

[ "$(id -u)" = 0 ] || { echo "making a chroot takes root: run make swift-test as root" >&2; exit 1; }
rm -rf "$new"
mmdebstrap --variant=minbase --include=ca-certificates trixie "$new"
cp /etc/resolv.conf "$new/etc/resolv.conf"
chroot "$new" apt-get update
# Without the headers of C, which swiftlang only recommends, Swift's Foundation cannot be imported.
chroot "$new" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends swiftlang libc6-dev libstdc++-14-dev
mv "$new" "$folder"
