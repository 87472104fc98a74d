"""What the clients of a drill know, to be compared with what the service says.

Every task of a drill carries a marker of its own as its only tag. A marker is `acked` once a
2xx named its id, `maybe` while an answer was lost, `refused` when the service said no.
"""

import threading
from collections import Counter

TERMINAL = ("done", "failed", "cancelled")
FINAL_FIELDS = ("status", "epoch", "attempt", "crashes", "finished_at", "updated_at", "error")


class Violation:
    def __init__(self, kind, detail):
        self.kind = kind
        self.detail = detail

    def __str__(self):
        return f"{self.kind}: {self.detail}"


class Entry:
    __slots__ = ("marker", "payload", "spec", "state", "task_id", "cancel_asked", "final")

    def __init__(self, marker, payload, spec):
        self.marker = marker
        self.payload = payload  # the exact bytes that were sent
        self.spec = spec
        self.state = "maybe"
        self.task_id = None
        self.cancel_asked = False
        self.final = None  # the terminal state that was seen first


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.entries = {}
        self.by_id = {}
        self.counts = Counter()
        self.violations = []
        self.found = threading.Event()

    def violation(self, kind, detail):
        with self.lock:
            self.violations.append(Violation(kind, detail))
        self.found.set()

    def intend(self, marker, payload, spec):
        """Before the request is sent: from here on the task may exist."""
        entry = Entry(marker, payload, spec)
        with self.lock:
            self.entries[marker] = entry
        return entry

    def acked(self, entry, task_id):
        with self.lock:
            if entry.task_id not in (None, task_id):
                self.violations.append(Violation(
                    "two ids for one key", f"{entry.marker}: {entry.task_id}, then {task_id}"))
                self.found.set()
            entry.state = "acked"
            entry.task_id = task_id
            self.by_id[task_id] = entry

    def refused(self, entry):
        entry.state = "refused"

    def acked_entries(self):
        with self.lock:
            return list(self.by_id.values())

    def saw(self, entry, task, known=None):
        """Somebody was shown this task: a terminal state is for ever, down to the last field.
        `known`: the end that was known before the question was sent."""
        if task["status"] not in TERMINAL:
            if known is not None:
                self.violation("left a terminal state",
                               f"{entry.marker}: {known} then {task['status']}")
            return
        final = {name: task[name] for name in FINAL_FIELDS}
        final["result"] = task.get("result")
        with self.lock:
            first, entry.final = entry.final, entry.final or final
        if first is not None and first != final:
            self.violation("two terminal states", f"{entry.marker}: {first} then {final}")
