"""Cancel and retry (http-api.md section 5)."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import NO_SUCH_ID, TASKS, SharedServerCase, together  # noqa: E402


class CancelTest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": 30, "LEASE_MS": 1500}

    def cancel(self, task_id):
        response = self.http.delete(f"{TASKS}/{task_id}")
        self.assertEqual(response.status, 200, response)
        return response.json()

    def test_a_waiting_task_is_cancelled(self):
        task = self.cancel(self.create(type="nobody")["id"])
        self.assertEqual(task["status"], "cancelled")
        self.assertIsNotNone(task["finished_at"])

    def test_a_scheduled_task_is_cancelled(self):
        self.assertEqual(self.cancel(self.create(delay_ms=600000)["id"])["status"], "cancelled")

    def test_both_ways_to_cancel_are_one(self):
        task = self.create(type="nobody")
        response = self.http.post(f"{TASKS}/{task['id']}/cancel", {"ignored": True})
        self.assertEqual((response.status, response.json()["status"]), (200, "cancelled"))

    def test_cancelling_again_changes_nothing(self):
        first = self.cancel(self.create(type="nobody")["id"])
        self.assertEqual(self.cancel(first["id"]), first)

    def test_what_has_ended_cannot_be_cancelled(self):
        for kind, status in (("demo.noop", "done"), ("demo.fail", "failed")):
            task = self.create(type=kind, max_attempts=1)
            before = self.end_of(task["id"])
            self.assertEqual(before["status"], status)
            self.assert_problem(self.http.delete(f"{TASKS}/{task['id']}"), 409,
                                "invalid_transition")
            self.assertEqual(self.task(task["id"]), before)

    def test_a_running_task_is_cancelled_at_once_and_stays_so(self):
        task = self.create(type="demo.process")
        self.wait_for_status(task["id"], "processing")
        began = time.monotonic()
        cancelled = self.cancel(task["id"])
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual((cancelled["status"], cancelled["lease"]), ("cancelled", None))
        time.sleep(1.0)  # its handler learns of it within a third of the lease, and is refused
        self.assertEqual(self.task(task["id"]), cancelled)

    def test_a_cancelled_run_gives_its_slot_back(self):
        # Both workers hold runs of 30 s; each is told within a third of the lease.
        for task in [self.create(type="demo.process") for _ in range(2)]:
            self.wait_for_status(task["id"], "processing")
            self.cancel(task["id"])
        task = self.create(type="demo.noop")
        self.assertEqual(self.end_of(task["id"], wait_ms=5000)["status"], "done")

    def test_unknown_tasks_are_404(self):
        self.assert_problem(self.http.delete(f"{TASKS}/{NO_SUCH_ID}"), 404, "not_found")
        self.assert_problem(self.http.post(f"{TASKS}/{NO_SUCH_ID}/cancel"), 404, "not_found")
        self.assert_problem(self.http.post(f"{TASKS}/{NO_SUCH_ID}/retry"), 404, "not_found")

    def test_racing_cancels_and_finishes_leave_one_end(self):
        for _ in range(40):
            task = self.create(type="demo.noop")
            clients = [self.server.client() for _ in range(4)]
            answers = together(4, lambda n: clients[n].delete(f"{TASKS}/{task['id']}"))
            for client in clients:
                client.close()
            end = self.end_of(task["id"])
            codes = {answer.status for answer in answers}
            self.assertEqual(codes, {200} if end["status"] == "cancelled" else {409})


class RetryTest(SharedServerCase):
    settings = {"WORKERS": 2}

    def retry(self, task_id):
        response = self.http.post(f"{TASKS}/{task_id}/retry")
        self.assertEqual(response.status, 200, response)
        return response.json()

    def test_a_failed_task_starts_over(self):
        task = self.create(type="demo.fail", max_attempts=1)
        failed = self.end_of(task["id"])
        again = self.retry(task["id"])
        self.assertEqual((again["status"], again["attempt"], again["crashes"]), ("new", 0, 0))
        self.assertEqual((again["error"], again["finished_at"]), (None, None))
        self.assertEqual(again["epoch"], failed["epoch"])
        ended = self.end_of(task["id"])
        self.assertEqual((ended["status"], ended["attempt"]), ("failed", 1))
        self.assertEqual(ended["epoch"], failed["epoch"] + 1)

    def test_a_cancelled_task_starts_over(self):
        task = self.create(type="demo.noop", delay_ms=600000)
        self.http.delete(f"{TASKS}/{task['id']}")
        self.assertEqual(self.retry(task["id"])["status"], "new")
        self.assertEqual(self.end_of(task["id"])["status"], "done")

    def test_only_failed_and_cancelled_tasks_are_retried(self):
        waiting = self.create(type="nobody")
        scheduled = self.create(delay_ms=600000)
        done = self.create(type="demo.noop")
        self.end_of(done["id"])
        for task in (waiting, scheduled, done):
            before = self.task(task["id"])
            self.assert_problem(self.http.post(f"{TASKS}/{task['id']}/retry"), 409,
                                "invalid_transition")
            self.assertEqual(self.task(task["id"]), before)

    def test_bodies_of_requests_that_need_none_are_ignored(self):
        task = self.create(type="nobody")
        response = self.http.post(f"{TASKS}/{task['id']}/cancel", b"\xff{not json")
        self.assertEqual(response.status, 200, response)


if __name__ == "__main__":
    tap.main()
