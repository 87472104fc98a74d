#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Memory that runs out at every place in turn. Linked with --wrap for the allocator: calls
 * from our own code come here first.
 */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);

static bool is_armed;
static int left; /* allocations until one fails */
static int fired;

static bool fails(void)
{
    if (!is_armed || left-- > 0)
        return false;
    fired++;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
    return fails() ? NULL : __real_realloc(data, size);
}

static const struct {
    const char *method;
    const char *path;
    const char *query;
    const char *key;
    const char *body;
    int status;    /* when memory suffices */
    size_t stored; /* tasks created then */
} requests[] = {
    { "POST", "/tasks", NULL, NULL, "{\"payload\":\"p\",\"tags\":[\"a\\n\"]}", 201, 1 },
    { "POST", "/tasks", NULL, "k", "{\"title\":\"\\u00e9\"}", 201, 1 },
    { "POST", "/tasks/batch", NULL, "k", "{\"tasks\":[{\"payload\":1},{\"payload\":2}]}", 201,
      2 },
    { "POST", "/tasks", NULL, NULL, "{\"payload\":1,\"priority\":11,\"x\\n\":1}", 422, 0 },
    { "POST", "/tasks", NULL, NULL, "{", 400, 0 },
    { "POST", "/tasks", NULL, NULL,
      "{\"payload\":{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,\"8\":1,"
      "\"9\":1,\"10\":1,\"11\":1,\"12\":1,\"13\":1,\"14\":1,\"15\":1,\"16\":1,\"17\":1}}",
      201, 1 },
    { "GET", "/tasks", "limit=1&tag=x%20y", NULL, NULL, 200, 0 },
    { "GET", "/tasks", "limit=0", NULL, NULL, 422, 0 },
    { "GET", "/tasks/" SITE_NO_TASK, NULL, NULL, NULL, 404, 0 },
    { "POST", "/api/v1/leases", NULL, NULL, "{\"worker\":\"w\",\"types\":[\"a\"]}", 200, 0 },
    { "POST", "/api/v1/leases", NULL, NULL, "{\"x\":1}", 422, 0 },
    { "POST", "/api/v1/leases/heartbeat", NULL, NULL,
      "{\"worker\":\"w\",\"leases\":[{\"id\":\"" SITE_NO_TASK "\",\"epoch\":1}]}", 200, 0 },
    { "POST", "/tasks/" SITE_NO_TASK "/heartbeat", NULL, NULL,
      "{\"epoch\":1,\"progress\":{\"a\":1,\"b\":{},\"percent\":2}}", 404, 0 },
    { "POST", "/tasks/" SITE_NO_TASK "/complete", NULL, NULL, "{\"epoch\":1}", 404, 0 },
    { "POST", "/tasks/" SITE_NO_TASK "/fail", NULL, NULL, "{\"epoch\":1,\"error\":\"e\"}", 404,
      0 },
    { "GET", "/api/v1/stats", NULL, NULL, NULL, 200, 0 },
    { "GET", "/health", NULL, NULL, NULL, 200, 0 },
    { "GET", "/docs", NULL, NULL, NULL, 200, 0 },
    { "GET", "/nothing", NULL, NULL, NULL, 404, 0 },
};

/* One request whose `nth` and all later allocations fail.
 * @return false when all of them succeeded. */
static bool run(int index, int nth)
{
    const struct http_header key = { "Idempotency-Key", requests[index].key };
    const struct http_request request = {
        .method = requests[index].method,
        .path = requests[index].path,
        .query = requests[index].query,
        .headers = &key,
        .header_count = requests[index].key ? 1 : 0,
        .body = tc_bytes_of(requests[index].body),
        .request_id = "r",
    };
    struct http_response response;
    struct site site;

    site_open(&site);
    left = nth;
    fired = 0;
    is_armed = true;
    http_route(&site.services, &request, &response);
    is_armed = false;

    bool is_whole = !response.headers.failed && !response.body.failed;
    size_t stored = site_stored(&site);

    if (fired == 0)
        ck_assert(is_whole && response.status == requests[index].status);
    else
        ck_assert_msg(response.status == requests[index].status || response.status == 503, "%d",
                      response.status);
    /* What was told as created is there, and what was not is not. */
    ck_assert_uint_eq(stored, response.status == 201 ? requests[index].stored : 0);
    http_response_release(&response);
    site_close(&site);
    return fired > 0;
}

START_TEST(an_allocation_that_fails_costs_one_answer)
{
    int nth = 0;

    while (run(_i, nth))
        nth++;
    ck_assert_int_gt(nth, 1);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *memory_suite(void)
{
    Suite *suite = suite_create("http_memory");
    TCase *tcase = tcase_create("memory");

    tcase_add_loop_test(tcase, an_allocation_that_fails_costs_one_answer, 0,
                        COUNT_OF(requests));
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(memory_suite());
}
