"""Start, kill, stop and look at the parts of a cluster: PostgreSQL, Kafka, our programs.

    with Cluster(workers=2, kafka=True) as cluster:      # everything, ready
        cluster.api.client().post("/api/v1/tasks", {"payload": 1})
        cluster.workers[0].kill()                        # kill -9
        cluster.workers[0].start()

Servers are those of the run of the tests (TC_TEST_POSTGRES, TC_TEST_KAFKA), where each cluster
has a database, users and topics of its own; private ones where there are none, or when asked
for: Cluster(postgres=Postgres(), kafka=Kafka()). Whoever kills a server takes a private one.

Programs are taken from TASKCORE_BUILD. Everything started here dies with the test.
"""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import servers  # noqa: E402
from http_client import Client  # noqa: E402
from processes import Process, StartFailed, free_port, run_to_end, wait_for  # noqa: E402
from servers import Kafka, Postgres, SharedKafka, SharedPostgres  # noqa: E402,F401
from taskapi import build_folder, clean_environment  # noqa: E402

ROLES = {"taskapi": "api", "taskworker": "worker", "taskpublisher": "publisher"}
DEFAULTS = {"DEMO_SECONDS": "0", "LOG_FORMAT": "json", "LOG_LEVEL": "info"}


class Program(Process):
    """One taskapi, taskworker or taskpublisher. Settings as a dict without TASK_."""

    def __init__(self, kind, folder, settings, number=None, before=None):
        name = kind if number is None else f"{kind}-{number}"
        super().__init__(name, folder, before=before)
        self.kind = kind
        self.port = free_port()
        listen = "LISTEN" if kind == "taskapi" else "ADMIN_LISTEN"
        self.settings = {**DEFAULTS, **settings, listen: f"127.0.0.1:{self.port}"}
        self.clients = []

    def command(self):
        return [str(build_folder() / self.kind)]

    def environment(self):
        return clean_environment({f"TASK_{k}": v for k, v in self.settings.items()})

    def start(self, timeout=20, **settings):
        """Start and wait until /readyz says 200. -> self"""
        self.settings.update(settings)
        self.launch()
        wait_for(self, self.is_ready, timeout)
        return self

    def is_ready(self):
        return self.status_of("/readyz") == 200

    def status_of(self, path):
        """The status of a GET, None when nobody answers."""
        client = Client(("127.0.0.1", self.port), timeout=5)
        try:
            return client.get(path).status
        except OSError:
            return None
        finally:
            client.close()

    def client(self, timeout=30):
        """A new keep-alive connection, to be used by one thread."""
        client = Client(("127.0.0.1", self.port), timeout)
        self.clients.append(client)
        return client

    def metrics(self):
        """What /metrics says now. -> {'name{labels}': number}"""
        client = Client(("127.0.0.1", self.port), timeout=5)
        try:
            lines = client.get("/metrics").body.decode().splitlines()
        finally:
            client.close()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if line and not line.startswith("#"))}

    def close(self):
        for client in self.clients:
            client.close()
        self.clients = []
        super().close()


