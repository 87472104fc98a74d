"""What the benchmarks share: runs that take turns, spreads, the table, wrk, a bare client."""

import argparse
import hashlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from server_case import TASKS  # noqa: E402
from taskapi import ROOT, TaskApi, build_folder  # noqa: E402

HERE = Path(__file__).resolve().parent
QUIET = {"LOG_LEVEL": "info", "LOG_FORMAT": "json"}


# --- small tools

def bench_program(name):
    return build_folder() / "tests" / name


def build_programs(*targets):
    subprocess.run(["ninja", "-C", str(build_folder()), *targets], check=True,
                   stdout=subprocess.DEVNULL)


def say(text):
    print(text, file=sys.stderr, flush=True)


def spread(values, digits=3):
    """Median and bounds, as one cell of the table."""
    return {"median": round(statistics.median(values), digits),
            "min": round(min(values), digits), "max": round(max(values), digits)}


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def machine_speed():
    """MiB/s of SHA-256: shows when the machine itself was slow in a round."""
    block = b"\0" * (32 << 20)
    began = time.perf_counter()
    hashlib.sha256(block).digest()
    return 32 / (time.perf_counter() - began)


def commit_of(root):
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"],
                          capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def build_options():
    done = subprocess.run(["meson", "introspect", "--buildoptions", str(build_folder())],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return {}
    wanted = ("buildtype", "optimization", "debug", "b_sanitize", "b_lto")
    return {o["name"]: o["value"] for o in json.loads(done.stdout) if o["name"] in wanted}


class NullServer(TaskApi):
    """bench_http_null in the place of taskapi."""

    def launch(self):
        os.environ["TASKCORE_TASKAPI"] = str(bench_program("bench_http_null"))
        try:
            super().launch()
        finally:
            del os.environ["TASKCORE_TASKAPI"]


# --- load over HTTP

def wrk(server, seconds, connections):
    done = subprocess.run(
        ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s",
         str(HERE / "create.lua"), f"http://127.0.0.1:{server.port}", "--", "demo.noop"],
        capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


def load(server, options):
    """One measured run after a warm-up. -> wrk's figures with rate and CPU of the server"""
    wrk(server, 1, options.connections)
    cpu = server.cpu_seconds()
    result = wrk(server, options.seconds, options.connections)
    result["cpu_us"] = (server.cpu_seconds() - cpu) / result["requests"] * 1e6
    result["rate"] = result["requests"] / result["seconds"]
    result["rss_mib"] = server.rss_bytes() / 2**20
    if result["errors"]:
        sys.exit(f"bench: {result['errors']} requests were not answered 201")
    return result


def create_null(options):
    with NullServer() as server:
        return load(server, options)


def fill(server, count, kind="demo.noop"):
    client = server.client()
    for begin in range(0, count, 1000):
        tasks = [{"payload": {"order": begin + n, "customer": "c-7890", "items": [1, 2, 3]},
                  "type": kind} for n in range(min(1000, count - begin))]
        answer = client.post(f"{TASKS}/batch", {"tasks": tasks})
        assert answer.status == 201, answer


# --- one task at a time

class RawClient:
    """A socket and ready-made requests: the client's own time stays small."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request):
        self.socket.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += self.receive()
        return head, body

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        return data


def one_latency(client):
    body = b'{"payload":{"order":1,"items":[1,2,3]},"type":"demo.noop"}'
    request = (b"POST /api/v1/tasks HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json"
               b"\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
    began = time.perf_counter()
    _, answer = client.ask(request)
    created = time.perf_counter() - began
    task_id = answer[answer.index(b'"id":"') + 6:][:36]
    _, answer = client.ask(b"GET /api/v1/tasks/%s?wait_ms=10000 HTTP/1.1\r\nHost: bench\r\n\r\n"
                           % task_id)
    done = time.perf_counter() - began
    task = json.loads(answer)
    assert task["status"] == "done", task
    times = [parse_ms(task[name]) for name in ("created_at", "started_at", "finished_at")]
    return created * 1000, done * 1000, times[1] - times[0], times[2] - times[0]


def parse_ms(text):
    hours, minutes, seconds = text[11:23].split(":")
    return (int(hours) * 60 + int(minutes)) * 60000 + round(float(seconds) * 1000)


# --- the report

def table(results):
    lines = ["| measure | median | min – max | target |", "|---|---|---|---|"]
    for result in results.values():
        for row in result["rows"]:
            digits = 3 if row["unit"] == "ratio" else 0 if row["unit"] in ("1/s", "KiB") else 2
            unit = "" if row["unit"] in ("ratio", "1/s") else " " + row["unit"]
            lines.append(f"| {row['measure']} | {row['median']:,.{digits}f}{unit} | "
                         f"{row['min']:,.{digits}f} – {row['max']:,.{digits}f} | "
                         f"{row['target']} |")
    return "\n".join(lines)


def parser_of(description, benches):
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("benches", nargs="*", help=", ".join(benches))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of each measured wrk run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--tasks", type=int, default=100000, help="of each burn-down")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--latency-tasks", type=int, default=300)
    parser.add_argument("--json")
    return parser


def main(benches, parser, *targets):
    """Build, run what was asked for in turn, print the table and keep the rounds."""
    options = parser.parse_args()
    unknown = set(options.benches) - set(benches)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    build_programs("taskapi", "tests/bench_http_null", *targets)
    results = {}
    load_before = os.getloadavg()[0]
    for name in options.benches or benches:
        rounds, rows = benches[name](options)
        results[name] = {"rounds": rounds, "rows": [
            {"measure": measure, "unit": unit, "target": target,
             **spread([r[key] for r in rounds])} for measure, key, unit, target in rows]}
    print(table(results))
    if options.json:
        Path(options.json).parent.mkdir(parents=True, exist_ok=True)
        Path(options.json).write_text(json.dumps({
            "commit": commit_of(ROOT), "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "cpus": os.cpu_count(), "load_before": load_before, "build": build_options(),
            "options": {k: v for k, v in vars(options).items() if k not in ("json", "benches")},
            "results": results}, indent=1) + "\n")
