"""Start, watch, kill and restart a real `taskapi` process.

The program is taken from the folder in TASKCORE_BUILD (default: build/ of this tree).
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from http_client import Client

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(rb"listening on ([0-9.]+|\[[0-9a-f:]+\]):(\d+)")
SANITIZER = re.compile("ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class StartFailed(Exception):
    pass


def build_folder():
    return Path(os.environ.get("TASKCORE_BUILD", ROOT / "build")).resolve()


def program():
    return Path(os.environ.get("TASKCORE_TASKAPI", build_folder() / "taskapi"))


def clean_environment(settings):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TASK_")}
    kept.update({k: str(v) for k, v in settings.items()})
    return kept


def run_once(*arguments, settings=None, timeout=20, before=None):
    """Run to the end: for --help and starts that must fail. -> CompletedProcess (text)."""
    return subprocess.run([str(program()), *arguments], env=clean_environment(settings or {}),
                          capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, preexec_fn=before)


class TaskApi:
    """One service on its own folder. Settings as keywords without TASK_: WORKERS=2."""

    def __init__(self, folder=None, before=None, listen="127.0.0.1:0", **settings):
        self.own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="taskapi-"))
        self.database = self.folder / "tasks.db"
        self.before = before
        self.listen = listen
        self.settings = {"DATABASE_URL": f"sqlite:{self.database}", "DEMO_SECONDS": "0",
                         "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
        self.settings.update(settings)
        self.process = None
        self.port = None
        self.starts = 0
        self.clients = []

    # --- life

    def start(self, timeout=20):
        """Start and wait for the port. -> self"""
        self.launch()
        self._wait_for_port(self.started_at + timeout)
        return self

    def launch(self):
        """Start without waiting for anything."""
        self.starts += 1
        self.log_path = self.folder / f"taskapi-{self.starts}.log"
        environment = clean_environment(
            {"TASK_LISTEN": self.listen,
             **{f"TASK_{name}": value for name, value in self.settings.items()}})
        self.started_at = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [str(program())], env=environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, preexec_fn=self._in_child)

    def _in_child(self):
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if self.before:
            self.before()

    def _wait_for_port(self, deadline):
        while True:
            match = READY.search(self.log_path.read_bytes())
            if match:
                self.host, self.port = match[1].decode(), int(match[2])
                return
            if self.process.poll() is not None:
                raise StartFailed(f"ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailed(f"no port in time:\n{self.log_tail()}")
            time.sleep(0.001)

    def kill(self):
        """kill -9, and wait until it is gone."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        return self.process.wait() if self.process else None

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout=30):
        return self.process.wait(timeout)

    def stop(self, timeout=30):
        """SIGTERM, wait. -> exit status"""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def restart(self, **settings):
        self.settings.update(settings)
        return self.start()

    def close(self):
        """End whatever runs and remove the folder. A sanitizer's report is a failure."""
        for client in self.clients:
            client.close()
        self.clients = []
        self.kill()
        reports = self.sanitizer_reports()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
        if reports:
            raise AssertionError("\n".join(reports))

    def sanitizer_reports(self):
        found = []
        for path in self.folder.glob("taskapi-*.log"):
            text = path.read_text(errors="replace")
            match = SANITIZER.search(text)
            if match:
                found.append(text[match.start():match.start() + 4000])
        return found

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.close()

    # --- looks

    def client(self, timeout=30):
        """A new keep-alive connection; it finds the port again after a restart."""
        client = Client(lambda: ("127.0.0.1", self.port), timeout)
        self.clients.append(client)
        return client

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self, lines=25):
        if not hasattr(self, "log_path") or not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log().splitlines()[-lines:])

    def cpu_seconds(self):
        """CPU time of the process so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
