#include "adapters/http/http_routes.h"
#include "tests/adapters/http_site.h"
#include "tests/adapters/json_schema.h"
#include "tests/support/run_suite.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* openapi.json against the route table and against what the routes answer. */

static struct site site;
static cJSON *document;

static void setup(void)
{
    site_open(&site);
    ck_assert_int_eq(site_get(&site, "/openapi.json"), 200);
    document = cJSON_Duplicate(site.json, true);
}

static void teardown(void)
{
    cJSON_Delete(document);
    site_close(&site);
}

static const cJSON *get(const cJSON *node, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(node, name);
}

/* The operation of a row of the table; NULL when it is not described. */
static const cJSON *operation_of(const char *method, const char *pattern)
{
    char name[16];

    for (size_t i = 0; i <= strlen(method) && i < sizeof(name); i++)
        name[i] = (char)tolower((unsigned char)method[i]);
    return get(get(get(document, "paths"), pattern), name);
}

START_TEST(it_is_version_3_1)
{
    ck_assert_str_eq(site.response.content_type, "application/json");
    ck_assert_int_eq(strncmp(get(document, "openapi")->valuestring, "3.1.", 4), 0);
    ck_assert_ptr_nonnull(get(get(document, "info"), "title"));
    ck_assert_ptr_nonnull(get(get(document, "info"), "version"));
}
END_TEST

START_TEST(every_route_is_described)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);

    for (size_t i = 0; i < count; i++)
        if (routes[i].summary)
            ck_assert_msg(operation_of(routes[i].method, routes[i].pattern) != NULL,
                          "%s %s is not described", routes[i].method, routes[i].pattern);
}
END_TEST

static bool is_routed(const char *path, const char *method)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(routes[i].pattern, path) == 0 && strcasecmp(routes[i].method, method) == 0)
            return routes[i].summary != NULL;
    return false;
}

START_TEST(every_described_operation_is_a_route)
{
    const cJSON *path;
    const cJSON *operation;

    cJSON_ArrayForEach(path, get(document, "paths"))
    {
        cJSON_ArrayForEach(operation, path)
        {
            ck_assert_msg(is_routed(path->string, operation->string), "%s %s is no route",
                          operation->string, path->string);
        }
    }
}
END_TEST

START_TEST(summaries_are_those_of_the_table)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);

    for (size_t i = 0; i < count; i++)
        if (routes[i].summary)
            ck_assert_str_eq(
                get(operation_of(routes[i].method, routes[i].pattern), "summary")->valuestring,
                routes[i].summary);
}
END_TEST

/* The number of query parameters described, each of which must be known to the route. */
static size_t count_params(const struct http_route *route)
{
    const cJSON *param;
    size_t found = 0;

    cJSON_ArrayForEach(param, get(operation_of(route->method, route->pattern), "parameters"))
    {
        const cJSON *resolved = json_schema_resolve(document, param);
        bool is_known = false;

        if (strcmp(get(resolved, "in")->valuestring, "query") != 0)
            continue;
        for (size_t i = 0; route->params && route->params[i]; i++)
            is_known |= strcmp(route->params[i], get(resolved, "name")->valuestring) == 0;
        ck_assert_msg(is_known, "%s", get(resolved, "name")->valuestring);
        found++;
    }
    return found;
}

START_TEST(query_parameters_are_those_of_the_table)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);

    for (size_t i = 0; i < count; i++) {
        size_t known = 0;

        if (!routes[i].summary)
            continue;
        while (routes[i].params && routes[i].params[known])
            known++;
        ck_assert_uint_eq(count_params(&routes[i]), known);
    }
}
END_TEST

static void check_references(const cJSON *node)
{
    const cJSON *item;

    ck_assert(json_schema_resolve(document, node) != NULL);
    cJSON_ArrayForEach(item, node) check_references(item);
}

START_TEST(every_reference_leads_somewhere)
{
    check_references(document);
}
END_TEST

START_TEST(operation_ids_are_unique)
{
    const cJSON *path;
    const cJSON *operation;
    char seen[4096] = "|";

    cJSON_ArrayForEach(path, get(document, "paths"))
    {
        cJSON_ArrayForEach(operation, path)
        {
            char id[64];
            size_t len = strlen(seen);

            snprintf(id, sizeof(id), "|%s|", get(operation, "operationId")->valuestring);
            ck_assert_ptr_null(strstr(seen, id));
            snprintf(seen + len, sizeof(seen) - len, "%s", id + 1);
        }
    }
}
END_TEST

/* The last answer is one that the document describes. */
static void assert_described(const char *method)
{
    const cJSON *operation = operation_of(method, site.response.route);
    char status[8];
    char kind[64];
    char why[256] = "";

    snprintf(status, sizeof(status), "%d", site.response.status);
    snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(site.response.content_type, ";"),
             site.response.content_type);

    const cJSON *response =
        json_schema_resolve(document, get(get(operation, "responses"), status));
    const cJSON *media = get(get(response, "content"), kind);

    ck_assert_msg(media != NULL, "%s %s: %s %s is not described", method, site.response.route,
                  status, kind);
    if (site.json)
        ck_assert_msg(
            json_schema_accepts(document, get(media, "schema"), site.json, why, sizeof(why)),
            "%s %s %s: %s in %s", method, site.response.route, status, why, site_body(&site));
}

