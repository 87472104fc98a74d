"""The handlers file at work: programs as handlers, defaults of types, and bad files."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster_case import run  # noqa: E402
from server_case import OwnServerCase, SharedServerCase, eventually  # noqa: E402
from taskapi import ROOT  # noqa: E402

FOLDER = tempfile.TemporaryDirectory(prefix="taskcore-handlers-")
EXAMPLE = ROOT / "docs/examples/handlers.ini"


def handlers(text, name="handlers.ini"):
    path = Path(FOLDER.name) / name
    path.write_text(text)
    return str(path)


def shell(name, *lines, **keys):
    """A section whose program is a shell script."""
    script = Path(FOLDER.name) / f"{name}.sh"
    script.write_text("\n".join(lines) + "\n")
    rows = [f"{key} = {value}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", "kind = exec", f"command = /bin/sh {script}", *rows, ""])


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


WORK = "\n".join([
    shell("tell", 'read -r payload', 'echo "$payload" >&2',
          'echo "{\\"type\\": \\"$TASK_TYPE\\", \\"id\\": \\"$TASK_ID\\", '
          '\\"attempt\\": $TASK_ATTEMPT, \\"epoch\\": $TASK_EPOCH, \\"queue\\": \\"$TASK_QUEUE\\",'
          ' \\"home\\": \\"$HOME\\", \\"mine\\": \\"$MINE\\", \\"payload\\": $payload}"',
          **{"env.MINE": "two words"}),
    shell("words", "cat >/dev/null", "echo not json"),
    shell("quiet", ":"),
    shell("later", "echo the line is busy >&2", "exit 75", max_attempts=2, retry_min="10ms",
          retry_max="10ms"),
    shell("never", "echo no such customer >&2", "exit 3"),
    shell("slow", 'echo "{\\"percent\\": 40}" >&3', "sleep 60 &",
          'echo $! $$ >"' + FOLDER.name + '/pids"', "wait", grace="300ms"),
    shell("own", ":", priority=6, timeout="7s", max_attempts=4),
    "[elsewhere]\nkind = pull\npriority = 9\n",
])


class ExecTest(SharedServerCase):
    settings = {"WORKERS": 2, "LEASE_MS": 3000, "HANDLERS": handlers(WORK, "work.ini")}

    def run_one(self, **fields):
        return self.end_of(self.create(**fields)["id"])

    def test_a_program_gets_the_task_and_gives_its_result(self):
        task = self.run_one(type="tell", payload={"order": 7}, queue="mail")
        self.assertEqual(task["status"], "done", task)
        self.assertEqual(task["result"], {
            "type": "tell", "id": task["id"], "attempt": 1, "epoch": 1, "queue": "mail",
            "home": "", "mine": "two words", "payload": {"order": 7}})

    def test_what_is_no_json_is_text_and_nothing_is_nothing(self):
        self.assertEqual(self.run_one(type="words")["result"], "not json")
        self.assertIsNone(self.run_one(type="quiet")["result"])

    def test_75_is_tried_again_and_the_last_words_are_the_error(self):
        task = self.run_one(type="later")
        self.assertEqual((task["status"], task["attempt"]), ("failed", 2))
        self.assertEqual(task["error"]["message"], "the line is busy")

    def test_another_status_is_final(self):
        task = self.run_one(type="never", max_attempts=5)
        self.assertEqual((task["status"], task["attempt"]), ("failed", 1))
        self.assertEqual(task["error"]["message"], "no such customer")
        self.assertEqual(task["error"]["reason"], "not_retryable")

    def start_slow(self, **fields):
        pids = Path(FOLDER.name) / "pids"
        pids.unlink(missing_ok=True)
        task = self.create(type="slow", **fields)
        eventually(lambda: pids.exists() and len(pids.read_text().split()) == 2, "it runs")
        return task, [int(pid) for pid in pids.read_text().split()]

    def assert_gone(self, pids):
        eventually(lambda: not any(map(is_alive, pids)), "program and child are gone", 5)

    def test_progress_shows_and_a_cancel_ends_program_and_children(self):
        task, pids = self.start_slow()
        eventually(lambda: self.task(task["id"])["progress"] == {"percent": 40}, "progress", 5)
        self.assertTrue(all(map(is_alive, pids)))
        self.http.delete(f"/api/v1/tasks/{task['id']}")
        self.assert_gone(pids)
        self.assertEqual(self.task(task["id"])["status"], "cancelled")

    def test_a_timeout_ends_program_and_children(self):
        task, pids = self.start_slow(timeout_ms=700, max_attempts=1)
        ended = self.end_of(task["id"])
        self.assertEqual((ended["status"], ended["error"]["reason"]), ("failed", "timeout"))
        self.assert_gone(pids)

    def test_a_type_has_defaults_of_its_own_that_a_creator_may_overrule(self):
        task = self.create(type="own")
        self.assertEqual((task["priority"], task["timeout_ms"], task["max_attempts"]),
                         (6, 7000, 4))
        self.assertEqual(self.create(type="own", priority=1)["priority"], 1)
        self.assertEqual(self.create(type="elsewhere")["priority"], 9)

    def test_what_others_pull_is_left_to_them(self):
        task = self.create(type="elsewhere")
        self.run_one(type="quiet")
        self.assertEqual(self.task(task["id"])["status"], "new")

    def test_the_handlers_to_try_the_service_with_are_still_there(self):
        self.assertEqual(self.run_one(type="demo.noop")["status"], "done")


class ExampleTest(OwnServerCase):
    def test_the_example_of_the_docs_does_what_they_say(self):
        self.serve(WORKERS=2, HANDLERS=str(EXAMPLE))
        counted = self.end_of(self.create(type="text.count", payload="four words are here")["id"])
        self.assertEqual(str(counted["result"]).strip(), "4")
        built = self.end_of(self.create(type="report.build", payload=17)["id"])
        self.assertEqual(built["result"], {"order": 17})
        self.assertEqual((built["priority"], built["max_attempts"]), (3, 5))

    def test_one_that_the_operator_names_goes_before_the_one_to_try_with(self):
        self.serve(WORKERS=1, HANDLERS=handlers(shell("demo.noop", "echo '\"mine\"'")))
        self.assertEqual(self.end_of(self.create(type="demo.noop")["id"])["result"], "mine")

    def test_a_stop_takes_running_programs_along_and_loses_nothing(self):
        marker = Path(FOLDER.name) / "stopping"
        self.serve(WORKERS=1, DRAIN_MS=200, HANDLERS=handlers(
            shell("long", f"echo $$ >{marker}", "exec sleep 60")))
        self.create(type="long")
        eventually(lambda: marker.exists() and marker.read_text().strip(), "it runs")
        self.assert_ends_well()
        eventually(lambda: not is_alive(int(marker.read_text())), "the program is gone", 5)


class PageTest(unittest.TestCase):
    def test_the_page_shows_the_example_that_is_run(self):
        page = (ROOT / "docs/handlers.md").read_text()
        shown = page.split("```ini\n")[1].split("```")[0]
        is_said = [line for line in EXAMPLE.read_text().splitlines() if line[:1] not in ("", "#")]
        self.assertEqual([line for line in shown.splitlines() if line], is_said)


class RefusalTest(unittest.TestCase):
    def test_a_bad_file_keeps_a_program_from_starting_and_is_named(self):
        path = handlers("[a]\nkind = magic\n")
        ended = run("taskapi", HANDLERS=path)
        self.assertEqual(ended.returncode, 2)
        self.assertIn(f"TASK_HANDLERS: {path}:2: kind = magic: must be exec or pull",
                      ended.stderr)

    def test_a_file_that_is_not_there_is_named(self):
        ended = run("taskapi", HANDLERS="/nowhere.ini")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("TASK_HANDLERS: /nowhere.ini: No such file", ended.stderr)

    def test_taskctl_lists_what_a_good_file_says(self):
        ended = run("taskctl", "handlers", "check", str(EXAMPLE))
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(ended.stdout, "image.resize pull\nreport.build exec /bin/sh\n"
                                       "text.count exec /usr/bin/wc\n3 types\n")

    def test_taskctl_tells_file_line_and_reason(self):
        path = handlers("[a]\nkind = exec\n")
        ended = run("taskctl", "handlers", "check", path)
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        self.assertEqual(ended.stderr, f"taskctl: {path}:1: command is missing\n")

    def test_taskctl_tells_of_a_program_that_is_not_there(self):
        path = handlers("[a]\nkind = exec\ncommand = /nowhere/prog\n")
        ended = run("taskctl", "handlers", "check", path)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("a exec /nowhere/prog: No such file or directory\n", ended.stdout)

    def test_taskctl_wants_one_file(self):
        self.assertEqual(run("taskctl", "handlers", "check").returncode, 2)
        self.assertEqual(run("taskctl", "handlers", "check", "a", "b").returncode, 2)


if __name__ == "__main__":
    tap.main()
