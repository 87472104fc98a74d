"""The API on PostgreSQL: the same words as on SQLite, and what it says while the server is away."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster import Postgres  # noqa: E402
from cluster_case import ClusterCase, run  # noqa: E402
from server_case import TASKS, eventually, together  # noqa: E402

BOUND = 7.0  # seconds: the limit of a statement, of noticing that its server is gone, and slack


class ApiCase(ClusterCase):
    """One taskapi, and nothing else that runs."""

    def start(self, postgres=None, **settings):
        self.make(workers=0, kafka=False, postgres=postgres)
        self.api = self.cluster.api.start(**settings)
        self.http = self.api.client()


class WholeSystemTest(ApiCase):
    """With workers of its own it is a whole service, on PostgreSQL as on SQLite."""

    def setUp(self):
        self.start(WORKERS="8")

    def test_a_task_is_run(self):
        task = self.http.post(TASKS, '{"payload": {"a": [1, 2.50]}}').json()
        self.assertEqual(self.end_of(task["id"])["result"], 'processed: {"a": [1, 2.50]} (0sec)')

    def test_a_key_gives_the_same_task_again(self):
        first, again = (self.http.post(TASKS, {"payload": 1, "type": "demo.noop"},
                                       {"Idempotency-Key": "k"}) for _ in range(2))
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(first.json()["id"], again.json()["id"])

    def test_tasks_are_listed_and_counted(self):
        for number in range(5):
            self.create(number, type="demo.noop", queue="later", delay_ms=60000)
        self.assertEqual(len(self.pages("queue=later&limit=2")), 5)
        rows = self.http.get("/api/v1/stats").json()["queues"]
        self.assertEqual([row["scheduled"] for row in rows if row["queue"] == "later"], [5])

    def test_a_waiting_task_can_be_cancelled(self):
        task = self.create(delay_ms=60000)
        self.assertEqual(self.http.delete(f"{TASKS}/{task['id']}").status, 200)
        self.assertEqual(self.task(task["id"])["status"], "cancelled")

    def test_many_at_once_are_all_run(self):
        def create(number):
            client = self.api.client()
            return [client.post(TASKS, {"payload": number, "type": "demo.noop"}).json()["id"]
                    for _ in range(20)]

        ids = sum(together(8, create), [])
        self.assertEqual(len(set(ids)), 160)
        for task in ids:
            self.assertEqual(self.end_of(task)["status"], "done")
        self.assertEqual(self.cluster.taskctl("check").returncode, 0)

    def test_health_calls_the_database_the_queue(self):
        health = self.http.get("/health").json()
        self.assertEqual((health["status"], health["checks"]["queue"]["kind"]),
                         ("healthy", "database"))


class LibraryTest(ClusterCase):
    """The C library opens the same store: what it submits, it runs, among others' tasks."""

    def embed(self, url):
        return run("tests/embed_example", url)

    def test_a_c_program_works_on_the_database(self):
        cluster = self.make(workers=0, kafka=False)
        ended = self.embed(cluster.owner_url())
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertIn("hello, world", ended.stdout)
        self.assertEqual(cluster.sql("SELECT count(*) FROM taskcore.task"), ["1"])

    def test_without_a_schema_it_says_what_to_run(self):
        cluster = self.make(workers=0, kafka=False)
        cluster.sql("DROP SCHEMA taskcore CASCADE")
        ended = self.embed(cluster.owner_url())
        self.assertEqual(ended.returncode, 1)
        self.assertIn("taskctl migrate", ended.stderr)


class AwayTest(ApiCase):
    """PostgreSQL stopped or killed under the API."""

    def setUp(self):
        self.postgres = Postgres()
        self.start(postgres=self.postgres)
        self.kept = self.create("kept")

    def timed(self, ask):
        """-> (response, seconds)"""
        http = self.api.client()
        began = time.monotonic()
        try:
            return ask(http), time.monotonic() - began
        finally:
            http.close()

    def assert_refused_in_time(self):
        """Creates and reads, several at a time: 503 with Retry-After, within the bound."""
        asks = [lambda http: http.post(TASKS, {"payload": "lost"}),
                lambda http: http.get(f"{TASKS}/{self.kept['id']}"),
                lambda http: http.get(TASKS),
                lambda http: http.get("/api/v1/stats")] * 2
        for response, seconds in together(len(asks), lambda n: self.timed(asks[n])):
            self.assert_problem(response, 503, "unavailable")
            self.assertGreaterEqual(int(response.headers["Retry-After"]), 1)
            self.assertLess(seconds, BOUND)

    def assert_probes(self, ready):
        self.assertEqual(self.api.status_of("/livez"), 200)
        response, seconds = self.timed(lambda http: http.get("/readyz"))
        self.assertEqual(response.status, 200 if ready else 503)
        self.assertLess(seconds, BOUND)

    def assert_back(self):
        """By itself, with what was there before."""
        eventually(lambda: self.api.status_of("/readyz") == 200, "ready again", 10)
        self.http = self.api.client()
        self.assertEqual(self.task(self.kept["id"])["payload"], "kept")
        self.create("again")
        self.assertTrue(self.api.is_running())

    def test_a_server_that_says_nothing(self):
        self.postgres.freeze()
        try:
            self.assert_refused_in_time()
            self.assert_probes(ready=False)
        finally:
            self.postgres.thaw()
        self.assert_back()

    def test_a_server_that_is_killed(self):
        self.postgres.kill_all()
        self.assert_refused_in_time()
        self.assert_probes(ready=False)
        self.postgres.start()
        self.assert_back()

    def test_a_server_that_goes_away_while_it_is_asked(self):
        stop = threading.Event()
        answers = []

        def ask():
            while not stop.is_set():
                answers.append(self.timed(lambda http: http.post(TASKS, {"payload": "x"})))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        self.postgres.kill_all()
        time.sleep(1)
        self.postgres.start()
        eventually(lambda: self.api.status_of("/readyz") == 200, "ready again", 10)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertLessEqual({r.status for r, _ in answers}, {201, 503})
        self.assertLess(max(seconds for _, seconds in answers), BOUND)
        accepted = {r.json()["id"] for r, _ in answers if r.status == 201}
        stored = {item["id"] for item in self.pages("limit=200")}
        self.assertLessEqual(accepted, stored)

    def test_an_api_that_waits_for_its_server_ends_when_told(self):
        self.postgres.freeze()
        began = time.monotonic()
        try:
            self.assertEqual(self.api.stop(20), 0)
        finally:
            self.postgres.thaw()
        self.assertLess(time.monotonic() - began, 15)


if __name__ == "__main__":
    tap.main()
