"""Slow, silent and too many clients (http-api §8), stopping and starting, against the glue
alone (http_probe.c)."""

import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from raw_http import Probe, probe_program  # noqa: E402

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\n"
REQUEST_S = 0.6  # request_ms of the probes here
SLACK_S = 1.2


def wait_request(ms):
    return b"GET /x?wait_ms=%d HTTP/1.1\r\nHost: x\r\n\r\n" % ms


class ProbeCase(unittest.TestCase):
    options = {}

    def setUp(self):
        options = {"request_ms": int(REQUEST_S * 1000), "body_limit": 1 << 20, **self.options}
        self.server = Probe(**options)
        self.addCleanup(self.server.kill)

    def connect(self, timeout=10):
        raw = self.server.connect(timeout)
        self.addCleanup(raw.sock.close)
        return raw

    def stop(self):
        status, said, seconds = self.server.stop()
        self.assertEqual(status, 0, said)
        return seconds

    def assert_cut(self, raw, began, *statuses):
        """Closed in time, with one of the statuses or (None) without a word."""
        found = [r.status for r in raw.responses(REQUEST_S + SLACK_S)]
        self.assertTrue(raw.is_closed, found)
        self.assertLess(time.monotonic() - began, REQUEST_S + SLACK_S)
        self.assertIn(found[0] if found else None, statuses)
        self.assertLessEqual(len(found), 1)


