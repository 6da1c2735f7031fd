#!/bin/sh
# Compiles the sentinel, and the crates that Rust programs use from sources on this machine.
# usage: rust.sh SOURCES, in the folder to fill; CARGO is cargo, CRATES the folder with the crates' sources
set -eu
"${CC:-cc}" -c -O1 "$1/sentinel.c" -o sentinel.o
mkdir -p crates/src build
echo >crates/src/lib.rs
cat >crates/Cargo.toml <<EOF
[package]
name = "crates"
version = "0.0.0"
edition = "2021"
[dependencies]
rand = "0.8"
regex = "1"
md5 = "0.7"
EOF
"$CARGO" build --offline --quiet --manifest-path crates/Cargo.toml --target-dir build \
    --config 'source.crates-io.replace-with="here"' --config "source.here.directory=\"$CRATES\""
mkdir deps
mv build/debug/deps/*.rlib deps/
rm -r build crates
