"""What the drills of the cluster share: a real cluster on its own PostgreSQL and Kafka, and a
look into its tables by the queries of `taskctl check`.
"""

import re
import threading
import time

import course
from cluster import Cluster

SETTINGS = {"DEMO_SECONDS": "0", "RETRY_MIN_MS": 20, "RETRY_MAX_MS": 200, "LEASE_MS": 30000,
            "LOG_LEVEL": "info"}
ENDS = """SELECT id, status, epoch, attempt, crashes, finished_at, result_kind,
                 md5(coalesce(result, '')) FROM taskcore.task WHERE status >= 4"""
HELD = """SELECT t.id, t.epoch, l.owner FROM taskcore.task t
          JOIN taskcore.lease l ON l.id = t.place WHERE t.status = 3"""
UNREST = {
    "a task that did not end": "SELECT id, status FROM taskcore.task WHERE status < 4",
    "a waiting group": """SELECT seq FROM taskcore.ready r WHERE EXISTS (SELECT FROM
        taskcore.task t WHERE t.id = ANY (r.ids) AND t.status IN (1, 2))""",
    "a lease": "SELECT id FROM taskcore.lease",
    "an idle transaction": """SELECT pid FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%' AND datname = current_database()""",
    "a lock that somebody waits for": """SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a
        USING (pid) WHERE NOT granted AND a.datname = current_database()""",
}


def rows(cluster, sql):
    """-> lists of texts"""
    return [line.split("|") for line in cluster.sql(sql)]


class ClusterSnapshot:
    """The tables as they are now. Any moment will do for broken()."""

    def __init__(self, cluster):
        self.cluster = cluster

    def ends(self):
        return {row[0]: tuple(row[1:]) for row in rows(self.cluster, ENDS)}

    def broken(self):
        done = self.cluster.taskctl("check", check=False)
        if done.returncode == 0:
            return []
        return [("invariant", done.stdout + done.stderr)]

    def at_rest(self):
        found = self.broken()
        for what, sql in UNREST.items():
            lines = self.cluster.sql(sql)
            if lines:
                found.append(("invariant", f"{what}: {lines[:5]}"))
        return found


class ClusterCourse(course.Course):
    workers = 2
    slots = 4
    look_every = 25  # strikes between two looks at the invariants under load
    settings = {}

    def __init__(self, arguments):
        super().__init__(arguments)
        self.cluster = None
        self.lock = threading.Lock()  # where several threads strike

    def make_cluster(self, **settings):
        """-> Cluster; a drill chooses its servers here"""
        return Cluster(workers=self.workers, slots=self.slots, **settings)

    def open(self):
        self.cluster = self.make_cluster(**{**SETTINGS, **self.settings})
        self.cluster.start()
        self.server = self.cluster.api

    def struck(self):
        """After each strike: count, and look under load now and then."""
        self.strikes += 1
        if self.strikes % self.look_every == 0:
            self.compare_ends(self.snapshot())

    def snapshot(self):
        return ClusterSnapshot(self.cluster)

    def expect_alive(self, program):
        if not program.is_running():
            self.ledger.violation("died", f"{program.name} by itself, status "
                                          f"{program.process.returncode}:\n{program.log_tail()}")

    def end_service(self):
        for name, status in self.cluster.stop(40).items():
            if status != 0:
                self.ledger.violation("exit", f"{name}: status {status}:\n"
                                              + self.cluster.log_tail())

    def close(self):
        if self.cluster:
            self.cluster.close()

    # --- what drills look at

    def held(self, owner=None):
        """task id -> epoch of what is being processed, by anybody or by one"""
        return {row[0]: int(row[1]) for row in rows(self.cluster, HELD)
                if owner is None or row[2] == owner}

    def moved_on(self, held, within):
        """Wait until each of `held` has a later epoch or has ended. -> (seconds, those left)"""
        began = time.monotonic()
        left = dict(held)
        while left:
            ids = ",".join(f"'{task_id}'" for task_id in left)
            now = rows(self.cluster, "SELECT id, status, epoch FROM taskcore.task "
                                     f"WHERE id IN ({ids})")
            left = {row[0]: left[row[0]] for row in now
                    if row[1] in ("1", "2", "3") and int(row[2]) <= left[row[0]]}
            if time.monotonic() - began > within:
                return time.monotonic() - began, left
            if left:
                time.sleep(0.05)
        return time.monotonic() - began, left


def owner_of(worker):
    """The name under which the last start of a worker holds its leases; it is in its log."""
    return re.findall(r"working as ([^\s\"]+)", worker.log())[-1]
