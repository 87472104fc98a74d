#include "adapters/http/http_problem.h"
#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* What holds for every path: which there are, methods, order of checks, headers. */

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static const char *const unknown[] = {
    "/nothing",
    "",
    "//",
    "/api",
    "/api/v1",
    "/api/v1/",
    "/api/v1/nothing",
    "/api/v2/tasks",
    "/api/v1/tasksx",
    "/API/v1/tasks",
    "/TASKS",
    "/Tasks",
    "/tasksx",
    "/tasks//",
    "/api/v1/tasks//",
    "/tasks//status",
    "/tasks/x/y",
    "/tasks/x/y/z",
    "/tasks/batch/x",
    "/tasks/x/statusx",
    "/tasks/x/status//",
    "/stats",
    "/api/v1/health",
    "/api/v1/docs",
    "/health//",
    "/healthx",
    "/docs/other.js",
    "/docs/../health",
    "/%74asks",
    "/api/v1/%74asks",
    "/tasks%2f",
    "/tasks/" SITE_NO_TASK "/%73tatus",
    "/leases",
    "/leases/heartbeat",
    "/api/v1/leases/" SITE_NO_TASK,
    "/api/v1/leases/heartbeat/x",
    "/api/v1/tasks/" SITE_NO_TASK "/completed",
};

static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"
};

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

START_TEST(an_unknown_path_is_404_for_every_method)
{
    for (int i = 0; i < COUNT_OF(methods); i++)
        site_assert_problem(&site, site_send(&site, methods[i], unknown[_i], NULL), 404,
                            "not_found");
    ck_assert_str_eq(site.response.route, "(none)");
    ck_assert(!site.response.has_task_id);
}
END_TEST

static const struct {
    const char *path;
    const char *allow;
} known[] = {
    { "/api/v1/tasks", "POST, GET, HEAD, OPTIONS" },
    { "/tasks", "POST, GET, HEAD, OPTIONS" },
    { "/tasks/", "POST, GET, HEAD, OPTIONS" },
    { "/api/v1/tasks/batch", "POST, OPTIONS" },
    { "/api/v1/tasks/" SITE_NO_TASK, "GET, HEAD, DELETE, OPTIONS" },
    { "/tasks/nonsense", "GET, HEAD, DELETE, OPTIONS" },
    { "/api/v1/tasks/" SITE_NO_TASK "/status", "GET, HEAD, OPTIONS" },
    { "/api/v1/tasks/" SITE_NO_TASK "/cancel", "POST, OPTIONS" },
    { "/tasks/" SITE_NO_TASK "/retry/", "POST, OPTIONS" },
    { "/api/v1/tasks/" SITE_NO_TASK "/heartbeat", "POST, OPTIONS" },
    { "/tasks/" SITE_NO_TASK "/complete", "POST, OPTIONS" },
    { "/tasks/" SITE_NO_TASK "/fail/", "POST, OPTIONS" },
    { "/tasks/nonsense/release", "POST, OPTIONS" },
    { "/api/v1/leases", "POST, OPTIONS" },
    { "/api/v1/leases/", "POST, OPTIONS" },
    { "/api/v1/leases/heartbeat", "POST, OPTIONS" },
    { "/api/v1/stats", "GET, HEAD, OPTIONS" },
    { "/health", "GET, HEAD, OPTIONS" },
    { "/livez", "GET, HEAD, OPTIONS" },
    { "/readyz", "GET, HEAD, OPTIONS" },
    { "/metrics", "GET, HEAD, OPTIONS" },
    { "/version", "GET, HEAD, OPTIONS" },
    { "/docs", "GET, HEAD, OPTIONS" },
    { "/swagger", "GET, HEAD, OPTIONS" },
    { "/openapi.json", "GET, HEAD, OPTIONS" },
    { "/", "GET, HEAD, OPTIONS" },
};

static const char *const others[] = {
    "PUT", "PATCH", "TRACE", "CONNECT", "BREW", "get", "Post"
};

START_TEST(another_method_is_405_and_names_the_allowed)
{
    for (int i = 0; i < COUNT_OF(others); i++) {
        site_assert_problem(&site, site_send(&site, others[i], known[_i].path, NULL), 405,
                            "method_not_allowed");
        ck_assert_str_eq(site_answer_header(&site, "Allow"), known[_i].allow);
    }
}
END_TEST

