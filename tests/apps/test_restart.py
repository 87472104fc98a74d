"""kill -9 and start again: nothing acknowledged is lost, running work comes back at once."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import (LOST_CONNECTION, TASKS, OwnServerCase, eventually,  # noqa: E402
                         together)


class RestartTest(OwnServerCase):
    def kill_and_restart(self, **settings):
        self.server.kill()
        self.server.restart(**settings)
        self.http = self.server.client()

    def test_acknowledged_tasks_are_there_byte_for_byte(self):
        self.serve(WORKERS=0)
        payloads = [b'"a\\/b"', b"1.0", b"1e2", b"[ ]", b'{"z": 1, "a": 2}', b"1" * 300]
        made = [self.http.post(TASKS, b'{"payload":' + p + b"}").json()["id"] for p in payloads]
        self.kill_and_restart()
        read = [self.http.get(f"{TASKS}/{task_id}").member("payload") for task_id in made]
        self.assertEqual(read, payloads)

    def test_tasks_acknowledged_under_load_survive(self):
        self.serve(WORKERS=2)
        acknowledged, stop = [], threading.Event()

        def create(_):
            client = self.server.client()
            try:
                while not stop.is_set():
                    response = client.post(TASKS, {"payload": 1, "type": "demo.noop"})
                    if response.status == 201:
                        acknowledged.append(response.json()["id"])
            except LOST_CONNECTION:
                pass

        killer = threading.Timer(0.7, self.server.kill)
        killer.start()
        together(8, create)
        killer.join()
        self.server.restart()
        self.http = self.server.client()
        self.assertGreater(len(acknowledged), 50)
        for task_id in acknowledged:
            self.assertEqual(self.end_of(task_id)["status"], "done")

    def test_running_tasks_come_back_within_a_second_whatever_the_lease(self):
        self.serve(WORKERS=3, DEMO_SECONDS="30", LEASE_MS=3600000)
        made = [self.create()["id"] for _ in range(3)]
        for task_id in made:
            self.wait_for_status(task_id, "processing")
        self.server.kill()
        restarted = time.monotonic()
        self.server.restart()
        self.http = self.server.client()
        for task_id in made:
            task = eventually(lambda: self._running_again(task_id), "it runs again", timeout=5)
            self.assertEqual((task["crashes"], task["attempt"]), (1, 1))
            self.assertEqual(task["error"]["reason"], "worker_lost")
            self.assertGreater(task["epoch"], 1)
        self.assertLess(time.monotonic() - restarted, 1.0)

    def _running_again(self, task_id):
        task = self.task(task_id)
        return task if task["status"] == "processing" and task["crashes"] == 1 else None

    def test_scheduled_tasks_keep_their_time(self):
        self.serve(WORKERS=1)
        task = self.create(type="demo.noop", delay_ms=1500)
        self.kill_and_restart()
        ended = self.end_of(task["id"])
        self.assertEqual(ended["run_at"], task["run_at"])
        self.assertGreaterEqual(ended["started_at"], task["run_at"])

    def test_a_cancel_survives(self):
        self.serve(WORKERS=1, DEMO_SECONDS="30")
        task = self.create()
        self.wait_for_status(task["id"], "processing")
        cancelled = self.http.delete(f"{TASKS}/{task['id']}").json()
        self.kill_and_restart()
        time.sleep(0.3)
        self.assertEqual(self.task(task["id"]), cancelled)

    def test_a_result_survives(self):
        self.serve(WORKERS=1)
        task = self.create("x")
        ended = self.end_of(task["id"])
        self.kill_and_restart()
        self.assertEqual(self.task(task["id"]), ended)

    def test_ids_go_on_rising(self):
        self.serve(WORKERS=0)
        first = self.create()["id"]
        self.kill_and_restart()
        self.assertGreater(self.create()["id"], first)

    def test_a_cursor_outlives_the_process(self):
        self.serve(WORKERS=0)
        for _ in range(5):
            self.create()
        cursor = self.http.get(f"{TASKS}?limit=2").json()["next_cursor"]
        self.kill_and_restart()
        rest = self.http.get(f"{TASKS}?limit=5&cursor={cursor}").json()["items"]
        self.assertEqual(len(rest), 3)


if __name__ == "__main__":
    tap.main()