class Cluster:
    """Programs on a database and topics of their own. Other settings as keywords without
    TASK_, for all programs: LEASE_MS=2000.

    workers, publishers, apis: how many; kafka: False (PostgreSQL dispatches), True, or a Kafka;
    announce: None, "direct" or "publisher"; postgres: None or a Postgres. Servers that are
    given are started when they do not run, and closed with the cluster.
    """

    def __init__(self, workers=2, publishers=1, apis=1, kafka=True, announce=None, postgres=None,
                 slots=4, folder=None, **settings):
        self.own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="cluster-"))
        self.postgres = postgres or servers.postgres()
        self.kafka = (servers.kafka() if kafka is True else kafka) or None
        self.database = "tc_" + secrets.token_hex(6)
        self.password = secrets.token_hex(12)
        common = {str(k): str(v) for k, v in settings.items()}
        if self.kafka:
            common["ANNOUNCE"] = announce or "direct"
        self.common = common
        self.apis = self._programs("taskapi", apis, WORKERS="0")
        self.publishers = self._programs("taskpublisher", publishers if self.kafka else 0)
        self.workers = self._programs("taskworker", workers, WORKERS=str(slots))
        self.is_made = False

    def _programs(self, kind, count, **settings):
        return [Program(kind, self.folder, {**self.common, **settings}, number=n + 1)
                for n in range(count)]

    # --- parts

    @property
    def api(self):
        return self.apis[0]

    @property
    def programs(self):
        return self.apis + self.publishers + self.workers

    def url_of(self, kind):
        """The database's URL for the least rights that a program of this kind needs."""
        return self.postgres.uri(self.database, f"{self.database}_{ROLES[kind]}", self.password)

    def owner_url(self):
        return self.postgres.uri(self.database)

    def sql(self, statement):
        """Run a statement as the owner. -> lines, columns separated by '|'"""
        return self.postgres.psql(statement, self.database)

    def add(self, kind, **settings):
        """One more program, not started. -> Program"""
        group = {"taskapi": self.apis, "taskpublisher": self.publishers,
                 "taskworker": self.workers}[kind]
        number = 1 + max((int(p.name.rpartition("-")[2]) for p in group), default=0)
        program = Program(kind, self.folder, {**self.common, **settings}, number=number)
        self._tell(program)
        group.append(program)
        return program

    # --- life

    def make(self):
        """Servers, database, schema and users, no programs. -> self"""
        if self.is_made:
            return self
        for server in filter(None, (self.postgres, self.kafka)):
            server.launch_if_needed()
        for server in filter(None, (self.postgres, self.kafka)):
            server.await_ready()
        self.postgres.psql(f"CREATE DATABASE {self.database}")
        self.taskctl("migrate")
        self.postgres.psql("; ".join(
            f"CREATE ROLE {self.database}_{role} LOGIN PASSWORD '{self.password}' "
            f"IN ROLE taskcore_{role}" for role in ROLES.values()))
        for program in self.programs:
            self._tell(program)
        self.is_made = True
        return self

    def _tell(self, program):
        program.settings["DATABASE_URL"] = self.url_of(program.kind)
        if self.kafka:
            program.settings["QUEUE_URL"] = self.queue_url()

    def queue_url(self):
        return self.kafka.url(self.database)

    def taskctl(self, *arguments, check=True, timeout=60):
        """Run taskctl as the owner to its end. -> CompletedProcess"""
        settings = {"TASK_DATABASE_URL": self.owner_url()}
        if self.kafka:
            settings["TASK_QUEUE_URL"] = self.queue_url()
        ended = run_to_end([str(build_folder() / "taskctl"), *arguments],
                           clean_environment(settings), timeout)
        if check and ended.returncode != 0:
            raise StartFailed(f"taskctl {' '.join(arguments)} ended with {ended.returncode}:\n"
                              f"{ended.stdout}{ended.stderr}")
        return ended

    def start(self, timeout=30):
        """Everything, ready to serve. -> self"""
        self.make()
        for program in self.programs:
            if not program.is_running():
                program.launch()
        for program in self.programs:
            wait_for(program, program.is_ready, timeout)
        return self

    def stop(self, timeout=30):
        """SIGTERM to all programs in the order of deploy/run. -> {name: exit status}"""
        statuses = {}
        for group in (self.apis, self.publishers, self.workers):
            for program in group:
                program.terminate()
            statuses.update((program.name, program.wait(timeout)) for program in group)
        return statuses

    def close(self):
        """End everything and remove what was made. A sanitizer's report is a failure."""
        reports = []
        for program in self.programs:
            program.close()
            reports += program.sanitizer_reports()
        try:
            if self.is_made:
                self.postgres.forget(self.database, ROLES.values())
                if self.kafka:
                    self.kafka.forget(self.database)
        finally:
            for server in filter(None, (self.kafka, self.postgres)):
                server.close()
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)
        if reports:
            raise AssertionError("\n".join(reports))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def log_tail(self, lines=12):
        """The ends of all logs: for the report of a failing test."""
        return "\n".join(f"--- {program.name}\n{program.log_tail(lines)}"
                         for program in self.programs)
