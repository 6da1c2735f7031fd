#!/bin/sh
# Puts testify and what it needs into the environment, below share/gocode/src, as Go without modules wants it.
# Run by Snakemake in the activated environment, once; running it again changes nothing. Go checks what it downloads
# against its checksum database.
set -eu

place="$CONDA_PREFIX/share/gocode"
if [ -e "$place/.installed" ]; then
    exit 0
fi
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
cd "$scratch"
export GOPATH="$scratch/gopath" GO111MODULE=on
go mod init fetch
go get github.com/stretchr/testify@v1.8.1
echo 'package fetch; import _ "github.com/stretchr/testify/assert"' >fetch.go
go mod vendor
mkdir -p "$place"
rm -rf "$place/src"
cp -R vendor "$place/src"
touch "$place/.installed"
