"""Pull workers on PostgreSQL, where several processes of the API share the tasks."""

import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from cluster_case import ClusterCase  # noqa: E402
from pull_words import PullWords  # noqa: E402
from server_case import TASKS, together  # noqa: E402


class PullClusterTest(PullWords, ClusterCase):
    def setUp(self):
        self.make(workers=0, kafka=False, apis=2)
        for api in self.cluster.apis:
            api.start()
        self.http, self.other = (api.client() for api in self.cluster.apis)

    def test_a_task_of_one_process_is_leased_and_reported_at_the_other(self):
        made = self.create({"a": 1}, type="pulled")
        [task] = self.lease(self.other, types=["pulled"], lease_ms=60000)
        self.assertEqual((task["id"], task["epoch"]), (made["id"], 1))
        self.said(task, "heartbeat", progress={"percent": 40})
        first = self.said(task, "complete", result=[1.5])
        again = self.other.post(f"{TASKS}/{task['id']}/complete", {"epoch": 1, "result": [1.5]})
        self.assertEqual((again.status, again.json()), (200, first))
        self.assert_stale(self.say(task, "complete", result=2), "finished")

    def test_failures_releases_and_cancels_are_those_of_one_service(self):
        self.create(type="pulled", max_attempts=2)
        task = self.lease_one()
        self.assertEqual(self.said(task, "fail", error="e", retry_after_ms=0)["status"], "new")
        [task] = self.lease(self.other)
        self.assertEqual((task["attempt"], task["error"]["message"]), (2, "e"))
        self.assertEqual(self.said(task, "release")["attempt"], 1)
        [task] = self.lease(self.other)
        self.other.delete(f"{TASKS}/{task['id']}")
        self.assert_stale(self.say(task, "heartbeat"), "cancelled")
        self.assert_stale(self.say(task, "complete"), "cancelled")

    def test_a_silent_worker_is_refused_after_another_took_over(self):
        self.create(type="pulled")
        first = self.lease_one(lease_ms=1000)
        [second] = self.lease(self.other, "w2", wait_ms=15000)
        self.assertEqual((second["id"], second["crashes"]), (first["id"], 1))
        self.assert_stale(self.say(first, "complete", result="late"), "superseded")
        self.assertEqual(self.said(second, "complete", result="mine")["result"], "mine")

    def test_who_waits_at_one_process_gets_what_the_other_creates(self):
        answers = []
        thread = threading.Thread(target=lambda: answers.extend(
            self.lease(self.other, wait_ms=20000)))
        thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        made = self.create(type="pulled")
        thread.join()
        self.assertEqual([task["id"] for task in answers], [made["id"]])
        self.assertLess(time.monotonic() - began, 3)

    def test_no_task_is_leased_twice(self):
        self.http.post(TASKS + "/batch", {"tasks": [{"payload": n} for n in range(120)]})
        clients = [api.client() for api in self.cluster.apis * 3]

        def take_all(number):
            taken = []
            while True:
                tasks = self.lease(clients[number], f"w{number}", max=7)
                if not tasks:
                    return taken
                taken += [task["id"] for task in tasks]

        taken = [one for some in together(6, take_all) for one in some]
        self.assertEqual((len(taken), len(set(taken))), (120, 120))


if __name__ == "__main__":
    tap.main()
