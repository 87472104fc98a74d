#!/bin/bash
# Every header compiles on its own, with gcc and with clang, under -pedantic; the public one
# as C++17 too. Run in the root of the tree.
set -u

# check COMPILER HEADER: a file with this one include, and one declaration because ISO C
# forbids none. core/ and ports/ get no POSIX, as in the build.
check() {
    local compiler=$1 header=$2 language=c dialect=-std=c17 posix=-D_POSIX_C_SOURCE=200809L
    case $header in
    core/* | ports/* | include/*) posix=-DNO_POSIX ;;
    esac
    case $compiler in
    *++) language=c++ dialect=-std=c++17 ;;
    esac
    # shellcheck disable=SC2086 # the flags are words
    printf '#include "%s"\nextern int nothing_else;\n' "$header" |
        "$compiler" "$dialect" "$posix" -Wall -Wextra -Wpedantic -Wshadow -Werror -I. \
            $library_flags -fsyntax-only -x "$language" - && return
    echo "  ^ $header, $compiler"
    return 1
}
export -f check
# Headers that are not in the compiler's own folders.
library_flags=$(pkg-config --cflags libpq 2>/dev/null)
export library_flags

headers=$(find core ports adapters apps include tests -name '*.h' 2>/dev/null | LC_ALL=C sort)
[ -n "$headers" ] || exit 1
{
    for header in $headers; do
        printf '%s\n' "gcc $header" "clang $header"
    done
    for header in include/*.h; do
        [ -e "$header" ] || continue
        for compiler in g++ clang++; do
            command -v "$compiler" >/dev/null && echo "$compiler $header"
        done
    done
} | xargs -P "$(nproc)" -L 1 bash -c 'check "$@"' check || exit 1
echo "$(wc -l <<<"$headers") headers"
