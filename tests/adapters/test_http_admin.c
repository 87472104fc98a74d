#include "adapters/http/http_routes.h"
#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <string.h>

/* The surface of programs that are not the API. */

static struct site site;

static void setup(void)
{
    site_open(&site);
    site.services.surface = HTTP_SURFACE_ADMIN;
}

static void teardown(void)
{
    site_close(&site);
}

static const char *const served[] = { "/health", "/livez", "/readyz", "/metrics", "/version" };
static const char *const closed[] = {
    "/",     "/api/v1/tasks", "/tasks", ("/tasks/" SITE_NO_TASK), "/api/v1/stats",
    "/docs", "/openapi.json",
};

START_TEST(what_tells_of_the_process_is_served) /* loop test over served */
{
    ck_assert_int_eq(site_get(&site, served[_i]), 200);
}
END_TEST

START_TEST(every_other_path_is_unknown) /* loop test over closed */
{
    site_assert_problem(&site, site_get(&site, closed[_i]), 404, "not_found");
}
END_TEST

START_TEST(no_task_can_be_created)
{
    site_assert_problem(&site, site_post(&site, SITE_TASKS, "{\"payload\":1}"), 404,
                        "not_found");
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(the_other_methods_of_a_served_path_are_refused)
{
    site_assert_problem(&site, site_post(&site, "/livez", "{}"), 405, "method_not_allowed");
}
END_TEST

START_TEST(metrics_leave_what_waits_to_the_api)
{
    site_get(&site, "/metrics");
    ck_assert_int_eq(site.metrics.cleared, 0);
    site.services.surface = HTTP_SURFACE_API;
    site_get(&site, "/metrics");
    ck_assert_int_gt(site.metrics.cleared, 0);
}
END_TEST

START_TEST(the_table_marks_what_tells_of_the_process_and_nothing_else)
{
    size_t count;
    size_t marked = 0;
    const struct http_route *routes = http_routes(&count);

    for (size_t i = 0; i < count; i++)
        marked += routes[i].of_process;
    ck_assert_uint_eq(marked, sizeof(served) / sizeof(served[0]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_admin");
    TCase *rules = tcase_create("rules");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_loop_test(rules, what_tells_of_the_process_is_served, 0,
                        sizeof(served) / sizeof(served[0]));
    tcase_add_loop_test(rules, every_other_path_is_unknown, 0,
                        sizeof(closed) / sizeof(closed[0]));
    tcase_add_test(rules, no_task_can_be_created);
    tcase_add_test(rules, the_other_methods_of_a_served_path_are_refused);
    tcase_add_test(rules, metrics_leave_what_waits_to_the_api);
    tcase_add_test(rules, the_table_marks_what_tells_of_the_process_and_nothing_else);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
