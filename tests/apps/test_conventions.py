"""What holds for every request (http-api.md section 1) and what lies around (section 7)."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import API, NO_SUCH_ID, TASKS, SharedServerCase, eventually  # noqa: E402


class ConventionsTest(SharedServerCase):
    settings = {"WORKERS": 1}

    def test_unknown_paths_are_404(self):
        for path in ("/nothing", "/api/v1", "/api/v1/nothing", "/api/v2/tasks", "/tasks/x/y/z",
                     "/api/v1/tasksx", "/TASKS", "/stats"):
            for method in ("GET", "POST", "OPTIONS", "PUT"):
                with self.subTest(path=path, method=method):
                    self.assert_problem(self.http.request(method, path), 404, "not_found")

    def test_other_methods_are_405_and_name_the_allowed(self):
        for path, allowed in ((TASKS, {"GET", "HEAD", "POST", "OPTIONS"}),
                              (f"{TASKS}/{NO_SUCH_ID}", {"GET", "HEAD", "DELETE", "OPTIONS"}),
                              (f"{TASKS}/{NO_SUCH_ID}/retry", {"POST", "OPTIONS"}),
                              (f"{TASKS}/batch", {"POST", "OPTIONS"}),
                              ("/health", {"GET", "HEAD", "OPTIONS"})):
            for method in ("PUT", "PATCH", "BREW"):
                with self.subTest(path=path, method=method):
                    response = self.http.request(method, path)
                    self.assert_problem(response, 405, "method_not_allowed")
                    named = set(re.split(r",\s*", response.headers["Allow"]))
                    self.assertLessEqual(allowed, named)
                    self.assertNotIn(method, named)

    def test_options_answers_204_with_allow(self):
        response = self.http.request("OPTIONS", TASKS)
        self.assertEqual((response.status, response.body), (204, b""))
        self.assertIn("POST", response.headers["Allow"])

    def test_head_is_get_without_body(self):
        task = self.create(type="nobody")
        for path in (f"{TASKS}/{task['id']}", "/health", "/version", "/openapi.json"):
            with self.subTest(path=path):
                head, get = self.http.request("HEAD", path), self.http.get(path)
                self.assertEqual((head.status, head.body), (200, b""))
                self.assertEqual(head.headers["Content-Type"], get.headers["Content-Type"])

    def test_tasks_answer_without_the_prefix_and_with_a_trailing_slash(self):
        task = self.create(type="nobody")
        for base in (TASKS, "/tasks"):
            for slash in ("", "/"):
                with self.subTest(base=base, slash=slash):
                    self.assertEqual(self.http.post(base + slash, {"payload": 1}).status, 201)
                    self.assertEqual(self.http.get(base + slash).status, 200)
                    self.assertEqual(self.http.get(f"{base}/{task['id']}{slash}").json()["id"],
                                     task["id"])
                    self.assertEqual(self.http.get(f"{base}/{task['id']}/status{slash}").status,
                                     200)
        for path in ("/health/", API + "/stats/", "/livez/", "/version/"):
            self.assertEqual(self.http.get(path).status, 200, path)

    def test_the_order_of_checks(self):
        broken, wrong_type = b"{", {"Content-Type": "text/plain"}
        self.assertEqual(self.http.post("/nothing", broken, wrong_type).status, 404)
        self.assertEqual(self.http.request("PUT", TASKS, broken, wrong_type).status, 405)
        self.assert_problem(self.http.post(TASKS, broken, wrong_type), 415,
                            "unsupported_media_type")
        self.assertEqual(self.http.post(TASKS, broken, {"Idempotency-Key": ""}).status, 400)
        self.assertEqual(self.http.post(TASKS + "?x=1", broken).status, 400)
        self.assertEqual(self.http.get(f"{TASKS}/{NO_SUCH_ID}?x=1").status, 422)

    def test_media_types(self):
        for kind, status in (("application/json", 201), ("application/json; charset=utf-8", 201),
                             ("Application/JSON", 201), ("text/json", 415),
                             ("application/xml", 415), ("application/jsonx", 415)):
            with self.subTest(kind=kind):
                self.assertEqual(
                    self.http.post(TASKS, '{"payload":1}', {"Content-Type": kind}).status, status)

    def test_the_media_type_may_be_left_out(self):
        connection = self.server.client()
        connection.get("/livez")  # opens it
        connection.connection.request("POST", TASKS, body=b'{"payload":1}')
        answer = connection.connection.getresponse()
        self.assertEqual((answer.status, bool(answer.read())), (201, True))

    def test_answers_are_json(self):
        response = self.http.get(TASKS)
        self.assertEqual(response.headers["Content-Type"].split(";")[0], "application/json")

    def test_a_request_id_is_echoed(self):
        for request_id in ("a", "A-b_c.9", "x" * 128):
            response = self.http.get("/nothing", {"X-Request-Id": request_id})
            self.assertEqual(response.headers["X-Request-Id"], request_id)
            self.assertEqual(response.json()["request_id"], request_id)

    def test_a_bad_request_id_is_replaced(self):
        for request_id in ("", "a b", "x" * 129, "a/b", "ü".encode()):
            response = self.http.get("/version", {"X-Request-Id": request_id})
            self.assertRegex(response.headers["X-Request-Id"], r"^[A-Za-z0-9._-]{1,128}$")

    def test_request_ids_are_made_anew(self):
        made = {self.http.get("/livez").headers["X-Request-Id"] for _ in range(20)}
        self.assertEqual(len(made), 20)

    def test_unknown_query_parameters_are_refused(self):
        task = self.create(type="nobody")
        for method, path in (("GET", f"{TASKS}/{task['id']}/status?x=1"), ("POST", TASKS + "?x=1"),
                             ("DELETE", f"{TASKS}/{task['id']}?x=1"), ("GET", API + "/stats?x=1")):
            with self.subTest(path=path):
                body = {"payload": 1} if method == "POST" else None
                self.assert_problem(self.http.request(method, path, body), 422,
                                    "validation_failed")
        self.assertEqual(self.task(task["id"])["status"], "new")

    def test_no_answer_shows_inner_detail(self):
        for path in ("/nothing", TASKS + "?cursor=x", f"{TASKS}/{NO_SUCH_ID}"):
            text = self.http.get(path).body.decode().lower()
            for word in ("sqlite", ".c:", "errno", "/tmp", "select "):
                self.assertNotIn(word, text)

    def test_one_connection_serves_many_requests(self):
        for _ in range(200):
            self.assertEqual(self.http.get("/livez").status, 200)
        self.assertIsNotNone(self.http.connection)


class AroundTest(SharedServerCase):
    settings = {"WORKERS": 3}

    def test_health_reports_each_component(self):
        response = self.http.get("/health")
        body = response.json()
        self.assertEqual((response.status, body["status"]), (200, "healthy"))
        self.assertEqual(body["checks"]["database"]["status"], "up")
        self.assertIsInstance(body["checks"]["database"]["latency_ms"], (int, float))
        self.assertEqual(body["checks"]["queue"], {"status": "up", "kind": "database"})
        self.assertEqual(body["checks"]["workers"], {"status": "up", "threads": 3, "busy": 0})

    def test_live_and_ready(self):
        self.assertEqual(self.http.get("/livez").status, 200)
        self.assertEqual(self.http.get("/readyz").status, 200)

    def test_version_names_the_program(self):
        body = self.http.get("/version").json()
        self.assertRegex(body["version"], r"^\d+\.\d+\.\d+")
        self.assertTrue(body["name"])
        self.assertIn("commit", body)

    def test_the_root_page_links_what_there_is(self):
        response = self.http.get("/")
        self.assertEqual(response.status, 200)
        self.assertIn("text/html", response.headers["Content-Type"])
        for link in ("/docs", "/health", "/metrics"):
            self.assertIn(f'"{link}"'.encode(), response.body)

    def test_docs_answer_under_both_names(self):
        for path in ("/docs", "/swagger", "/docs/"):
            response = self.http.get(path)
            self.assertEqual(response.status, 200, path)
            self.assertIn("text/html", response.headers["Content-Type"])

    def test_openapi_is_version_3_1(self):
        self.assertTrue(self.http.get("/openapi.json").json()["openapi"].startswith("3.1"))


class NoWorkersTest(SharedServerCase):
    settings = {"WORKERS": 0, "DATABASE_URL": "memory:"}

    def test_no_workers_is_still_healthy(self):
        body = self.http.get("/health").json()
        self.assertEqual(body["status"], "healthy")
        self.assertEqual(body["checks"]["workers"]["status"], "none")

    def test_the_memory_store_serves_the_same(self):
        task = self.create("p")
        self.assertEqual(self.task(task["id"])["payload"], "p")


class MetricsTest(SharedServerCase):
    settings = {"WORKERS": 2, "RETRY_MIN_MS": 50, "RETRY_MAX_MS": 100}
    LABELS = r'\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\}'
    SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(' + LABELS + r')? (\S+)$')

    def scrape(self):
        response = self.http.get("/metrics")
        self.assertEqual(response.status, 200)
        self.assertTrue(response.headers["Content-Type"].startswith("text/plain"))
        return self.samples(response.body.decode())

    def samples(self, text):
        """(name, labels text) -> value"""
        found = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = self.SAMPLE.match(line)
                self.assertIsNotNone(match, line)
                found[match[1], match[2] or ""] = float(match[3])
        return found

    def total(self, samples, name_part, *label_parts):
        return sum(value for (name, labels), value in samples.items()
                   if name_part in name and all(part in labels for part in label_parts))

    def test_every_series_has_help_and_type(self):
        self.create(type="demo.noop")
        text = self.http.get("/metrics").body.decode()
        typed = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M))
        helped = set(re.findall(r"^# HELP (\S+) ", text, re.M))
        self.assertEqual(typed, helped)
        for name, _ in self.samples(text):
            self.assertTrue(name in typed or re.sub("_(bucket|sum|count)$", "", name) in typed,
                            name)

    def test_requests_are_counted_by_route_and_code(self):
        for _ in range(5):
            self.http.get(f"{TASKS}/{NO_SUCH_ID}")
        samples = self.scrape()
        self.assertGreaterEqual(self.total(samples, "_count", "/api/v1/tasks/{id}", "404")
                                + self.total(samples, "_total", "/api/v1/tasks/{id}", "404"), 5)

    def test_ids_never_become_labels(self):
        task = self.create(type="demo.noop")
        self.task(task["id"])
        self.assertNotIn(task["id"], self.http.get("/metrics").body.decode())

    def test_the_lives_of_tasks_are_counted(self):
        before = self.scrape()
        done = [self.create(type="demo.noop") for _ in range(3)]
        failed = self.create(type="demo.fail", max_attempts=2)
        for task in done + [failed]:
            self.end_of(task["id"])
        after = self.scrape()
        grown = lambda *parts: self.total(after, *parts) - self.total(before, *parts)  # noqa: E731
        self.assertEqual(grown("created_total"), 4)
        self.assertEqual(grown("finished_total", "done"), 3)
        self.assertEqual(grown("finished_total", "failed"), 1)
        self.assertEqual(grown("retried_total"), 1)

    def test_waiting_tasks_show_by_queue(self):
        self.create(queue="gauge", type="nobody")
        self.create(queue="gauge", type="nobody")
        value = eventually(lambda: self.total(self.scrape(), "tasks", '"gauge"', "waiting")
                           or self.total(self.scrape(), "tasks", '"gauge"', "new"), "the gauge")
        self.assertEqual(value, 2)

    def test_commits_and_groups_are_measured(self):
        self.create(type="nobody")
        names = {name for name, _ in self.scrape()}
        self.assertTrue(any("commit" in name and name.endswith("_count") for name in names), names)
        self.assertTrue(any("group" in name or "batch" in name for name in names), names)


if __name__ == "__main__":
    tap.main()
