"""Prove the drill: plant each bug of bugs/*.patch in a copy of the source, build it, and let
the drill find it. A bug that is not found, or a patch that no longer applies, is a failure.

    planted.py                 all bugs, TAP on stdout
    planted.py no_fence        one of them
    planted.py --drill kill9   those that this drill finds; the others' patches must apply
    planted.py --check         only: do the patches apply?

A patch begins with `Bug:` (what is broken), `Drill:` (which finds it) and `Found as:` (the
violations, comma between them, of which one must be the first that the drill reports).
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CYCLES = {"cut_commits": 200, "kill_processes": 100, "kill_postgres": 20, "zombies": 30,
          "kill_kafka": 12}  # at most, unless asked for; the first violation ends a drill
PROGRAMS = ("taskapi", "taskworker", "taskpublisher", "taskctl")
LEFT_OUT = shutil.ignore_patterns("build*", ".git", "run", "__pycache__", "node_modules", "*.db")


class Bug:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        head = path.read_text().split("\n--- ", 1)[0]
        self.what = re.search(r"^Bug: (.*(?:\n .*)*)", head, re.M)[1].replace("\n", "")
        self.drill = re.search(r"^Drill: (\w+)$", head, re.M)[1]
        self.kinds = [kind.strip() for kind in re.search(r"^Found as: (.*)$", head, re.M)[1]
                      .split(",")]

    def patch(self, tree, *options):
        done = subprocess.run(["patch", "-p1", "-F1", "--no-backup-if-mismatch", "-r", "-",
                               *options, "-i", str(self.path)],
                              cwd=tree, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    def applies(self, tree):
        return self.patch(tree, "--dry-run")


class Workshop:
    """A copy of the tree that is built, spoiled and mended again and again."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="planted-"))
        self.tree = self.folder / "tree"
        self.build = self.folder / "build"
        shutil.copytree(ROOT, self.tree, ignore=lambda folder, names: (
            LEFT_OUT(folder, names) if Path(folder) == ROOT else {"__pycache__"} & set(names)))

    def prepare(self):
        self.call("meson", "setup", str(self.build), str(self.tree), "-Dwarning_level=0",
                  "-Dwerror=false")
        self.make()

    def make(self):
        self.call("ninja", "-C", str(self.build), *PROGRAMS)

    def call(self, *command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")

    def drill(self, name, arguments, report):
        """-> (exit status, what was said)"""
        environment = {**os.environ, "TASKCORE_BUILD": str(self.build)}
        done = subprocess.run([sys.executable, str(HERE / f"{name}.py"), "--stop-at-first",
                               "--json", str(report), *arguments], env=environment,
                              capture_output=True, text=True, timeout=400)
        return done.returncode, done.stdout + done.stderr

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def hunt(workshop, bug, options):
    """Plant, build, drill, mend. -> (found as expected?, facts, what the drill said)"""
    ok, said = bug.patch(workshop.tree)
    if not ok:
        return False, {"bug": bug.name, "found": False}, "the patch does not apply:\n" + said
    try:
        workshop.make()
    except RuntimeError as error:
        bug.patch(workshop.tree, "-R")
        return False, {"bug": bug.name, "found": False}, f"it does not build any more:\n{error}"
    try:
        report = workshop.folder / "report.json"
        report.unlink(missing_ok=True)
        began = time.monotonic()
        cycles = options.cycles or CYCLES.get(bug.drill, 60)
        status, said = workshop.drill(bug.drill, ["--cycles", str(cycles), "--seed", options.seed]
                                      + ["--no-directed"] * options.no_directed, report)
        seconds = round(time.monotonic() - began, 1)
    finally:
        bug.patch(workshop.tree, "-R")
    facts = json.loads(report.read_text()) if report.exists() else {}
    first = re.search(r"^VIOLATION ([^:]*)", said, re.M)
    kind = first[1] if first else None
    found = status == 1 and kind in bug.kinds
    strikes = next((facts[word] for word in ("kills", "stops", "cuts", "blows")
                    if word in facts), None)
    return found, {"bug": bug.name, "what": bug.what, "drill": bug.drill, "found": found,
                   "found_as": kind, "seconds": seconds, "strikes": strikes,
                   "seed": options.seed}, said


def tell(number, ok, name, said=""):
    print(f"{'ok' if ok else 'not ok'} {number} - {name}", flush=True)
    if not ok:
        for line in said.rstrip().splitlines()[-40:]:
            print(f"# {line}")


def check_patches(bugs):
    good = True
    for number, bug in enumerate(bugs, 1):
        ok, said = bug.applies(ROOT)
        good &= ok
        tell(number, ok, f"the_patch_{bug.name}_applies", said)
    print(f"1..{len(bugs)}")
    return 0 if good and len(bugs) >= 6 else 1


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bugs", nargs="*")
    parser.add_argument("--drill", help="only the bugs of this drill")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cycles", type=int)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--no-directed", action="store_true", help="the random part alone")
    parser.add_argument("--json")
    options = parser.parse_args(argv)
    bugs = [Bug(path) for path in sorted((HERE / "bugs").glob("*.patch"))
            if not options.bugs or path.stem in options.bugs]
    others = [bug for bug in bugs if options.drill not in (None, bug.drill)]
    bugs = [bug for bug in bugs if options.drill in (None, bug.drill)]
    if options.check:
        return check_patches(bugs)
    workshop = Workshop()
    results, good = [], bool(bugs)
    try:
        workshop.prepare()
        for number, bug in enumerate(bugs, 1):
            found, facts, said = hunt(workshop, bug, options)
            good &= found
            results.append(facts)
            tell(number, found, f"the_bug_{bug.name}_is_found", said)
            print(f"# {json.dumps(facts)}", flush=True)
        for number, bug in enumerate(others, len(bugs) + 1):
            applies, said = bug.applies(ROOT)
            good &= applies
            tell(number, applies, f"the_patch_{bug.name}_applies", said)
        print(f"1..{len(bugs) + len(others)}")
    finally:
        workshop.close()
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
