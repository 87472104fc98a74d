"""The kill -9 drill: kill a loaded taskapi again and again, then compare it with the ledger.

Submitters with Idempotency-Keys ask until they get an answer, watchers remember every end
that they were shown, and the killer strikes at moments drawn uniformly from the time alive
(now and then during the start). In the end everything must have run to its one end.

    python3 tests/drills/kill9.py --cycles 60 --seed 1
    python3 tests/drills/kill9.py --stop-at-first    at the first violation: for planted bugs

The same seed draws the same tasks, cancels and moments; how threads interleave is the
machine's. Exit status 0: no violation; 1: at least one; 2: the drill itself failed.
"""

import argparse
import json
import random
import secrets
import shutil
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import directed  # noqa: E402
import verify  # noqa: E402
from ledger import Ledger  # noqa: E402
from snapshot import Snapshot  # noqa: E402
from taskapi import StartFailed, TaskApi, program  # noqa: E402
from workload import Submitter, Watcher  # noqa: E402

SETTINGS = {"WORKERS": 4, "DEMO_SECONDS": "0", "RETRY_MIN_MS": 20, "RETRY_MAX_MS": 200,
            "LEASE_MS": 3600000, "LOG_LEVEL": "warn"}


class Drill:
    def __init__(self, arguments):
        self.arguments = arguments
        self.seed = arguments.seed
        self.rng = random.Random(f"{self.seed}-killer")
        self.ledger = Ledger()
        self.folder = Path(tempfile.mkdtemp(prefix="kill9-"))
        self.server = TaskApi(folder=self.folder, **{**SETTINGS, "LOG_LEVEL": "info"})
        self.gate = threading.Event()  # never set: a wait that costs nothing
        self.stop_submitting = threading.Event()
        self.stop_watching = threading.Event()
        self.give_up = threading.Event()
        self.recent = []
        self.seen_ends = {}  # id -> end, as the file had it after some kill
        self.kills = 0
        self.comebacks = []  # milliseconds
        self.rescued = 0

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
            directed.run_all(self.ledger, self.arguments.stop_at_first)
        if not (self.arguments.stop_at_first and self.ledger.found.is_set()):
            self.server.start()
            actors = self.start_actors()
            self.kill_again_and_again()
            self.quiesce(actors)
        self.seconds = time.monotonic() - began
        return self.report()

    def start_actors(self):
        actors = [Submitter(self, f"s{n}") for n in range(self.arguments.submitters)]
        actors += [Watcher(self, f"w{n}") for n in range(2)]
        for actor in actors:
            actor.start()
        return actors

    def is_over(self):
        return self.arguments.stop_at_first and self.ledger.found.is_set()

    def kill_again_and_again(self):
        for _ in range(self.arguments.cycles):
            if self.is_over():
                return
            time.sleep(self.rng.uniform(0.02, self.arguments.alive_max))
            if not self.server.is_running():
                self.ledger.violation("died", f"by itself, status "
                                              f"{self.server.process.returncode}:\n"
                                              + self.server.log_tail())
            self.server.kill()
            self.kills += 1
            self.start_again()

    def start_again(self):
        if self.rng.random() < 0.15:
            self.kill_while_starting()
        snapshot = Snapshot(self.server.database)
        self.compare_ends(snapshot)
        began = time.monotonic()
        try:
            self.server.start()
        except StartFailed as error:
            self.ledger.violation("no start", str(error))
            raise
        self.watch_comeback(snapshot, began)

    def kill_while_starting(self):
        self.server.launch()
        time.sleep(self.rng.uniform(0, 0.03))
        self.server.kill()
        self.kills += 1

    def compare_ends(self, snapshot):
        """What had ended before an earlier kill is the same now."""
        for task_id, end in snapshot.ends().items():
            first = self.seen_ends.setdefault(task_id, end)
            if first != end:
                self.ledger.violation("two terminal states", f"{task_id}: {first} then {end}")
        for kind, detail in snapshot.broken():
            self.ledger.violation(kind, detail)

    def watch_comeback(self, snapshot, began):
        """Every task that was running is taken back within a second of the restart."""
        held = snapshot.processing()
        self.rescued += len(held)
        waiting = dict(list(held.items())[:40])
        client = self.server.client()
        while waiting:
            for task_id, (epoch, crashes) in list(waiting.items()):
                task = client.get(f"/api/v1/tasks/{task_id}").json()
                if task.get("epoch", 0) > epoch or task.get("status") == "cancelled":
                    del waiting[task_id]
                    if task["crashes"] != crashes and task["status"] != "cancelled":
                        self.ledger.violation("crash not counted", f"{task_id}: "
                                              f"{task['crashes']} crashes, not {crashes}")
            took = (time.monotonic() - began) * 1000
            if took > self.arguments.comeback_ms:
                self.ledger.violation("no comeback", f"{len(waiting)} of {len(held)} running "
                                      f"tasks not seen back after {took:.0f} ms")
                return
        if held:
            self.comebacks.append((time.monotonic() - began) * 1000)
        client.close()

    def quiesce(self, actors):
        self.stop_submitting.set()
        if self.is_over():
            self.give_up.set()
        for actor in actors:
            if isinstance(actor, Submitter):
                actor.join(60)
        self.stop_watching.set()
        for actor in actors:
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
        comebacks = sorted(self.comebacks) or [0]
        return {
            "drill": "kill9", "seed": self.seed, "kills": self.kills,
            "submitters": self.arguments.submitters, "seconds": round(self.seconds, 1),
            "tasks_intended": len(ledger.entries), "tasks_acknowledged": counts["acked"],
            "answers_lost": counts["lost answers"], "replays": counts["replays"],
            "cancelled": counts["cancelled"], "reads": counts["reads"],
            "tasks_running_at_a_kill": self.rescued,
            "comeback_ms_median": round(comebacks[len(comebacks) // 2], 1),
            "comeback_ms_max": round(comebacks[-1], 1),
            "violations": kinds,
            "first_violation": str(ledger.violations[0]) if ledger.violations else None,
            "bound_95_per_kill": round(3 / self.kills, 5) if self.kills else None,
            "bound_95_per_task": round(3 / counts["acked"], 8) if counts["acked"] else None,
        }


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--seed", default=None)
    parser.add_argument("--submitters", type=int, default=6)
    parser.add_argument("--alive-max", type=float, default=0.9, help="longest life in seconds")
    parser.add_argument("--comeback-ms", type=float, default=1000)
    parser.add_argument("--stop-at-first", action="store_true")
    parser.add_argument("--no-directed", action="store_true", help="the random part alone")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    parser.add_argument("--json", help="write the report to this file")
    parser.add_argument("--tap", action="store_true", help="one line of TAP, rest as comments")
    arguments = parser.parse_args(argv)
    arguments.seed = arguments.seed or str(secrets.randbelow(10**9))
    return arguments


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


def main(argv=None):
    arguments = parse(argv)
    if not arguments.tap:
        return perform(arguments)
    out, sys.stdout = sys.stdout, Comments(sys.stdout)
    status = perform(arguments)
    sys.stdout = out
    print(f"{'not ok' if status else 'ok'} 1 - {arguments.cycles}_kills_lose_nothing\n1..1")
    return status


def perform(arguments):
    print(f"kill9: seed {arguments.seed}, {arguments.cycles} cycles, {program()}", flush=True)
    drill = Drill(arguments)
    try:
        report = drill.run()
    except Exception:
        show({"kills": drill.kills}, drill.ledger)
        print(drill.server.log_tail())
        if not drill.ledger.violations:
            traceback.print_exc(file=sys.stdout)
        return 1 if drill.ledger.violations else 2
    finally:
        drill.stop_submitting.set()
        drill.stop_watching.set()
        drill.give_up.set()
        drill.server.close()
        if arguments.keep:
            print(f"kept: {drill.folder}")
        else:
            shutil.rmtree(drill.folder, ignore_errors=True)
    show(report, drill.ledger)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n")
    return 1 if drill.ledger.violations else 0


if __name__ == "__main__":
    sys.exit(main())
