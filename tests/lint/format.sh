#!/bin/bash
# clang-format has nothing to change. Run in the root of the tree.
set -u
is_formatted() {
    clang-format "$1" | cmp -s - "$1" && return
    echo "$1: clang-format -i changes it"
    return 1
}
export -f is_formatted

files=$(find core ports adapters apps include tests docs -type f \
    \( -name '*.c' -o -name '*.h' \) 2>/dev/null | LC_ALL=C sort)
[ -n "$files" ] || exit 1
xargs -P "$(nproc)" -n 20 bash -c 'bad=0; for f; do is_formatted "$f" || bad=1; done; exit $bad' \
    each <<<"$files" || exit 1
echo "$(wc -l <<<"$files") files"
