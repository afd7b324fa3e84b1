#!/bin/sh
# Installs the library to a folder, builds examples/embed against it in both ways, and runs what came out.
set -eu
build=$1 source=$2 compiler=$3 libdir=${4:-lib}
case $libdir in "") libdir=lib ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --component library --prefix "$work/installed" > "$work/log"
cd "$work"
export PKG_CONFIG_PATH="$work/installed/$libdir/pkgconfig"

expect() {
    rm -rf data
    answer=$("$@" data "$build/actors/counter.wasm" "add 5" 2> report)
    cat report
    [ "$answer" = 5 ] && grep -q "2 elements verified" report
}

# shellcheck disable=SC2046
"$compiler" -std=c17 -Wall -Wextra -Werror "$source/examples/embed/embed.c" $(pkg-config --cflags --libs theater) -o by-pkg-config
LD_LIBRARY_PATH="$work/installed/$libdir" expect ./by-pkg-config

cmake -S "$source/examples/embed" -B cmake -DCMAKE_PREFIX_PATH="$work/installed" -DCMAKE_C_COMPILER="$compiler" > log
cmake --build cmake > log
expect cmake/embed
expect cmake/embed-static

# Only the functions of the headers are visible.
if nm -D --defined-only "installed/$libdir/libtheater.so" | awk '{print $3}' | grep -v '^theater_'; then
    echo "the shared library shows more than its interface" >&2
    exit 1
fi
grep -hoE 'theater_[a-z_]+\(' installed/include/theater/*.h | tr -d '(' | sort -u > declared
nm -D --defined-only "installed/$libdir/libtheater.so" | awk '{print $3}' | sort -u > shown
missing=$(grep -h THEATER_API installed/include/theater/*.h | grep -oE 'theater_[a-z_]+ *\(' | tr -d '( ' | sort -u | comm -23 - shown)
[ -z "$missing" ] || { echo "declared and not there: $missing" >&2; exit 1; }
echo "the library can be embedded"
