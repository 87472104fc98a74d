"""openapi.json against the running server: paths, methods, statuses, bodies."""

import json
import os
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import NO_SUCH_ID, TASKS, SharedServerCase  # noqa: E402

try:
    import jsonschema
except ImportError:
    jsonschema = None

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CONTRACT = {"/api/v1/tasks": {"get", "post"}, "/api/v1/tasks/batch": {"post"},
            "/api/v1/tasks/{id}": {"get", "delete"}, "/api/v1/tasks/{id}/status": {"get"},
            "/api/v1/tasks/{id}/cancel": {"post"}, "/api/v1/tasks/{id}/retry": {"post"},
            "/api/v1/tasks/{id}/heartbeat": {"post"}, "/api/v1/tasks/{id}/complete": {"post"},
            "/api/v1/tasks/{id}/fail": {"post"}, "/api/v1/tasks/{id}/release": {"post"},
            "/api/v1/leases": {"post"}, "/api/v1/leases/heartbeat": {"post"},
            "/api/v1/stats": {"get"}, "/health": {"get"}, "/livez": {"get"},
            "/readyz": {"get"}, "/metrics": {"get"}, "/version": {"get"},
            "/openapi.json": {"get"}}


class OpenApiTest(SharedServerCase):
    settings = {"WORKERS": 2, "RETRY_MIN_MS": 50, "RETRY_MAX_MS": 100}

    def setUp(self):
        super().setUp()
        self.document = self.http.get("/openapi.json").json()

    # --- reading the document

    def resolved(self, node):
        while isinstance(node, dict) and "$ref" in node:
            found = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def operations(self):
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item, item[method]

    def parameters(self, item, operation):
        return [self.resolved(p) for p in item.get("parameters", [])
                + operation.get("parameters", [])]

    # --- checking an answer

    def check(self, path, method, response):
        """The status is documented, and so is the body."""
        responses = self.document["paths"][path][method]["responses"]
        entry = responses.get(str(response.status))
        self.assertIsNotNone(entry, f"{method} {path}: {response.status} is not documented: "
                                    f"{response}")
        entry = self.resolved(entry)
        for name, header in entry.get("headers", {}).items():
            if self.resolved(header).get("required"):
                self.assertIn(name, response.headers, f"{method} {path} {response.status}")
        content = entry.get("content")
        if not response.body:
            return
        kind = response.headers["Content-Type"].split(";")[0].strip()
        self.assertIn(kind, content or {}, f"{method} {path} {response.status}")
        schema = content[kind].get("schema")
        if schema and kind.endswith("json"):
            self.check_schema(response.json(), schema, f"{method} {path} {response.status}")

    def check_schema(self, value, schema, where):
        if jsonschema is None:
            return
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema],
                 "components": self.document.get("components", {})}
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        self.assertEqual([], [f"{where} {list(e.absolute_path)}: {e.message}" for e in errors])

    # --- tests

    def test_the_document_is_shaped_as_openapi_3_1(self):
        self.assertTrue(self.document["openapi"].startswith("3.1."))
        self.assertTrue(self.document["info"]["title"])
        self.assertTrue(self.document["info"]["version"])
        ids = [op.get("operationId") for _, _, _, op in self.operations()]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertNotIn(None, ids)

    def test_every_reference_leads_somewhere(self):
        for reference in re.findall(r'"\$ref":\s*"([^"]+)"', json.dumps(self.document)):
            self.assertTrue(reference.startswith("#/"), reference)
            self.assertIsNotNone(self.resolved({"$ref": reference}))

    def test_every_path_parameter_is_declared(self):
        for path, method, item, operation in self.operations():
            declared = {p["name"] for p in self.parameters(item, operation) if p["in"] == "path"}
            self.assertEqual(declared, set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}")

    def test_the_contract_is_documented(self):
        for path, methods in CONTRACT.items():
            self.assertIn(path, self.document["paths"])
            self.assertLessEqual(methods, set(self.document["paths"][path]), path)

    @unittest.skipIf(jsonschema is None and not os.environ.get("TC_REQUIRE_BACKENDS"),
                     "python3-jsonschema is not installed")
    def test_schemas_are_schemas(self):
        for name, schema in self.document["components"]["schemas"].items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_every_operation_answers_with_a_documented_status(self):
        for path, method, _, operation in self.operations():
            for concrete in (re.sub(r"\{\w+\}", NO_SUCH_ID, path),
                             re.sub(r"\{\w+\}", self.create(type="nobody")["id"], path)):
                for body in ((None,) if "requestBody" not in operation
                             else (b"{}", b"{", b"[]", b'{"nonsense":1}')):
                    with self.subTest(method=method, path=concrete, body=body):
                        response = self.http.request(method.upper(), concrete, body)
                        self.assertLess(response.status, 500)
                        self.check(path, method, response)

    def test_every_operation_refuses_unknown_query_parameters_as_documented(self):
        for path, method, _, operation in self.operations():
            if not path.startswith("/api/"):
                continue
            with self.subTest(method=method, path=path):
                concrete = re.sub(r"\{\w+\}", self.create(type="nobody")["id"], path)
                body = self.good_body(path) if "requestBody" in operation else None
                response = self.http.request(method.upper(), concrete + "?nonsense=1", body)
                self.assertEqual(response.status, 422)
                self.check(path, method, response)

    def good_body(self, path):
        return {"/api/v1/tasks": {"payload": 1},
                "/api/v1/tasks/batch": {"tasks": [{"payload": 1}]}}.get(path, {})

    def test_request_examples_are_taken(self):
        tried = 0
        for path, method, _, operation in self.operations():
            content = self.resolved(operation.get("requestBody", {})).get("content", {})
            media = content.get("application/json", {})
            examples = [self.resolved(e)["value"] for e in media.get("examples", {}).values()]
            examples += [media["example"]] if "example" in media else []
            if "{id}" in path:
                continue
            for example in examples:
                with self.subTest(path=path, example=example):
                    if "wait_ms" in example:  # nobody creates what it waits for
                        example = {**example, "wait_ms": 10}
                    response = self.http.request(method.upper(), path, example)
                    self.assertEqual(response.status, 200 if "worker" in example else 201)
                    self.check(path, method, response)
                    tried += 1
        self.assertGreater(tried, 0, "the document has no example of a create")

    def test_the_whole_life_of_tasks_is_as_documented(self):
        one = "/api/v1/tasks/{id}"
        def call(path, method, body=None, query="", task_id="", headers=None):
            response = self.http.request(method.upper(), path.replace("{id}", task_id) + query,
                                         body, headers)
            self.check(path, method, response)
            return response
        bodies = [{"payload": {"a": 1}, "type": "demo.noop", "tags": ["x"]},
                  {"title": "Process report"}, {"title": "odd"},
                  {"payload": "x" * 5000}, {"payload": None, "delay_ms": 600000},
                  {"payload": 5, "type": "demo.fail", "max_attempts": 1},
                  {"payload": 5, "type": "demo.fail"}, {"payload": 5, "type": "nobody"}]
        made = [call("/api/v1/tasks", "post", body).json()["id"] for body in bodies]
        for task_id in made[:4] + made[5:6]:
            call(one, "get", query="?wait_ms=10000", task_id=task_id)
        for task_id in made:
            call(one, "get", task_id=task_id)
            call(one + "/status", "get", task_id=task_id)
        call("/api/v1/tasks", "get", query="?limit=3")
        call("/api/v1/tasks", "get", query="?status=failed,done&order=asc")
        call("/api/v1/stats", "get")
        call(one + "/retry", "post", task_id=made[5])
        call(one, "delete", task_id=made[4])
        call(one, "delete", task_id=made[0])  # done: 409
        call(one + "/cancel", "post", task_id=made[7])
        call(one + "/retry", "post", task_id=made[7])
        call("/api/v1/tasks", "post", {"payload": "", "priority": 11})
        call("/api/v1/tasks", "post", "x" * 10, headers={"Content-Type": "text/plain"})
        for _ in range(2):  # the second is a replay
            call("/api/v1/tasks", "post", {"payload": 1}, headers={"Idempotency-Key": "openapi"})
        call("/api/v1/tasks", "post", {"payload": 2}, headers={"Idempotency-Key": "openapi"})
        call("/api/v1/tasks/batch", "post", {"tasks": [{"payload": 1}, {"title": "t"}]})
        call("/api/v1/tasks/batch", "post", {"tasks": [{"payload": ""}]})
        for path in ("/health", "/livez", "/readyz", "/version", "/metrics"):
            call(path, "get")

    def test_pull_workers_are_answered_as_documented(self):
        one, many = "/api/v1/tasks/{id}/", "/api/v1/leases"

        def call(path, status, body, task_id=""):
            response = self.http.post(path.replace("{id}", task_id), body)
            self.assertEqual(response.status, status, response)
            self.check(path, "post", response)
            return response.json()

        for _ in range(3):
            self.create({"a": 1}, type="pulled")
        tasks = call(many, 200, {"worker": "w1", "types": ["pulled"], "max": 3})["tasks"]
        ids = [task["id"] for task in tasks]
        self.assertEqual(len(ids), 3)
        call(many, 200, {"worker": "w1", "types": ["pulled"]})
        call(one + "heartbeat", 200, {"epoch": 1, "progress": {"percent": 1.5}}, ids[0])
        call(many + "/heartbeat", 200, {"worker": "w1", "leases": [
            {"id": ids[0], "epoch": 1}, {"id": NO_SUCH_ID, "epoch": 1}]})
        call(one + "complete", 200, {"epoch": 1, "result": [None]}, ids[0])
        call(one + "fail", 200, {"epoch": 1, "error": "e"}, ids[1])
        call(one + "release", 200, {"epoch": 1}, ids[2])
        for task_id in ids:
            call(one + "complete", 409, {"epoch": 1, "result": 2}, task_id)
            call(one + "heartbeat", 409, {"epoch": 9}, task_id)
        call(one + "complete", 413, {"epoch": 1, "result": "x" * 1048576}, ids[0])
        call(one + "fail", 422, {"epoch": 0}, ids[0])

    def test_running_tasks_are_as_documented(self):
        task = self.http.post(TASKS, {"payload": 1, "type": "demo.fail", "max_attempts": 5}).json()
        waiting = self.wait_for_status(task["id"], "scheduled", "failed")
        self.check("/api/v1/tasks/{id}", "get", self.http.get(f"{TASKS}/{waiting['id']}"))


if __name__ == "__main__":
    tap.main()
