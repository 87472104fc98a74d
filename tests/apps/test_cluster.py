"""What the cluster promises beyond what one process does, on real servers: fair shares,
priorities, wake-ups and cancels across processes, publishers without a leader."""

import json
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from server_case import TASKS, Words, eventually  # noqa: E402


class ClusterCase(Words, unittest.TestCase):
    """A cluster per class, with the class's `shape` and `settings`."""

    shape = {}
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(**cls.shape, **cls.settings)
        try:
            cls.cluster.start()
        except BaseException:
            cls.cluster.close()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            statuses = cls.cluster.stop(40)
            if any(statuses.values()):
                raise AssertionError(f"{statuses}\n{cls.cluster.log_tail()}")
        finally:
            cls.cluster.close()

    def setUp(self):
        self.http = self.cluster.api.client()
        self.addCleanup(self.http.close)

    def create_many(self, count, **fields):
        answer = self.http.post(f"{TASKS}/batch",
                                {"tasks": [{"payload": n, **fields} for n in range(count)]})
        self.assertEqual(answer.status, 201, answer)
        return [task["id"] for task in answer.json()["items"]]

    def ends_of(self, ids, timeout=60):
        ends = [self.http.get(f"{TASKS}/{task_id}?wait_ms={timeout * 1000 // 3}").json()
                for task_id in ids]
        for task in ends:
            self.assertEqual(task["status"], "done", task)
        return ends


def runs_of(worker):
    """How many tasks a worker has run."""
    return int(sum(value for name, value in worker.metrics().items()
                   if name.startswith("taskcore_run_seconds_count")))


class Shares(ClusterCase):
    """Eight workers with one slot each, slow tasks."""

    shape = {"workers": 8, "slots": 1, "kafka": False}
    settings = {"DEMO_SECONDS": "1"}
    rounds = 3

    def test_slow_tasks_of_one_batch_are_shared_evenly(self):
        before = [runs_of(worker) for worker in self.cluster.workers]
        ids = self.create_many(8 * self.rounds, type="demo.process")
        self.ends_of(ids)
        shares = [runs_of(worker) - was
                  for worker, was in zip(self.cluster.workers, before, strict=True)]
        self.assertEqual(sum(shares), len(ids), shares)
        self.assertGreaterEqual(min(shares), self.rounds - 1, shares)
        self.assertLessEqual(max(shares), self.rounds + 1, shares)

    def test_an_urgent_task_starts_before_those_that_wait(self):
        backlog = self.create_many(24, type="demo.process")
        time.sleep(0.5)  # every slot has one, the others wait
        urgent = self.create("now", type="demo.process", priority=10)["id"]
        started = self.ends_of([urgent])[0]["started_at"]
        waited = [task for task in self.ends_of(backlog) if task["started_at"] > started]
        # 8 run when it comes, and each worker may have taken one more ahead of it
        self.assertGreaterEqual(len(waited), 24 - 8 - 8)


class SharesByKafka(Shares):
    """The same, told of by Kafka."""

    shape = {"workers": 8, "slots": 1, "kafka": True}


class AcrossProcesses(ClusterCase):
    """What one process does is seen by the others."""

    shape = {"workers": 2, "kafka": False, "apis": 2}
    settings = {"DEMO_SECONDS": "30", "LEASE_MS": 3000}

    def test_a_worker_is_woken_and_the_one_who_waits_is_told(self):
        self.create_and_wait()
        took = sorted(self.create_and_wait() for _ in range(21))
        # The median: no look, which comes every quarter second at the most, is that fast.
        self.assertLess(took[10], 0.1, took)

    def create_and_wait(self):
        began = time.monotonic()
        task = self.create(type="demo.noop")
        self.assertEqual(self.end_of(task["id"])["status"], "done")
        took = time.monotonic() - began
        time.sleep(0.02)
        return took

    def test_the_end_is_told_to_every_api(self):
        other = self.cluster.apis[1].client()
        task = self.create(type="demo.noop", delay_ms=500)
        began = time.monotonic()
        end = other.get(f"{TASKS}/{task['id']}?wait_ms=10000").json()
        self.assertEqual(end["status"], "done")
        self.assertLess(time.monotonic() - began, 3)

    def test_a_cancel_reaches_the_worker_within_a_third_of_the_lease(self):
        task = self.create(type="demo.process")
        self.wait_for_status(task["id"], "processing")
        self.http.delete(f"{TASKS}/{task['id']}")
        eventually(lambda: self.busy() == 0, "the handler stops", timeout=1 + 2)
        self.assertEqual(self.task(task["id"])["status"], "cancelled")

    def busy(self):
        clients = [worker.client() for worker in self.cluster.workers]
        found = [client.get("/health").json()["checks"]["workers"]["busy"] for client in clients]
        for client in clients:  # the admin port has few connections
            client.close()
        return sum(found)

    def test_a_key_makes_one_task_whichever_api_it_comes_to(self):
        body, headers = {"payload": 1, "type": "demo.noop"}, {"Idempotency-Key": "twice"}
        first = self.http.post(TASKS, body, headers)
        second = self.cluster.apis[1].client().post(TASKS, body, headers)
        self.assertEqual((first.status, second.status), (201, 200))
        self.assertEqual(first.body, second.body)

    def test_the_tables_hold_what_must_hold(self):
        done = self.cluster.taskctl("check", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Publishers(ClusterCase):
    """Only publishers talk to the broker."""

    shape = {"workers": 0, "publishers": 2, "kafka": True, "announce": "publisher"}

    def test_tasks_are_pending_once_they_are_announced_and_then_done(self):
        ids = self.create_many(300, type="demo.noop")
        eventually(lambda: self.count("pending") == 300, "300 pending", timeout=20)
        worker = self.cluster.add("taskworker", WORKERS="4")
        worker.start()
        self.assertEqual(len(self.ends_of(ids)), 300)
        self.cluster.publishers[0].kill()
        self.assertEqual(self.end_of(self.create(type="demo.noop")["id"])["status"], "done")
        self.cluster.publishers[0].start()

    def count(self, status):
        answer = self.http.get(f"{TASKS}?status={status}&limit=200").json()
        more = self.http.get(f"{TASKS}?status={status}&limit=200&cursor={answer['next_cursor']}")\
            .json()["items"] if answer["next_cursor"] else []
        return len(answer["items"]) + len(more)


class StartOrder(unittest.TestCase):
    """Programs start only on a schema that they know."""

    def test_an_unmigrated_database_is_refused_with_what_to_run(self):
        cluster = Cluster(kafka=True)
        self.addCleanup(cluster.close)
        cluster.make()
        cluster.sql("DROP SCHEMA taskcore CASCADE")
        for program in (cluster.api, cluster.publishers[0], cluster.workers[0]):
            program.launch()
            self.assertNotEqual(program.wait(20), 0)
            self.assertIn("taskctl migrate", program.log())

    def test_a_newer_schema_is_refused(self):
        cluster = Cluster(kafka=False)
        self.addCleanup(cluster.close)
        cluster.make()
        cluster.sql("INSERT INTO taskcore.migration SELECT version + 1, name || '_later', "
                    "checksum, applied_at FROM taskcore.migration ORDER BY version DESC LIMIT 1")
        cluster.workers[0].launch()
        self.assertNotEqual(cluster.workers[0].wait(20), 0)
        line = json.loads(cluster.workers[0].log().splitlines()[-1])
        self.assertIn("newer", line["message"])


if __name__ == "__main__":
    tap.main()
