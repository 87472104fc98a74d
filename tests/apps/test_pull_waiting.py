"""Pull workers that wait for work: long polls (http-api.md section 6)."""

import os
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from pull_words import LEASES, PullWords  # noqa: E402
from server_case import TASKS, OwnServerCase, eventually  # noqa: E402


class LongPollTest(PullWords, OwnServerCase):
    def waiting(self, count=1, **wish):
        """Threads that wait for leases, once all of them do. -> function that joins them"""
        answers = [None] * count
        clients = [self.server.client() for _ in range(count)]

        def wait(number):
            tasks = self.lease(clients[number], f"w{number}", wait_ms=20000, **wish)
            answers[number] = (time.monotonic(), tasks)

        threads = [threading.Thread(target=wait, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + count * 0.005)

        def join():
            for thread in threads:
                thread.join()
            return answers
        return join

    def test_a_create_wakes_who_waits_within_300_ms(self):
        self.serve(WORKERS=0)
        for _ in range(5):
            join = self.waiting(types=["wanted"])
            made = self.create(type="wanted")
            began = time.monotonic()
            [(ended, tasks)] = join()
            self.assertEqual([task["id"] for task in tasks], [made["id"]])
            self.assertLess(ended - began, 0.3)

    def test_a_retry_and_a_release_wake_who_waits(self):
        self.serve(WORKERS=0)
        task = self.create(type="wanted") and self.lease_one()
        join = self.waiting()
        self.said(task, "release")
        self.assertEqual(join()[0][1][0]["id"], task["id"])
        self.http.delete(f"{TASKS}/{task['id']}")
        join = self.waiting()
        self.http.post(f"{TASKS}/{task['id']}/retry")
        self.assertEqual(join()[0][1][0]["id"], task["id"])

    def test_what_becomes_due_is_found(self):
        self.serve(WORKERS=0)
        made = self.create(type="wanted", delay_ms=1000)
        [(_, tasks)] = self.waiting()()
        self.assertEqual([task["id"] for task in tasks], [made["id"]])

    def test_who_waits_for_nothing_gets_nothing_in_time(self):
        self.serve(WORKERS=0)
        began = time.monotonic()
        self.create(type="other")
        self.assertEqual(self.lease(types=["wanted"], wait_ms=700), [])
        self.assertGreaterEqual(time.monotonic() - began, 0.7)
        self.assertLess(time.monotonic() - began, 5)

    def test_tasks_are_shared_out_among_those_who_wait(self):
        self.serve(WORKERS=0)
        join = self.waiting(20)
        made = self.http.post(TASKS + "/batch", {"tasks": [{"payload": n} for n in range(20)]})
        answers = join()
        self.assertEqual(sorted(task["id"] for _, tasks in answers for task in tasks),
                         sorted(item["id"] for item in made.json()["items"]))
        self.assertTrue(all(len(tasks) == 1 for _, tasks in answers))

    def test_a_crowd_that_waits_costs_little(self):
        self.serve(WORKERS=0)
        line = 'taskcore_store_seconds_count{op="claim",code="ok"}'
        join = self.waiting(100, types=["wanted"], max=1)
        before, cpu, began = self.metric(line), self.server.cpu_seconds(), time.monotonic()
        time.sleep(2)
        claims, waited = self.metric(line) - before, time.monotonic() - began
        self.assertLessEqual(claims, 4 * waited + 1)
        self.assertGreaterEqual(claims, 1)
        if os.environ.get("TASKCORE_SANITIZE", "none") == "none":
            self.assertLess(self.server.cpu_seconds() - cpu, 0.5)
        for _ in range(100):
            self.create(type="wanted")
        self.assertEqual(sum(len(tasks) for _, tasks in join()), 100)

    def test_without_a_thread_to_spare_the_answer_comes_at_once(self):
        self.serve(WORKERS=0, HTTP_CONNECTIONS=16)
        join = self.waiting(8)
        began = time.monotonic()
        self.assertEqual(self.lease(wait_ms=20000), [])
        self.assertLess(time.monotonic() - began, 5)
        for _ in range(8):
            self.create(type="wanted")
        self.assertTrue(all(tasks for _, tasks in join()))

    def test_a_client_that_left_gets_no_task(self):
        self.serve(WORKERS=0)
        for _ in range(3):
            gone = socket.create_connection(("127.0.0.1", self.server.port))
            body = b'{"worker":"gone","wait_ms":20000}'
            gone.sendall(b"POST /api/v1/leases HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
            time.sleep(0.2)
            gone.close()
        time.sleep(0.1)
        made = self.create(type="wanted")
        task = self.lease_one(worker="here", wait_ms=5000)
        self.assertEqual((task["id"], task["epoch"]), (made["id"], 1))

    def test_a_service_that_stops_keeps_nobody_waiting(self):
        self.serve(WORKERS=0)
        join = self.waiting(10)
        began = time.monotonic()
        self.assert_ends_well()
        self.assertTrue(all(tasks == [] for _, tasks in join()))
        self.assertLess(time.monotonic() - began, 5)

    def test_a_service_that_is_draining_leases_nothing_and_takes_reports(self):
        self.serve(WORKERS=1, DEMO_SECONDS=2)
        running = self.create(type="demo.process")
        self.wait_for_status(running["id"], "processing")
        task = self.create(type="wanted") and self.lease_one(types=["wanted"])
        self.create(type="wanted")
        self.server.terminate()
        eventually(lambda: self.http.get("/readyz").status == 503, "not ready")
        refused = self.http.post(LEASES, {"worker": "w"})
        self.assert_problem(refused, 503, "unavailable")
        self.assertTrue(refused.headers["Retry-After"])
        self.said(task, "heartbeat")
        self.assertEqual(self.said(task, "complete")["status"], "done")
        self.assertEqual(self.server.wait(), 0)


if __name__ == "__main__":
    tap.main()
