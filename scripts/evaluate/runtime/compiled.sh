#!/bin/sh
# The sentinel as an object file, to be linked into every program of a compiled language.
# usage: compiled.sh SOURCES      in the folder to fill; CC is a C compiler
set -eu
"${CC:-cc}" -c -O1 "$1/sentinel.c" -o sentinel.o
