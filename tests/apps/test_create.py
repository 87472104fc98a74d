"""Creating tasks over HTTP: http-api.md section 3, from outside."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import TASKS, TIME, UUID7, SharedServerCase  # noqa: E402

KiB = 1024


class CreateTest(SharedServerCase):
    settings = {"WORKERS": 0, "PAYLOAD_MAX": 4096}

    def refuse(self, body, pointer):
        self.assert_invalid(self.http.post(TASKS, body), pointer)

    def refuse_field(self, name, value):
        self.refuse({"payload": "p", name: value}, f"/{name}")

    def test_a_task_is_answered_in_full(self):
        response = self.http.post(TASKS, {"payload": "test task"})
        task = response.json()
        self.assertEqual(response.status, 201)
        self.assertEqual(response.headers["Location"], f"{TASKS}/{task['id']}")
        self.assertEqual(task["task_id"], task["id"])
        self.assertRegex(task["id"], UUID7)
        for name in ("created_at", "updated_at", "run_at"):
            self.assertRegex(task[name], TIME)
        expected = {"queue": "default", "type": "demo.process", "payload": "test task",
                    "status": "new", "priority": 0, "attempt": 0, "max_attempts": 3,
                    "crashes": 0, "max_crashes": 3, "epoch": 0, "timeout_ms": 300000,
                    "tags": [], "result": None, "error": None, "progress": None,
                    "lease": None, "started_at": None, "finished_at": None}
        self.assertEqual({name: task[name] for name in expected}, expected)
        self.assertNotIn("title", task)

    def test_reading_gives_what_creating_answered(self):
        task = self.create({"a": [1, 2]}, priority=3, tags=["x"])
        read = self.task(task["id"])
        task.pop("task_id")
        read.pop("task_id", None)
        self.assertEqual(read, task)

    def test_every_field_is_kept(self):
        fields = {"queue": "mail.out", "type": "my_type-1", "priority": 10,
                  "max_attempts": 100, "max_crashes": 0, "timeout_ms": 604800000,
                  "tags": ["rot", "grün", "x" * 64]}
        task = self.create(**fields)
        self.assertEqual({name: task[name] for name in fields}, fields)

    def test_null_is_the_same_as_leaving_out(self):
        names = ("queue", "type", "priority", "run_at", "delay_ms", "max_attempts",
                 "max_crashes", "timeout_ms", "tags", "title")
        task = self.create("p", **{name: None for name in names})
        self.assertEqual((task["queue"], task["type"], task["priority"], task["tags"]),
                         ("default", "demo.process", 0, []))

    def test_a_null_payload_is_a_payload(self):
        response = self.http.post(TASKS, '{"payload":null}')
        self.assertEqual(response.status, 201, response)
        self.assertEqual(response.member("payload"), b"null")

    def test_payload_bytes_come_back_as_sent(self):
        payloads = [b'1e2', b'1.0', b'-0', b'0.10', b'1E+5', b'"a\\/b"', b'"\\u00e9"',
                    '"é"'.encode(), b'"\\ud83d\\ude00"', b'123456789012345678901234567890',
                    b'{"b":1,"a":2}', b'[ 1 ,\t2 ]', b'{ }', b'[]', b'true', b'"\x7f"',
                    b'{"a":{"b":[{"c":null}]}}', b"[" * 32 + b"]" * 32,
                    b'0.1234567890123456789012345', b'"\\u000A\\n"', b'1' * 400]
        for payload in payloads:
            with self.subTest(payload=payload[:40]):
                made = self.http.post(TASKS, b'{"payload":' + payload + b"}")
                self.assertEqual(made.status, 201, made)
                self.assertEqual(made.member("payload"), payload)
                read = self.http.get(made.headers["Location"])
                self.assertEqual(read.member("payload"), payload)

    def test_a_payload_may_nest_32_levels_but_not_33(self):
        self.assertEqual(self.http.post(TASKS, '{"payload":' + "[" * 32 + "]" * 32 + "}").status,
                         201)
        self.assert_problem(self.http.post(TASKS, '{"payload":' + "[" * 33 + "]" * 33 + "}"),
                            400, "malformed_json")

    def test_payload_size_limit_counts_the_bytes_as_written(self):
        at_limit = '"' + "x" * (4096 - 2) + '"'
        self.assertEqual(self.http.post(TASKS, '{"payload":' + at_limit + "}").status, 201)
        over = '"' + "x" * (4096 - 1) + '"'
        self.assert_problem(self.http.post(TASKS, '{"payload":' + over + "}"), 413,
                            "payload_too_large")

    def test_a_body_over_its_limit_is_413(self):
        body = b'{"payload":"p"' + b" " * (4096 + 64 * KiB) + b"}"
        response = self.http.post(TASKS, body)
        self.assertEqual(response.status, 413, response)

    def test_payload_or_title_is_required(self):
        response = self.http.post(TASKS, {"queue": "q"})
        self.assert_problem(response, 422, "validation_failed")

    def test_an_empty_string_is_no_payload(self):
        self.refuse({"payload": ""}, "/payload")

    def test_title_excludes_payload(self):
        response = self.http.post(TASKS, {"payload": "p", "title": "t"})
        self.assert_problem(response, 422, "validation_failed")

    def test_title_becomes_the_payload_of_a_parity_task(self):
        response = self.http.post(TASKS, {"title": "Process report"})
        task = response.json()
        self.assertEqual(response.status, 201)
        self.assertEqual((task["title"], task["payload"], task["type"]),
                         ("Process report", "Process report", "demo.parity"))

    def test_title_with_a_type_keeps_the_type(self):
        self.assertEqual(self.http.post(TASKS, {"title": "t", "type": "x"}).json()["type"], "x")

    def test_title_is_counted_in_characters(self):
        self.assertEqual(self.http.post(TASKS, {"title": "é" * 255}).status, 201)
        self.refuse({"title": "é" * 256}, "/title")
        self.refuse({"title": ""}, "/title")
        self.refuse({"title": 5}, "/title")

    def test_bad_field_values_name_the_field(self):
        bad = {"type": ["", "A", "a b", "x" * 65, 1, True], "queue": ["", "Q", "ä", [], {}],
               "priority": [-1, 11, "5", True, [], 2**63],
               "max_attempts": [0, 101, "3"], "max_crashes": [-1, 101],
               "timeout_ms": [0, 604800001, 2**70], "delay_ms": [-1, 315360000001],
               "run_at": ["yesterday", "2026-11-21T10:00:00", 5, "2026-02-30T00:00:00Z"],
               "tags": ["x", [1], [""], ["x" * 65], ["t"] * 17]}
        for name, values in bad.items():
            for value in values:
                with self.subTest(field=name, value=str(value)[:40]):
                    response = self.http.post(TASKS, {"payload": "p", name: value})
                    problem = self.assert_problem(response, 422, "validation_failed")
                    self.assertTrue(problem["errors"][0]["pointer"].startswith(f"/{name}"),
                                    problem)

    def test_values_at_the_limits_are_taken(self):
        good = {"type": ["a", "x" * 64, "a.b_c-9"], "priority": [0, 10],
                "max_attempts": [1, 100], "max_crashes": [0, 100], "timeout_ms": [1, 604800000],
                "delay_ms": [0, 315360000000], "tags": [["t"] * 16, ["é" * 64]],
                "run_at": ["2020-01-01T00:00:00Z", "2030-01-01T00:00:00.5+05:30"]}
        for name, values in good.items():
            for value in values:
                with self.subTest(field=name, value=str(value)[:40]):
                    self.create("p", **{name: value})

    def test_integers_are_written_as_integers(self):
        for spelling in ("1.0", "1e1", "1E0", "0.0"):
            with self.subTest(spelling=spelling):
                self.refuse('{"payload":"p","priority":' + spelling + "}", "/priority")

    def test_an_unknown_field_is_named(self):
        self.refuse({"payload": "p", "colour": 1}, "/colour")
        self.refuse({"payload": "p", "status": "done"}, "/status")

    def test_several_bad_fields_are_all_named(self):
        response = self.http.post(TASKS, {"payload": "p", "priority": 11, "queue": "Q"})
        problem = self.assert_problem(response, 422, "validation_failed")
        self.assertEqual({error["pointer"] for error in problem["errors"]},
                         {"/priority", "/queue"})

    def test_run_at_and_delay_exclude_each_other(self):
        response = self.http.post(TASKS, {"payload": "p", "delay_ms": 1,
                                          "run_at": "2030-01-01T00:00:00Z"})
        self.assert_problem(response, 422, "validation_failed")

    def test_a_delayed_task_is_scheduled(self):
        task = self.create(delay_ms=3600000)
        self.assertEqual(task["status"], "scheduled")
        self.assertGreater(task["run_at"], task["created_at"])

    def test_a_time_with_offset_is_given_back_in_utc(self):
        task = self.create(run_at="2035-06-01T12:30:00.25+05:30")
        self.assertEqual((task["status"], task["run_at"]),
                         ("scheduled", "2035-06-01T07:00:00.250Z"))

    def test_a_run_at_in_the_past_is_due(self):
        self.assertEqual(self.create(run_at="2020-01-01T00:00:00Z")["status"], "new")

    def test_a_body_that_is_no_object_is_422_with_an_empty_pointer(self):
        for body in ("[]", '"x"', "5", "null", "true"):
            with self.subTest(body=body):
                self.refuse(body, "")

    def test_malformed_json_is_400(self):
        bodies = [b"", b"{", b'{"payload":1}x', b'{"payload":NaN}', b'{"payload":1,}',
                  b'{"payload":"\\u0000"}', b'{"payload":"\xff"}', b'{"payload":"\\ud800"}',
                  b'{"payload":1,"payload":2}', b'{"payload":{"a":1,"a":2}}',
                  b"{'payload':1}", b'{"payload":01}', b'{"payload":"\x01"}',
                  b'\xef\xbb\xbf{"payload":1}', b'{"payload":{"a":1,"\\u0061":2}}',
                  b'{"payload":1,"tags":' + b"[" * 40 + b"]" * 40 + b"}"]
        for body in bodies:
            with self.subTest(body=body[:40]):
                self.assert_problem(self.http.post(TASKS, body), 400, "malformed_json")

    def test_refused_requests_store_nothing(self):
        before = len(self.pages("queue=refused"))
        for body in ('{"payload":"p","queue":"refused","priority":11}',
                     '{"payload":"p","queue":"refused"', '{"payload":"","queue":"refused"}'):
            self.assertGreaterEqual(self.http.post(TASKS, body).status, 400)
        self.assertEqual(len(self.pages("queue=refused")), before)

    def test_the_trace_is_taken(self):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.create(headers={"traceparent": trace})
        self.create(headers={"traceparent": "nonsense"})  # ignored, as W3C says


class BatchTest(SharedServerCase):
    settings = {"WORKERS": 0}

    def test_a_batch_is_answered_in_order(self):
        tasks = [{"payload": f"p{n}", "queue": "order"} for n in range(1000)]
        response = self.http.post(f"{TASKS}/batch", {"tasks": tasks})
        self.assertEqual(response.status, 201, response)
        ids = [item["id"] for item in response.json()["items"]]
        stored = self.pages("queue=order&order=asc&limit=200")
        self.assertEqual([task["id"] for task in stored], ids)
        self.assertEqual([task["payload"] for task in stored], [t["payload"] for t in tasks])

    def test_a_bad_one_stores_nothing(self):
        tasks = [{"payload": "p", "queue": "allornone"} for _ in range(5)]
        tasks[3]["priority"] = 99
        response = self.http.post(f"{TASKS}/batch", {"tasks": tasks})
        self.assert_invalid(response, "/tasks/3/priority")
        self.assertEqual(self.pages("queue=allornone"), [])

    def test_the_number_of_tasks_is_bounded(self):
        for tasks in ([], [{"payload": 1}] * 1001, "x", None, {}):
            with self.subTest(tasks=str(tasks)[:20]):
                response = self.http.post(f"{TASKS}/batch", {"tasks": tasks})
                self.assert_problem(response, 422, "validation_failed")

    def test_unknown_members_beside_tasks_are_named(self):
        response = self.http.post(f"{TASKS}/batch", {"tasks": [{"payload": 1}], "x": 1})
        self.assert_invalid(response, "/x")

    def test_a_task_that_is_no_object_is_named(self):
        response = self.http.post(f"{TASKS}/batch", {"tasks": [{"payload": 1}, 5]})
        self.assert_invalid(response, "/tasks/1")

    def test_payload_bytes_of_a_batch_come_back_as_sent(self):
        payloads = ["1e2", '"a\\/b"', "[ 1 ]", '{"z":1.50}']
        body = '{"tasks":[' + ",".join('{"payload":%s}' % p for p in payloads) + "]}"
        items = self.http.post(f"{TASKS}/batch", body).json()["items"]
        read = [self.http.get(f"{TASKS}/{item['id']}").member("payload") for item in items]
        self.assertEqual(read, [payload.encode() for payload in payloads])

    def test_a_key_covers_the_whole_batch(self):
        body = '{"tasks":[{"payload":1,"queue":"k"},{"payload":2,"queue":"k"}]}'
        first = self.http.post(f"{TASKS}/batch", body, {"Idempotency-Key": "batch-1"})
        again = self.http.post(f"{TASKS}/batch", body, {"Idempotency-Key": "batch-1"})
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(again.body, first.body)
        self.assertEqual(len(self.pages("queue=k")), 2)

    def test_a_large_batch_body_is_taken_up_to_16_mib(self):
        tasks = [{"payload": "x" * 15000} for _ in range(1000)]  # 15 MB
        self.assertEqual(self.http.post(f"{TASKS}/batch", {"tasks": tasks}).status, 201)


if __name__ == "__main__":
    tap.main()
