#!/bin/sh
# Puts Crystal into the environment: its release archive, for which no checksum is recorded yet.
# Run by Snakemake in the activated environment, once; running it again changes nothing.
set -eu

version=1.17.1
archive="crystal-$version-1-linux-x86_64.tar.gz"
url="https://github.com/crystal-lang/crystal/releases/download/$version/$archive"
sha256=
programs="crystal"
place="$CONDA_PREFIX/opt/crystal"

if [ -e "$place/.installed-$version" ]; then
    exit 0
fi
if [ -z "$sha256" ]; then
    echo "no checksum is recorded for $archive: download it from $url, check where it comes from, and write the output" >&2
    echo "of sha256sum into envs/crystal.post-deploy.sh" >&2
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
    ln -sf "../opt/crystal/bin/$program" "$CONDA_PREFIX/bin/$program"
done
touch "$place/.installed-$version"
