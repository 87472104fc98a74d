"""What becomes of tasks: retries, dead letters, timeouts, crashes, scheduling, order."""

import sys
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import (LOST_CONNECTION, TASKS, OwnServerCase,  # noqa: E402
                         SharedServerCase, eventually)
from taskapi import StartFailed  # noqa: E402


def ms(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


class RetryPolicyTest(SharedServerCase):
    settings = {"WORKERS": 2, "RETRY_MIN_MS": 200, "RETRY_MAX_MS": 800}

    def test_attempts_are_used_up_then_the_task_is_dead(self):
        task = self.create(type="demo.fail", max_attempts=3)
        ended = self.end_of(task["id"])
        self.assertEqual((ended["status"], ended["attempt"], ended["epoch"], ended["crashes"]),
                         ("failed", 3, 3, 0))
        self.assertEqual((ended["error"]["reason"], ended["error"]["attempt"]), ("handler", 3))
        self.assertIn(task["id"], [t["id"] for t in self.pages("status=failed")])

    def test_a_failed_attempt_waits_before_the_next(self):
        task = self.create(type="demo.fail", max_attempts=2)
        waiting = self.wait_for_status(task["id"], "scheduled")
        self.assertEqual((waiting["attempt"], waiting["error"]["attempt"]), (1, 1))
        self.assertIsNone(waiting["finished_at"])
        wait = ms(waiting["run_at"]) - ms(waiting["error"]["at"])
        self.assertGreaterEqual(wait, 200)
        self.assertLessEqual(wait, 405)
        ended = self.end_of(task["id"])
        self.assertGreaterEqual(ms(ended["started_at"]), ms(waiting["run_at"]))

    def test_waits_grow_and_are_capped(self):
        task = self.create(type="demo.fail", max_attempts=5)
        waits = {}
        def look():
            now = self.task(task["id"])
            if now["status"] == "scheduled":
                waits[now["attempt"]] = ms(now["run_at"]) - ms(now["error"]["at"])
            return now["status"] == "failed"
        eventually(look, "the end", timeout=20, every=0.03)
        self.assertEqual(sorted(waits), [1, 2, 3, 4])
        for attempt, (low, high) in {1: (200, 405), 2: (400, 805), 3: (400, 805),
                                     4: (400, 805)}.items():
            self.assertGreaterEqual(waits[attempt], low)
            self.assertLessEqual(waits[attempt], high)

    def test_jitter_spreads_the_herd(self):
        made = [self.create(type="demo.fail", max_attempts=2) for _ in range(12)]
        ends = [self.wait_for_status(task["id"], "scheduled", "failed") for task in made]
        waits = {ms(t["run_at"]) - ms(t["error"]["at"]) for t in ends
                 if t["status"] == "scheduled"}
        self.assertGreater(len(waits), 3)

    def test_a_cancel_ends_the_waiting_between_attempts(self):
        task = self.create(type="demo.fail")
        self.wait_for_status(task["id"], "scheduled")
        self.assertEqual(self.http.delete(f"{TASKS}/{task['id']}").json()["status"], "cancelled")
        time.sleep(0.6)
        self.assertEqual(self.task(task["id"])["epoch"], 1)


class TimeoutTest(SharedServerCase):
    settings = {"WORKERS": 1, "DEMO_SECONDS": "20", "RETRY_MIN_MS": 50, "RETRY_MAX_MS": 100}

    def test_an_overrun_fails_with_timeout_and_is_tried_again(self):
        task = self.create(timeout_ms=200, max_attempts=2)
        began = time.monotonic()
        ended = self.end_of(task["id"])
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual((ended["status"], ended["attempt"], ended["error"]["reason"]),
                         ("failed", 2, "timeout"))

    def test_the_slot_is_free_after_an_overrun(self):
        self.end_of(self.create(timeout_ms=100, max_attempts=1)["id"])
        self.assertEqual(self.end_of(self.create(type="demo.noop")["id"], 5000)["status"], "done")


class ScheduleTest(SharedServerCase):
    settings = {"WORKERS": 1}

    def test_a_delayed_task_runs_when_due_and_not_before(self):
        task = self.create(type="demo.noop", delay_ms=700)
        ended = self.end_of(task["id"])
        late = ms(ended["started_at"]) - ms(task["run_at"])
        self.assertGreaterEqual(late, 0)
        self.assertLess(late, 1500)

    def test_an_earlier_delay_is_not_held_up_by_a_later_one(self):
        self.create(type="demo.noop", delay_ms=3600000)
        task = self.create(type="demo.noop", delay_ms=200)
        self.assertEqual(self.end_of(task["id"], 5000)["status"], "done")


class OrderTest(OwnServerCase):
    def run_order(self, tasks):
        """Create while nothing works, then run one by one, 0.1 s each. -> ids as made, as run"""
        self.serve(WORKERS=0, DEMO_SECONDS="60")
        made = [self.create(timeout_ms=100, max_attempts=1, **fields)["id"] for fields in tasks]
        self.assert_ends_well()
        self.server.restart(WORKERS=1)
        self.http = self.server.client()
        ended = [self.end_of(task_id) for task_id in made]
        return made, [task["id"] for task in sorted(ended, key=lambda t: t["error"]["at"])]

    def test_larger_priorities_run_first(self):
        made, ran = self.run_order([{"priority": p} for p in (0, 5, 10, 1, 5)])
        self.assertEqual(ran, [made[n] for n in (2, 1, 4, 3, 0)])

    def test_equal_priorities_run_by_age(self):
        made, ran = self.run_order([{}] * 6)
        self.assertEqual(ran, made)

    def test_a_type_that_nobody_runs_holds_up_nobody(self):
        self.serve(WORKERS=1)
        for _ in range(3):
            tasks = [{"payload": n, "type": "nobody", "priority": 10} for n in range(1000)]
            self.assertEqual(self.http.post(f"{TASKS}/batch", {"tasks": tasks}).status, 201)
        task = self.create(type="demo.noop")
        self.assertEqual(self.end_of(task["id"], 3000)["status"], "done")


class CrashTest(OwnServerCase):
    """demo.crash kills its process; a supervisor (this test) starts it again."""

    def supervise(self, task_id, starts_max=12):
        for _ in range(starts_max):
            task = self.look(task_id)
            if task and task["status"] == "failed":
                return task
            eventually(lambda: not self.server.is_running(), "the crash", timeout=5)
            try:
                self.server.restart()
            except StartFailed:
                pass  # crashed before it said where it listens
        raise AssertionError("the poison task is still alive")

    def look(self, task_id):
        try:
            return self.server.client(timeout=5).get(f"{TASKS}/{task_id}?wait_ms=2000").json()
        except LOST_CONNECTION:
            return None

    def poison(self, **fields):
        self.serve(WORKERS=0)
        task_id = self.create(type="demo.crash", **fields)["id"]
        self.assert_ends_well()
        return task_id

    def start_anew(self):
        try:
            self.server.restart(WORKERS=1)
        except StartFailed:
            pass

    def test_a_poison_task_goes_to_the_dead_letters(self):
        task_id = self.poison(max_crashes=2, max_attempts=1)
        self.start_anew()
        dead = self.supervise(task_id)
        self.assertEqual((dead["status"], dead["crashes"], dead["attempt"]), ("failed", 3, 0))
        self.assertEqual(dead["error"]["reason"], "worker_lost")
        self.assertEqual(self.server.starts, 5)  # no workers, first, and one after each crash
        self.http = self.server.client()
        self.assertEqual(self.end_of(self.create(type="demo.noop")["id"])["status"], "done")
        self.assert_ends_well()

    def test_max_crashes_0_with_one_attempt_is_at_most_once(self):
        task_id = self.poison(max_crashes=0, max_attempts=1)
        self.start_anew()
        dead = self.supervise(task_id)
        self.assertEqual((dead["crashes"], self.server.starts), (1, 3))

    def test_the_setting_gives_the_default(self):
        self.serve(WORKERS=0, MAX_CRASHES=7)
        self.assertEqual(self.create()["max_crashes"], 7)


if __name__ == "__main__":
    tap.main()
