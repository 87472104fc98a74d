"""PostgreSQL and Kafka for tests: private ones that may be killed, and those of the whole run."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))

from processes import Process, StartFailed, free_port, run_to_end, wait_for  # noqa: E402
from taskapi import ROOT, build_folder  # noqa: E402

POSTGRES = ROOT / "deploy/dev/postgres"
KAFKA = ROOT / "deploy/dev/kafka"


def postgres():
    """The server of this run of the tests, or a private one, not started."""
    return SharedPostgres() if os.environ.get("TC_TEST_POSTGRES") else Postgres()


def kafka():
    return SharedKafka() if os.environ.get("TC_TEST_KAFKA") else Kafka()


def plain_environment():
    """Without settings of libpq, but for where the password of the shared server is."""
    return {k: v for k, v in os.environ.items()
            if k == "PGPASSFILE" or not k.startswith(("PG", "TASK_"))}


class StatementFailed(Exception):
    pass


class Sql:
    """What can be asked of a server that has a uri()."""

    def psql(self, statement, database="postgres", timeout=60):
        """Run statements as the superuser, each by itself. -> lines, columns between '|'"""
        ended = run_to_end(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.uri(database)],
                           plain_environment(), timeout, statement)
        if ended.returncode != 0:
            raise StatementFailed(ended.stderr.strip())
        return ended.stdout.splitlines()


class Postgres(Process, Sql):
    """A private server: deploy/dev/postgres on a folder of its own."""

    stop_signal = signal.SIGINT  # fast: it does not wait for its clients

    def __init__(self, folder=None):
        self.own_folder = folder is None
        folder = Path(folder or tempfile.mkdtemp(prefix="postgres-"))
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)  # the server runs as a user of its own
        super().__init__("postgres", folder)
        self.data_folder = folder / "server"

    def command(self):
        return [str(POSTGRES), str(self.data_folder)]

    def environment(self):
        return plain_environment()

    def uri(self, database="postgres", user="postgres", password=None):
        host = f"127.0.0.1:{(self.data_folder / 'port').read_text().strip()}"
        if password:
            return f"postgresql://{user}:{password}@{host}/{database}"
        passfile = quote(str(self.data_folder / "pgpass"))
        return f"postgresql://{user}@{host}/{database}?passfile={passfile}"

    # --- life

    def launch(self):
        if not (self.data_folder / "data").exists():
            self.data_folder.mkdir(exist_ok=True)
            copy_template(self.data_folder)
        super().launch()

    def launch_if_needed(self):
        if not self.is_running():
            self.launch()

    def await_ready(self, timeout=30):
        wait_for(self, self.is_ready, timeout)

    def start(self, timeout=30):
        """-> self"""
        self.launch()
        self.await_ready(timeout)
        return self

    def is_ready(self):
        port = self.data_folder / "port"
        return port.exists() and "ready to accept connections" in self.log()

    def processes(self):
        """All of the server that run, also those whose postmaster is gone. -> pids"""
        data = os.path.realpath(self.data_folder / "data")
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd") == data:
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def kill_all(self):
        """kill -9 of the postmaster and of every process of the server at once."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.kill()

    def freeze(self):
        """SIGSTOP of every process: the server is there and says nothing."""
        for pid in self.processes():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGCONT)

    def forget(self, database, roles):
        """The whole server goes in close()."""

    def close(self):
        """At once, but so that it takes its shared memory along."""
        if self.is_running():
            self.thaw()
            self.signal(signal.SIGQUIT)
            try:
                self.wait(5)
            except subprocess.TimeoutExpired:
                pass
        self.kill_all()
        if self.own_folder:
            shutil.rmtree(os.path.realpath(self.data_folder / "data"), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)