static void send(const char *method, const char *target, const char *body, int status)
{
    ck_assert_int_eq(site_send(&site, method, target, body), status);
    assert_described(method);
}

static const struct {
    const char *method;
    const char *target;
    const char *body;
    int status;
} exchanges[] = {
    { "POST", "/tasks", "{\"payload\":{\"a\":1},\"tags\":[\"x\"],\"delay_ms\":9}", 201 },
    { "POST", "/tasks", "{\"title\":\"t\"}", 201 },
    { "POST", "/tasks", "{\"payload\":null}", 201 },
    { "POST", "/tasks", "{", 400 },
    { "POST", "/tasks", "[]", 422 },
    { "POST", "/tasks", "{\"payload\":1,\"priority\":11,\"x\":1}", 422 },
    { "POST", "/tasks/batch", "{\"tasks\":[{\"payload\":1},{\"title\":\"t\"}]}", 201 },
    { "POST", "/tasks/batch", "{\"tasks\":[]}", 422 },
    { "POST", "/tasks/batch", "", 400 },
    { "GET", "/tasks", NULL, 200 },
    { "GET", "/tasks?limit=1", NULL, 200 },
    { "GET", "/tasks?limit=0", NULL, 422 },
    { "GET", "/tasks/" SITE_NO_TASK, NULL, 404 },
    { "GET", "/tasks/" SITE_NO_TASK "?x", NULL, 422 },
    { "GET", "/tasks/" SITE_NO_TASK "/status", NULL, 404 },
    { "DELETE", "/tasks/" SITE_NO_TASK, NULL, 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/cancel", NULL, 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/retry", NULL, 404 },
    { "POST", "/api/v1/leases", "{\"worker\":\"w\",\"max\":9}", 200 },
    { "POST", "/api/v1/leases", "{\"worker\":\"w\",\"types\":[\"none\"]}", 200 },
    { "POST", "/api/v1/leases", "{}", 422 },
    { "POST", "/api/v1/leases", "", 400 },
    { "POST", "/api/v1/leases/heartbeat",
      "{\"worker\":\"w\",\"leases\":[{\"id\":\"" SITE_NO_TASK "\",\"epoch\":1}]}", 200 },
    { "POST", "/api/v1/leases/heartbeat", "{}", 422 },
    { "POST", "/tasks/" SITE_NO_TASK "/heartbeat", "{\"epoch\":1}", 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/complete", "{\"epoch\":1}", 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/fail", "{\"epoch\":1,\"error\":\"e\"}", 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/release", "{\"epoch\":1}", 404 },
    { "POST", "/tasks/" SITE_NO_TASK "/release", "{\"epoch\":0}", 422 },
    { "GET", "/api/v1/stats", NULL, 200 },
    { "GET", "/health", NULL, 200 },
    { "GET", "/livez", NULL, 200 },
    { "GET", "/readyz", NULL, 200 },
    { "GET", "/metrics", NULL, 200 },
    { "GET", "/version", NULL, 200 },
    { "GET", "/openapi.json", NULL, 200 },
    { "GET", "/docs", NULL, 200 },
    { "GET", "/swagger", NULL, 200 },
    { "GET", "/", NULL, 200 },
    { "GET", "/health?x", NULL, 422 },
};

START_TEST(an_answer_is_as_described)
{
    site_create(&site, "{\"payload\":1}");
    site_create(&site, "{\"payload\":2}");
    send(exchanges[_i].method, exchanges[_i].target, exchanges[_i].body, exchanges[_i].status);
}
END_TEST

static const struct tc_outcome ends[] = {
    { .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE },
    { .kind = TC_OUTCOME_DONE,
      .next = TC_STATUS_DONE,
      .result = { TC_CONTENT_BYTES, { "\xFF", 1 } } },
    { .kind = TC_OUTCOME_FAILED,
      .next = TC_STATUS_FAILED,
      .result = { TC_CONTENT_JSON, { "[1]", 3 } },
      .error = { TC_REASON_WORKER_LOST, 1, SITE_NOW, { "x", 1 } } },
    { .kind = TC_OUTCOME_AGAIN,
      .next = TC_STATUS_SCHEDULED,
      .run_at_ms = SITE_NOW + 9,
      .error = { TC_REASON_HANDLER, 1, SITE_NOW, { "x", 1 } } },
};

START_TEST(an_ended_run_is_as_described)
{
    char target[80];

    snprintf(target, sizeof(target), "/tasks/%s", site_create(&site, "{\"payload\":1}"));
    site_finish(&site, &ends[_i]);
    send("GET", target, NULL, 200);
    send("GET", "/tasks", NULL, 200);
}
END_TEST

START_TEST(a_running_task_is_as_described)
{
    char target[80];

    snprintf(target, sizeof(target), "/tasks/%s", site_create(&site, "{\"payload\":1}"));

    struct tc_task task = site_claim(&site);

    tc_task_release(&task);
    send("GET", target, NULL, 200);
    send("DELETE", target, NULL, 200);
    snprintf(target + strlen(target), sizeof(target) - strlen(target), "/retry");
    send("POST", target, NULL, 200);
    send("POST", target, NULL, 409);
}
END_TEST

static void report(const char *id, const char *verb, const char *body, int status)
{
    char target[96];

    snprintf(target, sizeof(target), "/tasks/%s/%s", id, verb);
    send("POST", target, body, status);
}

START_TEST(reports_of_pull_workers_are_as_described)
{
    char id[TC_ID_TEXT_SIZE];

    snprintf(id, sizeof(id), "%s", site_create(&site, "{\"payload\":1}"));
    send("POST", "/api/v1/leases", "{\"worker\":\"w\"}", 200);
    report(id, "heartbeat", "{\"epoch\":1}", 200);
    report(id, "heartbeat", "{\"epoch\":2}", 409);
    report(id, "release", "{\"epoch\":1}", 200);
    report(id, "fail", "{\"epoch\":1,\"error\":\"e\"}", 409);
    send("POST", "/api/v1/leases", "{\"worker\":\"w\"}", 200);
    report(id, "fail", "{\"epoch\":2,\"error\":\"e\",\"retry_after_ms\":0}", 200);
    send("POST", "/api/v1/leases", "{\"worker\":\"w\"}", 200);
    report(id, "complete", "{\"epoch\":3,\"result\":{}}", 200);
    report(id, "complete", "{\"epoch\":3}", 409);
}
END_TEST

START_TEST(replays_and_mismatches_are_as_described)
{
    site_header(&site, "Idempotency-Key", "k");
    send("POST", "/tasks", "{\"payload\":1}", 201);
    site_header(&site, "Idempotency-Key", "k");
    send("POST", "/tasks", "{\"payload\":1}", 200);
    site_header(&site, "Idempotency-Key", "k");
    send("POST", "/tasks", "{\"payload\":2}", 422);
    site_header(&site, "Content-Type", "text/plain");
    send("POST", "/tasks", "{\"payload\":2}", 415);
}
END_TEST

static const char *const fragile[] = { "/tasks", ("/tasks/" SITE_NO_TASK), "/api/v1/stats",
                                       "/health", "/readyz" };

START_TEST(a_store_that_is_away_is_as_described)
{
    site.repo.plan = (struct fault_plan){ .code = TC_UNAVAILABLE, .times = 9 };
    send("GET", fragile[_i], NULL, 503);
}
END_TEST

START_TEST(a_bug_is_as_described)
{
    site.repo.plan = (struct fault_plan){ .code = TC_INTERNAL };
    send("GET", "/tasks", NULL, 500);
}
END_TEST

/* The checker itself must be able to say no. */
START_TEST(what_is_not_described_is_found)
{
    const cJSON *schema = get(get(get(document, "components"), "schemas"), "Task");
    char why[256];

    site_create(&site, "{\"payload\":1}");
    ck_assert(!json_schema_accepts(document, schema, site.json, why, sizeof(why)));
    cJSON_DeleteItemFromObject(site.json, "task_id");
    ck_assert(json_schema_accepts(document, schema, site.json, why, sizeof(why)));
    cJSON_ReplaceItemInObject(site.json, "priority", cJSON_CreateNumber(11));
    ck_assert(!json_schema_accepts(document, schema, site.json, why, sizeof(why)));
    cJSON_DeleteItemFromObject(site.json, "priority");
    ck_assert(!json_schema_accepts(document, schema, site.json, why, sizeof(why)));
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *openapi_suite(void)
{
    Suite *suite = suite_create("http_openapi");
    TCase *tcase = tcase_create("openapi");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, it_is_version_3_1);
    tcase_add_test(tcase, every_route_is_described);
    tcase_add_test(tcase, every_described_operation_is_a_route);
    tcase_add_test(tcase, summaries_are_those_of_the_table);
    tcase_add_test(tcase, query_parameters_are_those_of_the_table);
    tcase_add_test(tcase, every_reference_leads_somewhere);
    tcase_add_test(tcase, operation_ids_are_unique);
    tcase_add_loop_test(tcase, an_answer_is_as_described, 0, COUNT_OF(exchanges));
    tcase_add_loop_test(tcase, an_ended_run_is_as_described, 0, COUNT_OF(ends));
    tcase_add_test(tcase, a_running_task_is_as_described);
    tcase_add_test(tcase, reports_of_pull_workers_are_as_described);
    tcase_add_test(tcase, replays_and_mismatches_are_as_described);
    tcase_add_loop_test(tcase, a_store_that_is_away_is_as_described, 0, COUNT_OF(fragile));
    tcase_add_test(tcase, a_bug_is_as_described);
    tcase_add_test(tcase, what_is_not_described_is_found);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(openapi_suite());
}
