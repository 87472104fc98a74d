#!/usr/bin/env python3
"""Calls that this code base does not make, and why. Comments and strings do not count.

Run in the root of the tree. A line that must break a rule says so: /* banned-ok: reason */
"""
import os
import re
import sys

UNBOUNDED = "writes without a bound"
ANYWHERE = {
    "strcpy": UNBOUNDED, "strcat": UNBOUNDED, "stpcpy": UNBOUNDED,
    "sprintf": UNBOUNDED, "vsprintf": UNBOUNDED, "gets": UNBOUNDED,
    "atoi": "cannot report an error", "atol": "cannot report an error",
    "atoll": "cannot report an error", "atof": "cannot report an error",
    "strtok": "keeps hidden state", "localtime": "keeps hidden state",
    "gmtime": "keeps hidden state", "asctime": "keeps hidden state",
    "ctime": "keeps hidden state",
    "rand": "is predictable", "srand": "is predictable",
    "alloca": "can overrun the stack", "system": "starts a shell", "popen": "starts a shell",
    "tmpnam": "races", "tempnam": "races", "mktemp": "races",
}
# Only apps/ know the environment and decide when a process ends.
NOT_IN_LIBRARIES = {
    "exit": "ends the process of whoever linked us", "_exit": "ends the process",
    "quick_exit": "ends the process", "getenv": "reads the environment",
    "secure_getenv": "reads the environment", "setenv": "changes the environment",
    "signal": "changes the process", "sigaction": "changes the process",
}
CORE_KNOWS_NOTHING_OF = {
    "fopen": "does input and output", "printf": "does input and output",
    "fprintf": "does input and output", "puts": "does input and output",
    "fputs": "does input and output", "time": "has no clock", "clock": "has no clock",
    "timespec_get": "has no clock", "abort": "ends the process",
    "thrd_create": "has no threads", "mtx_lock": "has no threads",
}

HIDDEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
EXCUSE = re.compile(r"/\* banned-ok: \S")


def without_prose(text):
    return HIDDEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def rules_for(path):
    rules = dict(ANYWHERE)
    if path.startswith(("core/", "ports/", "adapters/")):
        rules.update(NOT_IN_LIBRARIES)
    if path.startswith(("core/", "ports/")):
        rules.update(CORE_KNOWS_NOTHING_OF)
    return rules


def faults_in(path):
    with open(path, encoding="utf-8") as source:
        text = source.read()
    rules = rules_for(path)
    call = re.compile(r"(?<![\w.>])(" + "|".join(sorted(map(re.escape, rules))) + r")\s*\(")
    lines = text.splitlines()
    for number, line in enumerate(without_prose(text).splitlines(), 1):
        for match in call.finditer(line):
            if not EXCUSE.search(lines[number - 1]):
                yield number, f"{match.group(1)}() {rules[match.group(1)]}"


def main():
    count = bad = 0
    for top in ("core", "ports", "adapters", "apps", "include", "tests", "docs"):
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(n for n in names if n.endswith((".c", ".h"))):
                count += 1
                path = os.path.join(folder, name)
                for number, text in faults_in(path):
                    print(f"{path}:{number}: {text}")
                    bad += 1
    print(f"{count} files, {bad} banned calls")
    return 1 if bad or not count else 0


sys.exit(main())