START_TEST(options_is_204_with_allow)
{
    ck_assert_int_eq(site_send(&site, "OPTIONS", known[_i].path, NULL), 204);
    ck_assert_str_eq(site_answer_header(&site, "Allow"), known[_i].allow);
    ck_assert_ptr_null(site.response.content_type);
    ck_assert_uint_eq(site.response.body.len, 0);
}
END_TEST

START_TEST(head_is_refused_where_get_is)
{
    site_assert_problem(&site, site_send(&site, "HEAD", "/tasks/batch", NULL), 405,
                        "method_not_allowed");
    site_assert_problem(&site, site_send(&site, "HEAD", "/tasks/x", NULL), 404, "not_found");
}
END_TEST

static const char *const readable[] = {
    "/api/v1/tasks", "/tasks",   "/api/v1/stats", "/health",  "/livez",        "/readyz",
    "/metrics",      "/version", "/docs",         "/swagger", "/openapi.json", "/docs/init.js",
};

START_TEST(a_path_answers_with_one_trailing_slash_too)
{
    char target[64];

    ck_assert_int_eq(site_get(&site, readable[_i]), 200);

    const char *route = site.response.route;

    snprintf(target, sizeof(target), "%s/", readable[_i]);
    ck_assert_int_eq(site_get(&site, target), 200);
    ck_assert_str_eq(site.response.route, route);
}
END_TEST

START_TEST(head_is_get)
{
    ck_assert_int_eq(site_send(&site, "HEAD", readable[_i], NULL), 200);

    const char *type = site.response.content_type;
    size_t len = site.response.body.len;

    ck_assert_int_eq(site_get(&site, readable[_i]), 200);
    ck_assert_str_eq(site.response.content_type, type);
    ck_assert_uint_eq(site.response.body.len, len);
}
END_TEST

START_TEST(an_unknown_query_is_refused)
{
    char target[64];

    snprintf(target, sizeof(target), "%s?nonsense=1", readable[_i]);
    site_assert_invalid(&site, site_get(&site, target), "/nonsense");
}
END_TEST

START_TEST(an_empty_query_is_none)
{
    char target[64];

    snprintf(target, sizeof(target), "%s?", readable[_i]);
    ck_assert_int_eq(site_get(&site, target), 200);
}
END_TEST

START_TEST(the_framing_comes_first)
{
    static char body[64 * 1024 + 2];

    memset(body, ' ', sizeof(body) - 1);
    site_assert_problem(&site, site_send(&site, "POST", "/nothing", body), 413,
                        "payload_too_large");
    site_assert_problem(&site, site_send(&site, "PUT", "/tasks", body), 413,
                        "payload_too_large");
    site_assert_problem(&site, site_send(&site, "GET", "/health", body), 413,
                        "payload_too_large");
    ck_assert_int_eq(site_send(&site, "GET", "/health", body + 1), 200);
}
END_TEST

START_TEST(the_checks_come_in_order)
{
    site_header(&site, "Content-Type", "text/plain");
    ck_assert_int_eq(site_post(&site, "/nothing?x", "{"), 404);
    site_header(&site, "Content-Type", "text/plain");
    ck_assert_int_eq(site_send(&site, "PUT", "/tasks?x", "{"), 405);
    site_header(&site, "Content-Type", "text/plain");
    ck_assert_int_eq(site_post(&site, "/tasks?x", "{"), 415);
    ck_assert_int_eq(site_post(&site, "/tasks?x", "{"), 400);
    ck_assert_int_eq(site_get(&site, "/tasks/" SITE_NO_TASK "?x"), 422);
    ck_assert_int_eq(site_get(&site, "/tasks/nonsense?x"), 422);
    ck_assert_int_eq(site_get(&site, "/tasks/" SITE_NO_TASK), 404);
    ck_assert_int_eq(site_send(&site, "PUT", "/tasks/nonsense", NULL), 405);
}
END_TEST

