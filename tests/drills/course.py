"""The course of a drill, whatever it breaks: clients work on a service, something is broken
again and again, and in the end everything must have run to its one end.

A drill subclasses Course: it opens its service, breaks it in strike(), says what a snapshot of
the store is, and adds its own facts. Same seed: same tasks, cancels and moments; how threads
interleave is the machine's.
"""

import argparse
import json
import random
import secrets
import sys
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import verify  # noqa: E402
from ledger import Ledger  # noqa: E402
from workload import Submitter, Watcher  # noqa: E402


class Course:
    name = None  # of the drill
    strikes_word = "kills"
    pace = 0  # seconds that a submitter rests between two requests

    def __init__(self, arguments):
        self.arguments = arguments
        self.seed = arguments.seed
        self.rng = random.Random(f"{self.seed}-killer")
        self.ledger = Ledger()
        self.gate = threading.Event()  # never set: a wait that costs nothing
        self.stop_submitting = threading.Event()
        self.stop_watching = threading.Event()
        self.give_up = threading.Event()
        self.recent = []
        self.seen_ends = {}  # id -> end, as the store had it at some moment
        self.strikes = 0
        self.actors = []

    # --- what a drill brings

    server = None  # whom the actors talk to: .client(timeout)

    def open(self):
        """Bring the service up."""

    def before(self):
        """Directed drills, before the random part."""

    def strike(self):
        """Break something once, and bring it back."""
        raise NotImplementedError

    def snapshot(self):
        """The store at rest: .ends() and .at_rest()."""
        raise NotImplementedError

    def end_service(self):
        """Stop everything in good order."""

    def close(self):
        """Whatever the course was."""

    def facts(self):
        return {}

    # --- for the actors

    def pick(self, rng):
        entries = self.ledger.by_id
        if not entries:
            return None
        keys = self.recent if rng.random() < 0.7 and self.recent else None
        if keys is None:
            with self.ledger.lock:
                self.recent = list(entries)[-400:]
            keys = self.recent
        return entries[rng.choice(keys)]

    # --- the course

    def run(self):
        began = time.monotonic()
        if not self.arguments.no_directed:
            self.before()
        if not self.is_over():
            self.open()
            self.start_actors()
            self.strike_again_and_again()
            self.quiesce()
        self.seconds = time.monotonic() - began
        return self.report()

    def is_over(self):
        return self.arguments.stop_at_first and self.ledger.found.is_set()

    def start_actors(self):
        self.actors = [Submitter(self, f"s{n}") for n in range(self.arguments.submitters)]
        self.actors += [Watcher(self, f"w{n}") for n in range(2)]
        for actor in self.actors:
            actor.start()

    def strike_again_and_again(self):
        for _ in range(self.arguments.cycles):
            if self.is_over():
                return
            self.strike()

    def compare_ends(self, snapshot):
        """What had ended at an earlier moment is the same now."""
        for task_id, end in snapshot.ends().items():
            first = self.seen_ends.setdefault(task_id, end)
            if first != end:
                self.ledger.violation("two terminal states", f"{task_id}: {first} then {end}")
        for kind, detail in snapshot.broken():
            self.ledger.violation(kind, detail)

    def quiesce(self):
        self.stop_submitting.set()
        if self.is_over():
            self.give_up.set()
        for actor in self.actors:
            if isinstance(actor, Submitter):
                actor.join(60)
        self.stop_watching.set()
        for actor in self.actors:
            actor.join(30)
            if actor.is_alive():
                self.ledger.violation("drill", f"{actor.name} does not end")
        if not self.is_over():
            verify.whole(self)

    def report(self):
        ledger = self.ledger
        kinds = {}
        for violation in ledger.violations:
            kinds[violation.kind] = kinds.get(violation.kind, 0) + 1
        counts = ledger.counts
        return {
            "drill": self.name, "seed": self.seed, self.strikes_word: self.strikes,
            "submitters": self.arguments.submitters, "seconds": round(self.seconds, 1),
            "tasks_intended": len(ledger.entries), "tasks_acknowledged": counts["acked"],
            "answers_lost": counts["lost answers"], "replays": counts["replays"],
            "cancelled": counts["cancelled"], "reads": counts["reads"], **self.facts(),
            "violations": kinds,
            "first_violation": str(ledger.violations[0]) if ledger.violations else None,
            "bound_95_per_strike": round(3 / self.strikes, 5) if self.strikes else None,
            "bound_95_per_task": round(3 / counts["acked"], 8) if counts["acked"] else None,
        }


def spread(values, digits=1):
    """-> (median, largest) of milliseconds; None where there are none"""
    ordered = sorted(values)
    if not ordered:
        return None, None
    return round(ordered[len(ordered) // 2], digits), round(ordered[-1], digits)


# --- the command line

def parser_of(description, cycles, submitters=6):
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--cycles", type=int, default=cycles)
    parser.add_argument("--seed", default=None)
    parser.add_argument("--submitters", type=int, default=submitters)
    parser.add_argument("--stop-at-first", action="store_true",
                        help="end at the first violation: for planted bugs")
    parser.add_argument("--no-directed", action="store_true", help="the random part alone")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--json", help="write the report to this file")
    parser.add_argument("--tap", action="store_true", help="one line of TAP, rest as comments")
    return parser


def show(report, ledger):
    for name, value in report.items():
        print(f"  {name}: {value}")
    for violation in ledger.violations[:20]:
        print(f"VIOLATION {violation}")


class Comments:
    """Standard output as TAP comments."""

    def __init__(self, out):
        self.out, self.fresh = out, True

    def write(self, text):
        for part in text.splitlines(keepends=True):
            self.out.write(("# " if self.fresh else "") + part)
            self.fresh = part.endswith("\n")

    def flush(self):
        self.out.flush()


def main(course_class, parser, argv=None):
    """-> exit status: 0 no violation; 1 at least one; 2 the drill itself failed"""
    arguments = parser.parse_args(argv)
    arguments.seed = arguments.seed or str(secrets.randbelow(10**9))
    if not arguments.tap:
        return perform(course_class, arguments)
    out, sys.stdout = sys.stdout, Comments(sys.stdout)
    status = perform(course_class, arguments)
    sys.stdout = out
    print(f"{'not ok' if status else 'ok'} 1 - {arguments.cycles}_{course_class.strikes_word}"
          f"_of_{course_class.name}_lose_nothing\n1..1")
    return status


def perform(course_class, arguments):
    print(f"{course_class.name}: seed {arguments.seed}, {arguments.cycles} cycles", flush=True)
    course = course_class(arguments)
    try:
        report = course.run()
    except Exception:
        show({course.strikes_word: course.strikes}, course.ledger)
        traceback.print_exc(file=sys.stdout)
        return 1 if course.ledger.violations else 2
    finally:
        course.stop_submitting.set()
        course.stop_watching.set()
        course.give_up.set()
        course.close()
    show(report, course.ledger)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return 1 if course.ledger.violations else 0
