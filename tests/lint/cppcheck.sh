#!/bin/bash
# cppcheck over everything that ships. Run in the root of the tree. A false finding is excused
# where it is, with its reason: /* cppcheck-suppress id ; reason */
set -u
# It is shown the headers whose macros it would guess wrongly about, and none of libc, on which
# it gives up without a word.
shown=$(mktemp -d) || exit 1
trap 'rm -rf "$shown"' EXIT
for header in sqlite3.h uthash.h; do
    ln -s "/usr/include/$header" "$shown/" || exit 1
done
mapfile -t folders < <(ls -d core ports adapters apps 2>/dev/null)
cppcheck --enable=warning,style,performance,portability --inconclusive --inline-suppr \
    --std=c11 --language=c --platform=unix64 -D_POSIX_C_SOURCE=200809L -D__GNUC__=12 \
    -I. -I"$shown" "--suppress=*:$shown/*" \
    --suppress=missingIncludeSystem --suppress=unmatchedSuppression \
    --suppressions-list="$(dirname "${BASH_SOURCE[0]}")/cppcheck-suppressions.txt" \
    --template='{file}:{line}: {severity} {id}: {message}' \
    --error-exitcode=1 --quiet -j "$(nproc)" "${folders[@]}" || exit 1
echo "$(find "${folders[@]}" -name '*.c' | wc -l) files"