def copy_template(folder):
    """An empty server, made once on this machine: initdb takes longer than the copy."""
    template = template_folder()
    with open(template.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (template / "done").exists():
            shutil.rmtree(template, ignore_errors=True)
            server = Postgres(template.with_suffix(".making"))
            Process.launch(server)
            server.await_ready()
            server.stop()
            os.rename(server.data_folder, template)
            shutil.rmtree(server.folder)
            (template / "done").touch()
    subprocess.run(["cp", "-a", "--reflink=auto", template / "data", template / "pgpass", folder],
                   check=True)


def template_folder():
    """In a folder that is ours alone, for one version of the script."""
    known = hashlib.sha256(POSTGRES.read_bytes()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"taskcore-templates-{os.getuid()}"
    home.mkdir(mode=0o711, exist_ok=True)
    if home.stat().st_uid != os.getuid() or home.is_symlink():
        raise StartFailed(f"{home} belongs to somebody else")
    return home / f"postgres-{known}"


class SharedPostgres(Sql):
    """The server of the whole run of the tests, named by TC_TEST_POSTGRES: never stopped."""

    def uri(self, database="postgres", user=None, password=None):
        parts = urlsplit(os.environ["TC_TEST_POSTGRES"])
        host = parts.netloc.rpartition("@")[2]
        if not password:
            return urlunsplit(parts._replace(path=f"/{database}"))
        query = urlencode([(k, v) for k, v in parse_qsl(parts.query) if k != "passfile"])
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}",
                                         path=f"/{database}", query=query))

    def launch_if_needed(self):
        pass

    def await_ready(self, timeout=30):
        pass

    def forget(self, database, roles):
        self.psql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE);" +
                  ";".join(f"DROP ROLE IF EXISTS {database}_{role}" for role in roles))

    def close(self):
        pass


class Kafka(Process):
    """A private broker: deploy/dev/kafka on a folder of its own."""

    def __init__(self, folder=None):
        self.own_folder = folder is None
        super().__init__("kafka", folder or tempfile.mkdtemp(prefix="kafka-"))
        self.data_folder = self.folder / "broker"
        self.port = free_port()

    def command(self):
        return [str(KAFKA), str(self.data_folder), "--port", str(self.port)]

    def environment(self):
        return plain_environment()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def url(self, prefix):
        return f"kafka://{self.address}/{prefix}"

    def launch_if_needed(self):
        if not self.is_running():
            self.launch()

    def await_ready(self, timeout=60):
        wait_for(self, self.is_ready, timeout)

    def start(self, timeout=60):
        """-> self"""
        self.launch()
        self.await_ready(timeout)
        return self

    def is_ready(self):
        return re.search(r"^ready on ", self.log(), re.M) is not None

    def wipe(self):
        """Delete all that the broker keeps; it has to be dead."""
        if self.is_running():
            raise StartFailed("the broker runs")
        shutil.rmtree(self.data_folder / "data", ignore_errors=True)

    def delete_topics(self, prefix, timeout=20):
        """As an administrator would, once they are there: after a wipe they have to come back."""
        deadline = time.monotonic() + timeout
        while True:
            ended = run_to_end([str(build_folder() / "tests/delete_topics"), self.address, prefix],
                               self.environment())
            if ended.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise StartFailed(f"topics are not deleted:\n{ended.stdout}{ended.stderr}")
            time.sleep(0.2)

    def forget(self, prefix):
        """The whole broker goes in close()."""

    def log_tail(self, lines=25):
        paths = (self.log_path, self.data_folder / "server.log", self.data_folder / "stdout.log")
        return "\n".join("\n".join(path.read_text(errors="replace").splitlines()[-lines:])
                         for path in paths if path.exists())

    def close(self):
        super().close()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)


class SharedKafka:
    """The broker of the whole run of the tests, named by TC_TEST_KAFKA: never stopped. Topics
    of a cluster stay behind until it ends."""

    @property
    def address(self):
        return os.environ["TC_TEST_KAFKA"]

    def url(self, prefix):
        return f"kafka://{self.address}/{prefix}"

    def launch_if_needed(self):
        pass

    def await_ready(self, timeout=60):
        pass

    def forget(self, prefix):
        pass

    def close(self):
        pass
