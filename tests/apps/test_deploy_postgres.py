"""`deploy/dev/postgres`: durable, private, and back after whatever happened to it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from processes import run_to_end  # noqa: E402
from server_case import eventually  # noqa: E402
from servers import POSTGRES, Postgres, plain_environment  # noqa: E402

AS_SERVER = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] \
    if os.geteuid() == 0 else []


def script(*arguments):
    return run_to_end([str(POSTGRES), *map(str, arguments)], plain_environment())


class PostgresTest(unittest.TestCase):
    def make(self, folder=None):
        server = Postgres(folder)
        self.addCleanup(server.close)
        return server

    def test_it_keeps_what_it_acknowledged(self):
        server = self.make().start()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.assertEqual(server.psql(f"SHOW {setting}"), ["on"], setting)
        server.psql("CREATE TABLE kept AS SELECT 1 AS n")
        server.kill_all()
        self.assertEqual(server.start().psql("SELECT n FROM kept"), ["1"])

    def test_it_keeps_its_port_and_its_process_id_is_the_servers(self):
        server = self.make().start()
        port = server.psql("SHOW port")
        first = (server.data_folder / "data/postmaster.pid").read_text().split()[0]
        self.assertEqual(int(first), server.pid)
        server.stop()
        self.assertEqual(server.start().psql("SHOW port"), port)

    def test_a_busy_process_of_a_killed_server_does_not_keep_it_from_coming_back(self):
        server = self.make().start()
        busy = subprocess.Popen(["psql", "-Xq", "-d", server.uri(), "-c",
                                 "DO $$ BEGIN LOOP END LOOP; END $$"],
                                stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.addCleanup(busy.wait)
        eventually(lambda: server.psql("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'DO %'"),
                   "the statement runs")
        server.kill()
        self.assertEqual(server.start().psql("SELECT 1"), ["1"])

    def test_a_pid_file_with_the_number_of_somebody_else_does_no_harm(self):
        server = self.make().start()
        server.kill_all()
        stranger = subprocess.Popen([*AS_SERVER, "sleep", "60"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        for file in (server.data_folder / "data/postmaster.pid",
                     next((server.data_folder / "data").glob(".s.PGSQL.*.lock"))):
            lines = file.read_text().split("\n")
            file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        self.assertEqual(server.start().psql("SELECT 1"), ["1"])

    def test_a_second_one_on_the_same_folder_is_refused(self):
        server = self.make().start()
        second = script(server.data_folder)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"already (pid {server.pid})", second.stderr)

    def test_a_start_that_was_killed_while_it_made_the_data_is_made_up_for(self):
        with tempfile.TemporaryDirectory() as name:
            os.chmod(name, 0o711)
            server = self.make(name)
            server.data_folder.mkdir()
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                first = subprocess.Popen([str(POSTGRES), str(server.data_folder)],
                                         stdout=nowhere, stderr=nowhere, start_new_session=True)
            eventually((server.data_folder / "data.new").exists, "initdb has begun")
            time.sleep(0.05)
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
            self.assertFalse((server.data_folder / "data").exists(), "killed too late")
            super(Postgres, server).launch()
            server.await_ready(60)
            self.assertEqual(server.psql("SELECT 1"), ["1"])
            self.assertFalse((server.data_folder / "data.new").exists())

    def test_nobody_gets_in_without_the_password(self):
        server = self.make().start()
        port = (server.data_folder / "port").read_text().strip()
        for where in (f"host=127.0.0.1 port={port}",
                      f"host={server.data_folder.resolve() / 'data'} port={port}"):
            ended = run_to_end(["psql", "-Xw", "-d", f"{where} user=postgres dbname=postgres",
                                "-c", "SELECT 1"], {**plain_environment(), "PGPASSFILE": os.devnull})
            self.assertNotEqual(ended.returncode, 0, where)
            self.assertIn("no password supplied", ended.stderr)
        self.assertEqual((server.data_folder / "pgpass").stat().st_mode & 0o077, 0)

    def test_a_port_that_somebody_has_taken_is_replaced_when_it_was_not_asked_for(self):
        server = self.make().start()
        port = int((server.data_folder / "port").read_text())
        server.stop()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", port))
            taken.listen()
            server.start()
            self.assertNotEqual(server.psql("SHOW port"), [str(port)])
            self.assertIn(f"port {port} is in use", server.log())

    @unittest.skipUnless(os.geteuid() == 0, "a plain user's server runs as that user")
    def test_data_goes_where_the_server_can_reach_it(self):
        with tempfile.TemporaryDirectory(prefix="unreachable ") as name:
            server = self.make(Path(name) / "inner")
            os.chmod(name, 0o700)
            super(Postgres, server).launch()
            server.await_ready(60)
            self.assertIn("cannot reach", server.log())
            target = (server.data_folder / "data").resolve()
            self.addCleanup(subprocess.run, ["rm", "-rf", str(target.parent)], check=True)
            self.assertEqual(server.psql("SHOW data_directory"), [str(target)])
            server.stop()
            self.assertEqual(server.start().psql("SHOW data_directory"), [str(target)])

    def test_arguments_it_does_not_know_are_refused(self):
        for arguments in ([], ["a", "b"], ["a", "--port"], ["a", "--port", "0"], ["--x", "a"],
                          ["a", "--port", "70000"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(script(*arguments).returncode, 2)


if __name__ == "__main__":
    tap.main()
