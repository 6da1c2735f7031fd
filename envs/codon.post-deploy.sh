#!/bin/sh
# Puts Codon into the environment: its release archive, for which no checksum is published.
# Run by Snakemake in the activated environment, once; running it again changes nothing.
set -eu

version=0.19.3
archive=codon-linux-x86_64.tar.gz
url="https://github.com/exaloop/codon/releases/download/v$version/$archive"
sha256=
programs="codon"
place="$CONDA_PREFIX/opt/codon"

if [ -e "$place/.installed-$version" ]; then
    exit 0
fi
if [ -z "$sha256" ]; then
    echo "no checksum is recorded for $archive: download it from $url, check where it comes from, and write the output" >&2
    echo "of sha256sum into envs/codon.post-deploy.sh" >&2
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
    ln -sf "../opt/codon/bin/$program" "$CONDA_PREFIX/bin/$program"
done
touch "$place/.installed-$version"
