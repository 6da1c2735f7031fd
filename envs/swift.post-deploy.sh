#!/bin/sh
# Puts Swift into the environment: its release archive for Debian 12.
# Run by Snakemake in the activated environment, once; running it again changes nothing.
set -eu

version=6.2.1
archive="swift-$version-RELEASE-debian12.tar.gz"
url="https://download.swift.org/swift-$version-release/debian12/swift-$version-RELEASE/$archive"
sha256=d6405e4fb7f092cbb9973a892ce8410837b4335f67d95bf8607baef1f69939e4
programs="swift swiftc swift-frontend"
place="$CONDA_PREFIX/opt/swift"

if [ -e "$place/.installed-$version" ]; then
    exit 0
fi
if [ -z "$sha256" ]; then
    echo "no checksum is recorded for $archive: download it from $url, check where it comes from, and write the output" >&2
    echo "of sha256sum into envs/swift.post-deploy.sh" >&2
    exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
curl --fail --location --silent --show-error --output "$scratch/$archive" "$url"
echo "$sha256  $scratch/$archive" | sha256sum --check --quiet -

rm -rf "$place" "$place.new"
mkdir -p "$place.new"
tar --extract --file "$scratch/$archive" --directory "$place.new" --strip-components=1
mv "$place.new" "$place"
for program in $programs; do
    ln -sf "../opt/swift/usr/bin/$program" "$CONDA_PREFIX/bin/$program"
done
touch "$place/.installed-$version"
