#!/bin/sh
# Compiles the sentinel to an object file, which is linked into every program of a compiled language.
# usage: compiled.sh SOURCES, in the folder to fill; CC is a C compiler
set -eu
"${CC:-cc}" -c -O1 "$1/sentinel.c" -o sentinel.o
