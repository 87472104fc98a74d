"""Headless Chromium through chromedriver, standard library only (W3C WebDriver)."""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--window-size=1280,1600"]
STARTED = re.compile(rb"started successfully on port (\d+)")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def missing():
    """What is not installed; empty: all is there."""
    return [name for name in ("chromium", "chromedriver") if not shutil.which(name)]


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="chromium-")
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.session = None
        try:
            self.base = f"http://127.0.0.1:{self._port()}"
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                "goog:chromeOptions": {
                    "binary": shutil.which("chromium"),
                    "args": FLAGS + [f"--user-data-dir={self.profile}"]}}}})
            self.session = "/session/" + answer["sessionId"]
        except BaseException:
            self.close()
            raise

    def _port(self):
        for line in self.driver.stdout:
            found = STARTED.search(line)
            if found:
                return int(found.group(1))
        raise AssertionError("chromedriver did not start")

    def _call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()[:2000]}") from None

    def open(self, url):
        self._call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        """JavaScript in the page; -> what it returns"""
        return self._call("POST", self.session + "/execute/sync",
                          {"script": script, "args": list(arguments)})

    def wait(self, script, *arguments, seconds=20):
        """Until the script gives something true. -> that"""
        deadline = time.monotonic() + seconds
        while True:
            found = self.run(script, *arguments)
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} s: {script}")
            time.sleep(0.05)

    def find(self, css):
        return self._call("POST", self.session + "/element",
                          {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self._call("POST", f"{self.session}/element/{self.find(css)}/click", {})

    def type(self, css, text):
        """Replace what the field holds, by keys."""
        element = f"{self.session}/element/{self.find(css)}"
        self._call("POST", element + "/clear", {})
        self._call("POST", element + "/value", {"text": text})

    def screenshot(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("GET", self.session + "/screenshot")))

    def log(self, kind):
        return self._call("POST", self.session + "/se/log", {"type": kind})

    def requested_urls(self):
        """All that the page, and not the browser for its own tabs, asked for since the last
        call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        urls = [m["params"]["request"]["url"] for m in messages
                if m["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith("chrome://")]

    def close(self):
        if self.session:
            try:
                self._call("DELETE", self.session)
            except (AssertionError, OSError):
                pass
        self.driver.terminate()
        self.driver.communicate()
        shutil.rmtree(self.profile, ignore_errors=True)
