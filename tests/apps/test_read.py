"""Reading tasks: one, its status, long polls, lists, paging, stats (http-api.md section 4)."""

import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import (API, NO_SUCH_ID, TASKS, SharedServerCase,  # noqa: E402
                         eventually)


class ReadTest(SharedServerCase):
    settings = {"WORKERS": 2}

    def test_an_unknown_task_is_404(self):
        for path in ("", "/status", "?wait_ms=1000"):
            began = time.monotonic()
            self.assert_problem(self.http.get(f"{TASKS}/{NO_SUCH_ID}{path}"), 404, "not_found")
            self.assertLess(time.monotonic() - began, 0.9)

    def test_an_id_that_is_no_uuid_is_404(self):
        for word in ("1", "x", NO_SUCH_ID + "0", NO_SUCH_ID.replace("-", ""), "%20"):
            self.assert_problem(self.http.get(f"{TASKS}/{word}"), 404, "not_found")

    def test_an_id_is_read_in_either_case(self):
        task = self.create(type="nobody")
        self.assertEqual(self.task(task["id"].upper())["id"], task["id"])

    def test_the_status_alone(self):
        task = self.create(type="nobody")
        response = self.http.get(f"{TASKS}/{task['id']}/status")
        self.assertEqual(response.json(), {"id": task["id"], "status": "new"})

    def test_a_wait_answers_when_the_task_ends(self):
        task = self.create(type="nobody")
        canceller = threading.Timer(
            0.4, lambda: self.server.client().delete(f"{TASKS}/{task['id']}"))
        canceller.start()
        began = time.monotonic()
        ended = self.end_of(task["id"])
        canceller.join()
        self.assertEqual(ended["status"], "cancelled")
        self.assertLess(time.monotonic() - began, 5)

    def test_a_wait_ends_with_what_the_task_is(self):
        task = self.create(type="nobody")
        began = time.monotonic()
        response = self.http.get(f"{TASKS}/{task['id']}?wait_ms=300")
        self.assertGreaterEqual(time.monotonic() - began, 0.29)
        self.assertEqual((response.status, response.json()["status"]), (200, "new"))

    def test_a_wait_for_an_ended_task_answers_at_once(self):
        task = self.create(type="demo.noop")
        self.end_of(task["id"])
        began = time.monotonic()
        self.end_of(task["id"], wait_ms=20000)
        self.assertLess(time.monotonic() - began, 2)

    def test_bad_waits_are_refused(self):
        task = self.create(type="nobody")
        for query in ("wait_ms=-1", "wait_ms=20001", "wait_ms=x", "wait_ms=", "wait_ms=1.0",
                      "wait_ms=1&wait_ms=1", "wait=1", "wait_ms=99999999999999999999"):
            with self.subTest(query=query):
                self.assert_problem(self.http.get(f"{TASKS}/{task['id']}?{query}"), 422,
                                    "validation_failed")


