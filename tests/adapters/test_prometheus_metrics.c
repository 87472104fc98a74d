#include "adapters/metrics/prometheus_metrics.h"
#include "tests/support/run_suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tc_metrics *metrics;
static struct tc_error err;
static char *page;

static const struct tc_metric requests = {
    .name = "requests_total",
    .help = "Requests\nby \\ route",
    .kind = TC_METRIC_COUNTER,
    .labels = { "route", "code" },
};
static const struct tc_metric tasks = {
    .name = "tasks",
    .help = "Tasks",
    .kind = TC_METRIC_GAUGE,
    .labels = { "queue" },
};
static const double bounds[] = { 0.001, 0.5, 1 };
static const struct tc_metric seconds = {
    .name = "seconds",
    .help = "Time",
    .kind = TC_METRIC_HISTOGRAM,
    .buckets = bounds,
    .bucket_count = 3,
};
static const struct tc_metric plain = { .name = "plain_total",
                                        .help = "Plain",
                                        .kind = TC_METRIC_COUNTER };

static void setup(void)
{
    page = NULL;
    ck_assert_int_eq(prometheus_metrics_open(&metrics, &err), TC_OK);
}

static void teardown(void)
{
    free(page);
    prometheus_metrics_close(metrics);
}

static const char *rendered(void)
{
    size_t len = 0;

    free(page);
    page = metrics->ops->render(metrics, &len);
    ck_assert_ptr_nonnull(page);
    ck_assert_uint_eq(strlen(page), len);
    return page;
}

static void assert_shows(const char *text)
{
    ck_assert_msg(strstr(rendered(), text), "'%s' is not in:\n%s", text, page);
}

START_TEST(counters_add_up_per_label_values)
{
    tc_metrics_record(metrics, &requests, "/tasks", "201", 1);
    tc_metrics_record(metrics, &requests, "/tasks", "201", 2);
    tc_metrics_record(metrics, &requests, "/tasks", "422", 1);
    assert_shows("# HELP requests_total Requests\\nby \\\\ route\n"
                 "# TYPE requests_total counter\n"
                 "requests_total{route=\"/tasks\",code=\"201\"} 3\n"
                 "requests_total{route=\"/tasks\",code=\"422\"} 1\n");
}
END_TEST

START_TEST(a_gauge_keeps_the_last_value)
{
    tc_metrics_record(metrics, &tasks, "default", NULL, 7);
    tc_metrics_record(metrics, &tasks, "default", NULL, 2.5);
    assert_shows("# TYPE tasks gauge\ntasks{queue=\"default\"} 2.5\n");
}
END_TEST

START_TEST(cleared_series_are_gone_until_they_are_set_again)
{
    tc_metrics_record(metrics, &tasks, "old", NULL, 7);
    tc_metrics_record(metrics, &tasks, "new", NULL, 1);
    metrics->ops->clear(metrics, &tasks);
    tc_metrics_record(metrics, &tasks, "new", NULL, 2);
    assert_shows("tasks{queue=\"new\"} 2\n");
    ck_assert_ptr_null(strstr(page, "old"));
}
END_TEST

START_TEST(a_histogram_counts_cumulatively_bounds_included)
{
    tc_metrics_record(metrics, &seconds, NULL, NULL, 0.0005);
    tc_metrics_record(metrics, &seconds, NULL, NULL, 0.5);
    tc_metrics_record(metrics, &seconds, NULL, NULL, 9);
    assert_shows("# TYPE seconds histogram\n"
                 "seconds_bucket{le=\"0.001\"} 1\n"
                 "seconds_bucket{le=\"0.5\"} 2\n"
                 "seconds_bucket{le=\"1\"} 2\n"
                 "seconds_bucket{le=\"+Inf\"} 3\n"
                 "seconds_sum 9.5005\n"
                 "seconds_count 3\n");
}
END_TEST

START_TEST(label_values_are_escaped)
{
    tc_metrics_record(metrics, &tasks, "a\"b\\c\nd", NULL, 1);
    assert_shows("tasks{queue=\"a\\\"b\\\\c\\nd\"} 1\n");
}
END_TEST

START_TEST(a_metric_without_labels_has_no_braces)
{
    tc_metrics_record(metrics, &plain, NULL, NULL, 1);
    assert_shows("\nplain_total 1\n");
}
END_TEST

START_TEST(each_name_has_one_head)
{
    static const struct tc_metric twin = {
        .name = "tasks", .help = "Tasks", .kind = TC_METRIC_GAUGE, .labels = { "queue" }
    };

    tc_metrics_record(metrics, &tasks, "a", NULL, 1);
    tc_metrics_record(metrics, &twin, "b", NULL, 2);
    assert_shows("# TYPE tasks gauge\ntasks{queue=\"a\"} 1\ntasks{queue=\"b\"} 2\n");
}
END_TEST

START_TEST(too_many_series_are_counted_not_kept)
{
    for (int i = 0; i < PROMETHEUS_SERIES_MAX + 5; i++) {
        char queue[16];

        snprintf(queue, sizeof(queue), "q%d", i);
        tc_metrics_record(metrics, &tasks, queue, NULL, 1);
    }
    assert_shows("\ntaskcore_metrics_dropped_total 5\n");
}
END_TEST

static void *record_many(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        tc_metrics_record(metrics, &requests, arg, "200", 1);
        tc_metrics_record(metrics, &plain, NULL, NULL, 1);
    }
    return NULL;
}

START_TEST(threads_lose_no_count_while_pages_are_rendered)
{
    static char names[4][2] = { "a", "b", "c", "d" };
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, record_many, names[i]), 0);
    for (int i = 0; i < 20; i++)
        rendered();
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_shows("\nplain_total 80000\n");
    assert_shows("requests_total{route=\"d\",code=\"200\"} 20000\n");
}
END_TEST

START_TEST(nothing_is_measured_without_metrics)
{
    tc_metrics_record(NULL, &plain, NULL, NULL, 1);
    prometheus_metrics_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheus_metrics");
    TCase *tcase = tcase_create("metrics");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, counters_add_up_per_label_values);
    tcase_add_test(tcase, a_gauge_keeps_the_last_value);
    tcase_add_test(tcase, cleared_series_are_gone_until_they_are_set_again);
    tcase_add_test(tcase, a_histogram_counts_cumulatively_bounds_included);
    tcase_add_test(tcase, label_values_are_escaped);
    tcase_add_test(tcase, a_metric_without_labels_has_no_braces);
    tcase_add_test(tcase, each_name_has_one_head);
    tcase_add_test(tcase, too_many_series_are_counted_not_kept);
    tcase_add_test(tcase, threads_lose_no_count_while_pages_are_rendered);
    tcase_add_test(tcase, nothing_is_measured_without_metrics);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
