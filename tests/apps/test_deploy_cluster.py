"""`deploy/run cluster` as a user meets it: one command, six programs, a clean end."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from http_client import Client  # noqa: E402
from processes import free_port  # noqa: E402
from server_case import Words, eventually  # noqa: E402
from taskapi import ROOT, build_folder, clean_environment  # noqa: E402

RUN = str(ROOT / "deploy/run")
NAMES = ("taskapi", "taskpublisher", "taskworker-1", "taskworker-2", "postgres", "kafka")
COMMANDS = {"taskworker-1": "taskworker", "taskworker-2": "taskworker", "kafka": "java"}
READY_SECONDS = 15  # on a machine that does nothing else


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]


def refused(*arguments, **settings):
    """Run to the end, which has to come soon. -> CompletedProcess"""
    return subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=60,
                          env=clean_environment(settings), check=False)


class ClusterCase(Words, unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy cluster ")  # names may hold spaces
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o711)  # PostgreSQL runs as a user of its own
        self.folder = Path(folder.name) / "data"
        self.port = free_port()
        self.http = Client(("127.0.0.1", self.port))
        self.addCleanup(self.http.close)

    def start(self, **settings):
        """-> seconds until it said that it is ready"""
        settings = {"TASK_LISTEN": f"127.0.0.1:{self.port}", "TASK_DEMO_SECONDS": "0",
                    **settings}
        began = time.monotonic()
        self.process = subprocess.Popen(
            [RUN, "cluster", "--dir", str(self.folder)], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env=clean_environment(settings))
        self.addCleanup(self.end)
        self.lines = [self.process.stdout.readline() for _ in range(4)]
        took = time.monotonic() - began
        if not self.lines[3]:
            self.fail(self.process.communicate(timeout=60)[1])
        return took

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.said = self.process.communicate(timeout=60)
        return self.process.returncode

    def pid(self, name):
        return int((self.folder / f"{name}.pid").read_text())

    def pids(self):
        return {name: self.pid(name) for name in NAMES}


class DeployClusterTest(ClusterCase):
    def setUp(self):
        super().setUp()
        if build_folder() != ROOT / "build":
            self.skipTest("deploy/run starts what is in build/")

    def test_it_serves_and_survives_a_kill_and_ends_and_comes_back(self):
        took = self.start()
        print(f"# ready after {took:.1f} s")
        self.assertLess(took, 3 * READY_SECONDS)
        self.the_lines_say_what_to_do()
        self.every_part_runs_under_its_name()
        self.no_password_is_seen_by_others()
        self.a_task_runs_to_its_end()
        self.a_killed_worker_can_be_started_by_its_own_command_line()
        self.a_second_one_in_the_same_folder_is_refused()
        kept = self.create("kept", type="demo.noop")["task_id"]
        pids = self.pids()
        began = time.monotonic()
        self.assertEqual(self.end(), 0, self.said)
        print(f"# ended after {time.monotonic() - began:.1f} s")
        self.nothing_is_left(pids)
        self.http.close()  # a connection to the service of before
        print(f"# ready again after {self.start():.1f} s")
        self.assertEqual(self.end_of(kept)["payload"], "kept")
        self.assertEqual(self.end(), 0, self.said)

    def the_lines_say_what_to_do(self):
        self.assertIn(f"http://127.0.0.1:{self.port}/docs", self.lines[0])
        self.assertIn(str(self.folder), self.lines[1])
        answer = subprocess.run(["bash", "-c", self.lines[2].removeprefix("try: ")],
                                capture_output=True, text=True, timeout=10, check=True).stdout
        self.assertIn('"task_id"', answer)
        self.assertIn(f"kill {self.process.pid}", self.lines[3])

    def every_part_runs_under_its_name(self):
        for name, pid in self.pids().items():
            comm = Path(f"/proc/{pid}/comm").read_text().strip()
            self.assertEqual(comm, COMMANDS.get(name, name))
            self.assertTrue((self.folder / f"{name}.log").exists(), name)

    def no_password_is_seen_by_others(self):
        words = re.findall(r":([0-9a-f]{48})$", (self.folder / "pgpass").read_text() +
                           (self.folder / "postgres/pgpass").read_text(), re.M)
        self.assertEqual(len(words), 6)
        seen = "".join("".join(command_line(pid)) for pid in self.pids().values())
        for path in self.folder.glob("*.log"):
            seen += path.read_text(errors="replace")
        for word in words:
            self.assertNotIn(word, seen)
        for path in ("pgpass", "postgres/pgpass", "env"):
            self.assertEqual((self.folder / path).stat().st_mode & 0o077, 0, path)

    def a_task_runs_to_its_end(self):
        task = self.end_of(self.create("over the wire")["task_id"])
        self.assertEqual(task["status"], "done", task)

    def a_killed_worker_can_be_started_by_its_own_command_line(self):
        pid = self.pid("taskworker-1")
        command = command_line(pid)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not is_alive(pid), "the worker is gone")
        script = 'set -a; . "$1/env"; shift; exec "$@"'
        self.again = subprocess.Popen(["bash", "-c", script, "sh", str(self.folder), *command],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL,
                                      env={"PATH": os.environ["PATH"]})
        self.addCleanup(self.again.wait)
        self.addCleanup(self.again.kill)
        eventually(lambda: self.pid("taskworker-1") == self.again.pid,
                   "the pid file names the new one", 20)
        self.a_task_runs_to_its_end()

    def a_second_one_in_the_same_folder_is_refused(self):
        second = refused("cluster", "--dir", str(self.folder))
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.pid("postgres")), second.stderr)

    def nothing_is_left(self, pids):
        self.assertIsNotNone(self.again.poll(), "who was started by hand ends as well")
        for name, pid in pids.items():
            self.assertFalse(is_alive(pid), name)
            self.assertFalse((self.folder / f"{name}.pid").exists(), name)
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotIn(str(self.folder), entry.read_text(), entry)
            except OSError:
                continue

    def test_a_part_that_dies_is_named_and_the_others_go_on(self):
        self.start(TASK_ANNOUNCE="publisher")
        os.kill(self.pid("taskworker-2"), signal.SIGKILL)
        self.assertRegex(self.process.stderr.readline(), r"taskworker-2 \(pid \d+\) has ended")
        self.a_task_runs_to_its_end()
        os.killpg(self.process.pid, signal.SIGINT)  # a terminal's Ctrl-C
        self.said = self.process.communicate(timeout=60)
        self.assertEqual(self.process.returncode, 0, self.said)

    def test_a_start_that_fails_shows_why_and_leaves_nothing(self):
        with self.assertRaisesRegex(AssertionError, "TASK_LEASE_MS"):
            self.start(TASK_LEASE_MS="long")
        self.assertNotEqual(self.process.returncode, 0)
        for name in NAMES:
            self.assertFalse((self.folder / f"{name}.pid").exists(), name)


class BadUseTest(unittest.TestCase):
    def test_arguments_it_does_not_know_are_refused(self):
        for arguments in (["cluster", "--dir"], ["cluster", "--port", "1"], ["cluster", "more"]):
            with self.subTest(arguments=arguments):
                ended = refused(*arguments)
                self.assertEqual(ended.returncode, 2)
                self.assertIn("usage:", ended.stderr)

    @unittest.skipIf(build_folder() != ROOT / "build", "deploy/run starts what is in build/")
    def test_servers_of_ones_own_are_for_the_programs_themselves(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = refused("cluster", "--dir", folder, TASK_DATABASE_URL="postgresql://x/y")
            self.assertEqual(ended.returncode, 1)
            self.assertIn("TASK_DATABASE_URL", ended.stderr)


if __name__ == "__main__":
    tap.main()
