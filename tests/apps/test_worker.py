"""taskworker: what it runs, how it ends, what it refuses, what it shows of itself."""

import json
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster_case import ClusterCase, run  # noqa: E402
from server_case import TASKS, eventually  # noqa: E402


class WorkTest(ClusterCase):
    def test_a_task_created_at_the_api_is_run_by_the_worker(self):
        cluster = self.serve(kafka=False, workers=1)
        task = self.create("test task")
        self.assertEqual(self.end_of(task["id"])["result"], "processed: test task (0sec)")
        self.assertEqual(cluster.api.metrics().get('taskcore_run_seconds_count'
                                                   '{type="demo.process"}', 0), 0)
        self.assertGreater(cluster.workers[0].metrics()['taskcore_run_seconds_count'
                                                        '{type="demo.process"}'], 0)

    def test_a_worker_of_some_queues_leaves_the_others_alone(self):
        cluster = self.serve(kafka=False, workers=0)
        cluster.add("taskworker", QUEUES="mail,images").start()
        other = self.create(queue="other")
        for queue in ("mail", "images"):
            self.assertEqual(self.end_of(self.create(queue=queue)["id"])["status"], "done")
        self.assertEqual(self.task(other["id"])["status"], "new")

    def test_a_lease_names_program_host_and_incarnation(self):
        cluster = self.serve(kafka=False, workers=1, DEMO_SECONDS=60, DRAIN_MS=0)
        self.wait_for_status(self.create()["id"], "processing")
        owners = cluster.sql("SELECT owner FROM taskcore.lease")
        self.assertEqual(len(owners), 1)
        self.assertRegex(owners[0], r"\Ataskworker-[A-Za-z0-9.-]+-[0-9a-f]{16}\Z")

    def test_no_password_is_logged(self):
        cluster = self.serve(kafka=False, workers=1)
        self.end_of(self.create()["id"])
        for program in cluster.programs:
            self.assertNotIn(cluster.password, program.all_logs())
            self.assertIn("tasks in postgresql://127.0.0.1", program.log())


class EndTest(ClusterCase):
    def running(self):
        return self.wait_for_status(self.create()["id"], "processing")

    def test_an_idle_worker_ends_at_once(self):
        cluster = self.serve(kafka=False, workers=1)
        began = time.monotonic()
        self.assertEqual(cluster.workers[0].stop(), 0)
        self.assertLess(time.monotonic() - began, 3)

    def test_running_work_ends_while_readiness_says_no(self):
        cluster = self.serve(kafka=False, workers=1, DEMO_SECONDS=2)
        worker = cluster.workers[0]
        task = self.running()
        worker.terminate()
        eventually(lambda: worker.status_of("/readyz") == 503, "not ready any more", 1.5)
        self.assertEqual(worker.status_of("/livez"), 200)
        self.assertEqual(worker.wait(), 0)
        ended = self.task(task["id"])
        self.assertEqual((ended["status"], ended["attempt"], ended["crashes"]), ("done", 1, 0))

    def test_a_second_signal_gives_running_tasks_back_at_once(self):
        cluster = self.serve(kafka=False, workers=1, DEMO_SECONDS=60)
        worker = cluster.workers[0]
        task = self.running()
        worker.terminate()
        eventually(lambda: "told to stop" in worker.log(), "it has begun to drain")
        began = time.monotonic()
        worker.terminate()
        self.assertEqual(worker.wait(), 0)
        self.assertLess(time.monotonic() - began, 3)
        back = self.task(task["id"])
        self.assertEqual((back["status"], back["attempt"], back["crashes"]), ("new", 0, 0))

    def test_another_worker_goes_on_with_what_was_given_back(self):
        cluster = self.serve(kafka=False, workers=1, DEMO_SECONDS="60", DRAIN_MS=0)
        task = self.running()
        self.assertEqual(cluster.workers[0].stop(), 0)
        cluster.workers[0].start(DEMO_SECONDS="0")
        self.assertEqual(self.end_of(task["id"])["status"], "done")