class ListTest(SharedServerCase):
    settings = {"WORKERS": 0}

    def ids(self, query):
        return [task["id"] for task in self.pages(query)]

    def test_newest_first_unless_asked_otherwise(self):
        made = [self.create(queue="order")["id"] for _ in range(5)]
        self.assertEqual(self.ids("queue=order"), made[::-1])
        self.assertEqual(self.ids("queue=order&order=desc"), made[::-1])
        self.assertEqual(self.ids("queue=order&order=asc"), made)

    def test_filters_select(self):
        task = self.create(queue="f1", type="t1", tags=["red", "äöü"])
        other = self.create(queue="f2", type="t2", tags=["blue"])
        for query in ("queue=f1", "type=t1", "tag=red", "tag=" + quote("äöü"),
                      "queue=f1&type=t1&tag=red"):
            with self.subTest(query=query):
                found = self.ids(query)
                self.assertIn(task["id"], found)
                self.assertNotIn(other["id"], found)
        self.assertEqual(self.ids("queue=f1&type=t2"), [])

    def test_a_status_may_be_a_list_in_the_models_words_and_any_case(self):
        waiting = self.create(queue="words")["id"]
        cancelled = self.create(queue="words")["id"]
        self.http.delete(f"{TASKS}/{cancelled}")
        delayed = self.create(queue="words", delay_ms=600000)["id"]
        for status, expected in (("new", {waiting}), ("NEW", {waiting}), ("queued", {waiting}),
                                 ("canceled", {cancelled}), ("Cancelled", {cancelled}),
                                 ("scheduled", {delayed}), ("retrying", {delayed}),
                                 ("new,cancelled", {waiting, cancelled}), ("done", set()),
                                 ("completed,error,running", set())):
            with self.subTest(status=status):
                self.assertEqual(set(self.ids(f"queue=words&status={status}")), expected)

    def test_time_bounds_exclude_their_own_instant(self):
        first = self.create(queue="times")
        time.sleep(0.005)
        middle = self.create(queue="times")
        time.sleep(0.005)
        last = self.create(queue="times")
        at = quote(middle["created_at"])
        self.assertEqual(self.ids(f"queue=times&created_after={at}"), [last["id"]])
        self.assertEqual(self.ids(f"queue=times&created_before={at}"), [first["id"]])

    def test_time_bounds_take_offsets(self):
        task = self.create(queue="offset")
        at = datetime.fromisoformat(task["created_at"].replace("Z", "+00:00"))
        earlier = (at - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=5)))
        self.assertEqual(self.ids(f"queue=offset&created_after={quote(earlier.isoformat())}"),
                         [task["id"]])

    def test_bad_queries_are_refused(self):
        for query in ("limit=0", "limit=201", "limit=x", "limit=", "order=up", "status=nonsense",
                      "status=", "status=new,", "cursor=!!", "cursor=", "colour=red",
                      "queue=a&queue=b", "queue=A%20B", "created_after=now", "tag=%00",
                      "tag=%ff", "tag=%zz", "limit=1.0", "type=", "limit=-1", "limit=+5"):
            with self.subTest(query=query):
                response = self.http.get(f"{TASKS}?{query}")
                self.assert_problem(response, 422, "validation_failed")

    def test_a_page_links_to_the_next(self):
        made = [self.create(queue="links")["id"] for _ in range(3)]
        first = self.http.get(f"{TASKS}?queue=links&limit=2")
        link = first.headers["Link"]
        self.assertRegex(link, r'^</api/v1/tasks\?.*>; rel="next"$')
        self.assertIsNotNone(first.json()["next_cursor"])
        second = self.http.get(link[1:link.index(">")])
        self.assertEqual([t["id"] for t in first.json()["items"] + second.json()["items"]],
                         made[::-1])

    def test_the_last_page_has_no_cursor(self):
        self.create(queue="last")
        items = self.pages("queue=last&limit=1")
        self.assertEqual(len(items), 1)

    def test_default_and_largest_page(self):
        tasks = [{"payload": n, "queue": "sizes"} for n in range(250)]
        self.assertEqual(self.http.post(f"{TASKS}/batch", {"tasks": tasks}).status, 201)
        self.assertLessEqual(len(self.http.get(f"{TASKS}?queue=sizes").json()["items"]), 50)
        self.assertLessEqual(len(self.http.get(f"{TASKS}?queue=sizes&limit=200").json()["items"]),
                             200)
        self.assertEqual(len(self.pages("queue=sizes&limit=200")), 250)

    def test_large_payloads_are_left_out_and_named(self):
        small = self.create("x" * 4094, queue="large")  # 4096 bytes as written
        large = self.create("x" * 4095, queue="large")
        items = {task["id"]: task for task in self.pages("queue=large")}
        self.assertNotIn("omitted", items[small["id"]])
        self.assertEqual(items[small["id"]]["payload"], "x" * 4094)
        self.assertEqual(items[large["id"]]["omitted"], ["payload"])
        self.assertNotIn("payload", items[large["id"]])
        self.assertEqual(self.task(large["id"])["payload"], "x" * 4095)

    def test_items_are_the_tasks(self):
        task = self.create(queue="items", tags=["a"], priority=2)
        task.pop("task_id")
        item = self.pages("queue=items")[0]
        item.pop("task_id", None)
        self.assertEqual(item, task)

    def test_paging_is_stable_while_tasks_are_created(self):
        for order in ("asc", "desc"):
            with self.subTest(order=order):
                queue = f"moving-{order}"
                before = [item["id"] for n in range(3) for item in self.http.post(
                    f"{TASKS}/batch",
                    {"tasks": [{"payload": n, "queue": queue}] * 100}).json()["items"]]
                stop = threading.Event()
                creators = [threading.Thread(target=self.keep_creating, args=(queue, stop))
                            for _ in range(3)]
                for creator in creators:
                    creator.start()
                try:
                    # Newest first: each page begins behind tasks that came meanwhile.
                    seen = [t["id"] for t in self.bounded_pages(
                        f"queue={queue}&order={order}&limit=7", stop)]
                finally:
                    stop.set()
                    for creator in creators:
                        creator.join()
                self.assertEqual(len(seen), len(set(seen)), "a task was repeated")
                self.assertEqual(set(before) - set(seen), set(), "a task was skipped")

    def bounded_pages(self, query, stop):
        """Ascending paging would chase the creators for ever: they stop after a while."""
        began = time.monotonic()
        return self.pages(query, lambda: stop.set() if time.monotonic() - began > 1.5 else None)

    def keep_creating(self, queue, stop):
        client = self.server.client()
        while not stop.is_set():
            client.post(TASKS, {"payload": "later", "queue": queue})
        client.close()


class StatsTest(SharedServerCase):
    settings = {"WORKERS": 1}

    def stats(self, queue):
        rows = self.http.get(f"{API}/stats").json()["queues"]
        return next((row for row in rows if row["queue"] == queue), None)

    def test_the_numbers_agree_with_the_tasks(self):
        for _ in range(3):
            self.create(queue="mixed", type="nobody")
        self.create(queue="mixed", delay_ms=600000)
        failing = self.create(queue="mixed", type="demo.fail", max_attempts=1)
        self.assertEqual(self.end_of(failing["id"])["status"], "failed")
        row = eventually(lambda: self.stats("mixed"), "the queue shows")
        self.assertGreaterEqual(row.pop("oldest_waiting_ms"), 0)
        self.assertEqual(row, {"queue": "mixed", "waiting": 3, "processing": 0, "scheduled": 1,
                               "failed": 1})

    def test_nothing_waiting_has_no_oldest(self):
        self.create(queue="later", delay_ms=600000)
        self.assertIsNone(self.stats("later")["oldest_waiting_ms"])

    def test_the_oldest_grows_older(self):
        self.create(queue="old", type="nobody")
        first = self.stats("old")["oldest_waiting_ms"]
        time.sleep(0.1)
        self.assertGreaterEqual(self.stats("old")["oldest_waiting_ms"], first + 90)


if __name__ == "__main__":
    tap.main()
