# Sourced by deploy/run and tests/run. Notes go to stderr: stdout belongs to the result.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P) || exit 1
program=${program:-$(basename "$0")}

note() {
    printf '%s: %s\n' "$program" "$*" >&2
}

die() {
    note "$*"
    exit 1
}

# die_with_log FILE TEXT...: end with the last lines of what went wrong.
die_with_log() {
    local file=$1
    shift
    tail -n 30 "$file" >&2
    die "$* (all of it: $file)"
}
