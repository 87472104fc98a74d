#!/usr/bin/env python3
"""Count what one `meson test` run did, and show what failed.

usage: tally.py STAGE TESTLOG_JSON ARTIFACTS

Every subtest of a program that speaks TAP counts for itself, any other program once. Prints
the failures; appends `stage passed failed skipped` to ARTIFACTS/results.tsv and
`seconds stage test` to ARTIFACTS/times.tsv; writes all output to ARTIFACTS/STAGE.log, without
the environment that Meson's own log repeats.
"""
import json
import os
import re
import sys

POINT = re.compile(r"^(not )?ok\b[ \t]*(\d*)[ \t]*(?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)", re.M)
SHOWN_LINES = 25
DETAILED = 25  # failures of one stage; of more, only the names


def points_of(stdout):
    """TAP points as [ok, skipped, text, diagnostics]."""
    points = []
    for line in stdout.splitlines():
        match = POINT.match(line)
        if match:
            directive = re.search(r"#\s*(SKIP|TODO)", match.group(3), re.I)
            points.append([not match.group(1) or bool(directive), bool(directive),
                           match.group(3), []])
        elif points and line.startswith("#"):
            points[-1][3].append(line)
    return points


def ends_of(text):
    """The beginning and the end of what a program said: a report of a sanitizer tells what
    happened first and sums up last."""
    lines = [line for line in text.rstrip().splitlines() if line.strip()]
    if len(lines) <= SHOWN_LINES:
        return lines
    half = SHOWN_LINES // 2
    return lines[:half] + ["..."] + lines[-half:]


def judge(entry):
    """One test program: (passed, failed, skipped, lines that tell of failures)."""
    stdout, stderr = entry.get("stdout", ""), entry.get("stderr", "")
    result, name = entry["result"], entry["name"].split(" / ")[-1]
    plan = PLAN.search(stdout)
    points = points_of(stdout) if plan or result not in ("OK", "SKIP") else []
    passed = sum(ok and not skip for ok, skip, _, _ in points)
    failed = sum(not ok for ok, _, _, _ in points)
    skipped = sum(skip for _, skip, _, _ in points)
    told = []
    for ok, _, text, diagnostics in points:
        if not ok:
            told += [f"FAILED {name}: {text}", *diagnostics[-SHOWN_LINES:]]
    if failed and stderr:
        told += ends_of(stderr)

    told += [f"skipped {name}: {text}" for _, skip, text, _ in points if skip]

    whole = None  # a fault of the program as such, beyond its points
    if result == "SKIP" and not points:
        skipped += 1
        told.append(f"skipped {name}: {(stdout + stderr).strip()[:200]}")
    elif result == "TIMEOUT":
        whole = f"timed out after {entry['duration']:.0f} s"
    elif result in ("FAIL", "ERROR", "INTERRUPT", "UNEXPECTEDPASS") and not failed:
        whole = f"{result.lower()}, exit status {entry.get('returncode')}"
    elif plan and int(plan.group(1)) != len(points) and not failed:
        whole = f"planned {plan.group(1)} tests, ran {len(points)}"
    elif not points and result in ("OK", "EXPECTEDFAIL"):
        passed += 1
    if whole:
        failed += 1
        told += [f"FAILED {name}: {whole}", *ends_of(stdout), *ends_of(stderr)]
    return passed, failed, skipped, told


def main():
    stage, log, artifacts = sys.argv[1:]
    total = [0, 0, 0]
    entries, shown = [], 0
    if os.path.exists(log):
        with open(log, encoding="utf-8", errors="replace") as lines:
            entries = [json.loads(line) for line in lines if line.strip()]
    with open(os.path.join(artifacts, f"{stage}.log"), "w", encoding="utf-8") as out, \
            open(os.path.join(artifacts, "times.tsv"), "a", encoding="utf-8") as times:
        for entry in entries:
            *counts, told = judge(entry)
            total = [a + b for a, b in zip(total, counts)]
            times.write(f"{entry['duration']:.1f}\t{stage}\t{entry['name'].split(' / ')[-1]}\n")
            out.write(f"=== {entry['name']}: {entry['result']}, {entry['duration']:.2f} s\n"
                      f"{entry.get('stdout', '')}{entry.get('stderr', '')}\n")
            for line in told:
                is_name = line.startswith(("FAILED ", "skipped "))
                shown += line.startswith("FAILED ")
                if is_name or shown <= DETAILED:
                    print(line if is_name else "    " + line)
    if shown > DETAILED:
        print(f"(only names from the {DETAILED + 1}th failure on; all in {artifacts}/{stage}.log)")
    if sum(total) == 0:
        print(f"FAILED {stage}: ran no tests")
        total[1] = 1
    with open(os.path.join(artifacts, "results.tsv"), "a", encoding="utf-8") as out:
        out.write("\t".join([stage, *map(str, total)]) + "\n")


main()
