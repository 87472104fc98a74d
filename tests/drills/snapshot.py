"""The SQLite file of a dead taskapi, looked at in a copy, and the invariants that must hold
in it after any kill (broken) and once everything has ended (at_rest).

The file itself is not opened: that would recover and checkpoint its log in our place.
"""

import shutil
import sqlite3
import struct
import tempfile
import uuid
from pathlib import Path

MEMBER = struct.Struct("<qI")  # a run of task numbers: the first, and how many

# Each must give no row, whatever moment the process died at.
ALWAYS = {
    "a task without a state": "SELECT num FROM task EXCEPT SELECT num FROM state",
    "a state without a task": "SELECT num FROM state EXCEPT SELECT num FROM task",
    "a waiting task of no group": """
        SELECT s.num FROM state s LEFT JOIN member m ON m.num = s.num AND m.kind = 'ready'
        WHERE s.status IN (1, 2) AND m.num IS NULL""",
    "a processing task without a lease": """
        SELECT s.num FROM state s LEFT JOIN member m ON m.num = s.num AND m.kind = 'lease'
        WHERE s.status = 3 AND m.num IS NULL""",
    "a task in a group of another status": """
        SELECT m.num, s.status, m.kind FROM member m LEFT JOIN state s USING (num)
        WHERE s.num IS NULL OR (m.kind = 'ready' AND s.status NOT IN (1, 2))
           OR (m.kind = 'lease' AND s.status <> 3)""",
    "a task in two groups": "SELECT num FROM member GROUP BY num HAVING count(*) > 1",
    "a task in a group that it does not know": """
        SELECT m.num FROM member m JOIN state s USING (num) WHERE s.place IS NOT m.place""",
    "a task in a group of another kind": """
        SELECT m.num FROM member m JOIN task t USING (num) JOIN ready r ON r.seq = m.place
        WHERE m.kind = 'ready'
          AND (r.queue, r.type, r.rank) <> (t.queue, t.type, 10 - t.priority)""",
    "a group with a wrong count": """
        SELECT r.seq FROM ready r WHERE r.count <> (SELECT count(*) FROM member m
            WHERE m.kind = 'ready' AND m.place = r.seq)
        UNION ALL
        SELECT l.id FROM lease l WHERE l.count <> (SELECT count(*) FROM member m
            WHERE m.kind = 'lease' AND m.place = l.id)""",
    "a scheduled or failed task that is not set aside": """
        SELECT s.num FROM state s JOIN task t USING (num)
        LEFT JOIN aside a ON a.num = s.num AND a.status = s.status AND a.id = t.id
        WHERE s.status IN (0, 5) AND (a.num IS NULL
            OR (s.status = 0) <> (a.due_at IS NOT NULL))""",
    "a task set aside in another status": """
        SELECT a.num FROM aside a LEFT JOIN state s USING (num) WHERE s.status IS NOT a.status""",
    "a wrong tally": """
        SELECT coalesce(c.queue, y.queue) FROM
            (SELECT t.queue, sum(a.status = 0) AS scheduled, sum(a.status = 5) AS failed
             FROM aside a JOIN task t USING (num) GROUP BY t.queue) c
        FULL JOIN tally y ON y.queue = c.queue
        WHERE coalesce(c.scheduled, 0) <> coalesce(y.scheduled, 0)
           OR coalesce(c.failed, 0) <> coalesce(y.failed, 0)""",
    "more attempts or crashes than allowed": """
        SELECT t.num FROM task t JOIN state s USING (num)
        WHERE s.attempt > t.max_attempts OR s.attempt < 0 OR s.crashes > t.max_crashes + 1""",
    "fewer acquisitions than runs": """
        SELECT num FROM state WHERE epoch < attempt + crashes""",
    "given up before its time": """
        SELECT s.num FROM state s JOIN task t USING (num) LEFT JOIN failure f USING (num)
        WHERE s.status = 5 AND s.attempt < t.max_attempts AND s.crashes <= t.max_crashes
          AND f.reason IS NOT 4""",
    "words that are not where the state says": """
        SELECT num FROM state WHERE (has & 1 <> 0) <> (num IN (SELECT num FROM failure))
            OR (has & 4 <> 0) <> (num IN (SELECT num FROM result))
            OR (has & 2 <> 0) <> (num IN (SELECT num FROM progress))""",
    "a key without its task": """
        SELECT key FROM key WHERE first_id NOT IN (SELECT id FROM task)""",
}

# And these once nothing is left to do.
AT_REST = {
    "a task that did not end": "SELECT num, status FROM state WHERE status NOT IN (4, 5, 6)",
    "a waiting group": "SELECT seq FROM ready",
    "a lease": "SELECT id FROM lease",
    "a scheduled task": "SELECT num FROM aside WHERE due_at IS NOT NULL",
}


class Snapshot:
    def __init__(self, database):
        self.folder = tempfile.mkdtemp(prefix="snapshot-")
        try:
            copy = Path(self.folder) / "tasks.db"
            for suffix in ("", "-wal"):
                source = Path(str(database) + suffix)
                if source.exists():
                    shutil.copyfile(source, str(copy) + suffix)
            self._read(copy)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, path):
        base = sqlite3.connect(path)
        try:
            self._explode_groups(base)
            self.problems = self._ask(base, ALWAYS)
            self.unrest = self._ask(base, AT_REST)
            self._check_file(base)
            self._ends = self._read_ends(base)
            self._processing = self._read_processing(base)
        finally:
            base.close()

    def _explode_groups(self, base):
        base.execute("CREATE TEMP TABLE member (num INT, kind TEXT, place INT)")
        for kind, sql in (("ready", "SELECT seq, members FROM ready"),
                          ("lease", "SELECT id, members FROM lease")):
            for place, members in base.execute(sql).fetchall():
                base.executemany("INSERT INTO member VALUES (?, ?, ?)",
                                 ((first + n, kind, place)
                                  for first, count in MEMBER.iter_unpack(members)
                                  for n in range(count)))
        base.execute("CREATE INDEX temp.member_num ON member (num)")
        base.execute("CREATE INDEX temp.member_place ON member (place)")

    def _ask(self, base, questions):
        found = []
        for what, sql in questions.items():
            rows = base.execute(sql).fetchmany(5)
            if rows:
                found.append(("invariant", f"{what}: {rows}"))
        return found

    def _check_file(self, base):
        verdict = base.execute("PRAGMA quick_check(3)").fetchall()
        if verdict != [("ok",)]:
            self.problems.append(("corrupt", str(verdict)))

    def _read_ends(self, base):
        rows = base.execute("""
            SELECT t.id, s.status, s.epoch, s.attempt, s.crashes, s.finished_at, s.result_kind,
                   coalesce(r.data, s.result)
            FROM state s JOIN task t USING (num) LEFT JOIN result r USING (num)
            WHERE s.status IN (4, 5, 6)""")
        return {row[0]: row[1:] for row in rows}

    def _read_processing(self, base):
        """id -> (epoch, crashes that it must have once it is taken back)"""
        rows = base.execute("""
            SELECT t.id, s.epoch, s.crashes + (coalesce(l.rescue, 0) = 0)
            FROM state s JOIN task t USING (num) LEFT JOIN lease l ON l.id = s.place
            WHERE s.status = 3""")
        return {str(uuid.UUID(bytes=row[0])): row[1:] for row in rows}

    def ends(self):
        return self._ends

    def processing(self):
        return self._processing

    def broken(self):
        return self.problems

    def at_rest(self):
        return self.problems + self.unrest
