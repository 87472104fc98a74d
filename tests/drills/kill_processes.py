"""T1: kill -9 one process of a loaded cluster after the other, and start each again.

The victim is drawn among taskapi, taskpublisher and the workers, the moment from the time
since the last kill. Whatever a killed worker held must be with another, or ended, within 3 s,
though the lease is 30 s: its advisory lock is free, so everybody can see that it is gone.

    python3 tests/drills/kill_processes.py --cycles 300 --seed 1
"""

import time

import cluster_course
import course
from server_case import TASKS
from stopwatch import Stopwatch

COMEBACK_S = 3.0


class KillProcesses(cluster_course.ClusterCourse):
    name = "kill_processes"
    workers = 2

    def __init__(self, arguments):
        super().__init__(arguments)
        self.comebacks = []
        self.taken_over = 0

    def strike(self):
        time.sleep(self.rng.uniform(0, 0.25))
        victim = self.rng.choice(self.cluster.programs)
        self.expect_alive(victim)
        watched = victim in self.cluster.workers and self.rng.random() < 0.2
        if watched:
            self.burst()
        victim.kill()
        watch = Stopwatch()
        held = self.held(cluster_course.owner_of(victim)) if watched else {}
        time.sleep(self.rng.uniform(0, 0.05))
        victim.start()
        if held:
            self.watch_comeback(held, watch)
        self.struck()

    def burst(self):
        """Much at once, so that every worker has something in hand."""
        entries = [self.ledger.intend(f"burst-{self.strikes}-{n}", b'"b"', {"type": "demo.noop"})
                   for n in range(500)]
        tasks = [{"payload": "b", "type": "demo.noop", "tags": [e.marker]} for e in entries]
        client = self.server.client()
        answer = client.post(f"{TASKS}/batch", {"tasks": tasks})
        client.close()
        if answer.status != 201:
            self.ledger.violation("refused", f"a batch was answered with {answer}")
            return
        for entry, task in zip(entries, answer.json()["items"], strict=True):
            self.ledger.acked(entry, task["id"])
        self.ledger.counts["acked"] += len(entries)

    def watch_comeback(self, held, watch):
        _, left = self.moved_on(held, 3 * COMEBACK_S)
        self.taken_over += len(held)
        self.comebacks.append(watch.ms())
        if left or watch.own_ms() > COMEBACK_S * 1000:
            self.ledger.violation("no comeback", f"{len(left)} of {len(held)} tasks of a killed "
                                                 f"worker not taken over after {watch.ms():.0f} ms")

    def facts(self):
        median, largest = course.spread(self.comebacks)
        return {"tasks_of_the_dead": self.taken_over, "comeback_ms_median": median,
                "comeback_ms_max": largest}


def main(argv=None):
    return course.main(KillProcesses, course.parser_of(__doc__, 300), argv)


if __name__ == "__main__":
    raise SystemExit(main())
