"""Disk full and back, idle CPU, start time, memory, log lines."""

import ctypes
import json
import os
import re
import shutil
import signal
import resource
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import TASKS, TIME, OwnServerCase, eventually  # noqa: E402
from taskapi import TaskApi  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)
MiB = 1024 * 1024


class SmallDisk:
    """A file system of a few MiB; needs the right to mount."""

    def __init__(self, mebibytes):
        self.folder = tempfile.mkdtemp(prefix="taskapi-disk-")
        options = f"size={mebibytes}m".encode()
        if LIBC.mount(b"tmpfs", self.folder.encode(), b"tmpfs", 0, options) != 0:
            os.rmdir(self.folder)
            raise unittest.SkipTest("no right to mount a small file system")

    def close(self):
        LIBC.umount2(self.folder.encode(), 2)
        shutil.rmtree(self.folder, ignore_errors=True)


class DiskFullTest(OwnServerCase):
    def create_until_refused(self, size, most=20000):
        """-> (ids acknowledged, the first other answer)"""
        made = []
        for _ in range(most):
            response = self.http.post(TASKS, {"payload": "x" * size, "type": "nobody"})
            if response.status != 201:
                return made, response
            made.append(response.json()["id"])
        raise AssertionError("never refused")

    def fill_up(self):
        """Large tasks, then smaller ones until none fits. -> (ids, the last refusal)"""
        made = []
        for size in (60000, 3000, 10, 10):
            more, refused = self.create_until_refused(size)
            made += more
        return made, refused

    def check_recovery(self, make_room):
        made, refused = self.fill_up()
        self.assert_problem(refused, 503, "unavailable")
        self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
        self.assertTrue(self.server.is_running())
        self.assertEqual(self.http.get("/livez").status, 200)
        # A last small write may still fit.
        eventually(lambda: self.http.get("/readyz").status == 503, "not ready", timeout=5)
        self.assertEqual(self.http.get("/health").status, 503)
        self.assertEqual(self.task(made[-1])["status"], "new")  # reads go on
        make_room()
        eventually(lambda: self.http.get("/readyz").status == 200, "ready again")
        later = eventually(lambda: self.http.post(TASKS, {"payload": "after"}).status == 201,
                           "creates go on")
        self.assertTrue(later)
        stored = [task["id"] for task in self.pages("type=nobody&order=asc&limit=200")]
        self.assertEqual(set(made) - set(stored), set(), "an acknowledged task is gone")
        self.server.kill()
        self.server.restart()
        self.http = self.server.client()
        again = [task["id"] for task in self.pages("type=nobody&order=asc&limit=200")]
        self.assertEqual(set(made) - set(again), set(), "lost by the restart")
        self.assert_ends_well()

    def test_a_full_disk_is_a_503_until_there_is_room(self):
        disk = SmallDisk(8)
        self.addCleanup(disk.close)
        ballast = Path(disk.folder) / "ballast"
        ballast.write_bytes(b"\0" * 4 * MiB)
        self.serve(WORKERS=1, DATABASE_URL=f"sqlite:{disk.folder}/tasks.db")
        self.addCleanup(self.server.kill)  # before the disk goes
        self.check_recovery(ballast.unlink)

    def test_a_file_size_limit_is_a_503_until_it_is_lifted(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (3 * MiB, resource.RLIM_INFINITY))

        self.server = TaskApi(before=limit, WORKERS=1)
        self.addCleanup(self.server.close)
        self.server.start()
        self.http = self.server.client()
        self.check_recovery(self.lift_limit)

    def lift_limit(self):
        self.server.before = None
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def test_running_work_ends_after_the_disk_was_full(self):
        disk = SmallDisk(8)
        self.addCleanup(disk.close)
        self.serve(WORKERS=1, DEMO_SECONDS="2", DATABASE_URL=f"sqlite:{disk.folder}/tasks.db")
        self.addCleanup(self.server.kill)
        task = self.create("short")
        self.wait_for_status(task["id"], "processing")
        ballast = Path(disk.folder) / "ballast"
        with open(ballast, "wb") as file:
            try:
                while True:
                    file.write(b"\0" * 65536)
                    file.flush()
            except OSError:
                pass
        self.create_until_refused(size=20000)
        time.sleep(2.5)  # the run ends meanwhile and cannot be stored
        ballast.unlink()
        ended = self.end_of(task["id"])
        self.assertEqual((ended["status"], ended["attempt"], ended["crashes"]), ("done", 1, 0))


