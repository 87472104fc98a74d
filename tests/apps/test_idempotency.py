"""Idempotency-Key: exactly one task, whatever happens (http-api.md section 3)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from http_client import volley  # noqa: E402
from server_case import TASKS, OwnServerCase, SharedServerCase  # noqa: E402

BODY = '{"payload":"once","queue":"%s"}'


class KeyTest(SharedServerCase):
    settings = {"WORKERS": 0}

    def post(self, key, body, path=TASKS):
        return self.http.post(path, body, {"Idempotency-Key": key})

    def test_the_same_request_again_gets_the_first_answer(self):
        first = self.post("again", BODY % "again")
        second = self.post("again", BODY % "again")
        self.assertEqual((first.status, second.status), (201, 200))
        self.assertEqual(second.body, first.body)
        self.assertIsNone(first.headers["Idempotent-Replayed"])
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        self.assertEqual(len(self.pages("queue=again")), 1)

    def test_a_replay_answers_as_the_task_was_first(self):
        first = self.post("frozen", BODY % "frozen")
        self.http.delete(f"{TASKS}/{first.json()['id']}")
        self.assertEqual(self.post("frozen", BODY % "frozen").body, first.body)

    def test_another_body_is_refused(self):
        self.assertEqual(self.post("other", BODY % "other").status, 201)
        for body in (BODY % "elsewhere", (BODY % "other") + " "):  # the same means the same bytes
            self.assert_problem(self.post("other", body), 422, "idempotency_mismatch")
        self.assertEqual(len(self.pages("queue=other")), 1)
        self.assertEqual(self.pages("queue=elsewhere"), [])

    def test_bad_keys_are_refused(self):
        for key in ("", " ", "a b", "x" * 256):
            with self.subTest(key=str(key)[:20]):
                response = self.post(key, BODY % "bad")
                self.assert_problem(response, 422, "validation_failed")
        self.assertEqual(self.pages("queue=bad"), [])

    def test_keys_at_the_limits_are_taken(self):
        for key in ("x", "k" * 255, "!~"):
            self.assertEqual(self.post(key, BODY % "limits").status, 201)

    def test_a_refused_request_is_not_remembered(self):
        self.assertEqual(self.post("refused", '{"payload":""}').status, 422)
        self.assertEqual(self.post("refused", BODY % "refused").status, 201)

    def test_a_key_is_one_for_all_paths(self):
        self.assertEqual(self.post("paths", BODY % "paths").status, 201)
        batch = '{"tasks":[{"payload":"once"}]}'
        self.assert_problem(self.post("paths", batch, TASKS + "/batch"), 422,
                            "idempotency_mismatch")
        self.assertEqual(self.post("paths", BODY % "paths", "/tasks/").status, 200)

    def volley(self, bodies, key):
        return volley(("127.0.0.1", self.server.port),
                      [("POST", TASKS, body, {"Idempotency-Key": key}) for body in bodies])

    def test_16_concurrent_twins_make_one_task(self):
        for round_number in range(20):
            queue = f"twins{round_number}"
            answers = self.volley([BODY % queue] * 16, queue)
            self.assertEqual(sorted(answer.status for answer in answers), [200] * 15 + [201])
            self.assertEqual(len({answer.body for answer in answers}), 1)
            self.assertEqual(len(self.pages(f"queue={queue}")), 1)

    def test_16_concurrent_rivals_with_different_bodies_make_one_task(self):
        answers = self.volley(['{"payload":%d,"queue":"rivals"}' % n for n in range(16)],
                              "rivals")
        self.assertEqual(sorted(answer.status for answer in answers), [201] + [422] * 15)
        self.assertEqual(len(self.pages("queue=rivals")), 1)


class KeyAfterRestartTest(OwnServerCase):
    def test_a_key_outlives_kill_9(self):
        self.serve(WORKERS=0)
        first = self.http.post(TASKS, BODY % "q", {"Idempotency-Key": "k"})
        self.server.kill()
        self.server.restart()
        again = self.server.client().post(TASKS, BODY % "q", {"Idempotency-Key": "k"})
        self.assertEqual((first.status, again.status), (201, 200))
        self.assertEqual(again.body, first.body)


if __name__ == "__main__":
    tap.main()
