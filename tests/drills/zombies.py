"""T3: stop a worker (SIGSTOP) past its lease, then let it go on.

Its process lives and holds its lock, so only time ends its leases: others take its tasks over,
and whatever it says afterwards is stale: nothing of a task changes, and it is counted.

    python3 tests/drills/zombies.py --cycles 30 --seed 1
"""

import threading
import time

import cluster_course
import course

LEASE_MS = 1000


class Zombies(cluster_course.ClusterCourse):
    name = "zombies"
    strikes_word = "stops"
    workers = 4
    # Runs last up to a second, so that a stopped worker is in the middle of some.
    settings = {"LEASE_MS": LEASE_MS, "DEMO_SECONDS": "0-1"}
    pace = 0.15

    def __init__(self, arguments):
        super().__init__(arguments)
        self.held_by_zombies = 0
        self.takeovers = []
        self.stale = None  # what was counted, in the end

    def make_cluster(self, **settings):
        return super().make_cluster(kafka=False, **settings)

    def strike_again_and_again(self):
        """One thread per worker but the last, which is never stopped and does all the work
        when the others are."""
        left = threading.Semaphore(self.arguments.cycles)
        threads = [threading.Thread(target=self.stop_one_again_and_again, args=(worker, left),
                                    daemon=True) for worker in self.cluster.workers[:-1]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop_one_again_and_again(self, worker, left):
        try:
            while left.acquire(blocking=False) and not self.is_over():
                self.stop_one(worker)
        except Exception as error:  # else the thread would end in silence
            self.ledger.violation("drill", f"{worker.name}: {error!r}")

    def stop_one(self, worker):
        time.sleep(self.rng.uniform(0.1, 0.4))
        began = time.monotonic()
        worker.freeze()
        held = self.held(cluster_course.owner_of(worker))
        lapse = self.rng.uniform(1.5, 5) * LEASE_MS / 1000
        if held:
            took, left = self.moved_on(held, LEASE_MS / 1000 + 5)
            with self.lock:
                self.held_by_zombies += len(held)
                self.takeovers.append(took * 1000)
            if left:
                self.ledger.violation("no comeback", f"{len(left)} of {len(held)} tasks of a "
                                      f"stopped worker not taken over after {took:.1f} s")
        time.sleep(max(0, lapse - (time.monotonic() - began)))
        worker.thaw()
        with self.lock:
            self.struck()

    def facts(self):
        median, largest = course.spread(self.takeovers)
        return {"tasks_held_by_zombies": self.held_by_zombies, "taken_over_ms_median": median,
                "taken_over_ms_max": largest, "stale_reports": self.stale}

    def end_service(self):
        self.stale = sum(stale_count(worker.metrics()) for worker in self.cluster.workers)
        if self.held_by_zombies and not self.stale and not self.arguments.stop_at_first:
            self.ledger.violation("not counted", "no zombie's report was counted as stale")
        super().end_service()


def stale_count(metrics):
    """Reports and heartbeats that came from an epoch that is over, of one worker."""
    return int(sum(value for name, value in metrics.items() if "stale" in name))


def main(argv=None):
    return course.main(Zombies, course.parser_of(__doc__, 30, submitters=3), argv)


if __name__ == "__main__":
    raise SystemExit(main())
