"""taskctl: migrations and checks of a real PostgreSQL; and what starts refuse without them."""

import os
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster import Cluster  # noqa: E402
from cluster_case import run  # noqa: E402
from processes import free_port  # noqa: E402

NOWHERE = "postgresql://me:s3cret@127.0.0.1:1/none"


class DatabaseCase(unittest.TestCase):
    """A server, and an empty database for each test."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(workers=0, publishers=0, apis=0, kafka=False)
        cls.addClassCleanup(cls.cluster.close)
        cls.cluster.postgres.launch_if_needed()
        cls.cluster.postgres.await_ready()

    def setUp(self):
        self.database = self.cluster.database
        self.cluster.postgres.psql(f"CREATE DATABASE {self.database}")
        self.addCleanup(self.cluster.postgres.psql, f"DROP DATABASE {self.database} WITH (FORCE)")
        self.url = self.cluster.owner_url()

    def ctl(self, *arguments, status=0):
        ended = run("taskctl", *arguments, DATABASE_URL=self.url)
        self.assertEqual(ended.returncode, status, ended.stdout + ended.stderr)
        return ended.stdout

    def sql(self, statement):
        return self.cluster.sql(statement)


class MigrateTest(DatabaseCase):
    def test_an_empty_database_gets_its_schema_once(self):
        self.assertRegex(self.ctl("migrate"), r"\A(applied \d+ \w+\n)+\Z")
        self.assertEqual(self.ctl("migrate"), "nothing to apply\n")
        self.assertEqual(self.sql("SELECT count(*) FROM taskcore.task"), ["0"])

    def test_a_dry_run_tells_and_changes_nothing(self):
        told = self.ctl("migrate", "--dry-run")
        self.assertRegex(told, r"\A(would apply \d+ \w+\n)+\Z")
        self.assertEqual(self.sql("SELECT to_regclass('taskcore.task')"), [""])
        self.assertEqual(self.ctl("migrate"), told.replace("would apply", "applied"))

    def test_a_version_that_is_not_there_is_refused(self):
        ended = run("taskctl", "migrate", "--to", "999", DATABASE_URL=self.url)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("999", ended.stderr)

    def test_the_first_version_can_be_asked_for(self):
        self.assertRegex(self.ctl("migrate", "--to", "1"), r"\Aapplied 1 \w+\n\Z")
        self.assertEqual(self.ctl("migrate", "--to=1"), "nothing to apply\n")

    def test_the_status_says_what_is_missing_and_what_is_there(self):
        self.assertRegex(self.ctl("migrate", "status", status=1), r"\A(\d+ \w+ pending\n)+\Z")
        self.ctl("migrate")
        self.assertRegex(self.ctl("migrate", "status"),
                         r"\A(\d+ \w+ applied \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n)+\Z")

    def test_a_migration_whose_text_has_changed_is_told(self):
        self.ctl("migrate")
        self.sql("UPDATE taskcore.migration SET checksum = sha256('other') WHERE version = 1")
        self.assertIn("another text", self.ctl("migrate", "status", status=1))
        self.ctl("migrate", status=1)


class CheckTest(DatabaseCase):
    def test_a_new_database_breaks_no_rule(self):
        self.ctl("migrate")
        self.assertRegex(self.ctl("check"), r"\A[1-9]\d* rules checked, 0 violated\n\Z")

    def test_a_task_that_nobody_would_find_is_told(self):
        with_task = Cluster(workers=0, kafka=False)
        self.addCleanup(with_task.close)
        with_task.start().api.client().post("/api/v1/tasks", {"payload": 1})
        with_task.sql("DELETE FROM taskcore.ready")
        ended = with_task.taskctl("check", check=False)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stdout, r"(?m)^violated \S+: .+: 1 rows, one is .+$")
        self.assertRegex(ended.stdout, r"(?m)^\d+ rules checked, [1-9]\d* violated$")

    def test_without_a_schema_it_says_what_to_run(self):
        ended = run("taskctl", "check", DATABASE_URL=self.url)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("taskctl migrate", ended.stderr)


class RefusedStartTest(DatabaseCase):
    """Model B: programs start only after the migration has succeeded."""

    programs = {"taskapi": {"LISTEN": "127.0.0.1:0"},
                "taskworker": {"ADMIN_LISTEN": "127.0.0.1:0"},
                "taskpublisher": {"ADMIN_LISTEN": "127.0.0.1:0",
                                  "QUEUE_URL": "kafka://127.0.0.1:1"}}

    def assert_all_refuse(self, *words):
        for program, settings in self.programs.items():
            with self.subTest(program=program):
                ended = run(program, DATABASE_URL=self.url, **settings)
                self.assertEqual(ended.returncode, 1, ended.stderr)
                for word in ("cannot start", *words):
                    self.assertIn(word, ended.stderr)

    def test_without_a_schema_they_name_the_command(self):
        self.assert_all_refuse("TASK_DATABASE_URL", "taskctl migrate")

    def test_with_a_newer_schema_they_say_so(self):
        self.ctl("migrate")
        self.sql("INSERT INTO taskcore.migration SELECT (jsonb_populate_record(m, "
                 "'{\"version\": 999, \"name\": \"tomorrow\"}')).* FROM taskcore.migration m"
                 " WHERE version = 1")
        self.assert_all_refuse("TASK_DATABASE_URL", "999")


class TellingTest(unittest.TestCase):
    def test_help_names_every_command(self):
        for arguments in (["help"], ["--help"], ["-h"]):
            ended = run("taskctl", *arguments)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            for command in ("migrate", "migrate status", "check", "TASK_DATABASE_URL"):
                self.assertIn(command, ended.stdout)

    def test_version_is_one_line(self):
        for argument in ("version", "--version"):
            ended = run("taskctl", argument)
            self.assertRegex(ended.stdout, r"\Ataskctl \d+\.\d+\.\d+ \(.+\)\n\Z")

    def test_bad_usage_is_named(self):
        for arguments in ([], ["frobnicate"], ["migrate", "--too"], ["migrate", "--to", "x"],
                          ["migrate", "--to"], ["migrate", "--to", "0"], ["check", "it"],
                          ["migrate", "status", "now"], ["check", "--database-url", "oracle:x"]):
            with self.subTest(arguments=arguments):
                ended = run("taskctl", *arguments, DATABASE_URL=NOWHERE)
                self.assertEqual((ended.returncode, ended.stdout), (2, ""))
                self.assertTrue(ended.stderr.startswith("taskctl: "))

    def test_a_server_that_is_not_there_is_told_without_the_password(self):
        for arguments in (["migrate"], ["migrate", "status"], ["check"]):
            with self.subTest(arguments=arguments):
                ended = run("taskctl", *arguments, DATABASE_URL=NOWHERE)
                self.assertEqual(ended.returncode, 1)
                self.assertEqual(ended.stdout, "")
                self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
                self.assertNotIn("s3cret", ended.stderr)

    def test_a_sqlite_file_needs_no_migration_and_has_no_check(self):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:{folder}/tasks.db"
            migrated = run("taskctl", "migrate", DATABASE_URL=url)
            self.assertEqual(migrated.returncode, 0)
            self.assertIn("by itself", migrated.stdout)
            self.assertEqual(run("taskctl", "check", DATABASE_URL=url).returncode, 2)
            self.assertEqual(os.listdir(folder), [])

    def test_the_url_may_stand_in_a_flag_or_in_a_file(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"postgresql://me:pw@127.0.0.1:{free_port()}/there\n")
            file.flush()
            for arguments, settings in ((["--database-url", NOWHERE], {}),
                                        ([f"--database-url={NOWHERE}"], {}),
                                        ([], {"DATABASE_URL_FILE": file.name})):
                shown = run("taskctl", "--print-config", *arguments, **settings).stdout
                self.assertTrue(re.search(r"postgresql://me:\*\*\*@127\.0\.0\.1:\d+/", shown),
                                shown)


if __name__ == "__main__":
    tap.main()
