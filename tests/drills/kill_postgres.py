"""T2: kill -9 PostgreSQL, postmaster and backends, under load, and start it again.

While it is away every request is answered in bounded time; when it is back, everything goes on
by itself: a task that is created then must be done soon.

    python3 tests/drills/kill_postgres.py --cycles 20 --seed 1
"""

import time

import cluster_course
import course
from cluster import Postgres
from server_case import LOST_CONNECTION, TASKS

ANSWER_S = 8.0   # a statement's limit, and some for a machine under load
BACK_S = 35.0    # lease + 5 s is what is promised


class KillPostgres(cluster_course.ClusterCourse):
    name = "kill_postgres"
    look_every = 5

    def __init__(self, arguments):
        super().__init__(arguments)
        self.slowest = []  # milliseconds of an answer while it was away
        self.backs = []

    def make_cluster(self, **settings):
        return super().make_cluster(postgres=Postgres(), **settings)

    def strike(self):
        time.sleep(self.rng.uniform(0.1, 0.8))
        self.cluster.postgres.kill_all()
        away = time.monotonic() + self.rng.choice([0, 0.1, 1.0])
        self.ask_while_away(away)
        self.cluster.postgres.start()
        self.watch_back()
        for program in self.cluster.programs:
            self.expect_alive(program)
        self.struck()

    def ask_while_away(self, until):
        client = self.server.client(timeout=ANSWER_S + 5)
        while time.monotonic() < until:
            began = time.monotonic()
            answer = client.post(TASKS, {"payload": 1, "type": "demo.noop", "tags": ["away"]})
            took = time.monotonic() - began
            self.slowest.append(took * 1000)
            if answer.status != 503 or not answer.headers["Retry-After"]:
                self.ledger.violation("answer", f"PostgreSQL is away, and a create got {answer}")
            if took > ANSWER_S:
                self.ledger.violation("slow answer", f"{took:.1f} s while PostgreSQL was away")
        client.close()

    def watch_back(self):
        """A task of ours goes the whole way."""
        began = time.monotonic()
        client = self.server.client(timeout=ANSWER_S + 5)
        entry = self.ledger.intend(f"probe-{self.strikes}", b'"p"', {"type": "demo.noop"})
        body = {"payload": "p", "type": "demo.noop", "tags": [entry.marker]}
        headers = {"Idempotency-Key": f"{self.seed}-{entry.marker}"}
        done = False
        while not done and time.monotonic() - began < BACK_S:
            try:
                answer = client.post(TASKS, body, headers)
                if answer.status in (200, 201):
                    self.ledger.acked(entry, answer.json()["id"])
                    task = client.get(f"{TASKS}/{entry.task_id}?wait_ms=2000")
                    done = task.status == 200 and task.json()["status"] == "done"
            except LOST_CONNECTION:
                pass
            if not done:
                time.sleep(0.02)
        self.backs.append((time.monotonic() - began) * 1000)
        if not done:
            self.ledger.violation("no comeback", f"nothing is done {BACK_S} s after the restart")
        client.close()

    def facts(self):
        back, back_max = course.spread(self.backs)
        answer, answer_max = course.spread(self.slowest)
        return {"back_ms_median": back, "back_ms_max": back_max,
                "answer_while_away_ms_median": answer, "answer_while_away_ms_max": answer_max}


def main(argv=None):
    return course.main(KillPostgres, course.parser_of(__doc__, 20), argv)


if __name__ == "__main__":
    raise SystemExit(main())
