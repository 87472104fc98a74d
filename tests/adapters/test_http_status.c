#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* Stats, health, readiness, metrics, version. */

#define STATS "/api/v1/stats"

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static void break_store(enum tc_code code)
{
    site.repo.plan = (struct fault_plan){ .code = code, .times = 10 };
}

START_TEST(no_tasks_no_queues)
{
    ck_assert_int_eq(site_get(&site, STATS), 200);
    ck_assert_str_eq(site_body(&site), "{\"queues\":[]}");
}
END_TEST

START_TEST(stats_count_by_queue)
{
    site_create(&site, "{\"payload\":1,\"queue\":\"a\"}");
    site_finish(
        &site, &(struct tc_outcome){ .kind = TC_OUTCOME_FAILED,
                                     .next = TC_STATUS_FAILED,
                                     .error = { TC_REASON_HANDLER, 1, SITE_NOW, { "x", 1 } } });
    site_create(&site, "{\"payload\":1,\"queue\":\"a\"}");
    fake_clock_advance(&site.clock, 350);
    site_create(&site, "{\"payload\":1,\"queue\":\"a\"}");
    site_create(&site, "{\"payload\":1,\"queue\":\"b\",\"delay_ms\":60000}");
    ck_assert_int_eq(site_get(&site, STATS), 200);
    ck_assert_str_eq(site_body(&site),
                     "{\"queues\":[{\"queue\":\"a\",\"waiting\":2,\"processing\":0,"
                     "\"scheduled\":0,\"failed\":1,\"oldest_waiting_ms\":350},"
                     "{\"queue\":\"b\",\"waiting\":0,\"processing\":0,\"scheduled\":1,"
                     "\"failed\":0,\"oldest_waiting_ms\":null}]}");
}
END_TEST

START_TEST(a_clock_that_steps_back_gives_no_negative_wait)
{
    site_create(&site, "{\"payload\":1}");
    site.clock.now_ms -= 5000;
    site_get(&site, STATS);
    ck_assert(site_number(&site, "queues/0/oldest_waiting_ms") == 0);
}
END_TEST

START_TEST(stats_of_a_store_that_is_away_are_503)
{
    break_store(TC_UNAVAILABLE);
    site_assert_problem(&site, site_get(&site, STATS), 503, "unavailable");
}
END_TEST

START_TEST(health_reports_each_part)
{
    site.workers.status = (struct tc_worker_pool_status){ .threads = 4, .busy = 1 };
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_body(&site),
                     "{\"status\":\"healthy\",\"checks\":{"
                     "\"database\":{\"status\":\"up\",\"latency_ms\":0},"
                     "\"queue\":{\"status\":\"up\",\"kind\":\"database\"},"
                     "\"workers\":{\"status\":\"up\",\"threads\":4,\"busy\":1}}}");
    ck_assert_str_eq(site.response.content_type, "application/json");
}
END_TEST

START_TEST(no_workers_is_healthy)
{
    site.services.workers = NULL;
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_text(&site, "status"), "healthy");
    ck_assert_str_eq(site_text(&site, "checks/workers/status"), "none");
}
END_TEST

START_TEST(an_empty_pool_counts_as_no_workers)
{
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_text(&site, "checks/workers/status"), "none");
}
END_TEST

START_TEST(workers_that_all_hang_degrade_the_service)
{
    site.workers.status = (struct tc_worker_pool_status){ .stuck = 4 };
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_text(&site, "status"), "degraded");
    ck_assert_str_eq(site_text(&site, "checks/workers/status"), "down");
}
END_TEST

START_TEST(a_store_that_is_away_is_unhealthy)
{
    break_store(TC_UNAVAILABLE);
    ck_assert_int_eq(site_get(&site, "/health"), 503);
    ck_assert_str_eq(site.response.content_type, "application/json");
    ck_assert_str_eq(site_text(&site, "status"), "unhealthy");
    ck_assert_str_eq(site_text(&site, "checks/database/status"), "down");
    ck_assert_str_eq(site_text(&site, "checks/queue/status"), "down");
}
END_TEST

START_TEST(a_queue_of_its_own_is_asked_itself)
{
    site.services.queue_kind = "kafka";
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_text(&site, "checks/queue/status"), "up");
    site.queue.answer = TC_UNAVAILABLE;
    ck_assert_int_eq(site_get(&site, "/health"), 200);
    ck_assert_str_eq(site_text(&site, "checks/queue/kind"), "kafka");
    ck_assert_str_eq(site_text(&site, "checks/queue/status"), "down");
    ck_assert_str_eq(site_text(&site, "status"), "degraded");
}
END_TEST

