"""Base classes of the process tests: a server, a connection, and the words of the tests."""

import http.client
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from taskapi import TaskApi  # noqa: E402

API = "/api/v1"
TASKS = API + "/tasks"
TERMINAL = ("done", "failed", "cancelled")
UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
NO_SUCH_ID = "01981b2e-0000-7000-8000-000000000000"


def eventually(look, what, timeout=10.0, every=0.02):
    """Look until it is true; -> what the look gave."""
    deadline = time.monotonic() + timeout
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)


def together(count, work):
    """Run work(0..count-1) on as many threads, begun at one moment. -> results in order"""
    results, errors = [None] * count, []
    barrier = threading.Barrier(count)

    def run(number):
        try:
            barrier.wait()
            results[number] = work(number)
        except Exception as error:  # reported below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


class Words:
    """What tests say to `self.server` over `self.http`."""

    maxDiff = None

    def create(self, payload="test task", headers=None, **fields):
        """Create and insist on 201. -> the task as answered"""
        response = self.http.post(TASKS, {"payload": payload, **fields}, headers)
        self.assertEqual(response.status, 201, response)
        return response.json()

    def task(self, task_id):
        response = self.http.get(f"{TASKS}/{task_id}")
        self.assertEqual(response.status, 200, response)
        return response.json()

    def end_of(self, task_id, wait_ms=15000):
        """Wait for a terminal status. -> the task"""
        task = self.http.get(f"{TASKS}/{task_id}?wait_ms={wait_ms}").json()
        self.assertIn(task["status"], TERMINAL, task)
        return task

    def wait_for_status(self, task_id, *wanted, timeout=10):
        return eventually(lambda: self._task_if(task_id, wanted),
                          f"task {task_id} in {wanted}", timeout)

    def _task_if(self, task_id, wanted):
        task = self.task(task_id)
        return task if task["status"] in wanted else None

    def pages(self, query="", each_page=None):
        """All items of a listing, following cursors to the end."""
        items, cursor = [], ""
        for _ in range(1000):
            path = f"{TASKS}?{query}" + (f"&cursor={cursor}" if cursor else "")
            response = self.http.get(path.replace("?&", "?").rstrip("?"))
            self.assertEqual(response.status, 200, response)
            page = response.json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items
            if each_page:
                each_page()
        raise AssertionError("paging does not end")

    def assert_problem(self, response, status, code):
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.headers["Content-Type"].split(";")[0],
                         "application/problem+json")
        problem = response.json()
        self.assertEqual((problem["status"], problem["code"]), (status, code), problem)
        for member in ("type", "title", "detail"):
            self.assertIsInstance(problem[member], str)
            self.assertTrue(problem[member])
        self.assertEqual(problem["request_id"], response.headers["X-Request-Id"])
        return problem

    def assert_invalid(self, response, pointer):
        """422 validation_failed with an error at `pointer`."""
        problem = self.assert_problem(response, 422, "validation_failed")
        pointers = [error["pointer"] for error in problem["errors"]]
        self.assertIn(pointer, pointers, problem)
        for error in problem["errors"]:
            self.assertTrue(error["detail"])


class SharedServerCase(Words, unittest.TestCase):
    """One server for all tests of a class, with the class's `settings`."""

    settings = {}
    clean_exit = True  # the last test is that the server ends well

    @classmethod
    def setUpClass(cls):
        cls.server = TaskApi(**cls.settings)
        try:
            cls.server.start()
        except BaseException:
            cls.server.close()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            status = cls.server.stop()
            if cls.clean_exit and status != 0:
                raise AssertionError(f"exit status {status}:\n{cls.server.log_tail(60)}")
        finally:
            cls.server.close()

    def setUp(self):
        self.assertTrue(self.server.is_running(), "the server has died")
        self.http = self.server.client()
        self.addCleanup(self.http.close)


class OwnServerCase(Words, unittest.TestCase):
    """A server for each test: self.serve(WORKERS=1) starts it."""

    def serve(self, **settings):
        self.server = TaskApi(**settings)
        self.addCleanup(self.server.close)
        self.server.start()
        self.http = self.server.client()
        return self.server

    def assert_ends_well(self, server=None, timeout=30):
        server = server or self.server
        self.assertEqual(server.stop(timeout), 0, server.log_tail(60))


LOST_CONNECTION = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)
