#!/bin/sh
# Compiles the sentinel, and precompiles the header with which every C++ program starts.
# usage: cpp.sh SOURCES HEADER, in the folder to fill; GXX is the C++ compiler, HEADER a file in SOURCES
set -eu
"$GXX" -x c -c -O1 "$1/sentinel.c" -o sentinel.o
cp "$1/$2" header.h
"$GXX" -std=c++17 -x c++-header header.h -o header.h.gch
