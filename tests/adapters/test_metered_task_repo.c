#include "adapters/decorators/metered_task_repo.h"
#include "adapters/memory/memory_store.h"
#include "tests/adapters/metrics_probe.h"
#include "tests/support/fakes.h"
#include "tests/support/faults.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>

#define NOW_MS 1000000

static struct fake_clock clock_;
static struct memory_store *store;
static struct fault_task_repo faulty;
static struct metrics_probe probe;
static struct tc_task_repo *repo;
static struct tc_error err;
static struct tc_task tasks[3];

static struct tc_task make_task(uint64_t number)
{
    return (struct tc_task){ .id = tc_id_make(NOW_MS - 250, 0, number),
                             .status = TC_STATUS_NEW,
                             .queue = "default",
                             .type = "t",
                             .max_attempts = 3,
                             .created_at_ms = NOW_MS - 250,
                             .run_at_ms = NOW_MS - 250,
                             .timeout_ms = 1000,
                             .payload = { TC_CONTENT_JSON, { "1", 1 } } };
}

static void setup(void)
{
    fake_clock_init(&clock_, NOW_MS);
    metrics_probe_init(&probe);
    ck_assert_int_eq(memory_store_open(&clock_.base, &store, &err), TC_OK);
    fault_task_repo_init(&faulty, memory_store_task_repo(store),
                         (struct fault_plan){ .nth = 1000 });
    ck_assert_int_eq(
        metered_task_repo_open(&faulty.base, &probe.base, &clock_.base, &repo, &err), TC_OK);
    for (size_t i = 0; i < 3; i++)
        tasks[i] = make_task(i + 1);
}

static void teardown(void)
{
    metered_task_repo_close(repo);
    memory_store_close(store);
}

static enum tc_code insert(const char *key)
{
    struct tc_creation creation = { .tasks = tasks, .task_count = 3, .key = key };
    struct tc_inserted inserted = { 0 };
    enum tc_code code = repo->ops->insert(repo, &creation, 1, &inserted, &err);

    tc_inserted_release(&inserted);
    return code;
}

static void assert_sum(const char *key, double wanted)
{
    ck_assert_double_eq_tol(metrics_probe_sum(&probe, key), wanted, 1e-9);
}

static void assert_records(const char *key, int wanted)
{
    ck_assert_int_eq(metrics_probe_records(&probe, key), wanted);
}

START_TEST(an_insert_counts_tasks_groups_and_times)
{
    ck_assert_int_eq(insert(NULL), TC_OK);
    assert_sum("taskcore_tasks_created_total{,}", 3);
    assert_sum("taskcore_group_size{insert,}", 3);
    assert_records("taskcore_store_seconds{insert,ok}", 1);
    assert_records("taskcore_commit_seconds{,}", 1);
    assert_sum("taskcore_create_seconds{,}", 0.25);
}
END_TEST

START_TEST(a_replayed_creation_is_no_new_task)
{
    ck_assert_int_eq(insert("key"), TC_OK);
    ck_assert_int_eq(insert("key"), TC_OK);
    assert_sum("taskcore_tasks_created_total{,}", 3);
    assert_sum("taskcore_tasks_replayed_total{,}", 1);
}
END_TEST

START_TEST(a_failed_insert_is_counted_by_its_code)
{
    faulty.plan = (struct fault_plan){ .nth = 0, .code = TC_UNAVAILABLE };
    ck_assert_int_eq(insert(NULL), TC_UNAVAILABLE);
    assert_records("taskcore_store_seconds{insert,unavailable}", 1);
    assert_records("taskcore_commit_seconds{,}", 0);
    assert_sum("taskcore_tasks_created_total{,}", 0);
}
END_TEST

START_TEST(a_change_is_counted_by_where_it_leads)
{
    struct tc_change change = { .id = tasks[0].id,
                                .from = TC_STATUS_SET_WAITING,
                                .to = TC_STATUS_CANCELLED };
    struct tc_task task;

    ck_assert_int_eq(insert(NULL), TC_OK);
    ck_assert_int_eq(repo->ops->change(repo, &change, &task, &err), TC_OK);
    tc_task_release(&task);
    ck_assert_int_eq(repo->ops->change(repo, &change, &task, &err), TC_CONFLICT);
    tc_task_release(&task);
    assert_sum("taskcore_tasks_changed_total{cancelled,}", 1);
    assert_records("taskcore_store_seconds{change,conflict}", 1);
}
END_TEST

START_TEST(reads_pass_through_and_are_timed)
{
    struct tc_task_filter filter = { .statuses = TC_STATUS_SET_ALL,
                                     .created_after_ms = -1,
                                     .created_before_ms = -1,
                                     .limit = 10 };
    struct tc_task_page page;
    struct tc_queue_count *counts;
    struct tc_task task;
    size_t count;

    ck_assert_int_eq(insert(NULL), TC_OK);
    ck_assert_int_eq(repo->ops->get(repo, &tasks[1].id, &task, &err), TC_OK);
    ck_assert_int_eq(tc_id_compare(&task.id, &tasks[1].id), 0);
    tc_task_release(&task);
    ck_assert_int_eq(repo->ops->list(repo, &filter, &page, &err), TC_OK);
    ck_assert_uint_eq(page.count, 3);
    tc_task_page_release(&page);
    ck_assert_int_eq(repo->ops->counts(repo, &counts, &count, &err), TC_OK);
    ck_assert_uint_eq(count, 1);
    free(counts);
    assert_records("taskcore_store_seconds{get,ok}", 1);
    assert_records("taskcore_store_seconds{list,ok}", 1);
    assert_records("taskcore_store_seconds{counts,ok}", 1);
    assert_records("taskcore_commit_seconds{,}", 1);
}
END_TEST

START_TEST(forgetting_keys_commits_when_there_were_any)
{
    size_t count;

    ck_assert_int_eq(insert("key"), TC_OK);
    ck_assert_int_eq(repo->ops->forget_keys(repo, NOW_MS + 1, 10, &count, &err), TC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(repo->ops->forget_keys(repo, NOW_MS + 1, 10, &count, &err), TC_OK);
    ck_assert_int_eq(repo->ops->check(repo, &err), TC_OK);
    assert_records("taskcore_store_seconds{forget_keys,ok}", 2);
    assert_records("taskcore_commit_seconds{,}", 3);
}
END_TEST

START_TEST(without_metrics_everything_passes_through)
{
    struct tc_task_repo *quiet;
    struct tc_creation creation = { .tasks = tasks, .task_count = 3 };
    struct tc_inserted inserted;

    ck_assert_int_eq(metered_task_repo_open(&faulty.base, NULL, &clock_.base, &quiet, &err),
                     TC_OK);
    ck_assert_int_eq(quiet->ops->insert(quiet, &creation, 1, &inserted, &err), TC_OK);
    metered_task_repo_close(quiet);
    metered_task_repo_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metered_task_repo");
    TCase *tcase = tcase_create("metered");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_insert_counts_tasks_groups_and_times);
    tcase_add_test(tcase, a_replayed_creation_is_no_new_task);
    tcase_add_test(tcase, a_failed_insert_is_counted_by_its_code);
    tcase_add_test(tcase, a_change_is_counted_by_where_it_leads);
    tcase_add_test(tcase, reads_pass_through_and_are_timed);
    tcase_add_test(tcase, forgetting_keys_commits_when_there_were_any);
    tcase_add_test(tcase, without_metrics_everything_passes_through);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
