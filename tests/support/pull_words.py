"""What pull workers say, as a mixin of the cases of server_case.py."""

from server_case import API, TASKS

LEASES = API + "/leases"


class PullWords:
    """What a pull worker says."""

    def lease(self, http=None, worker="w1", **wish):
        """-> the leased tasks"""
        response = (http or self.http).post(LEASES, {"worker": worker, **wish})
        self.assertEqual(response.status, 200, response)
        return response.json()["tasks"]

    def lease_one(self, **wish):
        tasks = self.lease(**wish)
        self.assertEqual(len(tasks), 1, tasks)
        return tasks[0]

    def say(self, task, verb, **body):
        return self.http.post(f"{TASKS}/{task['id']}/{verb}", {"epoch": task["epoch"], **body})

    def said(self, task, verb, **body):
        response = self.say(task, verb, **body)
        self.assertEqual(response.status, 200, response)
        return response.json()

    def assert_stale(self, response, reason):
        problem = self.assert_problem(response, 409, "stale_lease")
        self.assertEqual(problem["reason"], reason)

    def metric(self, line):
        """The value of a line of /metrics; 0 when it is not there."""
        for text in self.http.get("/metrics").body.decode().splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return 0.0
