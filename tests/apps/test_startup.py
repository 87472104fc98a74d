"""Starting: settings, --help and friends, and every start that must fail with clear words."""

import os
import re
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from server_case import TASKS, OwnServerCase  # noqa: E402
from taskapi import StartFailed, TaskApi, run_once  # noqa: E402


def no_core():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class FailingStartCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="taskapi-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def fails(self, *words, before=no_core, **settings):
        """Must end non-zero, within seconds, with all `words` in what it says."""
        full = {"TASK_LISTEN": "127.0.0.1:0",
                "TASK_DATABASE_URL": f"sqlite:{self.folder}/tasks.db"}
        full.update({f"TASK_{name}": value for name, value in settings.items()})
        began = time.monotonic()
        ended = run_once(settings=full, before=before)
        self.assertGreater(ended.returncode, 0, ended.stderr)  # negative: killed by a signal
        self.assertLess(time.monotonic() - began, 10)
        for word in words:
            self.assertIn(word.lower(), ended.stderr.lower())
        self.assertNotIn("runtime error", ended.stderr)
        return ended.stderr


class BadSettingsTest(FailingStartCase):
    def test_every_bad_value_names_its_setting(self):
        bad = {"LISTEN": ("nowhere", "127.0.0.1:99999", "127.0.0.1:x"),
               "DATABASE_URL": ("oracle:x", "sqlite:", "/just/a/path"),
               "WORKERS": ("-1", "x", "1.5", "100000", " 1", "1 "),
               "DEMO_SECONDS": ("x", "-1", "5-2", "1-", "1-2-3"),
               "LEASE_MS": ("0", "-5", "x", "99999999999999999999"),
               "PAYLOAD_MAX": ("0", "-1", "x"), "RETRY_MIN_MS": ("-1", "x"),
               "RETRY_MAX_MS": ("-1", "x"), "MAX_CRASHES": ("-1", "101", "x"),
               "DRAIN_MS": ("-1", "x"), "LOG_LEVEL": ("loud", "7"), "LOG_FORMAT": ("xml",),
               "HTTP_CONNECTIONS": ("0", "x"), "REQUEST_MS": ("0", "x"),
               "DEFAULT_TYPE": ("A B", "x" * 65)}
        for name, values in bad.items():
            for value in values:
                with self.subTest(setting=name, value=value[:30]):
                    self.fails(f"TASK_{name}", **{name: value})

    def test_the_shortest_wait_must_not_be_longer_than_the_longest(self):
        self.fails("TASK_RETRY_MIN_MS", RETRY_MIN_MS="1000", RETRY_MAX_MS="10")

    def test_an_unknown_argument_is_named(self):
        ended = run_once("--frobnicate")
        self.assertGreater(ended.returncode, 0)
        self.assertIn("--frobnicate", ended.stderr)


class BadSurroundingsTest(FailingStartCase):
    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.fails(str(port), LISTEN=f"127.0.0.1:{port}")

    def test_a_folder_that_is_not_there_is_named(self):
        path = self.folder / "missing" / "tasks.db"
        self.fails(str(path.parent), DATABASE_URL=f"sqlite:{path}")

    @unittest.skipIf(os.getuid() != 0, "needs root to become somebody else")
    def test_an_unwritable_folder_is_named(self):
        os.chmod(self.folder, 0o555)

        def as_nobody():
            no_core()
            os.setgid(65534)
            os.setuid(65534)

        self.fails(str(self.folder), before=as_nobody)

    def test_a_file_that_is_no_database_is_refused_and_kept(self):
        content = b"Dear diary, today I was not a database. " * 200
        (self.folder / "tasks.db").write_bytes(content)
        self.fails("tasks.db")
        self.assertEqual((self.folder / "tasks.db").read_bytes(), content)

    def test_a_broken_database_is_not_served(self):
        with TaskApi(folder=self.folder, WORKERS=0) as server:
            for n in range(50):
                server.client().post(TASKS, {"payload": "x" * 2000})
            server.stop()
        path = self.folder / "tasks.db"
        data = bytearray(path.read_bytes())
        data[100:4000] = os.urandom(3900)  # the first page holds the schema
        path.write_bytes(data)
        self.fails("tasks.db")

    def test_a_database_from_the_future_is_refused(self):
        with TaskApi(folder=self.folder, WORKERS=0) as server:
            server.stop()
        self.pretend_newer_schema()
        self.fails("tasks.db", "schema", "version 2")

    def pretend_newer_schema(self):
        base = sqlite3.connect(self.folder / "tasks.db")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        base.execute("INSERT INTO migration SELECT version + 1, 'tomorrow', checksum, applied_at"
                     " FROM migration WHERE version = ?", (version,))
        base.execute(f"PRAGMA user_version = {version + 1}")
        base.commit()
        base.close()


