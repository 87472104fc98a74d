"""The comparison at the end of a drill: every task runs to its end, then ledger against API."""

import json
import time

from http_client import raw_members
from ledger import TERMINAL
from server_case import API, TASKS
from workload import expected_end


def whole(drill):
    client = drill.server.client()
    if not drained(drill, client):
        return
    listed = list_all(client)
    compare(drill, client, listed)
    drill.end_service()
    snapshot = drill.snapshot()
    drill.compare_ends(snapshot)
    for kind, detail in snapshot.at_rest():
        drill.ledger.violation(kind, detail)


def drained(drill, client, timeout=60):
    """Nothing waits, runs or is scheduled any more."""
    deadline = time.monotonic() + timeout
    while True:
        rows = client.get(f"{API}/stats").json()["queues"]
        left = sum(row["waiting"] + row["processing"] + row["scheduled"] for row in rows)
        if left == 0:
            return True
        if time.monotonic() > deadline:
            drill.ledger.violation("stuck", f"{left} tasks do not end: {rows}")
            return False
        time.sleep(0.05)


def list_all(client):
    """-> [(task, exact payload bytes)] of everything stored"""
    found, cursor = [], ""
    while True:
        answer = client.get(f"{TASKS}?limit=200&order=asc" + cursor)
        assert answer.status == 200, answer
        for text in raw_items(answer.member("items")):
            task = json.loads(text)
            if "omitted" in task:
                whole_task = client.get(f"{TASKS}/{task['id']}")
                task, payload = whole_task.json(), whole_task.member("payload")
            else:
                payload = raw_members(text)["payload"]
            found.append((task, payload))
        following = answer.json()["next_cursor"]
        if following is None:
            return found
        cursor = f"&cursor={following}"


def raw_items(array):
    """The exact bytes of each object in a JSON array of objects."""
    wrapped = array.decode()
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    at = wrapped.index("[") + 1
    while True:
        while wrapped[at] in " \t\r\n,":
            at += 1
        if wrapped[at] == "]":
            return
        _, end = decoder.raw_decode(wrapped, at)
        yield wrapped[at:end].encode()
        at = end


def compare(drill, client, listed):
    ledger = drill.ledger
    by_marker = {}
    for task, payload in listed:
        by_marker.setdefault(task["tags"][0] if task["tags"] else None, []).append((task, payload))
    for marker, found in by_marker.items():
        entry = ledger.entries.get(marker)
        if entry is None or entry.state == "refused":
            ledger.violation("phantom", f"{marker}: {found[0][0]['id']} was never accepted")
            continue
        if len(found) > 1:
            ledger.violation("double-accepted", f"{marker}: {[t['id'] for t, _ in found]}")
        check_task(ledger, entry, *found[0])
    for marker, entry in ledger.entries.items():
        if entry.state == "acked" and marker not in by_marker:
            ledger.violation("lost", f"{marker}: {entry.task_id} was acknowledged")


def check_task(ledger, entry, task, payload):
    if entry.task_id not in (None, task["id"]):
        ledger.violation("lost", f"{entry.marker}: acknowledged as {entry.task_id}, "
                                 f"stored as {task['id']}")
        return
    if payload != entry.payload:
        ledger.violation("payload", f"{entry.marker}: sent {entry.payload[:80]}, "
                                    f"stored {payload[:80]}")
    for name in ("type", "priority", "max_crashes", "queue", "max_attempts"):
        if name in entry.spec and task[name] != entry.spec[name]:
            ledger.violation("field", f"{entry.marker}: {name} is {task[name]}")
    if task["status"] not in TERMINAL:
        ledger.violation("stuck", f"{entry.marker}: {task}")
        return
    if task.get("result") is not None or "omitted" not in task:
        ledger.saw(entry, task, known=entry.final)
    check_end(ledger, entry, task)


def check_end(ledger, entry, task):
    """The end is the one that the handler gives, with the attempts that it takes."""
    if task["status"] == "cancelled":
        if not entry.cancel_asked:
            ledger.violation("wrong end", f"{entry.marker}: cancelled by nobody")
        return
    status, results = expected_end(entry)
    if task["status"] != status or task["result"] not in results:
        ledger.violation("wrong end", f"{entry.marker} {entry.spec}: {task['status']} "
                                      f"{task['result']!r}, not {status} {results!r}")
    attempts = entry.spec.get("max_attempts", 3) if entry.spec["type"] == "demo.fail" else 1
    if task["attempt"] != attempts:
        ledger.violation("attempts", f"{entry.marker} {entry.spec}: {task['attempt']} attempts")
    if task["epoch"] < task["attempt"] + task["crashes"]:
        ledger.violation("epoch", f"{entry.marker}: epoch {task['epoch']}, attempt "
                                  f"{task['attempt']}, crashes {task['crashes']}")
