"""T6: everything that can happen to the broker: killed and started again, away for a while,
its data wiped, topics deleted, and workers coming and going so that groups rebalance.

Creates go on all the while, idle workers take tasks from the database, and what was lost with
the broker costs time only.

    python3 tests/drills/kill_kafka.py --cycles 20 --seed 1
"""

import time
from collections import Counter

import cluster_course
import course
from cluster import Kafka
from server_case import TASKS

FROM_DATABASE_S = 10.0  # 2 s are promised to an idle worker; these have a backlog, and the
# client, the broker's restart and everything else share two cores


class KillKafka(cluster_course.ClusterCourse):
    name = "kill_kafka"
    strikes_word = "blows"
    look_every = 5

    def __init__(self, arguments):
        super().__init__(arguments)
        self.done = Counter()
        self.without_broker = []

    def make_cluster(self, **settings):
        return super().make_cluster(kafka=Kafka(), **settings)

    def strike(self):
        blows = [self.restart, self.restart, self.wipe, self.delete_topics, self.rebalance]
        blow = blows[self.strikes % len(blows)] if self.strikes < len(blows) \
            else self.rng.choice(blows)
        time.sleep(self.rng.uniform(0.1, 0.6))
        blow()
        self.done[blow.__name__] += 1
        for program in self.cluster.programs:
            self.expect_alive(program)
        self.struck()

    def restart(self):
        self.cluster.kafka.kill()
        if self.rng.random() < 0.5:
            self.create_without_broker()
        self.cluster.kafka.start()

    def wipe(self):
        self.cluster.kafka.kill()
        self.cluster.kafka.wipe()
        self.create_without_broker()
        self.cluster.kafka.start()

    def delete_topics(self):
        self.cluster.kafka.delete_topics(self.cluster.database)

    def rebalance(self):
        for _ in range(3):
            worker = self.rng.choice(self.cluster.workers)
            worker.kill()
            time.sleep(self.rng.uniform(0, 0.3))
            worker.start()

    def create_without_broker(self):
        """Created and done while there is no broker."""
        client = self.server.client()
        entry = self.ledger.intend(f"probe-{self.strikes}", b'"p"', {"type": "demo.noop",
                                                                     "priority": 10})
        began = time.monotonic()
        answer = client.post(TASKS, {"payload": "p", "type": "demo.noop", "priority": 10,
                                     "tags": [entry.marker]})
        if answer.status != 201:
            self.ledger.violation("answer", f"the broker is away, and a create got {answer}")
            return
        self.ledger.acked(entry, answer.json()["id"])
        status = None
        while status != "done" and time.monotonic() - began < 30:
            status = client.get(f"{TASKS}/{entry.task_id}?wait_ms=1000").json()["status"]
        took = time.monotonic() - began
        self.without_broker.append(took * 1000)
        if took > FROM_DATABASE_S:
            self.ledger.violation("slow", f"{took:.1f} s to {status} without a broker")
        client.close()

    def facts(self):
        median, largest = course.spread(self.without_broker)
        return {"blows_by_kind": dict(self.done), "done_without_broker_ms_median": median,
                "done_without_broker_ms_max": largest}


def main(argv=None):
    return course.main(KillKafka, course.parser_of(__doc__, 20), argv)


if __name__ == "__main__":
    raise SystemExit(main())
