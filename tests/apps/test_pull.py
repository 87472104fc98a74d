"""Pull workers: programs anywhere that lease tasks over HTTP (http-api.md section 6)."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from pull_words import LEASES, PullWords  # noqa: E402
from server_case import (NO_SUCH_ID, TASKS, TIME, OwnServerCase,  # noqa: E402
                         SharedServerCase, together)

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


class PullTest(PullWords, SharedServerCase):
    """Every test has a type of its own, so that the tasks of others do not disturb it."""

    settings = {"WORKERS": 0, "RESULT_MAX": 1000}

    def new(self, payload="test task", **fields):
        return self.create(payload, type=self.type(), **fields)

    def type(self):
        return self.id().rsplit(".", 1)[1][5:][:64]

    def take(self, **wish):
        return self.lease_one(types=[self.type()], **wish)

    def test_a_worker_takes_a_task_through_its_life(self):
        made = self.new({"to": "ada"}, priority=3)
        task = self.take(worker="mailer@host:1", lease_ms=60000)
        self.assertEqual((task["id"], task["status"], task["epoch"], task["attempt"]),
                         (made["id"], "processing", 1, 1))
        self.assertEqual(task["payload"], {"to": "ada"})
        self.assertEqual(task["lease"]["owner"], "mailer@host:1")
        beat = self.said(task, "heartbeat", progress={"percent": 40, "message": "half"})
        self.assertRegex(beat["lease_expires_at"], TIME)
        self.assertGreaterEqual(beat["lease_expires_at"], task["lease"]["expires_at"])
        self.assertEqual(self.task(task["id"])["progress"], {"percent": 40, "message": "half"})
        done = self.said(task, "complete", result={"sent": [1, 2]})
        self.assertEqual((done["status"], done["result"], done["lease"]),
                         ("done", {"sent": [1, 2]}, None))
        self.assertEqual(self.task(task["id"]), done)

    def test_a_result_comes_back_as_it_was_written(self):
        task = self.new() and self.take()
        self.http.post(f"{TASKS}/{task['id']}/complete", b'{"epoch":1, "result" : [1.50, 1e2 ]}')
        response = self.http.get(f"{TASKS}/{task['id']}")
        self.assertEqual(response.member("result"), b"[1.50, 1e2 ]")

    def test_who_waits_for_the_end_hears_of_it(self):
        task = self.new() and self.take()
        waiting = self.server.client()
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            waiting.get(f"{TASKS}/{task['id']}?wait_ms=20000")))
        thread.start()
        time.sleep(0.1)
        began = time.monotonic()
        self.said(task, "complete", result="x")
        thread.join()
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(answers[0].json()["status"], "done")

    def test_the_same_report_again_is_answered_the_same(self):
        for verb, body in (("complete", {"result": {"a": 1}}), ("release", {"delay_ms": 60000}),
                           ("fail", {"error": "e", "retry_after_ms": 60000})):
            with self.subTest(verb):
                task = self.new() and self.take()
                first = self.said(task, verb, **body)
                self.assertEqual(self.said(task, verb, **body), first)

    def test_another_result_is_refused(self):
        task = self.new() and self.take()
        done = self.said(task, "complete", result=1)
        for other in ({"result": 2}, {"result": "1"}, {}):
            self.assert_stale(self.say(task, "complete", **other), "finished")
        self.assertEqual(self.task(task["id"]), done)

    def test_a_failure_is_tried_again_when_it_is_due(self):
        task = self.new(max_attempts=2) and self.take()
        failed = self.said(task, "fail", error="no mail", retry_after_ms=300)
        self.assertEqual((failed["status"], failed["attempt"]), ("scheduled", 1))
        self.assertEqual(failed["error"]["message"], "no mail")
        self.assertEqual(self.lease(types=[self.type()]), [])
        again = self.take(wait_ms=10000)
        self.assertEqual((again["id"], again["attempt"], again["epoch"]), (task["id"], 2, 2))
        self.assertEqual(self.said(again, "fail", error="still")["status"], "failed")

    def test_a_failure_that_is_due_at_once_or_never(self):
        task = self.new() and self.take()
        self.assertEqual(self.said(task, "fail", error="e", retry_after_ms=0)["status"], "new")
        again = self.take()
        failed = self.said(again, "fail", error="useless", retryable=False)
        self.assertEqual((failed["status"], failed["error"]["reason"]),
                         ("failed", "not_retryable"))

    def test_a_released_task_costs_no_attempt(self):
        task = self.new() and self.take()
        released = self.said(task, "release")
        self.assertEqual((released["status"], released["attempt"], released["epoch"]),
                         ("new", 0, 1))
        self.assert_stale(self.say(task, "complete"), "released")
        again = self.take()
        self.assertEqual((again["attempt"], again["epoch"]), (1, 2))
        self.assertEqual(self.said(again, "release", delay_ms=60000)["status"], "scheduled")

    def test_a_cancelled_task_tells_its_worker(self):
        task = self.new() and self.take()
        self.http.delete(f"{TASKS}/{task['id']}")
        self.assert_stale(self.say(task, "heartbeat"), "cancelled")
        answer = self.http.post(LEASES + "/heartbeat", {"worker": "w1", "leases": [
            {"id": task["id"], "epoch": 1}, {"id": NO_SUCH_ID, "epoch": 1}]}).json()
        self.assertEqual(answer["leases"], [
            {"id": task["id"], "status": "stale", "reason": "cancelled"},
            {"id": NO_SUCH_ID, "status": "stale", "reason": "not_found"}])
        self.assert_stale(self.say(task, "complete", result=1), "cancelled")
        self.assertEqual(self.task(task["id"])["status"], "cancelled")

    def test_stale_reports_are_counted(self):
        line = 'taskcore_stale_verdicts_total{reason="cancelled"}'
        before = self.metric(line)
        task = self.new() and self.take()
        self.http.delete(f"{TASKS}/{task['id']}")
        self.say(task, "heartbeat")
        self.say(task, "complete")
        self.assertEqual(self.metric(line), before + 2)

    def test_an_epoch_that_was_never_given_holds_nothing(self):
        task = self.new() and self.take()
        for verb, body in (("heartbeat", {}), ("complete", {}), ("fail", {"error": "e"}),
                           ("release", {})):
            self.assert_stale(self.say({**task, "epoch": 2}, verb, **body), "not_leased")
        self.said(task, "heartbeat")

    def test_many_leases_are_renewed_at_once(self):
        for _ in range(3):
            self.new()
        tasks = self.lease(types=[self.type()], max=100)
        self.assertEqual(len(tasks), 3)
        named = [{"id": task["id"].upper(), "epoch": task["epoch"]} for task in tasks]
        answer = self.http.post(LEASES + "/heartbeat", {"worker": "another", "leases": named,
                                                        "lease_ms": 3600000}).json()
        self.assertEqual(answer["leases"],
                         [{"id": task["id"], "status": "ok"} for task in tasks])
        for task in tasks:
            self.assertGreater(self.task(task["id"])["lease"]["expires_at"],
                               task["lease"]["expires_at"])

    def test_no_task_is_leased_twice(self):
        for _ in range(60):
            self.new()
        clients = [self.server.client() for _ in range(6)]

        def take_all(number):
            taken = []
            while True:
                tasks = self.lease(clients[number], f"w{number}", types=[self.type()], max=3)
                if not tasks:
                    return taken
                taken += [task["id"] for task in tasks]

        taken = [one for some in together(6, take_all) for one in some]
        self.assertEqual((len(taken), len(set(taken))), (60, 60))

    def test_racing_reports_leave_one_end(self):
        clients = [self.server.client() for _ in range(4)]
        for _ in range(20):
            task = self.new() and self.take()
            path = f"{TASKS}/{task['id']}/complete"
            answers = together(4, lambda n: clients[n].post(path, {"epoch": 1, "result": n}))
            accepted = [n for n in range(4) if answers[n].status == 200]
            self.assertEqual(len(accepted), 1, answers)
            self.assertEqual(self.task(task["id"])["result"], accepted[0])
            self.assertEqual({answers[n].status for n in range(4)}, {200, 409})

    def test_results_have_a_limit(self):
        task = self.new() and self.take()
        self.assert_problem(self.say(task, "complete", result="x" * 999), 413,
                            "payload_too_large")
        self.assert_problem(self.say(task, "complete", result="x" * 200000), 413,
                            "payload_too_large")
        self.assertEqual(self.said(task, "complete", result="x" * 998)["status"], "done")

    def test_bad_input_is_named(self):
        task = self.new() and self.take()
        one = f"{TASKS}/{task['id']}/"
        many = LEASES + "/heartbeat"
        lease = {"id": task["id"], "epoch": 1}
        table = [
            (LEASES, {}, "/worker"), (LEASES, {"worker": "a b"}, "/worker"),
            (LEASES, {"worker": "w" * 129}, "/worker"),
            (LEASES, {"worker": "w", "queues": []}, "/queues"),
            (LEASES, {"worker": "w", "queues": ["q"] * 33}, "/queues"),
            (LEASES, {"worker": "w", "types": ["t"] * 65}, "/types"),
            (LEASES, {"worker": "w", "types": ["ok", "NO"]}, "/types/1"),
            (LEASES, {"worker": "w", "max": 101}, "/max"),
            (LEASES, {"worker": "w", "lease_ms": 999}, "/lease_ms"),
            (LEASES, {"worker": "w", "wait_ms": 20001}, "/wait_ms"),
            (LEASES, {"worker": "w", "x": 1}, "/x"), (LEASES, [], ""),
            (many, {"worker": "w"}, "/leases"), (many, {"worker": "w", "leases": []}, "/leases"),
            (many, {"worker": "w", "leases": [lease] * 1001}, "/leases"),
            (many, {"worker": "w", "leases": [lease, {"id": "x", "epoch": 1}]}, "/leases/1/id"),
            (many, {"worker": "w", "leases": [{**lease, "epoch": 0}]}, "/leases/0/epoch"),
            (one + "heartbeat", {}, "/epoch"), (one + "heartbeat", {"epoch": 0}, "/epoch"),
            (one + "heartbeat", {"epoch": 1, "progress": 40}, "/progress"),
            (one + "heartbeat", {"epoch": 1, "progress": {"percent": 101}}, "/progress/percent"),
            (one + "heartbeat", {"epoch": 1, "progress": {"m": "x" * 4096}}, "/progress"),
            (one + "complete", {"epoch": 0}, "/epoch"),
            (one + "complete", {"epoch": True}, "/epoch"),
            (one + "fail", {"epoch": 1}, "/error"),
            (one + "fail", {"epoch": 1, "error": ""}, "/error"),
            (one + "fail", {"epoch": 1, "error": "x" * 4097}, "/error"),
            (one + "fail", {"epoch": 1, "error": "e", "retryable": 1}, "/retryable"),
            (one + "fail", {"epoch": 1, "error": "e", "retry_after_ms": -1}, "/retry_after_ms"),
            (one + "release", {"epoch": 1, "delay_ms": 315360000001}, "/delay_ms"),
            (one + "release", {"epoch": 1, "result": 1}, "/result"),
        ]
        for path, body, pointer in table:
            with self.subTest(path=path, body=str(body)[:80]):
                self.assert_invalid(self.http.post(path, body), pointer)
        self.said(task, "heartbeat")

    def test_unknown_tasks_and_methods_are_refused(self):
        for verb, body in (("heartbeat", {}), ("complete", {}), ("fail", {"error": "e"}),
                           ("release", {})):
            for unknown in (NO_SUCH_ID, "nonsense"):
                response = self.say({"id": unknown, "epoch": 1}, verb, **body)
                self.assert_problem(response, 404, "not_found")
            self.assert_problem(self.http.get(f"{TASKS}/{NO_SUCH_ID}/{verb}"), 405,
                                "method_not_allowed")
        self.assert_problem(self.http.get(LEASES), 405, "method_not_allowed")
        self.assert_problem(self.http.post("/leases", {"worker": "w"}), 404, "not_found")

    def test_reports_are_taken_without_the_prefix_too(self):
        task = self.new() and self.take()
        response = self.http.post(f"/tasks/{task['id']}/complete/", {"epoch": 1})
        self.assertEqual((response.status, response.json()["status"]), (200, "done"))


class TakeOverTest(PullWords, OwnServerCase):
    def test_a_worker_that_fell_silent_is_refused_after_another_took_over(self):
        self.serve(WORKERS=0)
        self.create(type="slow")
        first = self.lease_one(worker="first", lease_ms=1000)
        second = self.lease_one(worker="second", wait_ms=15000)
        self.assertEqual((second["id"], second["crashes"], second["attempt"]),
                         (first["id"], 1, 1))
        self.assertGreater(second["epoch"], first["epoch"])
        self.assertEqual(second["lease"]["owner"], "second")
        for verb, body in (("heartbeat", {}), ("complete", {"result": "late"}),
                           ("fail", {"error": "late"}), ("release", {})):
            self.assert_stale(self.say(first, verb, **body), "superseded")
        self.assertEqual(self.said(second, "complete", result="mine")["result"], "mine")
        self.assertGreaterEqual(
            self.metric('taskcore_stale_verdicts_total{reason="superseded"}'), 4)

    def test_heartbeats_keep_a_task(self):
        self.serve(WORKERS=0)
        self.create(type="slow")
        task = self.lease_one(lease_ms=1000)
        for _ in range(8):
            time.sleep(0.4)
            self.said(task, "heartbeat")
        self.assertEqual(self.lease(), [])
        self.assertEqual(self.said(task, "complete")["status"], "done")

    def test_leases_outlive_a_restart_of_the_service(self):
        self.serve(WORKERS=0)
        self.create(type="slow")
        task = self.lease_one(lease_ms=60000)
        self.server.kill()
        self.server.restart()
        self.http.close()
        self.assertEqual(self.said(task, "complete", result=1)["status"], "done")

    def test_pull_workers_and_the_service_share_the_work(self):
        self.serve(WORKERS=2)
        own = [self.create(type="demo.noop") for _ in range(5)]
        other = [self.create(type="pulled") for _ in range(5)]
        tasks = self.lease(types=["pulled"], max=10)
        self.assertEqual({task["id"] for task in tasks}, {task["id"] for task in other})
        for task in tasks:
            self.said(task, "complete")
        for task in own:
            self.assertEqual(self.end_of(task["id"])["status"], "done")


class ExamplesTest(PullWords, OwnServerCase):
    """The workers of docs/examples as they are."""

    def run_example(self, name):
        self.serve(WORKERS=0, RETRY_MIN_MS=50, RETRY_MAX_MS=100)
        log = self.server.folder / "worker.log"
        with open(log, "wb") as out:
            worker = subprocess.Popen([EXAMPLES / name, f"http://127.0.0.1:{self.server.port}"],
                                      stdout=out, stderr=out, start_new_session=True)
        self.addCleanup(self.end, worker)
        return log

    def end(self, worker):
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def check(self, name, bad, error):
        log = self.run_example(name)
        good = [self.create(number, type="double") for number in range(1, 6)]
        for number, task in enumerate(good, 1):
            done = self.end_of(task["id"])
            self.assertEqual((done["status"], done["result"]), ("done", 2 * number),
                             log.read_text())
        failed = self.end_of(self.create(bad, type="double", max_attempts=2)["id"])
        self.assertEqual((failed["status"], failed["attempt"]), ("failed", 2))
        self.assertIn(error, failed["error"]["message"])
        after = self.create(21, type="double")
        self.assertEqual(self.end_of(after["id"])["result"], 42)

    def test_the_shell_worker_works(self):
        self.check("worker.sh", bad="no number", error="exit status 65")

    def test_the_python_worker_works(self):
        self.check("worker.py", bad={}, error="unsupported operand")


if __name__ == "__main__":
    tap.main()
