#!/bin/bash
# What `meson install` lays down is complete: a C program finds the library by pkg-config,
# links it shared and static, runs; a C++17 program compiles. Run in the root of the tree.
set -u
build=${TASKCORE_BUILD:-build}
stage=$(mktemp -d) || exit 1
trap 'rm -rf "$stage"' EXIT
bad=0
fault() {
    echo "$*"
    bad=1
}

DESTDIR=$stage meson install -C "$build" --no-rebuild --quiet || fault "meson install failed"
find "$stage" -type f -o -type l | sed "s|^$stage||" | LC_ALL=C sort

present() { # PATTERN: some installed path ends so
    find "$stage" -path "*/$1" | grep -q . || fault "not installed: $1"
}
for program in taskapi taskctl taskpublisher taskworker; do
    present "bin/$program"
done
present include/taskcore.h
present libtaskcore.so
present libtaskcore.so.0
present libtaskcore.a
present pkgconfig/taskcore.pc
[ $bad = 0 ] || exit 1

# No installed file names the folder it was built in, but for debug information.
while IFS= read -r file; do
    if readelf -h "$file" >/dev/null 2>&1; then
        strip --strip-debug -o "$stage/stripped" "$file" 2>/dev/null || continue
        ! grep -qaF "$stage" "$stage/stripped" || fault "$file: names the stage folder"
    fi
done < <(find "$stage" -type f)

pc=$(find "$stage" -name taskcore.pc)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$stage
read -ra cflags < <(pkg-config --cflags taskcore)
read -ra shared < <(pkg-config --libs taskcore)
read -ra static < <(pkg-config --libs --static taskcore)
lib=$(dirname "$(find "$stage" -name libtaskcore.so)")

cp docs/examples/embed.c "$stage/embed.c" || exit 1
cc=${CC:-cc}
"$cc" -std=c17 -Wall -Wextra -Werror "${cflags[@]}" -o "$stage/embed-shared" "$stage/embed.c" \
    "${shared[@]}" || fault "embed.c does not link with pkg-config --libs"
"$cc" -std=c17 "${cflags[@]}" -o "$stage/embed-static" "$stage/embed.c" \
    "$lib/libtaskcore.a" "${static[@]}" || fault "embed.c does not link with --static"
for program in embed-shared embed-static; do
    [ -e "$stage/$program" ] || continue
    (cd "$stage" && LD_LIBRARY_PATH=$lib timeout 30 "./$program") ||
        fault "$program ends with $?"
done
printf '#include <taskcore.h>\nint main() { return 0; }\n' >"$stage/use.cc"
for cxx in g++ clang++; do
    command -v "$cxx" >/dev/null || continue
    "$cxx" -std=c++17 -Wall -Wextra -Wpedantic -Werror "${cflags[@]}" -o "$stage/use" \
        "$stage/use.cc" "${shared[@]}" || fault "$cxx does not take taskcore.h"
done
exit $bad
