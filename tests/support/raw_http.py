"""Bytes in, bytes out: raw sockets for tests of what a server does with bad framing."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTENING = re.compile(r"listening on ([0-9.]+):(\d+) after (\d+) ms, (\w+)")


def probe_program():
    build = Path(os.environ.get("TASKCORE_BUILD", ROOT / "build"))
    return os.environ.get("TASKCORE_HTTP_PROBE", str(build / "tests" / "http_probe"))


class Probe:
    """A running http_probe (tests/apps/http_probe.c)."""

    def __init__(self, **options):
        words = [probe_program()]
        for name, value in options.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        # Meson has malloc fill what it gives, which would count as memory in use.
        environment = {k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment, text=True)
        first = LISTENING.match(self.process.stdout.readline())
        if not first:
            raise AssertionError("the probe did not start: " + self.process.communicate()[1])
        self.address = (first.group(1), int(first.group(2)))
        self.start_ms = int(first.group(3))
        self.is_sanitized = first.group(4) == "sanitized"

    def connect(self, timeout=10):
        return Raw(self.address, timeout)

    def count(self):
        """Requests that reached the router so far."""
        with self.connect() as raw:
            raw.send(b"GET /count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return raw.responses()[0].json()["number"]

    def status_of(self, name):
        """A number of /proc/PID/status."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1))

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        """-> (exit status, what it said, seconds it took)"""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            said = "".join(self.process.communicate(timeout=20))
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = "".join(self.process.communicate())
        return self.process.returncode, said, time.monotonic() - began

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


class Raw:
    """One connection."""

    def __init__(self, address, timeout=10):
        self.sock = socket.create_connection(address, timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.is_closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        """All of it, unless the server closes first."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def drip(self, data, every, seconds):
        """One byte at a time until the server closes. -> seconds that it bore it"""
        began = time.monotonic()
        self.sock.settimeout(every)
        for byte in data:
            if time.monotonic() - began > seconds:
                break
            try:
                self.sock.sendall(bytes([byte]))
                self.got += self.sock.recv(65536) or self._closed()
            except socket.timeout:
                continue
            except OSError:
                self.is_closed = True
            if self.is_closed:
                break
        return time.monotonic() - began

    def _closed(self):
        self.is_closed = True
        return b""

    def read_until_closed(self, seconds):
        """All that comes; `is_closed` tells whether the server has ended it in that time."""
        deadline = time.monotonic() + seconds
        while not self.is_closed and time.monotonic() < deadline:
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                self.got += self.sock.recv(65536) or self._closed()
            except socket.timeout:
                break
            except ConnectionResetError:
                self.is_closed = True
        return self.got

    def responses(self, seconds=5, to_head=False):
        """Read until closed or quiet for `seconds`. -> all responses but 100 Continue"""
        self.read_until_closed(seconds)
        rest, found = self.got, []
        while rest:
            response, rest = parse_one(rest, to_head)
            if response.status != 100:
                found.append(response)
        return found

    def response(self, to_head=False):
        """Read exactly one response of a connection that stays open."""
        while True:
            try:
                response, self.got = parse_one(self.got, to_head)
                return response
            except IncompleteError as incomplete:
                self._receive(incomplete.missing)

    def _receive(self, least):
        """Read at least so many bytes more."""
        parts = []
        while least > 0:
            parts.append(self.sock.recv(1 << 20))
            if not parts[-1]:
                self.is_closed = True
                raise AssertionError(f"closed within a response: {self.got[:300]!r}")
            least -= len(parts[-1])
        self.got += b"".join(parts)


class IncompleteError(AssertionError):
    def __init__(self, said, missing):
        super().__init__(said)
        self.missing = missing


def parse_one(data, to_head=False):
    """-> (response, bytes after it). A response must be whole and well framed."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        raise IncompleteError(f"no whole head: {data[:300]!r}", 1)
    lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", lines[0])
    if not match:
        raise AssertionError(f"no status line: {lines[0]!r}")
    status, headers = int(match.group(1)), {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        if name.lower() in headers:
            raise AssertionError(f"{name} twice: {lines}")
        headers[name.lower()] = value
    length = 0 if to_head or status in (100, 204, 304) else int(headers["content-length"])
    if len(rest) < length:
        raise IncompleteError(f"body of {length} cut: {rest[:300]!r}", length - len(rest))
    return Response(status, headers, rest[:length]), rest[length:]
