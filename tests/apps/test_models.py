"""The five model services as their users know them (rows A, C, D, E), and the demo handlers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import API, TASKS, TIME, SharedServerCase  # noqa: E402


class ModelATest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": "0"}

    def test_posting_a_payload_gives_a_task_id(self):
        response = self.http.post("/tasks", {"payload": "str"})
        self.assertEqual(response.status, 201)
        self.assertIn("task_id", response.json())

    def test_the_worker_stores_status_and_result(self):
        task_id = self.http.post("/tasks", {"payload": "str"}).json()["task_id"]
        task = self.end_of(task_id)
        self.assertEqual((task["status"], task["result"]), ("done", "processed: str (0sec)"))

    def test_the_docs_page_is_at_docs(self):
        self.assertEqual(self.http.get("/docs").status, 200)


class ModelCTest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": "1"}

    def test_the_answer_has_its_members_and_words(self):
        made = self.http.post("/tasks", {"payload": "test task"}).json()
        response = self.http.get(f"/tasks/{made['id']}?wait_ms=10000")
        task = response.json()
        self.assertEqual(response.status, 200)
        self.assertEqual({name: task[name] for name in ("id", "payload", "status", "result")},
                         {"id": made["id"], "payload": "test task", "status": "done",
                          "result": "processed: test task (1sec)"})
        self.assertRegex(task["created_at"], TIME)
        self.assertRegex(task["updated_at"], TIME)
        self.assertGreater(task["updated_at"], task["created_at"])

    def test_health_has_a_check_per_component(self):
        body = self.http.get("/health").json()
        self.assertEqual((body["status"], set(body["checks"])),
                         ("healthy", {"database", "queue", "workers"}))

    def test_payloads_of_1_to_10000_characters(self):
        for payload in ("x", "x" * 10000):
            self.assertEqual(self.http.post("/tasks", {"payload": payload}).status, 201)
        self.assertEqual(self.http.post("/tasks", {"payload": ""}).status, 422)

    def test_priorities_0_to_10_default_0(self):
        self.assertEqual(self.create()["priority"], 0)
        self.assertEqual(self.create(priority=10)["priority"], 10)


class ModelDTest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": "0"}

    def test_a_title_of_even_length_succeeds(self):
        response = self.http.post(f"{API}/tasks/", {"title": "Process report"})  # 14
        self.assertEqual(response.status, 201)
        task = self.http.get(f"{API}/tasks/{response.json()['id']}/?wait_ms=10000").json()
        self.assertEqual((task["title"], task["status"], task["result"]),
                         ("Process report", "done", "success"))

    def test_a_title_of_odd_length_fails(self):
        made = self.http.post(f"{API}/tasks/", {"title": "Process reports"}).json()  # 15
        task = self.end_of(made["id"])
        self.assertEqual((task["status"], task["result"], task["attempt"]),
                         ("failed", "error", 1))
        self.assertEqual(task["error"]["reason"], "not_retryable")

    def test_characters_are_counted_not_bytes(self):
        for title, status in (("é", "failed"), ("éü", "done"), ("\U0001F600", "failed"),
                              ('a"', "done"), ("\n", "failed")):
            with self.subTest(title=title):
                made = self.http.post(f"{API}/tasks/", {"title": title}).json()
                self.assertEqual(self.end_of(made["id"])["status"], status)

    def test_the_list_filters_by_status_and_pages(self):
        for _ in range(3):
            self.create("p", type="nobody", queue="d")
        items = self.pages("status=new&queue=d&limit=2")
        self.assertEqual([task["status"] for task in items], ["new"] * 3)
        self.assertEqual(self.http.get(f"{API}/tasks/?status=new").status, 200)

    def test_two_workers_never_take_one_task(self):
        made = [self.http.post(f"{API}/tasks/", {"title": "ab"}).json() for _ in range(200)]
        for task in made:
            ended = self.end_of(task["id"])
            self.assertEqual((ended["status"], ended["attempt"], ended["epoch"]), ("done", 1, 1))


class ModelETest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": "0"}

    def test_the_resource_and_its_status(self):
        made = self.http.post(TASKS, {"payload": {"n": 1}}).json()
        self.end_of(made["id"])
        self.assertEqual(self.http.get(f"{TASKS}/{made['id']}/status").json(),
                         {"id": made["id"], "status": "done"})
        self.assertIn(made["id"], [task["id"] for task in self.pages("status=COMPLETED")])

    def test_delete_cancels(self):
        made = self.create("p", delay_ms=600000)
        self.assertEqual(self.http.delete(f"{TASKS}/{made['id']}").json()["status"], "cancelled")
        self.assertIn(made["id"], [task["id"] for task in self.pages("status=CANCELLED")])


class DemoHandlersTest(SharedServerCase):
    settings = {"WORKERS": 2, "DEMO_SECONDS": "0"}

    def result_of(self, body):
        response = self.http.post(TASKS, body)
        self.assertEqual(response.status, 201, response)
        return self.end_of(response.json()["id"])

    def test_process_shows_a_strings_value_and_other_payloads_text(self):
        for payload, text in (('"a b"', "a b"), ('"\\u00e9\\n"', "é\n"), ("5", "5"),
                              ('{"a": 1.50}', '{"a": 1.50}'), ("[1, 2]", "[1, 2]"),
                              ("null", "null"), ("1e2", "1e2")):
            with self.subTest(payload=payload):
                task = self.result_of('{"payload":' + payload + "}")
                self.assertEqual(task["result"], f"processed: {text} (0sec)")

    def test_noop_ends_without_a_result(self):
        task = self.result_of({"payload": 1, "type": "demo.noop"})
        self.assertEqual((task["status"], task["result"], task["error"], task["attempt"]),
                         ("done", None, None, 1))

    def test_fail_fails_and_may_be_tried_again(self):
        task = self.result_of({"payload": 1, "type": "demo.fail", "max_attempts": 1})
        self.assertEqual((task["status"], task["error"]["reason"], task["error"]["attempt"]),
                         ("failed", "handler", 1))
        self.assertTrue(task["error"]["message"])
        self.assertRegex(task["error"]["at"], TIME)

    def test_the_clocks_of_a_task_agree(self):
        task = self.result_of({"payload": 1, "type": "demo.noop"})
        self.assertLessEqual(task["created_at"], task["started_at"])
        self.assertLessEqual(task["started_at"], task["finished_at"])
        self.assertEqual(task["updated_at"], task["finished_at"])
        self.assertIsNone(task["lease"])


if __name__ == "__main__":
    tap.main()
