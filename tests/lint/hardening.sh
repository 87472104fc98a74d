#!/bin/bash
# The binaries carry what the linker offers against exploitation, and no path of the machine
# that built them. Run in the root of the tree; TASKCORE_BUILD is the build folder.
set -u
build=${TASKCORE_BUILD:-build}
bad=0
count=0
fault() {
    echo "$*"
    bad=1
}

for file in "$build"/taskapi "$build"/taskworker "$build"/taskpublisher "$build"/taskctl \
    "$build"/libtaskcore.so; do
    [ -e "$file" ] || continue
    count=$((count + 1))
    readelf -hW "$file" | grep -q 'Type: *DYN' || fault "$file: not position independent"
    readelf -lW "$file" | grep -q 'GNU_RELRO' || fault "$file: no RELRO"
    readelf -lW "$file" | grep 'GNU_STACK' | grep -q 'RWE' && fault "$file: executable stack"
    readelf -dW "$file" | grep -qE 'BIND_NOW|Flags:.*NOW' || fault "$file: lazy binding"
    readelf -dW "$file" | grep -qE 'RPATH|RUNPATH' && fault "$file: carries a run path"
    # The archive members of a library without large buffers may need no canary.
    case $file in
    *.so) ;;
    *) readelf -sW "$file" | grep -q '__stack_chk_fail' || fault "$file: no stack protector" ;;
    esac
done
echo "$count binaries"
[ "$count" -gt 0 ] && exit $bad
exit 1