START_TEST(every_answer_has_the_common_headers)
{
    static const char *const targets[] = { "/nothing", "/health", "/docs", "/tasks?x",
                                           "/tasks/x" };

    for (int i = 0; i < COUNT_OF(targets); i++) {
        site_get(&site, targets[i]);
        ck_assert_str_eq(site_answer_header(&site, "X-Request-Id"), "request-1");
        ck_assert_str_eq(site_answer_header(&site, "X-Content-Type-Options"), "nosniff");
        ck_assert_ptr_nonnull(site_answer_header(&site, "Cache-Control"));
        ck_assert_ptr_null(site_answer_header(&site, "Access-Control-Allow-Origin"));
    }
}
END_TEST

static const struct {
    const char *method;
    const char *path;
    size_t limit;
} limits[] = {
    { "POST", "/tasks", 1048576 + 65536 },
    { "POST", "/api/v1/tasks", 1048576 + 65536 },
    { "POST", "/api/v1/tasks/", 1048576 + 65536 },
    { "POST", "/tasks/batch", 16777216 },
    { "POST", "/api/v1/tasks/batch/", 16777216 },
    { "GET", "/tasks", 65536 },
    { "PUT", "/tasks", 65536 },
    { "POST", "/tasks/x/cancel", 65536 },
    { "POST", "/nothing", 65536 },
    { "", "", 65536 },
};

START_TEST(the_limit_of_a_body_depends_on_the_route)
{
    ck_assert_uint_eq(http_body_limit(&site.services, limits[_i].method, limits[_i].path),
                      limits[_i].limit);
}
END_TEST

START_TEST(a_draining_process_refuses_creates_only)
{
    site.services.draining = true;
    site_assert_problem(&site, site_post(&site, "/tasks", "{\"payload\":1}"), 503,
                        "unavailable");
    site_assert_problem(&site, site_post(&site, "/tasks/batch", "{\"tasks\":[]}"), 503,
                        "unavailable");
    ck_assert_int_eq(site_get(&site, "/tasks"), 200);
    ck_assert_int_eq(site_get(&site, "/api/v1/stats"), 200);
    ck_assert_int_eq(site_get(&site, "/livez"), 200);
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(every_status_has_a_phrase)
{
    static const int statuses[] = { 200, 201, 204, 400, 404, 405, 408, 409, 413,
                                    414, 415, 417, 422, 431, 500, 503, 505 };

    for (int i = 0; i < COUNT_OF(statuses); i++)
        ck_assert_str_ne(http_status_phrase(statuses[i]), "Unknown");
    ck_assert_str_eq(http_status_phrase(299), "Unknown");
}
END_TEST

START_TEST(a_header_is_found_in_any_case_and_counted)
{
    const struct http_header headers[] = { { "X-A", "1" }, { "x-a", "2" }, { "X-AB", "3" } };
    const struct http_request request = { .headers = headers, .header_count = 3 };
    size_t count;

    ck_assert_str_eq(http_request_header(&request, "x-A", &count), "1");
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(http_request_header(&request, "X-AB", NULL), "3");
    ck_assert_ptr_null(http_request_header(&request, "X", &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

static Suite *router_suite(void)
{
    Suite *suite = suite_create("http_router");
    TCase *tcase = tcase_create("router");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_unknown_path_is_404_for_every_method, 0, COUNT_OF(unknown));
    tcase_add_loop_test(tcase, another_method_is_405_and_names_the_allowed, 0, COUNT_OF(known));
    tcase_add_loop_test(tcase, options_is_204_with_allow, 0, COUNT_OF(known));
    tcase_add_test(tcase, head_is_refused_where_get_is);
    tcase_add_loop_test(tcase, a_path_answers_with_one_trailing_slash_too, 0,
                        COUNT_OF(readable));
    tcase_add_loop_test(tcase, head_is_get, 0, COUNT_OF(readable));
    tcase_add_loop_test(tcase, an_unknown_query_is_refused, 0, COUNT_OF(readable));
    tcase_add_loop_test(tcase, an_empty_query_is_none, 0, COUNT_OF(readable));
    tcase_add_test(tcase, the_framing_comes_first);
    tcase_add_test(tcase, the_checks_come_in_order);
    tcase_add_test(tcase, every_answer_has_the_common_headers);
    tcase_add_loop_test(tcase, the_limit_of_a_body_depends_on_the_route, 0, COUNT_OF(limits));
    tcase_add_test(tcase, a_draining_process_refuses_creates_only);
    tcase_add_test(tcase, every_status_has_a_phrase);
    tcase_add_test(tcase, a_header_is_found_in_any_case_and_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(router_suite());
}
