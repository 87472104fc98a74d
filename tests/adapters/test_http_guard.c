#include "adapters/http/http_listen.h"
#include "tests/support/library_head.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What the guard says of this text as the library leaves it; -1: the library refuses it. */
static int verdict_of(const char *text, struct http_framing *ret_framing)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1); /* exact, so that a sanitizer sees the guard look too far */
    struct library_head parsed;
    int status = -1;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, len + 1);
    if (library_head_parse(copy, len, len + 1, &parsed))
        status = http_guard_head(&parsed.head, ret_framing).status;
    free(copy);
    return status;
}

static int status_of(const char *text)
{
    struct http_framing framing;

    return verdict_of(text, &framing);
}

/** A head with the one field under test, and something that must not become a request. */
static int status_with(const char *fields)
{
    char text[4096];

    snprintf(text, sizeof(text), "POST /x HTTP/1.1\r\nHost: a\r\n%s\r\nGET /y HTTP/1.1\r\n\r\n",
             fields);
    return status_of(text);
}

static struct http_framing framing_with(const char *fields)
{
    struct http_framing framing = { 0 };
    char text[4096];

    snprintf(text, sizeof(text), "POST /x HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    ck_assert_int_eq(verdict_of(text, &framing), 0);
    return framing;
}

static const struct {
    const char *fields;
    int status;
    const char *why;
} fields[] = {
    { "Content-Length: 5\r\n", 0, "a length" },
    { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, "two framings" },
    { "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400, "two framings" },
    { "Content-Length: 5\r\nContent-Length: 6\r\n", 400, "two lengths" },
    { "Content-Length: 5\r\nX: y\r\ncontent-length: 5\r\n", 400, "one length twice" },
    { "Content-Length: 5abc\r\n", 400, "no number" },
    { "Content-Length: +5\r\n", 400, "a sign" },
    { "Content-Length: -5\r\n", 400, "a sign" },
    { "Content-Length: 0x5\r\n", 400, "not decimal" },
    { "Content-Length:\r\n", 400, "empty" },
    { "Content-Length: 5, 5\r\n", 400, "a list" },
    { "Content-Length : 5\r\n", 400, "space before the colon" },
    { "Content-Length  :\r\n", 400, "spaces before the colon, empty" },
    { "X-A: b\r\n c\r\nContent-Length: 5\r\n", 400, "a folded line" },
    { "X-A: b\r\n \r\nContent-Length: 5\r\n", 400, "a folded empty line" },
    { "X-A: b\nContent-Length: 5\r\n", 400, "a lone LF" },
    { "X-A: b\r\nContent-Length: 5\n", 400, "a lone LF at the end" },
    { "Transfer-Encoding: chunked\r\n", 0, "chunked" },
    { "Transfer-Encoding: CHUNKED \r\n", 0, "chunked, in any case, blanks after it" },
    { "Transfer-Encoding: identity\r\n", 400, "another coding" },
    { "Transfer-Encoding: gzip, chunked\r\n", 400, "two codings" },
    { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "chunked twice" },
    { "Transfer-Encoding: xchunked\r\n", 400, "another coding" },
    { "Transfer-Encoding: chunke\r\n", 400, "another coding" },
    { "Transfer-Encoding:\r\n", 400, "no coding" },
    { "Host: b\r\n", 400, "a second host" },
    { "Expect: 100-continue\r\n", 0, "an expectation that is met" },
    { "Expect: 100-Continue\r\n", 0, "in any case" },
    { "Expect: something\r\n", 417, "one that is not" },
    { "Expect:\r\n", 417, "an empty one" },
    { "Expect: 100-continue\r\nExpect: 100-continue\r\n", 417, "twice" },
    { "X(A): b\r\n", 400, "a name that is no token" },
    { "X-A: \xe4\r\n", 0, "opaque bytes in a value" },
    { "X-A:\r\n", 0, "an empty value" },
    { "Upgrade: websocket\r\nConnection: Upgrade\r\n", 0, "an upgrade that is ignored" },
};

START_TEST(each_field_gets_its_verdict)
{
    ck_assert_msg(status_with(fields[_i].fields) == fields[_i].status, "%s: %d", fields[_i].why,
                  status_with(fields[_i].fields));
}
END_TEST

static const struct {
    const char *text;
    int status;
    const char *why;
} heads[] = {
    { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "the least" },
    { "GET / HTTP/1.1\r\n\r\n", 400, "no host" },
    { "GET / HTTP/1.0\r\n\r\n", 0, "none is needed" },
    { "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "two hosts" },
    { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "not in 1.0" },
    { "GET / HTTP/1.0\r\xff\nContent-Length: 5\r\n\r\n", 400, "hidden fields" },
    { "GET / HTTP/1.0\n\n", 400, "lone LFs and no fields" },
    { "GET / HTTP/1.1\r\nHost: a\n\n\r\nGET / HTTP/1.1\r\n\r\n", 400, "an earlier end" },
    { "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "another version" },
    { "GET / HTTP/2\r\nHost: a\r\n\r\n", 505, "another version" },
    { "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two spaces" },
    { "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two spaces" },
    { "GET /?a  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two spaces after the query" },
    { "GET \r\n/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a line end in the request line" },
    { "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "a lone LF after it" },
    { "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "a folded first field" },
    { "GET / HTTP/1.1\r\nHost: a\n\n", 400, "lone LFs at the end" },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "a host with a space" },
    { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "a host with a path" },
    { "GET / HTTP/1.1\r\nHost: [::1]:80 \r\n\r\n", 0, "an address as host" },
    { "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "dot segments" },
};

START_TEST(each_head_gets_its_verdict)
{
    ck_assert_msg(status_of(heads[_i].text) == heads[_i].status, "%s: %d", heads[_i].why,
                  status_of(heads[_i].text));
}
END_TEST

static const struct {
    const char *path;
    bool is_good;
} paths[] = {
    { "/", true },      { "/a/b", true },      { "/a//b", true },   { "/...", true },
    { "/.a", true },    { "/a.", true },       { "/a..b/c", true }, { "/%20", true },
    { "/a%25b", true }, { "/%2e%2e.", true },  { "", false },       { "a", false },
    { "/%", false },    { "/%4", false },      { "/%zz", false },   { "/%00", false },
    { "/%2f", false },  { "/%2F", false },     { "/%5c", false },   { "/\\", false },
    { "/..", false },   { "/.", false },       { "/a/..", false },  { "/../a", false },
    { "/%2e", false },  { "/%2E%2e/", false }, { "/.%2e", false },  { "/a/./b", false },
    { "/%0a", false },  { "/%7F", false },     { "/a#b", false },   { "/a b", false },
};

START_TEST(each_path_is_taken_or_not)
{
    ck_assert_msg(http_guard_path(paths[_i].path) == paths[_i].is_good, "%s", paths[_i].path);
}
END_TEST

/** "GET /aaa… HTTP/1.1" of `line_len` bytes, and a field that fills the head to `head_len`. */
static int status_of_size(size_t line_len, size_t head_len)
{
    char *text = malloc(head_len + 1);
    int status;

    ck_assert_ptr_nonnull(text);
    memset(text, 'a', head_len);
    memcpy(text, "GET /", 5);
    memcpy(text + line_len - 9, " HTTP/1.1\r\nHost: x\r\nX: ", 23);
    memcpy(text + head_len - 4, "\r\n\r\n", 5);
    status = status_of(text);
    free(text);
    return status;
}

START_TEST(the_request_line_may_have_8_kib)
{
    ck_assert_int_eq(status_of_size(HTTP_REQUEST_LINE_MAX - 1, 9000), 0);
    ck_assert_int_eq(status_of_size(HTTP_REQUEST_LINE_MAX, 9000), 0);
    ck_assert_int_eq(status_of_size(HTTP_REQUEST_LINE_MAX + 1, 9000), 414);
    ck_assert_int_eq(status_of_size(HTTP_REQUEST_LINE_MAX + 1, 20000), 414);
}
END_TEST

START_TEST(the_head_may_have_16_kib)
{
    ck_assert_int_eq(status_of_size(100, HTTP_HEAD_MAX - 1), 0);
    ck_assert_int_eq(status_of_size(100, HTTP_HEAD_MAX), 0);
    ck_assert_int_eq(status_of_size(100, HTTP_HEAD_MAX + 1), 431);
}
END_TEST

static int status_of_fields(int count, const char *last)
{
    char text[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";

    for (int i = 1; i < count; i++)
        memcpy(text + strlen(text), "X: y\r\n", 7);
    memcpy(text + strlen(text), last, strlen(last) + 1);
    memcpy(text + strlen(text), "\r\n", 3);
    return status_of(text);
}

START_TEST(a_head_may_have_64_fields)
{
    ck_assert_int_eq(status_of_fields(63, ""), 0);
    ck_assert_int_eq(status_of_fields(64, ""), 0);
    ck_assert_int_eq(status_of_fields(65, ""), 431);
    ck_assert_int_eq(status_of_fields(64, "Content-Length: 5\r\n"), 431);
    ck_assert_int_eq(status_of_fields(63, "X: y\r\n z\r\n"), 431);
    ck_assert_int_eq(status_of_fields(62, "X: y\r\n z\r\n"), 400);
}
END_TEST

START_TEST(the_framing_is_told)
{
    ck_assert_uint_eq(framing_with("Content-Length: 0012 \r\n").content_length, 12);
    ck_assert(framing_with("Transfer-Encoding: Chunked\r\n").chunked);
    ck_assert(!framing_with("").chunked);
    ck_assert_uint_eq(framing_with("").content_length, 0);
    ck_assert(framing_with("Expect: 100-continue\r\n").expects_continue);
}
END_TEST

START_TEST(a_length_that_does_not_fit_is_too_large_for_any_limit)
{
    ck_assert_uint_eq(framing_with("Content-Length: 18446744073709551616\r\n").content_length,
                      UINT64_MAX);
    ck_assert_uint_eq(
        framing_with("Content-Length: 99999999999999999999999\r\n").content_length, UINT64_MAX);
}
END_TEST

START_TEST(close_wins_over_keep_alive)
{
    ck_assert(framing_with("").keep_alive);
    ck_assert(framing_with("Connection: keep-alive\r\n").keep_alive);
    ck_assert(framing_with("Connection: x, Keep-Alive\r\n").keep_alive);
    ck_assert(!framing_with("Connection: close\r\n").keep_alive);
    ck_assert(!framing_with("Connection: keep-alive , CLOSE\r\n").keep_alive);
    ck_assert(!framing_with("Connection: keep-alive\r\nConnection: close\r\n").keep_alive);
    ck_assert(!framing_with("Connection: x\r\n").keep_alive);
}
END_TEST

START_TEST(tokens_of_a_list_are_compared_whole)
{
    ck_assert(http_guard_has_token("a, b ,c", "B"));
    ck_assert(!http_guard_has_token("ab, bc", "b"));
    ck_assert(!http_guard_has_token("", "b"));
    ck_assert(!http_guard_has_token(",,", "b"));
}
END_TEST

START_TEST(a_request_id_is_short_and_plain)
{
    char longest[HTTP_REQUEST_ID_MAX + 2];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    ck_assert(!http_guard_is_request_id(longest));
    ck_assert(http_guard_is_request_id(longest + 1));
    ck_assert(http_guard_is_request_id("A.b_c-9"));
    ck_assert(!http_guard_is_request_id(""));
    ck_assert(!http_guard_is_request_id("a b"));
    ck_assert(!http_guard_is_request_id("a\"b"));
}
END_TEST

static const struct {
    const char *text;
    const char *meant; /**< NULL: refused */
    const char *names; /**< in the message */
} listens[] = {
    { "8000", "8000", NULL },
    { "0", "0", NULL },
    { "127.0.0.1:8000", "127.0.0.1:8000", NULL },
    { "0.0.0.0:80", "0.0.0.0:80", NULL },
    { "localhost:65535", "127.0.0.1:65535", NULL },
    { "127.0.0.1:08000", "127.0.0.1:8000", NULL },
    { "8443s", NULL, "deploy/" },
    { "127.0.0.1:80r", NULL, "deploy/" },
    { "[::1]:80", NULL, "IPv6" },
    { "::1:80", NULL, "IPv6" },
    { "+80", NULL, "IPv6" },
    { "", NULL, "ADDRESS:PORT" },
    { ":80", NULL, "ADDRESS:PORT" },
    { "127.0.0.1", NULL, "ADDRESS:PORT" },
    { "127.0.0.1:", NULL, "ADDRESS:PORT" },
    { "127.0.0.1:65536", NULL, "ADDRESS:PORT" },
    { "127.0.0.1:-1", NULL, "ADDRESS:PORT" },
    { "127.0.0.1:80,127.0.0.1:81", NULL, "IPv6" },
    { "80,81", NULL, "ADDRESS:PORT" },
    { "example.org:80", NULL, "ADDRESS:PORT" },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80", NULL, "ADDRESS:PORT" },
};

START_TEST(where_to_listen_is_read_or_refused_with_a_reason)
{
    struct http_listen listen;
    struct tc_error err;
    enum tc_code code = http_listen_parse(listens[_i].text, &listen, &err);

    ck_assert_int_eq(code, listens[_i].meant ? TC_OK : TC_INVALID);
    if (listens[_i].meant)
        ck_assert_str_eq(listen.text, listens[_i].meant);
    else
        ck_assert_ptr_nonnull(strstr(err.message, listens[_i].names));
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

int main(void)
{
    Suite *suite = suite_create("http_guard");
    TCase *tcase = tcase_create("guard");

    tcase_add_loop_test(tcase, each_field_gets_its_verdict, 0, COUNT(fields));
    tcase_add_loop_test(tcase, each_head_gets_its_verdict, 0, COUNT(heads));
    tcase_add_loop_test(tcase, each_path_is_taken_or_not, 0, COUNT(paths));
    tcase_add_test(tcase, the_request_line_may_have_8_kib);
    tcase_add_test(tcase, the_head_may_have_16_kib);
    tcase_add_test(tcase, a_head_may_have_64_fields);
    tcase_add_test(tcase, the_framing_is_told);
    tcase_add_test(tcase, a_length_that_does_not_fit_is_too_large_for_any_limit);
    tcase_add_test(tcase, close_wins_over_keep_alive);
    tcase_add_test(tcase, tokens_of_a_list_are_compared_whole);
    tcase_add_test(tcase, a_request_id_is_short_and_plain);
    tcase_add_loop_test(tcase, where_to_listen_is_read_or_refused_with_a_reason, 0,
                        COUNT(listens));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
