"""The kill -9 drill: kill a loaded taskapi again and again, then compare it with the ledger.

Submitters with Idempotency-Keys ask until they get an answer, watchers remember every end
that they were shown, and the killer strikes at moments drawn uniformly from the time alive
(now and then during the start). In the end everything must have run to its one end.

    python3 tests/drills/kill9.py --cycles 60 --seed 1
    python3 tests/drills/kill9.py --stop-at-first    at the first violation: for planted bugs
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import course
import directed
from snapshot import Snapshot
from stopwatch import Stopwatch
from taskapi import StartFailed, TaskApi

SETTINGS = {"WORKERS": 4, "DEMO_SECONDS": "0", "RETRY_MIN_MS": 20, "RETRY_MAX_MS": 200,
            "LEASE_MS": 3600000, "LOG_LEVEL": "info"}


class Kill9(course.Course):
    name = "kill9"

    def __init__(self, arguments):
        super().__init__(arguments)
        self.folder = Path(tempfile.mkdtemp(prefix="kill9-"))
        self.server = TaskApi(folder=self.folder, **SETTINGS)
        self.comebacks = []  # milliseconds
        self.rescued = 0

    def before(self):
        directed.run_all(self.ledger, self.arguments.stop_at_first)

    def open(self):
        self.server.start()

    def strike(self):
        time.sleep(self.rng.uniform(0.02, self.arguments.alive_max))
        if not self.server.is_running():
            self.ledger.violation("died", f"by itself, status "
                                          f"{self.server.process.returncode}:\n"
                                          + self.server.log_tail())
        self.server.kill()
        self.strikes += 1
        self.start_again()

    def start_again(self):
        if self.rng.random() < 0.15:
            self.kill_while_starting()
        snapshot = self.snapshot()
        self.compare_ends(snapshot)
        watch = Stopwatch()
        try:
            self.server.start()
        except StartFailed as error:
            self.ledger.violation("no start", str(error))
            raise
        self.watch_comeback(snapshot, watch)

    def kill_while_starting(self):
        self.server.launch()
        time.sleep(self.rng.uniform(0, 0.03))
        self.server.kill()
        self.strikes += 1

    def watch_comeback(self, snapshot, watch):
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
            if watch.own_ms() > self.arguments.comeback_ms:
                self.ledger.violation("no comeback", f"{len(waiting)} of {len(held)} running "
                                      f"tasks not seen back after {watch.ms():.0f} ms")
                return
        if held:
            self.comebacks.append(watch.ms())
        client.close()

    def snapshot(self):
        return Snapshot(self.server.database)

    def end_service(self):
        if self.server.stop(30) != 0:
            self.ledger.violation("exit", f"status {self.server.process.returncode}:\n"
                                          + self.server.log_tail())

    def facts(self):
        median, largest = course.spread(self.comebacks)
        return {"tasks_running_at_a_kill": self.rescued, "comeback_ms_median": median,
                "comeback_ms_max": largest}

    def close(self):
        self.server.close()
        if self.arguments.keep:
            print(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def main(argv=None):
    parser = course.parser_of(__doc__, cycles=60)
    parser.add_argument("--alive-max", type=float, default=0.9, help="longest life in seconds")
    parser.add_argument("--comeback-ms", type=float, default=1000)
    return course.main(Kill9, parser, argv)


if __name__ == "__main__":
    sys.exit(main())
