#!/bin/bash
# The lints find what they are for: each is run on a tree with one planted fault, and has to
# fail there, and pass on the same tree without it.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bad=0
count=0

tree() { # a small tree without faults, in $work
    rm -rf "$work"
    mkdir -p "$work"/{core/domain,core/usecases,ports,adapters/memory,adapters/sqlite,apps/a}
    cp "$here/../../.clang-format" "$work/"
    printf '#ifndef X_H\n#define X_H\n#include <stdint.h>\nint64_t x(void);\n#endif\n' \
        >"$work/core/domain/x.h"
    printf '#include "core/domain/x.h"\n\nint64_t x(void)\n{\n    return 1;\n}\n' \
        >"$work/core/domain/x.c"
    cp "$work/core/domain/x.h" "$work/ports/p.h"
    cp "$work/core/domain/x.h" "$work/core/usecases/u.h"
    cp "$work/core/domain/x.h" "$work/adapters/sqlite/s.h"
    printf '#include "ports/p.h"\n#include <pthread.h>\n' >"$work/adapters/memory/m.c"
    mkdir "$work/deploy" "$work/tests"
    printf '#!/bin/bash\necho "$@"\n' >"$work/deploy/run"
    printf 'print(1)\n' >"$work/tests/x.py"
    chmod +x "$work/deploy/run"
}

# finds LINT FILE TEXT: the lint passes without, and fails with TEXT at the end of FILE.
finds() {
    local lint=$1 file=$2 text=$3
    count=$((count + 1))
    tree
    (cd "$work" && "$here/$lint" >"$work.out" 2>&1) || {
        echo "$lint fails on a tree without faults:"
        cat "$work.out"
        bad=1
    }
    printf '%b\n' "$text" >>"$work/$file"
    if (cd "$work" && "$here/$lint" >"$work.out" 2>&1); then
        echo "$lint does not find in $file: $text"
        bad=1
    fi
}

work=$(mktemp -d)/tree || exit 1
trap 'rm -rf "$(dirname "$work")"' EXIT

finds includes.py core/domain/x.c '#include "ports/p.h"'
finds includes.py core/domain/x.c '#include <time.h>'
finds includes.py core/domain/x.c '#include <unistd.h>'
finds includes.py ports/p.h '#include "core/usecases/u.h"'
finds includes.py core/usecases/u.h '#include "adapters/sqlite/s.h"'
finds includes.py adapters/memory/m.c '#include "adapters/sqlite/s.h"'
finds includes.py adapters/memory/m.c '#include "core/usecases/u.h"'
finds includes.py adapters/memory/m.c '#include <sqlite3.h>'
finds includes.py adapters/memory/m.c '#include "../sqlite/s.h"'
finds includes.py core/other.c 'int y;'
finds banned.py core/domain/x.c 'void f(char *p) { strcpy(p, "x"); }'
finds banned.py core/domain/x.c 'void f(void) { printf("x"); }'
finds banned.py adapters/memory/m.c 'void f(void) { exit (1); }'
finds banned.py adapters/memory/m.c 'char *f(void) { return getenv("X"); }'
finds banned.py apps/a/main.c 'int f(char *p) { return atoi(p); }'
finds headers.sh core/domain/x.h 'size_t y(void);'
finds headers.sh core/domain/x.h 'typedef int clock_type[sizeof(struct timespec)];'
finds headers.sh adapters/sqlite/s.h 'struct s { pthread_t t; };'
finds file-size.sh core/domain/x.c "$(printf '\\n%.0s' {1..600})"
finds format.sh core/domain/x.c 'int  y ;'
finds cppcheck.sh core/domain/x.c 'int f(void) { int a[2]; a[0] = 1; return a[2]; }'
finds cppcheck.sh core/domain/x.c 'int f(const int *p) { int v = *p; return p ? v : 0; }'
finds scripts.sh deploy/run 'if true; then'
finds scripts.sh deploy/run 'cd "$1"; rm -rf ./*'
finds scripts.sh tests/x.py 'def f(:'

# library SOURCE: build/libtaskcore.so and .a of one more source beside a good one.
library() {
    rm -rf "$work"
    mkdir -p "$work/build"
    echo 'int tc_good(void); int tc_good(void) { return 1; }' >"$work/good.c"
    printf '%b\n' "$1" >"$work/more.c"
    (cd "$work" && gcc -c -fPIC good.c more.c && ar rcs build/libtaskcore.a good.o more.o &&
        gcc -shared -Wl,-soname,libtaskcore.so.0 -o build/libtaskcore.so good.o more.o)
}

# finds_symbol SOURCE: symbols.sh takes a library of harmless code, and refuses this one.
finds_symbol() {
    count=$((count + 1))
    library 'static const char *const words[] = { "a" };\nconst char *tc_w(int i);
        const char *tc_w(int i) { return words[i]; }'
    (cd "$work" && TASKCORE_BUILD=build "$here/symbols.sh" >"$work.out" 2>&1) || {
        echo "symbols.sh refuses a good library:"
        cat "$work.out"
        bad=1
    }
    library "$1"
    if (cd "$work" && TASKCORE_BUILD=build "$here/symbols.sh" >"$work.out" 2>&1); then
        echo "symbols.sh does not find: $1"
        bad=1
    fi
}

finds_symbol 'int stray(void); int stray(void) { return 1; }'
finds_symbol 'int getpid(void); int tc_x(void); int tc_x(void) { return getpid(); }'
finds_symbol 'int tc_counter;'

# counts LOG EXPECTED: tally.py makes "passed failed skipped" of a test log.
counts() {
    local got
    count=$((count + 1))
    rm -rf "$work"
    mkdir -p "$work"
    printf '%s\n' "$1" >"$work/log.json"
    "$here/../tally.py" stage "$work/log.json" "$work" >"$work/told"
    got=$(cut -f 2- "$work/results.tsv" | tr '\t' ' ')
    if [ "$got" != "$2" ]; then
        echo "tally.py counts '$got', not '$2', in: $1"
        bad=1
    fi
    case $2 in
    *' 0 '*) ;;
    *) grep -q FAILED "$work/told" || { echo "tally.py does not tell of: $1"; bad=1; } ;;
    esac
}

entry() { # RESULT STATUS STDOUT
    printf '{"name": "x:s / t", "stdout": "%s", "result": "%s", "duration": 1.0, "returncode": %d}' \
        "$3" "$1" "$2"
}

counts "$(entry OK 0 '1..2\nok 1 - a\nok 2 - b\n')" '2 0 0'
counts "$(entry ERROR 1 '1..2\nok 1 - a\nnot ok 2 - b\n')" '1 1 0'
counts "$(entry OK 0 '1..2\nok 1 - a\nnot ok 2 - b\n')" '1 1 0'
counts "$(entry OK 0 '1..3\nok 1 - a\nok 2 - b\n')" '2 1 0'
counts "$(entry ERROR 1 '1..2\nok 1 - a\nok 2 - b\n')" '2 1 0'
counts "$(entry TIMEOUT -15 'ok 1 - a\n')" '1 1 0'
counts "$(entry OK 0 '1..2\nok 1 - a\nok 2 - b # SKIP why\n')" '1 0 1'
counts "$(entry SKIP 0 '1..0 # SKIP set X\n')" '0 0 1'
counts "$(entry OK 0 'hello\n')" '1 0 0'
counts "$(entry FAIL 3 'hello\n')" '0 1 0'
counts '' '0 1 0'
echo "$count planted faults"
exit $bad