class SlowTest(ProbeCase):
    def test_a_silent_connection_is_closed(self):
        began, raw = time.monotonic(), self.connect()
        self.assert_cut(raw, began, None)
        self.assertGreater(time.monotonic() - began, REQUEST_S * 0.8)

    def test_an_unfinished_head_is_408(self):
        began, raw = time.monotonic(), self.connect()
        raw.send(b"GET /x HTTP/1.1\r\nHost: x\r\nX-A: ")
        self.assert_cut(raw, began, 408)

    def test_a_dripping_head_is_cut(self):
        raw = self.connect()
        bore = raw.drip(b"GET /x HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1000, 0.03, 10)
        self.assertLess(bore, REQUEST_S + SLACK_S)

    def test_an_idle_connection_is_closed(self):
        raw = self.connect()
        raw.send(GET)
        raw.response()
        self.assert_cut(raw, time.monotonic(), None)

    def test_an_unfinished_second_head_is_408(self):
        raw = self.connect()
        raw.send(GET)
        raw.response()
        began = time.monotonic()
        raw.send(b"GET /x HTTP/1.1\r\n")
        self.assert_cut(raw, began, 408)

    def test_an_unfinished_body_is_408(self):
        for head in (b"Content-Length: 10\r\n\r\nhel", b"Content-Length: 10\r\n\r\n",
                     b"Transfer-Encoding: chunked\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n5",
                     b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
                     b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                     b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n"):
            with self.subTest(head=head):
                before = self.server.count()
                began, raw = time.monotonic(), self.connect()
                raw.send(POST + head)
                self.assert_cut(raw, began, 408)
                self.assertEqual(self.server.count(), before)

    def test_a_dripping_body_is_cut(self):
        for head, drop in ((b"Content-Length: 1000\r\n\r\n", b"x" * 1000),
                           (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 200),
                           (b"Transfer-Encoding: chunked\r\n\r\nff\r\n", b"x" * 200),
                           (b"Transfer-Encoding: chunked\r\n\r\n5;", b"x" * 1000)):
            with self.subTest(head=head):
                before = self.server.count()
                raw = self.connect()
                raw.send(POST + head)
                self.assertLess(raw.drip(drop, 0.03, 10), REQUEST_S + SLACK_S)
                self.assertEqual(self.server.count(), before)

    def test_all_threads_dripping_give_way(self):
        """The outage that the library alone has."""
        dripping = [self.connect() for _ in range(40)]
        for raw in dripping:
            raw.send(POST + b"Content-Length: 1000\r\n\r\n")
        threads = [threading.Thread(target=raw.drip, args=(b"x" * 1000, 0.05, 10))
                   for raw in dripping]
        for thread in threads:
            thread.start()
        began, raw = time.monotonic(), self.connect()
        raw.send(GET)
        self.assertEqual(raw.response().status, 200)
        for thread in threads:
            thread.join()
        self.assertLess(time.monotonic() - began, REQUEST_S + SLACK_S + 1)

    def test_a_slow_body_faster_than_one_kib_a_second_is_taken(self):
        raw = self.connect()
        raw.send(POST + b"Content-Length: 40000\r\n\r\n")
        for _ in range(20):
            raw.send(b"s" * 2000)
            time.sleep(0.12)  # 2.4 s in all: four times the time for a short body
        self.assertEqual(raw.response().json()["body_len"], 40000)

    def test_a_client_that_does_not_read_is_cut(self):
        raw = self.connect()
        raw.send(b"GET /x?bytes=30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(REQUEST_S + SLACK_S)
        self.assertLess(self.stop(), 0.5)  # its thread is free: nobody has to be waited for

    def test_a_client_that_reads_next_to_nothing_is_cut(self):
        raw = self.connect()
        raw.send(b"GET /x?bytes=30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        began = time.monotonic()
        while time.monotonic() - began < REQUEST_S + SLACK_S:
            raw.sock.recv(10)
            time.sleep(0.02)
        self.assertLess(self.stop(), 0.5)


class ManyTest(ProbeCase):
    options = {"connections": 512}

    def test_300_connections_at_once_are_served(self):
        raws = [self.connect() for _ in range(300)]
        for round_number in range(3):
            for raw in raws:
                raw.send(GET)
            self.assertEqual({raw.response().status for raw in raws}, {200}, round_number)

    def test_as_many_connections_as_allowed_are_served(self):
        raws = [self.connect() for _ in range(512)]
        for raw in raws:
            raw.send(wait_request(100))
        self.assertEqual({raw.response().status for raw in raws}, {200})

    def test_start_and_memory_stay_small(self):
        if self.server.is_sanitized:
            self.skipTest("a sanitizer takes its own time and memory")
        self.assertLess(self.server.start_ms, 100)
        self.assertLess(self.server.status_of("VmRSS"), 14000)  # KiB; the store needs some too

    def test_an_idle_server_costs_nothing(self):
        time.sleep(0.7)
        before = self.server.cpu_seconds()
        time.sleep(2)
        self.assertLessEqual(self.server.cpu_seconds() - before, 0.01)


class IdleCostTest(ProbeCase):
    options = {"connections": 512, "request_ms": 10000}

    def test_idle_connections_cost_next_to_nothing(self):
        raws = [self.connect() for _ in range(200)]
        for raw in raws:
            raw.send(GET)
            raw.response()
        before = self.server.cpu_seconds()
        time.sleep(2)
        self.assertLessEqual(self.server.cpu_seconds() - before, 0.02)


class BeyondBoundTest(ProbeCase):
    options = {"connections": 16, "request_ms": 10000}

    def busy(self, count, ms=3000):
        """Connections inside a request, which are not cut to make room."""
        raws = [self.connect() for _ in range(count)]
        for raw in raws:
            raw.send(b"GET /x?wait_ms=%d HTTP/1.1\r\nHost: x\r\n\r\n" % ms)
        time.sleep(0.2)
        return raws

    def test_what_comes_beyond_the_bound_is_503_or_closed_at_once(self):
        half = self.busy(8)
        rest = [self.connect() for _ in range(8)]
        for raw in rest:  # they do not read yet, so that their threads stay busy
            raw.send(b"GET /x?bytes=20000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
        for _ in range(40):
            began, raw = time.monotonic(), self.connect()
            raw.send(GET)
            found = raw.responses(2)
            self.assertLess(time.monotonic() - began, 1)
            self.assertTrue(raw.is_closed)
            for response in found:
                self.assertEqual(response.status, 503)
                self.assertGreater(int(response.headers["retry-after"]), 0)
                self.assertEqual(response.json()["code"], "unavailable")
        self.assertEqual({raw.response().status for raw in half + rest}, {200})

    def test_slow_bodies_make_room(self):
        slow = [self.connect() for _ in range(16)]
        for raw in slow:
            raw.send(POST + b"Content-Length: 50\r\n\r\nab")
        time.sleep(1.3)
        for _ in range(8):
            raw = self.connect()
            raw.send(GET)
            self.assertEqual(raw.response().status, 200)

    def test_bodies_that_come_fast_enough_do_not(self):
        fast = [self.connect() for _ in range(16)]
        for raw in fast:
            raw.send(POST + b"Content-Length: 40000\r\n\r\n" + b"f" * 30000)
        time.sleep(1.3)
        for _ in range(8):
            raw = self.connect()
            raw.send(GET)
            found = raw.responses(1)
            self.assertIn([r.status for r in found], ([], [503]))
        for raw in fast:
            raw.send(b"f" * 10000)
            self.assertEqual(raw.response().status, 200)

    def test_idle_connections_make_room(self):
        idle = [self.connect() for _ in range(16)]
        for raw in idle:
            raw.send(GET)
            raw.response()
        time.sleep(1.5)
        for _ in range(8):
            raw = self.connect()
            raw.send(GET)
            self.assertEqual(raw.response().status, 200)

    def test_busy_connections_are_not_cut_to_make_room(self):
        raws = [self.connect() for _ in range(14)]
        for _ in range(30):
            for raw in raws:
                raw.send(GET)
                self.assertEqual(raw.response().status, 200)
            time.sleep(0.05)

    def test_a_silent_flood_does_not_lock_honest_clients_out(self):
        keeper = self.connect()
        keeper.send(GET)
        keeper.response()
        for _ in range(300):
            self.connect()
        deadline, served = time.monotonic() + 4, 0
        while time.monotonic() < deadline and served < 5:
            with self.server.connect(timeout=4) as raw:
                raw.send(GET)
                found = raw.responses(0.3)
                served += bool(found) and found[0].status == 200
        self.assertEqual(served, 5)

    def test_connections_that_left_are_not_counted(self):
        for _ in range(200):
            with self.server.connect() as raw:
                raw.send(GET)
                self.assertEqual(raw.response().status, 200)

    def test_half_of_the_connections_may_wait(self):
        waiting = self.busy(8, 700)
        ninth = self.connect()
        began = time.monotonic()
        ninth.send(wait_request(700))
        self.assertFalse(ninth.response().json()["may_wait"])
        self.assertLess(time.monotonic() - began, 0.4)
        self.assertEqual([raw.response().json()["may_wait"] for raw in waiting], [True] * 8)
        ninth.send(wait_request(1))
        self.assertTrue(ninth.response().json()["may_wait"])


class StopTest(ProbeCase):
    options = {"request_ms": 10000}

    def test_a_server_without_clients_stops_at_once(self):
        self.assertLess(self.stop(), 0.5)

    def test_idle_and_half_sent_requests_do_not_hold_it_up(self):
        raws = [self.connect() for _ in range(20)]
        for raw in raws[:10]:
            raw.send(GET)
            raw.response()
        for raw in raws[15:]:
            raw.send(b"GET /x HT")
        self.assertLess(self.stop(), 0.5)

    def test_a_running_request_is_answered(self):
        raw = self.connect()
        raw.send(wait_request(400))
        time.sleep(0.1)
        self.assertLess(self.stop(), 1)
        response = raw.response()
        self.assertEqual((response.status, response.headers["connection"]), (200, "close"))

    def test_a_client_that_does_not_read_is_cut(self):
        raw = self.connect()
        raw.send(b"GET /x?bytes=30000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.5)
        self.assertLess(self.stop(), 1.7)

    def test_a_body_under_way_is_cut(self):
        raw = self.connect()
        raw.send(POST + b"Content-Length: 10\r\n\r\nhel")
        time.sleep(0.1)
        self.assertLess(self.stop(), 1.7)

    def test_clients_that_keep_coming_do_not_hold_it_up(self):
        stopping = threading.Event()

        def hammer():
            while not stopping.is_set():
                try:
                    with self.server.connect(timeout=1) as raw:
                        raw.send(GET)
                        raw.responses(0.5)
                except OSError:
                    time.sleep(0.01)

        threads = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        seconds = self.stop()
        stopping.set()
        for thread in threads:
            thread.join()
        self.assertLess(seconds, 1.7)


class ListenTest(unittest.TestCase):
    def fails(self, listen):
        ended = subprocess.run([probe_program(), listen], capture_output=True, text=True,
                               timeout=10)
        self.assertEqual(ended.returncode, 2, ended)
        return ended.stderr

    def test_a_port_in_use_is_named(self):
        server = Probe()
        self.addCleanup(server.kill)
        said = self.fails("127.0.0.1:%d" % server.address[1])
        self.assertIn(str(server.address[1]), said)
        self.assertIn("in use", said)

    def test_an_address_of_another_machine_is_refused(self):
        self.assertIn("192.0.2.1", self.fails("192.0.2.1:0"))

    def test_a_tls_port_is_refused_and_names_the_fronts(self):
        for listen in ("127.0.0.1:8443s", "127.0.0.1:80r"):
            self.assertIn("deploy/", self.fails(listen))

    def test_ipv6_and_nonsense_are_refused(self):
        for listen in ("[::1]:8000", "::1:8000", "127.0.0.1:99999", "127.0.0.1:", ":8000",
                       "127.0.0.1:x", "example:80", "127.0.0.1:80,127.0.0.1:81", "1.2.3:80"):
            self.assertIn("invalid", self.fails(listen), listen)


if __name__ == "__main__":
    tap.main()
