"""The load of a drill: tasks in unusual spellings, submitters that retry, watchers, cancels."""

import json
import random
import threading
import time

from server_case import LOST_CONNECTION, TASKS

BATCH = TASKS + "/batch"


# --- what is sent

def spell(rng, depth=0):
    """JSON text of a random value, in spellings that a re-printed payload would not keep."""
    simple = [
        lambda: rng.choice(["1e2", "1.0", "-0", "1E+2", "0.10", "100e-1", "-0.0", "1.50"]),
        lambda: str(rng.getrandbits(rng.choice([8, 53, 54, 64, 200]))),
        lambda: rng.choice(['"a\\/b"', '"\\u00e9"', '"é"', '"\\u0041"', '"\\ud83d\\ude00"',
                            '"😀"', '"\\t\\u0009"', '"\x7f"', '"<\\/script>"', '""']),
        lambda: rng.choice(["true", "false", "null", "[]", "{}", "[ ]", "{ }"]),
        lambda: json.dumps("x" * rng.choice([1, 10, 100, 1000])),
    ]
    if depth >= 4 or rng.random() < 0.6:
        return rng.choice(simple)()
    gap = rng.choice(["", " ", "\n", "\t", "  "])
    inner = [spell(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.5:
        return "[" + gap + ("," + gap).join(inner) + "]"
    return "{" + ",".join(f'{gap}"k{n}"{gap}:{gap}{text}' for n, text in enumerate(inner)) + "}"


def make_payload(rng):
    roll = rng.random()
    if roll < 0.03:
        depth = rng.randint(20, 32)
        return "[" * depth + "]" * depth
    if roll < 0.05:
        return json.dumps("y" * rng.randint(4000, 20000))
    text = spell(rng)
    return '"z"' if text == '""' else text  # an empty string is no payload


def make_spec(rng):
    """The fields beside the payload."""
    spec = {"type": rng.choices(["demo.noop", "demo.process", "demo.fail", "demo.parity"],
                                [50, 20, 15, 15])[0],
            "max_crashes": 100, "priority": rng.choice([0, 0, 0, 5, 10])}
    if spec["type"] == "demo.fail":
        spec["max_attempts"] = rng.randint(1, 3)
    if rng.random() < 0.1:
        spec["delay_ms"] = rng.randint(1, 800)
    if rng.random() < 0.2:
        spec["queue"] = f"q{rng.randint(1, 3)}"
    return spec


def body_of(marker, payload, spec):
    head = json.dumps({**spec, "tags": [marker]})
    return f'{head[:-1]}, "payload":{payload}}}'


# --- what should become of it

def expected_end(entry):
    """-> (status, what the result may be)"""
    kind = entry.spec["type"]
    value = json.loads(entry.payload)
    text = value if isinstance(value, str) else entry.payload.decode()
    if kind == "demo.noop":
        return "done", (None,)
    if kind == "demo.process":
        return "done", (f"processed: {text} (0sec)", f"processed: {text} (1sec)")
    if kind == "demo.parity":
        return ("done", ("success",)) if len(text) % 2 == 0 else ("failed", ("error",))
    return "failed", (None,)


# --- who sends it

class Actor(threading.Thread):
    """A client thread on one connection that outlives the service."""

    def __init__(self, drill, name):
        super().__init__(name=name, daemon=True)
        self.drill = drill
        self.ledger = drill.ledger
        self.rng = random.Random(f"{drill.seed}-{name}")
        self.client = drill.server.client(timeout=10)

    def run(self):
        try:
            self.work()
        except Exception as error:  # a bug of the drill must not look like a success
            self.ledger.violation("drill", f"{self.name}: {error!r}")

    def ask(self, method, path, body=None, headers=None):
        """-> response, or None when no answer came"""
        try:
            return self.client.request(method, path, body, headers)
        except LOST_CONNECTION:
            self.drill.gate.wait(0.01)
            return None


class Submitter(Actor):
    def work(self):
        number = 0
        while not self.drill.stop_submitting.is_set():
            number += 1
            if self.drill.pace:
                self.drill.gate.wait(self.drill.pace)
            roll = self.rng.random()
            if roll < 0.85:
                self.submit(number, 1)
            elif roll < 0.95:
                self.submit(number, self.rng.randint(2, 12))
            else:
                self.submit_refused(number)

    def make(self, number, count):
        entries = []
        for k in range(count):
            marker = f"{self.name}-{number}-{k}"
            entries.append(self.ledger.intend(marker, make_payload(self.rng).encode(),
                                              make_spec(self.rng)))
        return entries

    def submit(self, number, count):
        entries = self.make(number, count)
        texts = [body_of(e.marker, e.payload.decode(), e.spec) for e in entries]
        path, body = TASKS, texts[0]
        if count > 1:
            path, body = BATCH, '{"tasks":[' + ",".join(texts) + "]}"
        keyed = self.rng.random() < 0.9
        headers = {"Idempotency-Key": f"{self.drill.seed}-{self.name}-{number}"} if keyed else {}
        answer = self.settle(path, body.encode(), headers, keyed)
        if answer is None:
            return  # no key: it may exist, once
        items = answer.json()["items"] if count > 1 else [answer.json()]
        for entry, item in zip(entries, items, strict=True):
            self.ledger.acked(entry, item["id"])
        self.ledger.counts["acked"] += count
        if keyed and self.rng.random() < 0.1:
            self.replay(path, body.encode(), headers, answer)
        if self.rng.random() < 0.15:
            self.cancel(self.rng.choice(entries))

    def settle(self, path, body, headers, keyed):
        """Ask until there is a definite answer; without a key, ask once."""
        lost = False
        while True:
            answer = self.ask("POST", path, body, headers)
            if answer is not None and answer.status in (200, 201):
                if answer.status == 200 and not lost:
                    self.ledger.violation("phantom key", f"{headers}: replayed at first sight")
                return answer
            if answer is not None and answer.status != 503:
                self.ledger.violation("refused", f"{body[:200]}: {answer}")
                return None
            self.ledger.counts["lost answers"] += not lost
            lost = True
            if not keyed or self.drill.give_up.is_set():
                return None

    def replay(self, path, body, headers, first):
        answer = self.settle_replay(path, body, headers)
        if answer is None:
            return
        self.ledger.counts["replays"] += 1
        if (answer.status, answer.body) != (200, first.body):
            self.ledger.violation("replay differs", f"{headers}: {answer} after {first}")

    def settle_replay(self, path, body, headers):
        for _ in range(200):
            answer = self.ask("POST", path, body, headers)
            if answer is not None and answer.status != 503:
                return answer
        return None

    def submit_refused(self, number):
        entry = self.make(number, 1)[0]
        text = body_of(entry.marker, entry.payload.decode(), {**entry.spec, "priority": 11})
        self.ledger.refused(entry)
        answer = self.ask("POST", TASKS, text.encode())
        if answer is not None and answer.status not in (422, 503):
            self.ledger.violation("taken", f"a bad priority was answered with {answer}")

    def cancel(self, entry):
        entry.cancel_asked = True
        if self.rng.random() < 0.5:
            time.sleep(self.rng.random() * 0.01)
        answer = self.ask("DELETE", f"{TASKS}/{entry.task_id}")
        if answer is not None and answer.status == 200:
            self.ledger.counts["cancelled"] += 1
            self.ledger.saw(entry, answer.json())
            if answer.json()["status"] != "cancelled":
                self.ledger.violation("cancel", f"{entry.marker}: answered {answer}")
        elif answer is not None and answer.status not in (409, 503):
            self.ledger.violation("lost" if answer.status == 404 else "cancel",
                                  f"{entry.marker}: acknowledged, then {answer}")


class Watcher(Actor):
    """Reads tasks that were acknowledged, remembers the ends that it is shown."""

    def work(self):
        while not self.drill.stop_watching.is_set():
            entry = self.drill.pick(self.rng)
            if entry is None:
                time.sleep(0.01)
                continue
            known = entry.final  # before the question: what was shown later may be older
            wait = "?wait_ms=200" if self.rng.random() < 0.3 else ""
            answer = self.ask("GET", f"{TASKS}/{entry.task_id}{wait}")
            if answer is None or answer.status == 503:
                continue
            if answer.status != 200:
                self.ledger.violation("lost", f"{entry.marker}: acknowledged, then {answer}")
                continue
            self.ledger.counts["reads"] += 1
            if answer.member("payload") != entry.payload:
                self.ledger.violation("payload", f"{entry.marker}: sent {entry.payload[:80]}, "
                                                 f"read {answer.member('payload')[:80]}")
            self.ledger.saw(entry, answer.json(), known=known)
