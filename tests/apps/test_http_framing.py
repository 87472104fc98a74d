"""Framing of requests (http-api §8), from outside, with raw sockets, against the
glue alone (http_probe.c): exact status, exactly one response, closed where it must be."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from probe_case import BODY_MAX, SECOND, ProbeCase, head  # noqa: E402


class LengthTest(ProbeCase):
    def test_a_length_with_a_transfer_coding_is_refused(self):
        for lines in (("Content-Length: 5", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: chunked", "Content-Length: 5"),
                      ("Content-Length: 0", "Transfer-Encoding: chunked"),
                      ("content-length: 5", "TRANSFER-ENCODING: Chunked")):
            self.assert_refused(head(*lines) + b"0\r\n\r\n" + SECOND, 400)

    def test_two_lengths_are_refused(self):
        for first, second in (("5", "6"), ("0", "36"), ("36", "0"), ("5", "5")):
            self.assert_refused(head(f"Content-Length: {first}", "X-A: b",
                                     f"Content-Length: {second}") + b"hello" + SECOND, 400)

    def test_a_length_that_is_no_plain_decimal_is_refused(self):
        for value in ("5abc", "+5", "-5", "0x5", "5 5", "5,5", "5, 5", "", " ", "5.0", "1e1",
                      "٥", "five", "5;q=1", "'5'"):
            self.assert_refused(head("Content-Length: " + value) + b"hello" + SECOND, 400)

    def test_a_length_beyond_all_limits_is_refused(self):
        for value in ("99999999999999999999", "18446744073709551616", "9" * 300,
                      "9223372036854775807", "4294967296"):
            self.assert_refused(head("Content-Length: " + value), 413, 400,
                                code="payload_too_large")

    def test_leading_zeros_and_blanks_around_a_length_mean_the_same_number(self):
        for value in ("5", "005", "  5", "5  "):
            self.assert_taken(head("Content-Length: " + value) + b"hello", b"hello")

    def test_a_body_that_ends_early_is_not_executed(self):
        before = self.server.count()
        responses, closed = self.exchange(head("Content-Length: 50") + b"hello", True)
        self.assertEqual([r.status for r in responses], [400])
        self.assertTrue(closed)
        self.assertEqual(self.server.count(), before)

    def test_the_body_limit_is_exact(self):
        for length in (BODY_MAX - 1, BODY_MAX):
            body = b"b" * length
            self.assert_taken(head(f"Content-Length: {length}") + body, body)
        for length in (BODY_MAX + 1, 10 * BODY_MAX, 4000000):
            self.assert_refused(head(f"Content-Length: {length}") + b"b" * length, 413,
                                code="payload_too_large")

    def test_a_refused_sender_can_finish_sending_and_then_read(self):
        """Closing at once would reset the connection under a client that sends first."""
        with self.server.connect() as raw:
            raw.sock.sendall(head(f"Content-Length: {3 * BODY_MAX}"))
            for _ in range(30):
                time.sleep(0.01)
                raw.sock.sendall(b"s" * (BODY_MAX // 10))
            self.assertEqual([r.status for r in raw.responses(2)], [413])

    def test_a_long_body_is_refused_before_it_is_sent(self):
        self.assert_refused(head(f"Content-Length: {BODY_MAX + 1}"), 413,
                            code="payload_too_large")


class ChunkedTest(ProbeCase):
    CHUNKED = head("Transfer-Encoding: chunked")

    def test_chunks_are_joined(self):
        for sent, body in ((b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
                           (b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", b"hello"),
                           (b"0005\r\nhello\r\n0\r\n\r\n", b"hello"),
                           (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
                           (b"a\r\n0123456789\r\n00\r\n\r\n", b"0123456789"),
                           (b"0\r\n\r\n", b"")):
            self.assert_taken(self.CHUNKED + sent, body)

    def test_many_small_chunks_are_joined(self):
        body = bytes(i % 251 for i in range(BODY_MAX))
        sent = b"".join(b"7\r\n" + body[i:i + 7] + b"\r\n" for i in range(0, BODY_MAX - 4, 7))
        rest = body[len(body) // 7 * 7:]
        sent += b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest)
        self.assert_taken(self.CHUNKED + sent, body)

    def test_a_bad_chunk_is_refused(self):
        for sent in (b"zz\r\nhello\r\n0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n",
                     b"+5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
                     b" 5\r\nhello\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n",
                     b"5\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n",
                     b"5\r\nhello0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n",
                     b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
                     b"10000000000000005\r\nhello\r\n0\r\n\r\n", b"5\r\rhello\r\n0\r\n\r\n",
                     b"1" * 80 + b"\r\nhello\r\n0\r\n\r\n"):
            self.assert_refused(self.CHUNKED + sent + SECOND, 400, 413,
                                code=None if sent[0:1] != b"7" else "payload_too_large")

    def test_a_huge_chunk_is_refused_and_nothing_is_executed(self):
        for size in (b"7FFFFFFFFFFFFFFF", b"8000000000000000", b"FFFFFFFFFFFFFFFE",
                     b"7fffffff", b"ffffffff"):
            before = self.server.count()
            responses, closed = self.exchange(self.CHUNKED + size + b"\r\n" +
                                              b"x" * (BODY_MAX + 9000) + SECOND)
            self.assertEqual(len(responses), 1, responses)
            self.assertIn(responses[0].status, (400, 413))
            self.assertTrue(closed)
            self.assertEqual(self.server.count(), before)

    def test_a_chunked_body_that_ends_early_is_not_executed(self):
        for sent in (b"5\r\nhel", b"5\r\nhello", b"5\r\nhello\r\n", b"5\r\nhello\r\n0",
                     b"5", b""):
            before = self.server.count()
            responses, closed = self.exchange(self.CHUNKED + sent, True)
            self.assertTrue(closed)
            self.assertEqual([r.status for r in responses], [400], (sent, responses))
            self.assertEqual(self.server.count(), before, sent)

    def test_after_the_last_chunk_the_body_is_whole(self):
        """The library does not tell a missing empty line from a trailer."""
        for sent in (b"5\r\nhello\r\n0\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n"):
            responses, closed = self.exchange(self.CHUNKED + sent, True)
            self.assertEqual([(r.status, r.json().get("body_len")) for r in responses],
                             [(200, 5)])
            self.assertTrue(closed)

    def test_the_body_limit_holds_for_chunks(self):
        for length, status in ((BODY_MAX - 1, 200), (BODY_MAX, 200), (BODY_MAX + 1, 413),
                               (40 * BODY_MAX, 413)):
            data = self.CHUNKED + b"%x\r\n" % length + b"c" * length + b"\r\n0\r\n\r\n"
            if status == 200:
                self.assert_taken(data, b"c" * length)
            else:
                self.assert_refused(data, 413, code="payload_too_large")

    def test_extensions_and_trailers_have_one_meaning(self):
        for sent in (b"5;a=b\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n0;x\r\n\r\n",
                     b"5\r\nhello\r\n0\r\nX-T: y\r\n\r\n",
                     b"5\r\nhello\r\n0\r\nContent-Length: 9\r\nHost: y\r\n\r\n",
                     b"5 \r\nhello\r\n0\r\n\r\n"):
            before = self.server.count()
            responses, closed = self.exchange(self.CHUNKED + sent + SECOND)
            statuses = [r.status for r in responses]
            self.assertIn(statuses, ([400], [200], [200, 200]), (sent, responses))
            if statuses == [400]:
                self.assertEqual(self.server.count(), before)
            else:
                self.assertEqual(responses[0].json()["body_len"], 5)
            if statuses == [200, 200]:
                self.assertEqual(responses[1].json()["path"], "/smuggled")
            else:
                self.assertTrue(closed)

    def test_other_transfer_codings_are_refused(self):
        for lines in (("Transfer-Encoding: identity",), ("Transfer-Encoding: gzip",),
                      ("Transfer-Encoding: gzip, chunked",), ("Transfer-Encoding: chunked, chunked",),
                      ("Transfer-Encoding: chunked, identity",), ("Transfer-Encoding: xchunked",),
                      ("Transfer-Encoding: chunked;q=1",), ("Transfer-Encoding:",),
                      ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
                      ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
                      ("Transfer-Encoding: \"chunked\"",)):
            self.assert_refused(head(*lines) + b"0\r\n\r\n" + SECOND, 400)

    def test_a_transfer_coding_in_http_1_0_is_refused(self):
        self.assert_refused(head("Transfer-Encoding: chunked", start=b"POST /x HTTP/1.0") +
                            b"0\r\n\r\n" + SECOND, 400)


class HeadTest(ProbeCase):
    def test_folded_lines_are_refused(self):
        for data in (b"POST /x HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
                     b"POST /x HTTP/1.1\r\nHost: x\r\n Content-Length: 36\r\n\r\n",
                     b"POST /x HTTP/1.1\r\n Host: x\r\nContent-Length: 0\r\n\r\n",
                     b"POST /x HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\tc\r\n\r\n",
                     b"POST /x HTTP/1.1\r\nHost: x\r\n \r\nContent-Length: 36\r\n\r\n"):
            self.assert_refused(data + SECOND, 400)

    def test_a_space_before_the_colon_is_refused(self):
        for line in ("Content-Length : 5", "Content-Length  : 5", "X-A : b", "X-A :",
                     "X A: b", "Transfer-Encoding : chunked", "X-A\t: b"):
            self.assert_refused(head(line) + SECOND, 400)

    def test_bytes_that_are_not_allowed_are_refused(self):
        for line in (b"X-A: a\x00b", b"X-A: a\x01b", b"X-A: a\x7fb", b"X-A: a\rb", b"X-A: a\x0bb",
                     b"X\x00A: b", b"X\x7fA: b", b"X(A): b", b"X\"A: b", b"X@A: b", b"X{: b",
                     b"X\xc3\xa4: b", b": b", b"NoColon", b"X-A: \x1b[31m", b"[: b", b"X/A: b"):
            self.assert_refused(head(line) + SECOND, 400)

    def test_allowed_field_names_and_values_are_taken(self):
        for line in (b"!#$%&'*+-.^_`|~aZ09: b", b"X-A:", b"X-A:b", b"X-A:   b   ",
                     b"X-A: a\xe4\xff", b"X-A: a:b;c,d \"e\" (f)"):
            self.assert_taken(head(line, start=b"GET /x HTTP/1.1"))

    def test_values_reach_the_router_without_blanks_around_them(self):
        response = self.assert_taken(head("X-Marker:   a b   ", start=b"GET /x HTTP/1.1"))
        self.assertEqual(response.json()["marker"], "a b")

    def test_exactly_one_host_is_needed(self):
        for lines in ((), ("Host: a", "Host: a"), ("Host: a", "HOST: b"), ("X-Host: a",)):
            self.assert_refused(head(*lines, start=b"GET /x HTTP/1.1", host=None) + SECOND, 400)
        self.assert_refused(head("Host: a", "Host: b", start=b"GET /x HTTP/1.0", host=None), 400)

    def test_a_malformed_host_is_refused(self):
        for host in ("a b", "a/b", "a,b", "a@b", "a?b", "a#b", "<a>", "a\\b", "a\"b"):
            self.assert_refused(head(start=b"GET /x HTTP/1.1",
                                     host=b"Host: " + host.encode()) + SECOND, 400)
        for host in ("a", "a:80", "127.0.0.1:8000", "[::1]:80", "a-b.example", ""):
            self.assert_taken(head(start=b"GET /x HTTP/1.1", host=b"Host: " + host.encode()))

    def test_http_1_0_needs_no_host_and_closes(self):
        responses, closed = self.exchange(b"GET /x HTTP/1.0\r\n\r\n")
        self.assertEqual([r.status for r in responses], [200])
        self.assertTrue(closed)
        self.assertEqual(responses[0].headers["connection"], "close")

    def test_http_1_0_keeps_the_connection_when_asked(self):
        with self.server.connect() as raw:
            for _ in range(3):
                raw.send(b"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                self.assertEqual(raw.response().headers["connection"], "keep-alive")

    def test_other_versions_are_refused(self):
        for version in (b"HTTP/2.0", b"HTTP/1.2", b"HTTP/9.9", b"HTTP/0.9", b"HTTP/1.10",
                        b"HTTP/3"):
            self.assert_refused(head(start=b"GET /x " + version) + SECOND, 505)
        self.assert_refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, 400)

    def test_what_is_no_request_line_is_refused(self):
        for line in (b"GET /x", b"GET  /x HTTP/1.1", b"GET /x  HTTP/1.1", b"GET /x HTTP/1.1 ",
                     b" GET /x HTTP/1.1", b"GET\t/x HTTP/1.1", b"GET /x http/1.1", b"GET",
                     b"GET /x FTP/1.1", b"G@T /x HTTP/1.1", b"GET x HTTP/1.1", b"/x",
                     b"GET /x y HTTP/1.1", b"GET /x\x01 HTTP/1.1", b"GET \r\n/x HTTP/1.1",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            self.assert_refused(head(start=line) + SECOND, 400)

    def test_lines_before_the_request_have_one_meaning(self):
        for before in (b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\r\n" * 8, b"\n" * 16,
                       b"\r\n\r\n" * 4, b" " * 16, b"\r\n" * 24):
            counted = self.server.count()
            responses, closed = self.exchange(before + head(start=b"GET /x HTTP/1.1"))
            self.assertLessEqual(len(responses), 1, (before, responses))
            self.assertTrue(closed or responses[0].status == 200)
            self.assertLessEqual(self.server.count() - counted, len(responses))

    def test_a_lone_lf_has_one_meaning(self):
        for data in (b"GET /x HTTP/1.1\nHost: x\n\n", b"GET /x HTTP/1.1\r\nHost: x\n\r\n",
                     b"GET /x HTTP/1.1\r\nHost: x\r\n\n", b"GET /x HTTP/1.1\nHost: x\r\n\r\n",
                     b"POST /x HTTP/1.1\r\nHost: x\r\nX-A: b\nContent-Length: 36\r\n\r\n",
                     b"GET /x HTTP/1.1\r\nHost: x\n\n"):
            self.assert_refused(data + SECOND, 400)

    def test_expectations(self):
        for value in ("200-ok", "100-continue, x", "", "100-continue;q=1"):
            self.assert_refused(head("Content-Length: 5", "Expect: " + value) + b"hello", 417)
        self.assert_refused(head("Expect: 100-continue", "Expect: 100-continue"), 417)

    def test_the_body_is_asked_for(self):
        with self.server.connect() as raw:
            raw.send(head("Content-Length: 5", "Expect: 100-Continue"))
            self.assertEqual(raw.response().status, 100)
            raw.send(b"hello")
            self.assertEqual(raw.response().json()["body_len"], 5)

    def test_a_body_that_is_too_long_is_not_asked_for(self):
        with self.server.connect() as raw:
            raw.send(head(f"Content-Length: {BODY_MAX + 1}", "Expect: 100-continue"))
            self.assertEqual(raw.response().status, 413)

    def test_an_upgrade_is_not_taken_up(self):
        for lines in (("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"),
                      ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")):
            responses, _ = self.exchange(head(*lines, start=b"GET /x HTTP/1.1"))
            self.assertEqual([r.status for r in responses], [200])

    def test_preflights_are_not_answered_by_the_library(self):
        response = self.assert_taken(
            head("Origin: http://other", "Access-Control-Request-Method: POST",
                 start=b"OPTIONS /x HTTP/1.1"), status=204)
        self.assertFalse([h for h in response.headers if h.startswith("access-control")])


if __name__ == "__main__":
    tap.main()
