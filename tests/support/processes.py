"""A process of a test: start, kill -9, freeze, stop, its log. Used by cluster.py."""

import concurrent.futures
import ctypes
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from taskapi import SANITIZER, StartFailed  # noqa: E402

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
# What a thread started dies with that thread (PR_SET_PDEATHSIG): one that lives as long as the
# test starts everything.
STARTER = concurrent.futures.ThreadPoolExecutor(max_workers=1)


def free_port():
    """A port below the range of outgoing connections, so that a server that comes back finds
    it free. -> number"""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def run_to_end(command, environment, timeout=60, text=None):
    return subprocess.run(command, env=environment, timeout=timeout, capture_output=True,
                          text=True, input=text, check=False,
                          **({} if text is not None else {"stdin": subprocess.DEVNULL}))


def wait_for(process, is_ready, timeout):
    """Until `is_ready()`; StartFailed with the log when the process ends or time is up."""
    deadline = time.monotonic() + timeout
    while not is_ready():
        if not process.is_running():
            raise StartFailed(f"{process.name} ended with {process.process.returncode}:\n"
                              f"{process.log_tail()}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{process.name} not ready in {timeout} s:\n{process.log_tail()}")
        time.sleep(0.01)


class Process:
    """A child that can be started again. Subclasses say command() and environment()."""

    stop_signal = signal.SIGTERM

    def __init__(self, name, folder, before=None):
        self.name = name
        self.folder = Path(folder)
        self.before = before
        self.process = None
        self.starts = 0
        self.log_path = self.folder / f"{name}-0.log"

    # --- life

    def launch(self):
        """Start without waiting for anything."""
        if self.is_running():
            raise StartFailed(f"{self.name} runs already")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.starts += 1
        self.log_path = self.folder / f"{self.name}-{self.starts}.log"
        self.started_at = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = STARTER.submit(
                subprocess.Popen, self.command(), env=self.environment(), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd=self.folder, preexec_fn=self._in_child).result()

    def _in_child(self):
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.setpgid(0, 0)  # a terminal's Ctrl-C is for the test alone
        if self.before:
            self.before()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and wait until it is gone. -> exit status"""
        if self.is_running():
            self.signal(signal.SIGKILL)
        return self.process.wait() if self.process else None

    def freeze(self):
        """SIGSTOP, and wait until all its threads stand."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def terminate(self):
        if self.is_running():
            self.signal(self.stop_signal)

    def wait(self, timeout=30):
        """-> exit status"""
        return self.process.wait(timeout) if self.process else None

    def stop(self, timeout=30):
        """Ask it to end, and wait. -> exit status"""
        self.terminate()
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def close(self):
        """End it whatever it does, stopped or not."""
        self.kill()

    # --- looks

    def log(self):
        """Of the last start."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def all_logs(self):
        return "".join(self.folder.joinpath(f"{self.name}-{n}.log").read_text(errors="replace")
                       for n in range(1, self.starts + 1))

    def log_tail(self, lines=25):
        return "\n".join(self.log().splitlines()[-lines:]) or "(no log)"

    def sanitizer_reports(self):
        text = self.all_logs()
        return [text[match.start():match.start() + 4000] for match in SANITIZER.finditer(text)][:3]

    def cpu_seconds(self):
        """CPU time of the process so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
