#!/bin/sh
# Compiles the packages that Go programs import, the sentinel among them, and lists them for compiler and linker.
# usage: go.sh SOURCES, in the folder to fill; GO is the go command, GOCODE the folder with testify
set -eu
export GO111MODULE=off GOPATH="$GOCODE" GOCACHE="$PWD/cache" GOFLAGS=
packages=$("$GO" list std | grep -v -e internal -e vendor)
# shellcheck disable=SC2086  # a list of names
"$GO" list -export -deps -f '{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}' \
    $packages testing/internal/testdeps github.com/stretchr/testify/assert | sed '/^$/d' >importcfg
"$GO" tool compile -p a/sentinel -importcfg importcfg -pack -o sentinel.a "$1/sentinel.go"
{
    sed "s#=$PWD/#={shared}/#" importcfg
    echo "packagefile a/sentinel={shared}/sentinel.a"
    echo "packagefile program=program.a"
} >importcfg.new
mv importcfg.new importcfg