class AdminTest(ClusterCase):
    def setUp(self):
        self.worker = self.serve(kafka=False, workers=1).workers[0]
        self.http = self.worker.client()

    def test_the_probes_and_the_metrics_are_there(self):
        for path in ("/livez", "/readyz", "/version", "/metrics", "/health"):
            self.assertEqual(self.http.get(path).status, 200, path)
        health = self.http.get("/health").json()
        self.assertEqual(health["checks"]["queue"]["kind"], "database")
        self.assertEqual(health["checks"]["workers"]["threads"], 4)

    def test_the_api_is_not(self):
        for path in (TASKS, "/", "/docs", "/openapi.json", "/api/v1/stats"):
            self.assertEqual(self.http.get(path).status, 404, path)
        self.assertEqual(self.http.post(TASKS, {"payload": 1}).status, 404)

    def test_port_0_takes_a_free_one_and_the_log_names_it(self):
        other = self.cluster.add("taskworker")
        other.settings["ADMIN_LISTEN"] = "127.0.0.1:0"
        other.launch()
        said = eventually(lambda: [json.loads(line)["message"] for line in
                                   other.log().splitlines() if "listening on" in line],
                          "it has started")[0]
        port = int(said.split(",")[0].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass

    def test_a_port_in_use_is_named(self):
        ended = run("taskworker", DATABASE_URL=self.cluster.owner_url(),
                    ADMIN_LISTEN=f"127.0.0.1:{self.worker.port}")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("TASK_ADMIN_LISTEN", ended.stderr)


class RefusedStartTest(ClusterCase):
    def test_bad_settings_are_named(self):
        good = {"DATABASE_URL": "postgresql://127.0.0.1:1/x"}
        bad = {"DATABASE_URL": ("sqlite:x", "memory:", "oracle:x", ""),
               "QUEUE_URL": ("kafka:", "kafka://", "kafka://a,,b", "kafka://h/ü", "amqp://h",
                             "kafka://me:pw@h"),
               "ANNOUNCE": ("twice",), "DATABASE_POOLER": ("session",), "WORKERS": ("0", "x"),
               "QUEUES": ("A", ",", "a,", "a, b"), "LEASE_MS": ("0",),
               "ADMIN_LISTEN": ("nowhere",), "RETRY_MAX_MS": ("1",)}
        for name, values in bad.items():
            for value in values:
                with self.subTest(setting=name, value=value):
                    ended = run("taskworker", **{**good, name: value})
                    self.assertGreater(ended.returncode, 0)
                    if name != "ADMIN_LISTEN":  # which is found out last
                        self.assertIn(f"TASK_{name}", ended.stderr)
                        self.assertEqual(ended.returncode, 2)

    def test_an_option_that_the_library_does_not_know_is_named(self):
        cluster = self.make(workers=0, apis=0, kafka=False)
        ended = run("taskworker", DATABASE_URL=cluster.owner_url(),
                    ADMIN_LISTEN="127.0.0.1:0", QUEUE_URL="kafka://127.0.0.1:1",
                    KAFKA_FROBNICATE="1")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("frobnicate", ended.stderr)

    def test_a_server_that_does_not_come_ends_the_start(self):
        began = time.monotonic()
        ended = run("taskworker", DATABASE_URL="postgresql://me:s3cret@127.0.0.1:1/x",
                    ADMIN_LISTEN="127.0.0.1:0")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("TASK_DATABASE_URL", ended.stderr)
        self.assertNotIn("s3cret", ended.stderr)
        self.assertLess(time.monotonic() - began, 15)

    def test_help_and_version_need_no_settings(self):
        for program in ("taskworker", "taskpublisher"):
            self.assertIn("TASK_ADMIN_LISTEN", run(program, "--help").stdout)
            self.assertRegex(run(program, "--version").stdout,
                             rf"\A{program} \d+\.\d+\.\d+ \(.+\)\n\Z")


if __name__ == "__main__":
    tap.main()
