#!/bin/sh
# Takes the place of LLVM's opt and llc behind GHC, whose IR is kept from before they run: tells a version that GHC
# accepts, and otherwise only makes the file that is to come out, the last argument.
if [ "$1" = --version ]; then
    echo "  LLVM version 13.0.0"
    exit 0
fi
for output; do :; done
: > "$output"
