#!/bin/bash
# Shell and Python files parse, start with the right line, and those to be run can be run.
# ShellCheck has no warning.
set -u
bad=0
shell=()
python=()
fault() {
    echo "$*"
    bad=1
}

while IFS= read -r file; do
    first=
    read -r first <"$file"
    case $first:$file in
    *.py) ;; # may be a module for one program and a program for another
    '#!'*) [ -x "$file" ] || fault "$file: starts with #! but cannot be run (chmod +x)" ;;
    esac
    case $first:$file in
    '#!/bin/bash'*:* | '#!/usr/bin/env bash'*:* | [!#]*:*.sh | '# '*:*.sh)
        shell+=("$file")
        bash -n "$file" || fault "$file: does not parse"
        ;;
    '#!/bin/sh'*:*)
        shell+=("$file")
        sh -n "$file" || fault "$file: does not parse"
        ;;
    *python3*:* | *:*.py) python+=("$file") ;;
    '#!'*:*) fault "$file: starts with '$first'" ;;
    esac
done < <(find deploy tests scripts .ci docs -type f 2>/dev/null | grep -v '__pycache__' |
    grep -vE '\.(c|h|md|json|txt|sql|png|html|build)$' | LC_ALL=C sort)

python3 - "${python[@]}" <<'END' || bad=1
import ast
import sys

status = 0
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as file:
            ast.parse(file.read(), path)
    except (SyntaxError, UnicodeDecodeError) as error:
        print(f"{path}: does not parse: {error}")
        status = 1
sys.exit(status)
END
# Files that source each other share variables, which shellcheck sees as unknown or unused, and
# those that are only sourced have no first line that would tell their shell.
shellcheck -S warning -e SC2034,SC2148,SC2154 -- "${shell[@]}" || bad=1
echo "${#shell[@]} shell and ${#python[@]} Python files"
[ ${#shell[@]} -gt 0 ] && exit $bad
exit 1
