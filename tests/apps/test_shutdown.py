"""SIGTERM: no new work, running work ends or is released, exit 0 (http-api.md section 7)."""

import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import API, TASKS, OwnServerCase, eventually  # noqa: E402


class DrainTest(OwnServerCase):
    def drain(self):
        """SIGTERM, and wait until readiness says so. -> when the signal was sent"""
        sent = time.monotonic()
        self.server.terminate()
        eventually(lambda: self.http.get("/readyz").status == 503, "not ready any more")
        return sent

    def running(self, **fields):
        task = self.create(**fields)
        return self.wait_for_status(task["id"], "processing")

    def read_after(self, task_id):
        """The task as the next process finds it, while nobody works."""
        self.server.restart(WORKERS=0)
        self.http = self.server.client()
        return self.task(task_id)

    def test_an_idle_process_ends_at_once(self):
        self.serve(WORKERS=2)
        began = time.monotonic()
        self.assert_ends_well()
        self.assertLess(time.monotonic() - began, 3)

    def test_interrupt_ends_it_as_well(self):
        self.serve(WORKERS=2)
        self.server.process.send_signal(signal.SIGINT)
        self.assertEqual(self.server.wait(10), 0)

    def test_creates_are_refused_and_reads_go_on_while_draining(self):
        self.serve(WORKERS=1, DEMO_SECONDS="2")
        task = self.running()
        self.drain()
        response = self.http.post(TASKS, {"payload": 1})
        self.assert_problem(response, 503, "unavailable")
        self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
        batch = self.http.post(f"{TASKS}/batch", {"tasks": [{"payload": 1}]})
        self.assertEqual(batch.status, 503)
        self.assertEqual(self.http.get("/livez").status, 200)
        self.assertEqual(self.task(task["id"])["status"], "processing")
        self.assertEqual(len(self.pages()), 1)
        self.assertEqual(self.server.wait(10), 0)

    def test_running_work_ends(self):
        self.serve(WORKERS=1, DEMO_SECONDS="1")
        task = self.running()
        waiting = self.create()
        sent = self.drain()
        self.assertEqual(self.server.wait(10), 0)
        self.assertLess(time.monotonic() - sent, 5)
        ended = self.read_after(task["id"])
        self.assertEqual((ended["status"], ended["attempt"], ended["crashes"]), ("done", 1, 0))
        self.assertEqual(self.task(waiting["id"])["status"], "new")

    def test_an_overrun_is_released_without_cost(self):
        self.serve(WORKERS=2, DEMO_SECONDS="60", DRAIN_MS=1000)
        tasks = [self.running() for _ in range(2)]
        sent = self.drain()
        self.assertEqual(self.server.wait(10), 0, self.server.log_tail())
        took = time.monotonic() - sent
        self.assertGreaterEqual(took, 0.95)
        self.assertLess(took, 1.0 + 2.0)
        for task in tasks:
            released = self.read_after(task["id"]) if task is tasks[0] else self.task(task["id"])
            self.assertEqual((released["status"], released["attempt"], released["crashes"]),
                             ("new", 0, 0))
            self.assertEqual(released["epoch"], task["epoch"])

    def test_no_time_to_drain_releases_at_once(self):
        self.serve(WORKERS=1, DEMO_SECONDS="60", DRAIN_MS=0)
        task = self.running()
        began = time.monotonic()
        self.assert_ends_well()
        self.assertLess(time.monotonic() - began, 2.0)
        self.assertEqual(self.read_after(task["id"])["status"], "new")

    def test_claimed_but_not_begun_tasks_are_given_back(self):
        self.serve(WORKERS=1, DEMO_SECONDS="0", DRAIN_MS=1000)
        tasks = [{"payload": n, "type": "demo.noop"} for n in range(1000)]
        for _ in range(10):
            self.assertEqual(self.http.post(f"{TASKS}/batch", {"tasks": tasks}).status, 201)
        self.assert_ends_well()
        self.server.restart(WORKERS=0)
        self.http = self.server.client()
        stats = self.http.get(f"{API}/stats").json()["queues"]
        self.assertEqual(sum(row["processing"] for row in stats), 0)
        statuses = [(t["status"], t["attempt"], t["crashes"]) for t in self.pages("limit=200")]
        self.assertLessEqual(set(statuses), {("done", 1, 0), ("new", 0, 0)})
        self.assertEqual(len(statuses), 10000)

    def test_a_long_poll_does_not_hold_up_the_end(self):
        self.serve(WORKERS=0)
        task = self.create()
        waiter = self.server.client()
        waiter.get("/livez")
        waiter.connection.request("GET", f"{TASKS}/{task['id']}?wait_ms=20000")
        time.sleep(0.2)
        began = time.monotonic()
        self.assert_ends_well()
        self.assertLess(time.monotonic() - began, 4)

    def test_idle_connections_do_not_hold_up_the_end(self):
        self.serve(WORKERS=0)
        for _ in range(20):
            self.server.client().get("/livez")
        began = time.monotonic()
        self.assert_ends_well()
        self.assertLess(time.monotonic() - began, 4)


if __name__ == "__main__":
    tap.main()
