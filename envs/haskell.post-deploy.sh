#!/bin/sh
# Puts GHC into the environment: its release archive, built for Ubuntu 20.04 and later systems.
# Run by Snakemake in the activated environment, once; running it again changes nothing.
set -eu

version=9.10.1
archive="ghc-$version-x86_64-ubuntu20_04-linux.tar.xz"
url="https://downloads.haskell.org/~ghc/$version/$archive"
sha256=ae3be406fdb73bd2b0c22baada77a8ff2f8cde6220dd591dc24541cfe9d895eb
programs="ghc ghc-pkg"
place="$CONDA_PREFIX/opt/ghc"

if [ -e "$place/.installed-$version" ]; then
    exit 0
fi
if [ -z "$sha256" ]; then
    echo "no checksum is recorded for $archive: download it from $url, check where it comes from, and write the output" >&2
    echo "of sha256sum into envs/haskell.post-deploy.sh" >&2
    exit 1
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
curl --fail --location --silent --show-error --output "$scratch/$archive" "$url"
echo "$sha256  $scratch/$archive" | sha256sum --check --quiet -

rm -rf "$place" "$place.new"
mkdir -p "$place.new"
mkdir "$scratch/ghc"
tar --extract --file "$scratch/$archive" --directory "$scratch/ghc" --strip-components=1
# The archive is installed in its final place, whose path its settings hold.
rmdir "$place.new"
(cd "$scratch/ghc" && ./configure --prefix="$place" >/dev/null && make install DESTDIR="$scratch/root" >/dev/null)
mv "$scratch/root$place" "$place.new"
mv "$place.new" "$place"
for program in $programs; do
    ln -sf "../opt/ghc/bin/$program" "$CONDA_PREFIX/bin/$program"
done
touch "$place/.installed-$version"
