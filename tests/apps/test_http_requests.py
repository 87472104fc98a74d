"""What good requests get from the glue: methods, keep-alive, pipelining, request ids."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from probe_case import BODY_MAX, SECOND, ProbeCase, checksum, head  # noqa: E402


class MethodTest(ProbeCase):
    def test_head_is_get_without_a_body(self):
        with self.server.connect() as raw:
            raw.send(head(start=b"HEAD /x HTTP/1.1"))
            response = raw.response(to_head=True)
            self.assertGreater(int(response.headers["content-length"]), 20)
            raw.send(head(start=b"GET /y HTTP/1.1"))
            self.assertEqual(raw.response().json()["path"], "/y")

    def test_a_refused_head_has_no_body(self):
        with self.server.connect() as raw:
            raw.send(head("Host: y", start=b"HEAD /x HTTP/1.1"))
            responses = raw.responses(seconds=2, to_head=True)
            self.assertEqual([(r.status, r.body) for r in responses], [(400, b"")])

    def test_any_method_reaches_the_router(self):
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "MKCOL"):
            response = self.assert_taken(head(start=method.encode() + b" /x HTTP/1.1"))
            self.assertEqual(response.json()["method"], method)

    def test_a_method_unknown_to_the_library_reaches_the_router_and_closes(self):
        for method in ("TRACE", "FOO", "get", "A.B-C"):
            responses, closed = self.exchange(
                head("Content-Length: 5", start=method.encode() + b" /x HTTP/1.1") + SECOND)
            self.assertEqual([r.json()["method"] for r in responses], [method])
            self.assertTrue(closed)

    def test_a_body_of_a_get_is_read(self):
        self.assert_taken(head("Content-Length: 5", start=b"GET /x HTTP/1.1") + b"hello", b"hello")

    def test_no_memory_for_a_response_is_a_503(self):
        response = self.assert_taken(head(start=b"GET /fail HTTP/1.1"), status=503)
        self.assertIn("retry-after", response.headers)
        self.assertIn("x-request-id", response.headers)


class KeepAliveTest(ProbeCase):
    def test_pipelined_requests_are_answered_in_order(self):
        data = b""
        for i in range(20):
            data += head(f"Content-Length: {i}", start=b"POST /%d HTTP/1.1" % i) + b"z" * i
            data += head("Transfer-Encoding: chunked", start=b"POST /c%d HTTP/1.1" % i) + \
                b"3\r\nabc\r\n0\r\n\r\n"
        with self.server.connect() as raw:
            raw.send(data)
            for i in range(20):
                first, second = raw.response().json(), raw.response().json()
                self.assertEqual((first["path"], first["body_len"]), (f"/{i}", i))
                self.assertEqual((second["path"], second["body_len"]), (f"/c{i}", 3))

    def test_a_body_of_any_length_leaves_the_next_request_whole(self):
        with self.server.connect() as raw:
            for length in (0, 1, 4095, 4096, 4097, 8191, 8192, 8193, BODY_MAX):
                body = b"k" * length
                raw.send(head(f"Content-Length: {length}") + body)
                self.assertEqual(raw.response().json()["body_sum"], checksum(body))

    def test_a_request_may_come_in_pieces(self):
        with self.server.connect() as raw:
            for byte in head("Content-Length: 5") + b"hello":
                raw.send(bytes([byte]))
                time.sleep(0.002)
            self.assertEqual(raw.response().json()["body_len"], 5)

    def test_close_is_obeyed(self):
        for value in ("close", "Close", "keep-alive, close", "close, x"):
            responses, closed = self.exchange(
                head("Connection: " + value, start=b"GET /x HTTP/1.1") + SECOND)
            self.assertEqual([r.headers["connection"] for r in responses], ["close"])
            self.assertTrue(closed)

    def test_a_long_response_arrives_whole(self):
        with self.server.connect() as raw:
            for length in (1, 7000, 8000, 9000, 100000, 3000000):
                raw.send(head(start=b"GET /x?bytes=%d HTTP/1.1" % length))
                self.assertEqual(raw.response().body, b"x" * length)


class RequestIdTest(ProbeCase):
    def test_a_good_id_is_echoed_and_a_bad_one_replaced(self):
        for sent, echoed in (("abc", True), ("A.b_c-9", True), ("x" * 128, True),
                             ("x" * 129, False), ("a b", False), ("a/b", False), ("", False),
                             ("ä", False)):
            response = self.assert_taken(head("X-Request-Id: " + sent, start=b"GET /x HTTP/1.1"))
            self.assertEqual(response.headers["x-request-id"] == sent, echoed, sent)
            self.assertRegex(response.headers["x-request-id"], r"^[A-Za-z0-9._-]{1,128}$")

    def test_made_ids_differ(self):
        ids = {self.assert_taken(head(start=b"GET /x HTTP/1.1")).headers["x-request-id"]
               for _ in range(50)}
        self.assertEqual(len(ids), 50)

    def test_a_refusal_echoes_the_id(self):
        response = self.assert_refused(head("X-Request-Id: mine", "Host: y"), 400)
        self.assertEqual(response.headers["x-request-id"], "mine")


if __name__ == "__main__":
    tap.main()
