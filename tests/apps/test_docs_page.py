"""/docs as a person sees it: in headless Chromium, with Swagger UI and without it."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
import webdriver  # noqa: E402
from server_case import TASKS, Words  # noqa: E402
from taskapi import ROOT, TaskApi, build_folder  # noqa: E402

ARTIFACTS = ROOT / "artifacts"
METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
# The block of the operation POST /api/v1/tasks.
BLOCK = """const path = [...document.querySelectorAll('.opblock-post .opblock-summary-path')]
    .find(e => e.textContent.replace(/\\u200b/g, '') === arguments[0]);
    const block = path && path.closest('.opblock');"""


def swagger_ui():
    """The folder with its files, fetched when the build has not done so; None: not to be had."""
    folder = build_folder() / "swagger-ui"
    fetched = subprocess.run(["sh", str(ROOT / "scripts" / "fetch-swagger-ui.sh"), str(folder)],
                             capture_output=True, text=True)
    return folder if fetched.returncode == 0 else None


def number_of_operations(document):
    return sum(method in METHODS for path in document["paths"].values() for method in path)


class BrowserCase(Words, unittest.TestCase):
    docs_dir = ""

    @classmethod
    def setUpClass(cls):
        if webdriver.missing() and not os.environ.get("TC_REQUIRE_BACKENDS"):
            raise unittest.SkipTest("not installed: " + ", ".join(webdriver.missing()))
        cls.server = TaskApi(DOCS_DIR=cls.docs_dir or "/nonexistent").start()
        cls.origin = f"http://127.0.0.1:{cls.server.port}"
        cls.browser = webdriver.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.server.stop()
        cls.server.close()

    def setUp(self):
        self.http = self.server.client()
        self.browser.log("browser")
        self.browser.requested_urls()

    def assert_quiet(self):
        """Nothing on the console, which is where violations of the policy appear too, and
        nothing asked of another host."""
        self.assertEqual(self.browser.log("browser"), [])
        urls = self.browser.requested_urls()
        self.assertTrue(urls)
        strangers = [u for u in urls if not u.startswith((self.origin + "/", "data:", "blob:"))]
        self.assertEqual(strangers, [])


class SwaggerUiTest(BrowserCase):
    @classmethod
    def setUpClass(cls):
        folder = swagger_ui()
        if folder is None:
            raise unittest.SkipTest("Swagger UI could not be fetched from a package registry")
        cls.docs_dir = str(folder)
        super().setUpClass()

    def open(self, path="/docs"):
        self.browser.open(self.origin + path)
        self.browser.wait("return document.querySelectorAll('.opblock').length")

    def test_the_page_shows_every_operation(self):
        self.open()
        document = self.http.get("/openapi.json").json()
        self.assertEqual(self.browser.run("return document.querySelectorAll('.opblock').length"),
                         number_of_operations(document))
        self.assertIn(document["info"]["title"],
                      self.browser.run("return document.querySelector('.title').textContent"))
        self.browser.screenshot(ARTIFACTS / "docs-page.png")
        self.assert_quiet()

    def test_swagger_is_the_same_page(self):
        self.open("/swagger")
        self.assert_quiet()

    def test_an_operation_is_tried_out(self):
        self.open()
        self.browser.wait(BLOCK + " block && block.querySelector('button').click(); return block",
                          TASKS)
        self.browser.wait(BLOCK + " block.id = 'tried'; return block.querySelector('textarea')",
                          TASKS)
        self.browser.type("#tried textarea", '{"payload":"from the page","type":"demo.noop"}')
        self.browser.click("#tried .execute")
        status = self.browser.wait("""const cell = document.querySelector(
            '#tried .live-responses-table tbody .response-col_status');
            return cell && cell.textContent.trim()""")
        self.assertEqual(status[:3], "201")
        body = self.browser.wait("""const body = document.querySelector(
            '#tried .live-responses-table tbody .response-col_description .microlight, ' +
            '#tried .live-responses-table tbody .response-col_description pre');
            return body && body.textContent""")
        self.assertIn("from the page", body)
        self.browser.run("document.querySelector('#tried').scrollIntoView()")
        self.browser.screenshot(ARTIFACTS / "docs-try-it-out.png")
        items = self.http.get(TASKS + "?limit=1").json()["items"]
        self.assertEqual(items[0]["payload"], "from the page")
        self.assert_quiet()


class WithoutSwaggerUiTest(BrowserCase):
    def test_the_page_lists_the_operations(self):
        self.browser.open(self.origin + "/docs")
        text = self.browser.run("return document.body.innerText")
        self.assertIn(TASKS, text)
        self.assertGreater(self.browser.run("return document.querySelectorAll('tr').length"), 10)
        self.browser.screenshot(ARTIFACTS / "docs-without-ui.png")
        self.assert_quiet()


if __name__ == "__main__":
    tap.main()
