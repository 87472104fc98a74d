"""taskpublisher: model E, where creating only writes the row and a publisher tells Kafka."""

import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster_case import ClusterCase, run  # noqa: E402
from server_case import eventually  # noqa: E402


class AnnounceTest(ClusterCase):
    def test_a_new_task_becomes_pending_when_the_queue_has_it(self):
        cluster = self.serve(workers=0, announce="publisher")
        task = self.create()
        self.assertEqual(task["status"], "new")
        self.wait_for_status(task["id"], "pending")
        announced = cluster.publishers[0].metrics()["taskcore_announced_total"]
        self.assertGreaterEqual(announced, 1)

    def test_without_a_publisher_it_stays_new_until_one_comes(self):
        cluster = self.serve(workers=0, publishers=0, announce="publisher")
        task = self.create()
        time.sleep(1)
        self.assertEqual(self.task(task["id"])["status"], "new")
        cluster.add("taskpublisher").start()
        self.wait_for_status(task["id"], "pending")

    def test_workers_run_what_was_announced(self):
        self.serve(workers=1, publishers=2, announce="publisher")
        ids = [self.create(n, type="demo.noop")["id"] for n in range(20)]
        self.assertEqual({self.end_of(task)["status"] for task in ids}, {"done"})

    def test_directly_announced_tasks_stay_new(self):
        self.serve(workers=0, announce="direct")
        task = self.create()
        time.sleep(0.5)
        self.assertEqual(self.task(task["id"])["status"], "new")

    def test_with_a_publisher_the_api_never_talks_to_kafka(self):
        cluster = self.serve(workers=0, publishers=0, announce="publisher")
        self.assertEqual(self.http.get("/health").json()["checks"]["queue"]["kind"], "database")
        api = cluster.api
        api.stop()
        api.start(QUEUE_URL="kafka://127.0.0.1:1")  # nobody answers there
        self.http = api.client()
        self.assertEqual(self.create()["status"], "new")
        self.assertNotIn("127.0.0.1:1", api.log().replace("127.0.0.1:1/", ""))


class LifeTest(ClusterCase):
    def test_it_ends_at_once(self):
        publisher = self.serve(workers=0).publishers[0]
        began = time.monotonic()
        self.assertEqual(publisher.stop(), 0)
        self.assertLess(time.monotonic() - began, 7)

    def test_it_shows_its_health_and_nothing_of_the_api(self):
        http = self.serve(workers=0).publishers[0].client()
        for path in ("/livez", "/readyz", "/version", "/metrics"):
            self.assertEqual(http.get(path).status, 200, path)
        health = http.get("/health").json()["checks"]
        self.assertEqual((health["queue"]["kind"], health["workers"]["status"]),
                         ("kafka", "none"))
        self.assertEqual(http.get("/api/v1/tasks").status, 404)

    def test_it_starts_without_a_broker_and_goes_on_when_there_is_one(self):
        cluster = self.serve(workers=0, publishers=0, announce="publisher")
        publisher = cluster.add("taskpublisher", QUEUE_URL="kafka://127.0.0.1:1")
        publisher.settings["QUEUE_URL"] = "kafka://127.0.0.1:1"
        publisher.start()
        task = self.create()
        eventually(lambda: publisher.metrics().get("taskcore_announce_failures_total", 0) > 0,
                   "it cannot announce", 15)
        self.assertEqual(self.task(task["id"])["status"], "new")
        self.assertEqual(publisher.status_of("/livez"), 200)


class RefusedStartTest(unittest.TestCase):
    def test_what_it_needs_is_named(self):
        postgres = "postgresql://127.0.0.1:1/x"
        for settings, name in (({}, "DATABASE_URL"),
                               ({"DATABASE_URL": "sqlite:x"}, "DATABASE_URL"),
                               ({"DATABASE_URL": postgres}, "QUEUE_URL"),
                               ({"DATABASE_URL": postgres, "QUEUE_URL": "x"}, "QUEUE_URL")):
            with self.subTest(settings=settings):
                ended = run("taskpublisher", **settings)
                self.assertEqual(ended.returncode, 2)
                self.assertIn(f"TASK_{name}", ended.stderr)


if __name__ == "__main__":
    tap.main()
