"""Limits of a request at -1/0/+1 and rules for its path (http-api §8), with raw sockets."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import tap  # noqa: E402
from probe_case import SECOND, ProbeCase, head  # noqa: E402

LINE_MAX, HEAD_MAX, FIELDS_MAX = 8192, 16384, 64


class LimitsTest(ProbeCase):
    def line_of(self, length):
        return b"GET /" + b"a" * (length - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"

    def test_the_request_line_limit_is_exact(self):
        for length in (LINE_MAX - 1, LINE_MAX):
            self.assertEqual(len(self.line_of(length)), length)
            self.assert_taken(head(start=self.line_of(length)))
        for length in (LINE_MAX + 1, LINE_MAX + 4000, 16000, 20000):
            self.assert_refused(head(start=self.line_of(length)) + SECOND, 414)

    def test_the_query_counts_as_part_of_the_line(self):
        line = b"GET /?" + b"a" * (LINE_MAX - len(b"GET /? HTTP/1.1")) + b" HTTP/1.1"
        self.assert_taken(head(start=line))
        self.assert_refused(head(start=line.replace(b"?a", b"?aa")) + SECOND, 414)

    def head_of(self, length):
        base = head("X-A: ", start=b"GET /x HTTP/1.1")
        return base.replace(b"X-A: ", b"X-A: " + b"a" * (length - len(base)))

    def test_the_head_limit_is_exact(self):
        for length in (HEAD_MAX - 1, HEAD_MAX):
            self.assertEqual(len(self.head_of(length)), length)
            self.assert_taken(self.head_of(length))
        for length in (HEAD_MAX + 1, HEAD_MAX + 2, HEAD_MAX + 3000, 32000, 32767, 32768):
            self.assert_refused(self.head_of(length) + SECOND, 431, 413,
                                code="malformed_request" if length < 32000 else None)

    def test_a_head_that_the_library_refuses_gets_413(self):
        for length in (33000, 100000, 1000000):
            self.assert_refused(self.head_of(length) + SECOND, 413, code="payload_too_large")

    def test_a_head_that_never_ends_is_refused(self):
        self.assert_refused(b"GET /" + b"a" * 100000, 413, code="payload_too_large")

    def fields(self, count):
        return [f"X-{i}: v" for i in range(count - 1)]

    def test_the_field_limit_is_exact(self):
        for count in (FIELDS_MAX - 1, FIELDS_MAX):
            self.assert_taken(head(*self.fields(count), start=b"GET /x HTTP/1.1"))
        for count in (FIELDS_MAX + 1, FIELDS_MAX + 2, 200):
            self.assert_refused(head(*self.fields(count), start=b"GET /x HTTP/1.1") + SECOND, 431)

    def test_a_length_past_the_last_field_is_not_ignored(self):
        data = head(*self.fields(FIELDS_MAX), "Content-Length: %d" % len(SECOND))
        self.assert_refused(data + SECOND, 431)

    def test_a_length_in_the_last_field_counts(self):
        fields = self.fields(FIELDS_MAX - 1)
        self.assert_taken(head(*fields, "Content-Length: 5") + b"hello", b"hello")


class PathTest(ProbeCase):
    def test_bad_paths_are_refused(self):
        for path in ("/%00", "/a%00b", "/%", "/%4", "/%zz", "/%4g", "/a\\b", "/%5c", "/%5C",
                     "/..", "/a/..", "/../a", "/a/../b", "/.", "/a/./b", "/%2e%2e/a", "/%2E",
                     "/a/.%2e", "/a%2fb", "/a%2Fb", "/%0d%0a", "/%7f", "/%01", "/a#b", "/a/..?x=1"):
            self.assert_refused(head(start=b"GET %s HTTP/1.1" % path.encode()) + SECOND, 400)

    def test_good_paths_reach_the_router_as_sent(self):
        for path in ("/", "/a/b", "/a%20b", "/a//b", "/...", "/.a", "/a.", "/..a", "/a;b=c",
                     "/%41", "/a%25b", "/a/", "/:~!$&'()*+,=@"):
            response = self.assert_taken(head(start=b"GET %s HTTP/1.1" % path.encode()))
            self.assertEqual(response.json()["path"], path)

    def test_the_query_is_left_to_the_router(self):
        response = self.assert_taken(head(start=b"GET /x?a=%00&b=../%zz?c HTTP/1.1"))
        self.assertEqual((response.json()["path"], response.json()["query"]),
                         ("/x", "a=%00&b=../%zz?c"))

    def test_an_absolute_target_names_the_same_path(self):
        target = b"http://127.0.0.1:%d/x?y" % self.server.address[1]
        response = self.assert_taken(head(start=b"GET " + target + b" HTTP/1.1"))
        self.assertEqual((response.json()["path"], response.json()["query"]), ("/x", "y"))

    def test_targets_that_are_no_path_are_refused_or_closed(self):
        for target in (b"*", b"http://elsewhere:1/x", b"x:1", b"//", b"http://"):
            before = self.server.count()
            responses, closed = self.exchange(head(start=b"OPTIONS " + target + b" HTTP/1.1"))
            self.assertLessEqual(len(responses), 1)
            if [r.status for r in responses] not in ([200], [204]):
                self.assertTrue(closed)
                self.assertEqual(self.server.count(), before)


if __name__ == "__main__":
    tap.main()