class OddSettingsTest(OwnServerCase):
    def test_an_unknown_setting_is_named_in_the_log(self):
        self.serve(WORKERS=0, WROKERS="2")
        self.assertIn("TASK_WROKERS", self.server.log())

    def test_an_empty_setting_is_as_if_it_were_not_there(self):
        self.serve(WORKERS=0, DEFAULT_TYPE="", LEASE_MS="")
        self.assertEqual(self.create()["type"], "demo.process")

    def test_the_default_type_is_taken(self):
        self.serve(WORKERS=1, DEFAULT_TYPE="demo.noop")
        task = self.create()
        self.assertEqual((task["type"], self.end_of(task["id"])["result"]), ("demo.noop", None))


class SecondProcessTest(OwnServerCase):
    def test_a_second_process_on_the_same_file_is_refused(self):
        self.serve(WORKERS=0)
        task = self.create()
        second = TaskApi(folder=self.server.folder, WORKERS=0)
        second.starts = 100  # its own log
        with self.assertRaises(StartFailed) as failed:
            second.start()
        self.assertRegex(str(failed.exception), r"(?i)tasks\.db.*(lock|process|use)")
        self.assertEqual(self.task(task["id"])["id"], task["id"])
        self.assert_ends_well()

    def test_the_file_is_free_after_kill_9(self):
        self.serve(WORKERS=0)
        self.server.kill()
        self.server.restart()
        self.assert_ends_well()

    def test_a_symbolic_link_to_the_file_is_the_same_file(self):
        self.serve(WORKERS=0)
        link = self.server.folder / "link.db"
        link.symlink_to(self.server.database)
        second = TaskApi(folder=self.server.folder, WORKERS=0, DATABASE_URL=f"sqlite:{link}")
        second.starts = 100
        with self.assertRaises(StartFailed):
            second.start()


class TellingTest(unittest.TestCase):
    def test_help_names_every_setting_and_ends_well(self):
        ended = run_once("--help")
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        for name in ("LISTEN", "DATABASE_URL", "WORKERS", "DEMO_SECONDS", "DEFAULT_TYPE",
                     "LEASE_MS", "PAYLOAD_MAX", "RETRY_MIN_MS", "RETRY_MAX_MS", "MAX_CRASHES",
                     "DRAIN_MS", "LOG_LEVEL", "LOG_FORMAT", "HTTP_CONNECTIONS", "REQUEST_MS"):
            self.assertIn(f"TASK_{name}", ended.stdout)

    def test_version_is_one_line(self):
        ended = run_once("--version")
        self.assertEqual(ended.returncode, 0)
        self.assertRegex(ended.stdout, r"^\S+ \d+\.\d+\.\d+.*\n$")

    def test_print_config_shows_what_is_in_force(self):
        ended = run_once("--print-config", settings={"TASK_WORKERS": "7"})
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, r"TASK_WORKERS\s*=\s*7\b")
        self.assertRegex(ended.stdout, r"TASK_LEASE_MS\s*=\s*30000\b")

    def test_what_print_config_prints_is_taken_as_settings(self):
        first = run_once("--print-config", settings={"TASK_DRAIN_MS": "123"})
        settings = dict(re.findall(r"^(TASK_\w+)=(.*)$", first.stdout, re.M))
        again = run_once("--print-config", settings=settings)
        self.assertEqual(again.stdout, first.stdout)

    def test_print_config_checks_as_well(self):
        ended = run_once("--print-config", settings={"TASK_WORKERS": "many"})
        self.assertGreater(ended.returncode, 0)
        self.assertIn("TASK_WORKERS", ended.stderr)


class PlacesTest(OwnServerCase):
    def test_a_listen_address_is_obeyed(self):
        self.serve(WORKERS=0)
        with self.assertRaises(OSError):  # bound to 127.0.0.1 alone
            socket.create_connection(("127.0.0.2", self.server.port), timeout=1)

    def test_a_relative_database_lies_below_the_working_folder(self):
        self.serve(WORKERS=0, DATABASE_URL="sqlite:here.db")
        self.assertTrue((self.server.folder / "here.db").exists())

    def test_data_and_log_are_for_the_owner(self):
        self.serve(WORKERS=0)
        mode = self.server.database.stat().st_mode & 0o007
        self.assertEqual(mode & 0o002, 0, "others may write the database")


if __name__ == "__main__":
    tap.main()