START_TEST(alive_whatever_the_store_does)
{
    break_store(TC_UNAVAILABLE);
    ck_assert_int_eq(site_get(&site, "/livez"), 200);
    ck_assert_str_eq(site_body(&site), "{\"status\":\"alive\"}");
}
END_TEST

START_TEST(ready_while_tasks_can_be_stored)
{
    ck_assert_int_eq(site_get(&site, "/readyz"), 200);
    ck_assert_str_eq(site_body(&site), "{\"status\":\"ready\"}");
    break_store(TC_UNKNOWN);
    site_assert_problem(&site, site_get(&site, "/readyz"), 503, "unavailable");
}
END_TEST

START_TEST(not_ready_while_draining)
{
    site.services.draining = true;
    site_assert_problem(&site, site_get(&site, "/readyz"), 503, "unavailable");
    ck_assert_int_eq(site.repo.plan.calls, 0);
}
END_TEST

START_TEST(version_names_the_program)
{
    ck_assert_int_eq(site_get(&site, "/version"), 200);
    ck_assert_str_eq(site_body(&site),
                     "{\"name\":\"taskcore\",\"version\":\"1.2.3\",\"commit\":\"abc\"}");
}
END_TEST

START_TEST(metrics_show_tasks_by_queue_and_status)
{
    site_create(&site, "{\"payload\":1,\"queue\":\"a\"}");
    fake_clock_advance(&site.clock, 1500);
    ck_assert_int_eq(site_get(&site, "/metrics"), 200);
    ck_assert_str_eq(site_body(&site), "taskcore_tasks a waiting 1\n"
                                       "taskcore_tasks a processing 0\n"
                                       "taskcore_tasks a scheduled 0\n"
                                       "taskcore_tasks a failed 0\n"
                                       "taskcore_oldest_waiting_seconds a - 1.5\n");
    ck_assert_str_eq(site.response.content_type, "text/plain; version=0.0.4; charset=utf-8");
}
END_TEST

START_TEST(a_scrape_leaves_no_old_gauges)
{
    site_create(&site, "{\"payload\":1}");
    site_get(&site, "/metrics");
    site_get(&site, "/metrics");
    ck_assert_ptr_nonnull(strstr(site_body(&site), "waiting 1"));
    ck_assert_ptr_null(strstr(strstr(site_body(&site), "waiting") + 1, "waiting 1"));
    ck_assert_int_eq(site.metrics.cleared, 4);
}
END_TEST

START_TEST(metrics_go_on_when_the_store_is_away)
{
    site_create(&site, "{\"payload\":1}");
    site_get(&site, "/metrics");
    break_store(TC_UNAVAILABLE);
    ck_assert_int_eq(site_get(&site, "/metrics"), 200);
    ck_assert_ptr_null(strstr(site_body(&site), "taskcore_tasks"));
}
END_TEST

START_TEST(metrics_without_memory_are_503)
{
    site.metrics.is_out_of_memory = true;
    site_assert_problem(&site, site_get(&site, "/metrics"), 503, "unavailable");
}
END_TEST

START_TEST(no_metrics_is_an_empty_text)
{
    site.services.metrics = NULL;
    ck_assert_int_eq(site_get(&site, "/metrics"), 200);
    ck_assert_str_eq(site_body(&site), "");
}
END_TEST

static Suite *status_suite(void)
{
    Suite *suite = suite_create("http_status");
    TCase *tcase = tcase_create("status");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, no_tasks_no_queues);
    tcase_add_test(tcase, stats_count_by_queue);
    tcase_add_test(tcase, a_clock_that_steps_back_gives_no_negative_wait);
    tcase_add_test(tcase, stats_of_a_store_that_is_away_are_503);
    tcase_add_test(tcase, health_reports_each_part);
    tcase_add_test(tcase, no_workers_is_healthy);
    tcase_add_test(tcase, an_empty_pool_counts_as_no_workers);
    tcase_add_test(tcase, workers_that_all_hang_degrade_the_service);
    tcase_add_test(tcase, a_store_that_is_away_is_unhealthy);
    tcase_add_test(tcase, a_queue_of_its_own_is_asked_itself);
    tcase_add_test(tcase, alive_whatever_the_store_does);
    tcase_add_test(tcase, ready_while_tasks_can_be_stored);
    tcase_add_test(tcase, not_ready_while_draining);
    tcase_add_test(tcase, version_names_the_program);
    tcase_add_test(tcase, metrics_show_tasks_by_queue_and_status);
    tcase_add_test(tcase, a_scrape_leaves_no_old_gauges);
    tcase_add_test(tcase, metrics_go_on_when_the_store_is_away);
    tcase_add_test(tcase, metrics_without_memory_are_503);
    tcase_add_test(tcase, no_metrics_is_an_empty_text);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(status_suite());
}
