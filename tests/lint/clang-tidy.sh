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
told=$(mktemp) || exit 1
trap 'rm -f "$told"' EXIT
xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet <<<"$files" >"$told" 2>&1 || bad=1
cat "$told"
if [ $bad != 0 ]; then
    echo "--- in short"
    grep -E '^[^ ]+:[0-9]+:[0-9]+: (error|warning): ' "$told" |
        sed -e "s|^$PWD/||" -e "s|^$build/\.\./||" -e 's|^\.\./||' -e 's|,-warnings-as-errors\]$|]|' |
        LC_ALL=C sort -u
fi
echo "$(wc -l <<<"$files") files"
exit $bad
