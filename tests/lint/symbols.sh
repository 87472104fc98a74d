#!/bin/bash
# What libtaskcore gives and takes: exports only tc_, needs nothing outside ISO C.
# Run in the root of the tree; TASKCORE_BUILD is the build folder.
set -u
build=${TASKCORE_BUILD:-build}
bad=0
fault() {
    echo "$*"
    bad=1
}

# exports_only_tc LIBRARY SONAME
exports_only_tc() {
    local exported foreign soname

    exported=$(nm -D --defined-only "$1" | awk '{ print $3 }' | sed 's/@.*//')
    [ -n "$exported" ] || fault "$1: exports nothing"
    foreign=$(grep -v '^tc_' <<<"$exported")
    # shellcheck disable=SC2086 # on one line
    [ -z "$foreign" ] || fault "$1: exports besides tc_:" $foreign
    soname=$(readelf -d "$1" | sed -n 's/.*soname: \[\(.*\)\].*/\1/p')
    [ "$soname" = "$2" ] || fault "$1: soname '$soname', not $2"
    echo "$1: $(wc -l <<<"$exported") exported symbols"
}

# ISO C functions that core may call, and what the compiler adds for its own checks.
allowed='^(mem(cpy|cmp|set|move|chr)|str(len|cmp|ncmp|chr|rchr|spn|cspn|pbrk|str|toll|toull|tod)
|malloc|calloc|realloc|free|v?snprintf|qsort|bsearch|abs|labs|llabs|lldiv
|is(alnum|alpha|cntrl|digit|graph|lower|print|punct|space|upper|xdigit)|to(lower|upper)
|__stack_chk_fail|__(mem(cpy|set|move)|v?snprintf)_chk|__assert_fail|__ctype_b_loc
|__ctype_(tolower|toupper)_loc|_GLOBAL_OFFSET_TABLE_)$'
allowed=$(printf '%s' "$allowed" | tr -d '\n')

shared=$build/libtaskcore.so
archive=$build/libtaskcore.a
for file in "$shared" "$archive"; do
    [ -e "$file" ] || fault "$file: not there"
done
[ $bad = 0 ] || exit 1

exports_only_tc "$shared" libtaskcore.so.0
embedded=$build/libtaskcore-embedded.so
[ ! -e "$embedded" ] || exports_only_tc "$embedded" libtaskcore-embedded.so.0

needed=$(readelf -d "$shared" | sed -n 's/.*NEEDED.*\[\(.*\)\].*/\1/p' |
    grep -vE '^(libc\.so\.6|ld-linux.*)$')
[ -z "$needed" ] || fault "$shared: needs $(echo $needed)"

# Undefined in one object and defined in no other one of the archive.
defined=$(nm --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | LC_ALL=C sort -u)
undefined=$(nm -u "$archive" 2>/dev/null | awk 'NF == 2 { print $2 }' | LC_ALL=C sort -u)
outside=$(LC_ALL=C comm -13 <(echo "$defined") <(echo "$undefined") | grep -vE "$allowed")
[ -z "$outside" ] || fault "$archive: calls outside ISO C: $(echo $outside)"

# Writable data in core would be a global variable: state that two callers share. (Constant
# tables of pointers lie in .data.rel.ro, read-only once loaded.)
globals=$(objdump -t "$archive" 2>/dev/null |
    awk 'NF > 2 && $(NF-2) ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)$/ && $NF !~ /^\./ { print $NF }')
[ -z "$globals" ] || fault "$archive: writable globals: $(echo $globals)"

exit $bad
