#!/bin/bash
# Lines and branches of core/ and ports/ that the core suite runs: both must be 100 %. What
# cannot be reached is excused in the source: GCOV_EXCL_LINE or GCOV_EXCL_BR_LINE, with the
# reason. Run from anywhere; the one argument is the build folder (default build-coverage).
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd) || exit 1
build=${1:-$root/build-coverage}
mkdir -p "$build" || exit 1
build=$(cd "$build" && pwd) || exit 1
log=$build/coverage.log
cd "$root" || exit 1

# Unoptimised and without hardening, so that every branch is one of the source's.
options=(-Db_coverage=true -Dbuildtype=plain -Doptimization=0 -Ddebug=true -Dwerror=false)
if [ "$(cat "$build/configured-with" 2>/dev/null)" != "$root ${options[*]}" ]; then
    # Nothing is deleted that is not ours.
    [ -e "$build/configured-with" ] || [ -z "$(ls -A "$build")" ] || {
        echo "$build: is not empty and no coverage build"
        exit 1
    }
    rm -rf "${build:?}"/*
    CC=gcc meson setup "$build" "$root" "${options[@]}" >"$log" 2>&1 || {
        tail -n 20 "$log"
        exit 1
    }
    echo "$root ${options[*]}" >"$build/configured-with"
fi

# Only what the core suite needs is built. Old counters would cover for tests that are gone.
find "$build" -name '*.gcda' -delete
if ! meson test -C "$build" --suite core --print-errorlogs >"$log" 2>&1; then
    grep -E 'error|FAILED|not ok|Summary|^Fail' "$log" | head -n 40
    echo "the core suite fails, see $log"
    exit 1
fi

report=$build/coverage-core.txt
status=0
common=(--root "$root" --object-directory "$build" --filter 'core/' --filter 'ports/'
    --exclude-unreachable-branches)
gcovr "${common[@]}" --json "$build/coverage-core.json" "$build" >"$log" 2>&1 || {
    tail -n 20 "$log"
    exit 1
}
gcovr --root "$root" -a "$build/coverage-core.json" --txt "$report" \
    --fail-under-line 100 >>"$log" 2>&1 || status=1
gcovr --root "$root" -a "$build/coverage-core.json" --branches \
    --txt "$report.branches" --fail-under-branch 100 >>"$log" 2>&1 || status=1

# A source of which nothing ran leaves no counters: it must not be missing from the table.
for file in core/*/*.c ports/*.c; do
    grep -qF "\"$file\"" "$build/coverage-core.json" || {
        echo "$file: nothing of it ran"
        status=1
    }
done
if [ $status != 0 ]; then
    cat "$report" "$report.branches"
fi
sum_of() { # FILE: "n of m (p%)" from its TOTAL line
    awk '$1 == "TOTAL" { print $3 " of " $2 " (" $4 ")" }' "$1"
}
echo "lines $(sum_of "$report"), branches $(sum_of "$report.branches")"
exit $status