class QuietTest(OwnServerCase):
    def cpu_share(self, seconds):
        before = self.server.cpu_seconds()
        time.sleep(seconds)
        return (self.server.cpu_seconds() - before) / seconds

    def test_an_idle_process_uses_less_than_one_percent_of_a_core(self):
        self.serve(WORKERS=4)
        self.end_of(self.create(type="demo.noop")["id"])
        self.create(delay_ms=3600000)
        time.sleep(0.5)
        self.assertLess(self.cpu_share(5), 0.01)

    def test_waiting_connections_cost_nothing(self):
        self.serve(WORKERS=2)
        for _ in range(50):
            self.server.client().get("/livez")
        waiter = self.server.client()
        waiter.get("/livez")
        task = self.create(type="nobody")
        waiter.connection.request("GET", f"{TASKS}/{task['id']}?wait_ms=20000")
        time.sleep(0.5)
        self.assertLess(self.cpu_share(3), 0.01)

    def test_sleeping_runs_cost_nothing(self):
        self.serve(WORKERS=4, DEMO_SECONDS="60", DRAIN_MS=0)
        for _ in range(4):
            self.create()
        time.sleep(0.5)
        self.assertLess(self.cpu_share(3), 0.01)

    def test_start_and_memory_are_recorded(self):
        self.serve(WORKERS=2)
        tasks = [{"payload": n, "type": "nobody"} for n in range(1000)]
        for _ in range(10):
            self.http.post(f"{TASKS}/batch", {"tasks": tasks})
        self.assert_ends_well()
        self.server.restart()
        self.assertEqual(self.server.client().get(TASKS + "?limit=1").status, 200)
        first_200 = time.monotonic() - self.server.started_at
        rss = self.server.rss_bytes() / MiB
        print(f"# 10,000 tasks in the file: first 200 after {first_200 * 1000:.0f} ms, "
              f"RSS {rss:.1f} MiB")
        self.assertLess(first_200, 5)  # a hang, not the figure: that is tests/bench
        self.assertLess(rss, 1024)


class LogTest(OwnServerCase):
    def lines(self):
        return [json.loads(line) for line in self.server.log().splitlines()]

    def test_every_line_is_json_with_level_and_time(self):
        self.serve(WORKERS=1, LOG_LEVEL="debug")
        self.end_of(self.create(type="demo.noop")["id"])
        self.http.get("/nothing")
        self.assert_ends_well()
        self.assertGreater(len(self.lines()), 2)
        for line in self.lines():
            self.assertIn(line["level"], ("debug", "info", "warn", "error"))
            self.assertRegex(line["time"], TIME)

    def test_requests_are_logged_with_their_id_and_task(self):
        self.serve(WORKERS=0, LOG_LEVEL="debug")
        task = self.create(headers={"X-Request-Id": "find-me-1"})
        line = eventually(lambda: next((entry for entry in self.lines()
                                        if entry.get("request_id") == "find-me-1"), None), "line")
        self.assertEqual(line["task_id"], task["id"])

    def test_hostile_words_stay_within_their_line(self):
        self.serve(WORKERS=0, LOG_LEVEL="debug")
        before = len(self.lines())
        self.http.get("/%0d%0a%7b%22level%22%3a%22error%22%7d%1b[31m")
        self.http.get("/nothing", {"X-Request-Id": 'a"}{"level":"error'})
        self.http.post(TASKS, {"payload": "p", "queue": 'x"\n\u202e'})
        self.assert_ends_well()
        for line in self.lines()[before:]:
            self.assertIsInstance(line, dict)
        self.assertNotRegex(self.server.log(), r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_payloads_never_reach_the_log(self):
        self.serve(WORKERS=1, LOG_LEVEL="debug")
        self.end_of(self.create("canary-4711")["id"])
        self.end_of(self.create("canary-4711", type="demo.fail", max_attempts=1)["id"])
        self.http.post(TASKS, {"payload": "canary-4711", "priority": 99})
        self.assert_ends_well()
        self.assertNotIn("canary-4711", self.server.log())

    def test_text_is_for_people(self):
        self.serve(WORKERS=0, LOG_FORMAT="text")
        self.assert_ends_well()
        first = self.server.log().splitlines()[0]
        self.assertFalse(first.startswith("{"))
        self.assertTrue(re.search("(?i)info", first), first)

    def test_the_level_is_obeyed(self):
        self.serve(WORKERS=0, LOG_LEVEL="info")
        self.create()
        self.assert_ends_well()
        self.assertNotIn("debug", [line["level"] for line in self.lines()])


if __name__ == "__main__":
    tap.main()
