"""`deploy/run` as a user meets it: three lines, a data folder, a clean end."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from taskapi import ROOT, build_folder, clean_environment  # noqa: E402

RUN = str(ROOT / "deploy/run")


@unittest.skipIf(build_folder() != ROOT / "build", "deploy/run starts what is in build/")
class DeployRunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="deploy run ")  # names may hold spaces
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, **settings):
        settings = {"LISTEN": "127.0.0.1:0", **settings}
        self.process = subprocess.Popen(
            [RUN, "--dir", str(self.folder)], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env=clean_environment({f"TASK_{key}": value for key, value in settings.items()}))
        self.addCleanup(self.end)
        return self.process

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)

    def started(self, **settings):
        """Start, and read the three lines. -> the URL"""
        self.start(**settings)
        self.lines = [self.process.stdout.readline() for _ in range(3)]
        return re.search(r"http://127\.0\.0\.1:\d+", self.lines[0])[0]

    def pid(self):
        return int((self.folder / "taskapi.pid").read_text())

    def test_it_says_what_runs_where_the_data_is_and_what_to_try(self):
        url = self.started()
        self.assertIn(f"{url}/docs", self.lines[0])
        self.assertIn(str(self.folder), self.lines[1])
        self.assertTrue((self.folder / "taskcore.db").exists())
        command = self.lines[2].removeprefix("try: ")
        answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                                timeout=10, check=True).stdout
        self.assertIn('"task_id"', answer)
        self.end_well()

    def end_well(self):
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=30)
        self.assertEqual((self.process.returncode, rest), (0, ""))

    def test_it_is_ready_when_it_says_so(self):
        url = self.started()
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            self.assertEqual(answer.status, 200)

    def test_the_settings_in_force_can_be_loaded_by_a_shell(self):
        self.started(WORKERS="3", DEFAULT_TYPE="demo.noop", SOME_WORDS="it's a \"b\" $HOME")
        loaded = subprocess.run(
            ["sh", "-c", 'set -a; . "$1/env"; env', "sh", str(self.folder)],
            capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=True).stdout
        for line in ("TASK_WORKERS=3", "TASK_LISTEN=127.0.0.1:0",
                     f"TASK_DATABASE_URL=sqlite:{self.folder}/taskcore.db",
                     "TASK_SOME_WORDS=it's a \"b\" $HOME"):
            self.assertIn(line, loaded.splitlines())
        self.assertEqual((self.folder / "env").stat().st_mode & 0o077, 0, "it may hold secrets")

    def test_the_pid_file_lives_as_long_as_the_process(self):
        self.started()
        pid = self.pid()
        self.assertEqual(Path(f"/proc/{pid}/comm").read_text().strip(), "taskapi")
        self.end_well()
        self.assertFalse((self.folder / "taskapi.pid").exists())
        self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_an_interrupt_of_the_terminal_ends_it_cleanly(self):
        self.started()
        os.killpg(self.process.pid, signal.SIGINT)
        self.assertEqual(self.process.wait(30), 0)

    def test_it_ends_when_taskapi_ends(self):
        self.started()
        os.kill(self.pid(), signal.SIGKILL)
        _, said = self.process.communicate(timeout=30)
        self.assertEqual(self.process.returncode, 128 + signal.SIGKILL)
        self.assertIn("listening on", said, "the last lines of the log")

    def test_a_start_that_fails_shows_why_and_the_status(self):
        process = self.start(WORKERS="many")
        out, said = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (2, ""))
        self.assertIn("TASK_WORKERS", said)

    def test_a_second_one_in_the_same_folder_is_refused(self):
        self.started()
        second = subprocess.run([RUN, "--dir", str(self.folder)], capture_output=True, text=True,
                                timeout=30, env=clean_environment({}))
        self.assertEqual(second.returncode, 1)
        self.assertIn(str(self.pid()), second.stderr)
        self.end_well()

    def test_a_port_in_use_is_named(self):
        url = self.started()
        port = url.rsplit(":", 1)[1]
        second = subprocess.run(
            [RUN, "--dir", str(self.folder / "other")], capture_output=True, text=True,
            timeout=30, env=clean_environment({"TASK_LISTEN": f"127.0.0.1:{port}"}))
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"127.0.0.1:{port}", second.stderr)

    def test_data_outlives_a_restart(self):
        url = self.started(WORKERS="0")
        subprocess.run(["curl", "-sf", f"{url}/api/v1/tasks", "-d", '{"payload":"kept"}',
                        "-H", "Content-Type: application/json"], check=True,
                       capture_output=True)
        self.end_well()
        url = self.started(WORKERS="0")
        with urllib.request.urlopen(f"{url}/api/v1/tasks", timeout=5) as answer:
            self.assertIn(b'"kept"', answer.read())

    def test_arguments_it_does_not_know_are_refused(self):
        for arguments in (["cluste"], ["--port", "1"], ["--dir"], ["--dir", ""]):
            with self.subTest(arguments=arguments):
                ended = subprocess.run([RUN, *arguments], capture_output=True, text=True,
                                       timeout=30)
                self.assertEqual(ended.returncode, 2)
                self.assertIn("usage:", ended.stderr)

    def test_a_build_that_is_there_takes_no_time(self):
        def build():
            return subprocess.run([RUN, "--build-only"], timeout=60, capture_output=True,
                                  text=True, check=True)

        build()
        self.assertEqual(build().stderr, "", "nothing is installed, fetched or configured again")
        for name in ("taskapi", "libtaskcore.so", "libtaskcore.a"):
            self.assertTrue((ROOT / "build" / name).exists(), name)


if __name__ == "__main__":
    tap.main()
