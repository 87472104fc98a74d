"""Short drills aimed at one promise each, run before the random part."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from http_client import volley  # noqa: E402
from server_case import LOST_CONNECTION, TASKS, eventually  # noqa: E402
from taskapi import StartFailed, TaskApi  # noqa: E402


class Broken(Exception):
    """A promise was not kept."""


class Lost(Exception):
    """An acknowledged task is not there."""


def insist(condition, text):
    if not condition:
        raise Broken(text)


def create(client, **fields):
    answer = client.post(TASKS, {"payload": "p", **fields})
    insist(answer.status == 201, f"create: {answer}")
    return answer.json()["id"]


def get(client, task_id, wait_ms=0):
    answer = client.get(f"{TASKS}/{task_id}?wait_ms={wait_ms}")
    if answer.status == 404:
        raise Lost(f"{task_id}: acknowledged, then {answer}")
    return answer.json()


def processing(client, task_id, epoch=1):
    def look():
        task = get(client, task_id)
        return task["status"] == "processing" and task["epoch"] >= epoch and task
    return eventually(look, f"{task_id} is processing")


def fence():
    """A run that was cancelled goes on; the task runs anew; the old run must not end it."""
    with TaskApi(WORKERS=2, DEMO_SECONDS="1", LEASE_MS=3600000) as server:
        client = server.client()
        task_id = create(client)
        processing(client, task_id)
        time.sleep(0.5)
        client.delete(f"{TASKS}/{task_id}")
        client.post(f"{TASKS}/{task_id}/retry")
        second = processing(client, task_id, epoch=2)
        began = time.monotonic()
        time.sleep(0.75)  # the first run ends meanwhile, the second has a quarter second to go
        now = get(client, task_id)
        insist(time.monotonic() - began > 0.95 or now["status"] == "processing",
               f"ended by a run that had lost it: {now}")
        ended = get(client, task_id, 5000)
        insist((ended["status"], ended["epoch"]) == ("done", second["epoch"]), f"{ended}")


def cancel_is_final():
    """What a cancelled run says later changes nothing."""
    with TaskApi(WORKERS=1, DEMO_SECONDS="1", LEASE_MS=3600000) as server:
        client = server.client()
        task_id = create(client)
        processing(client, task_id)
        cancelled = client.delete(f"{TASKS}/{task_id}").json()
        time.sleep(1.4)
        now = get(client, task_id)
        insist(now == cancelled, f"{cancelled} became {now}")


def twins():
    """Requests with one key at one moment make one task, also in one group commit."""
    with TaskApi(WORKERS=0) as server:
        for number in range(20):
            headers = {"Idempotency-Key": f"twin-{number}"}
            # The first one occupies the store, so that the twins meet in the next group.
            requests = [("POST", TASKS, '{"payload":0}', {})]
            requests += [("POST", TASKS, '{"payload":1}', headers)] * 16
            answers = volley(("127.0.0.1", server.port), requests)[1:]
            insist({answer.status for answer in answers} == {200, 201}, f"{answers}")
            tasks = len({answer.body for answer in answers})
            insist(tasks == 1, f"{tasks} tasks for one key")


def poison():
    """A task that kills its worker is given up after max_crashes."""
    with TaskApi(WORKERS=0) as server:
        task_id = create(server.client(), type="demo.crash", max_crashes=2, max_attempts=1)
        server.stop()
        server.settings["WORKERS"] = 1
        for _ in range(8):
            task = None
            try:
                server.start()
                task = get(server.client(), task_id, 1500)
            except (StartFailed, *LOST_CONNECTION):
                pass
            if task and task["status"] == "failed":
                insist(task["crashes"] == 3, f"{task}")
                return
            eventually(lambda: not server.is_running(), "the crash", timeout=5)
        raise Broken("the poison task kills its worker for ever")


def backoff():
    """An attempt that failed waits before the next."""
    with TaskApi(WORKERS=1, RETRY_MIN_MS=600, RETRY_MAX_MS=1200) as server:
        client = server.client()
        task_id = create(client, type="demo.fail", max_attempts=2)
        began = time.monotonic()
        insist(get(client, task_id, 10000)["status"] == "failed", "it does not fail")
        insist(time.monotonic() - began > 0.55, "tried again without waiting")


ALL = (twins, fence, cancel_is_final, backoff, poison)


def run_all(ledger, stop_at_first):
    for drill in ALL:
        began = time.monotonic()
        try:
            drill()
        except Lost as error:
            ledger.violation("lost", str(error))
        except (Broken, AssertionError, StartFailed, *LOST_CONNECTION) as error:
            ledger.violation(f"directed {drill.__name__}", str(error) or repr(error))
        print(f"  directed {drill.__name__}: {time.monotonic() - began:.1f} s", flush=True)
        if stop_at_first and ledger.found.is_set():
            return
