#!/usr/bin/env python3
"""A pull worker on Python's standard library: takes tasks of type "double", one at a time, and
says how each of them ended. Usage: worker.py [http://HOST:PORT]"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request

API = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000") + "/api/v1"
WORKER = f"python-{os.getpid()}"
LEASE_MS = 30000


def work(payload, stopped):
    """Your work: what it returns is the result, what it raises the error. If it takes long,
    let it look at `stopped.is_set()`: then nobody wants the result any more."""
    return 2 * payload


def post(path, **body):
    request = urllib.request.Request(f"{API}/{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def insist(path, **body):
    """Until it is answered: the same report again changes nothing. -> False: refused"""
    while True:
        try:
            post(path, **body)
            return True
        except urllib.error.HTTPError as refusal:
            if refusal.code < 500:
                print(f"{path}: {refusal.read().decode()}", file=sys.stderr)
                return False
        except OSError as error:
            print(f"{path}: {error}", file=sys.stderr)
        time.sleep(1)


def keep_alive(task, stopped):
    """Renew the lease until the work has ended, or the lease is lost: taken over, cancelled."""
    while not stopped.wait(LEASE_MS / 3000):
        if not insist(f"tasks/{task['id']}/heartbeat", epoch=task["epoch"]):
            stopped.set()


def run(task):
    stopped = threading.Event()
    threading.Thread(target=keep_alive, args=(task, stopped), daemon=True).start()
    try:
        end, how = "complete", {"result": work(task["payload"], stopped)}
    except Exception as error:  # whatever it is, it is how this run ended
        end, how = "fail", {"error": str(error)[:4096] or type(error).__name__}
    stopped.set()
    insist(f"tasks/{task['id']}/{end}", epoch=task["epoch"], **how)


def main():
    while True:
        try:
            tasks = post("leases", worker=WORKER, types=["double"], lease_ms=LEASE_MS,
                         wait_ms=20000)["tasks"]
        except OSError as error:  # refused, or nobody there
            print(f"leases: {error}", file=sys.stderr)
            tasks = []
        for task in tasks:
            run(task)
        if not tasks:
            time.sleep(1)


main()
