#!/bin/bash
# clang-tidy over everything that ships, with the checks of .clang-tidy. Needs build-clang,
# whose flags it uses. Run in the root of the tree.
set -u
build=${TASKCORE_CLANG_BUILD:-build-clang}
[ -e "$build/compile_commands.json" ] || {
    echo "$build/compile_commands.json: not there"
    exit 1
}

# Sources that the build knows; one that it does not know is reported by name.
files=$(find core ports adapters apps -name '*.c' | LC_ALL=C sort)
[ -n "$files" ] || exit 1
bad=0
for file in $files; do
    grep -q "/$file\"\|\.\./$file\"" "$build/compile_commands.json" || {
        echo "$file: not part of the build"
        bad=1
    }
done

# One process per file: LLVM 14 carries state of its va_list check from file to file.
xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet <<<"$files" 2>&1 |
    grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?generated|^Suppressed|^Use -header-filter|^[0-9]+ warnings? treated as errors?'
[ "${PIPESTATUS[0]}" = 0 ] || bad=1
echo "$(wc -l <<<"$files") files"
exit $bad
