"""Base class of the raw socket tests against the glue alone (apps/http_probe.c)."""

import unittest

from raw_http import Probe

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
BODY_MAX = 10000


def head(*lines, start=b"POST /x HTTP/1.1", host=b"Host: x"):
    """A whole request head with CR LF; strings or bytes."""
    fields = [start] + ([host] if host else []) + [
        line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"\r\n".join(fields) + b"\r\n\r\n"


class ProbeCase(unittest.TestCase):
    options = {"request_ms": 3000, "body_limit": BODY_MAX, "connections": 64}

    @classmethod
    def setUpClass(cls):
        cls.server = Probe(**cls.options)

    @classmethod
    def tearDownClass(cls):
        status, said, _ = cls.server.stop()
        if status != 0:
            raise AssertionError(f"exit status {status}: {said}")

    def exchange(self, data, half_close=False):
        """Send and read to the end. -> responses, was it closed"""
        with self.server.connect() as raw:
            raw.send(data)
            if half_close:
                raw.sock.shutdown(1)
            return raw.responses(seconds=2.5), raw.is_closed

    def assert_refused(self, data, *statuses, code=None, routed=0):
        """One answer with one of the statuses, then closed; nothing was executed."""
        before = self.server.count()
        responses, closed = self.exchange(data)
        self.assertEqual(len(responses), 1, (data[:200], responses))
        self.assertIn(responses[0].status, statuses, (data[:200], responses))
        self.assertTrue(closed, (data[:200], responses))
        self.assertEqual(self.server.count(), before + routed, data[:200])
        self.assert_problem(responses[0], code)
        return responses[0]

    def assert_problem(self, response, code=None):
        self.assertEqual(response.headers["content-type"], "application/problem+json")
        self.assertEqual(response.headers["connection"], "close")
        problem = response.json()
        self.assertEqual(problem["status"], response.status)
        self.assertEqual(problem["code"], code or "malformed_request")
        self.assertEqual(problem["request_id"], response.headers["x-request-id"])

    def assert_taken(self, data, body=b"", status=200):
        """One answer, and the connection still works for a second request."""
        with self.server.connect() as raw:
            raw.send(data)
            first = raw.response()
            while first.status == 100:
                first = raw.response()
            self.assertEqual(first.status, status, (data[:200], first))
            if status == 200:
                self.assertEqual(first.json()["body_len"], len(body), data[:200])
                self.assertEqual(first.json()["body_sum"], checksum(body))
            raw.send(b"GET /second HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(raw.response().json()["path"], "/second")
            return first


def checksum(body):
    total = 5381
    for byte in body:
        total = (total * 33 + byte) & 0xFFFFFFFF
    return total
