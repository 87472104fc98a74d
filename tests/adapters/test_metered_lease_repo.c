#include "adapters/decorators/metered_lease_repo.h"
#include "adapters/memory/memory_store.h"
#include "ports/task_repo.h"
#include "tests/adapters/metrics_probe.h"
#include "tests/support/fakes.h"
#include "tests/support/faults.h"
#include "tests/support/run_suite.h"

#define NOW_MS 1000000

static struct fake_clock clock_;
static struct memory_store *store;
static struct fault_lease_repo faulty;
static struct metrics_probe probe;
static struct tc_lease_repo *leases;
static struct tc_task claimed[4];
static struct tc_error err;

static void store_tasks(void)
{
    struct tc_task_repo *repo = memory_store_task_repo(store);
    struct tc_task tasks[4];
    struct tc_creation creation = { .tasks = tasks, .task_count = 4 };
    struct tc_inserted inserted;

    for (size_t i = 0; i < 4; i++)
        tasks[i] = (struct tc_task){ .id = tc_id_make(NOW_MS - 500, 0, i + 1),
                                     .status = TC_STATUS_NEW,
                                     .queue = "default",
                                     .type = "t",
                                     .max_attempts = 3,
                                     .max_crashes = 3,
                                     .created_at_ms = NOW_MS - 500,
                                     .run_at_ms = NOW_MS - 500,
                                     .timeout_ms = 1000 };
    ck_assert_int_eq(repo->ops->insert(repo, &creation, 1, &inserted, &err), TC_OK);
}

static void setup(void)
{
    fake_clock_init(&clock_, NOW_MS);
    metrics_probe_init(&probe);
    ck_assert_int_eq(memory_store_open(&clock_.base, &store, &err), TC_OK);
    fault_lease_repo_init(&faulty, memory_store_lease_repo(store),
                          (struct fault_plan){ .nth = 1000 });
    ck_assert_int_eq(
        metered_lease_repo_open(&faulty.base, &probe.base, &clock_.base, &leases, &err), TC_OK);
    store_tasks();
}

static void release_claimed(void)
{
    for (size_t i = 0; i < 4; i++)
        tc_task_release(&claimed[i]);
}

static void teardown(void)
{
    release_claimed();
    metered_lease_repo_close(leases);
    memory_store_close(store);
}

static void claim(size_t max)
{
    struct tc_claim claim = { .owner = "w", .max = max, .lease_ms = 1000 };
    size_t count = 0;

    ck_assert_int_eq(leases->ops->claim(leases, &claim, claimed, &count, &err), TC_OK);
    ck_assert_uint_eq(count, max);
}

static struct tc_outcome outcome_of(size_t i, enum tc_outcome_kind kind, enum tc_status next)
{
    return (struct tc_outcome){
        .id = claimed[i].id,
        .epoch = claimed[i].epoch,
        .kind = kind,
        .next = next,
        .run_at_ms = NOW_MS,
        .error = { .reason = TC_REASON_HANDLER, .attempt = 1, .message = tc_bytes_of("no") }
    };
}

static void assert_sum(const char *key, double wanted)
{
    ck_assert_double_eq_tol(metrics_probe_sum(&probe, key), wanted, 1e-9);
}

START_TEST(a_claim_counts_tasks_and_how_long_they_waited)
{
    claim(3);
    assert_sum("taskcore_tasks_claimed_total{,}", 3);
    assert_sum("taskcore_group_size{claim,}", 3);
    assert_sum("taskcore_wait_seconds{,}", 1.5);
    ck_assert_int_eq(metrics_probe_records(&probe, "taskcore_store_seconds{claim,ok}"), 1);
}
END_TEST

START_TEST(outcomes_are_counted_by_kind)
{
    struct tc_verdict verdicts[4];

    claim(4);

    struct tc_outcome outcomes[] = {
        outcome_of(0, TC_OUTCOME_DONE, TC_STATUS_DONE),
        outcome_of(1, TC_OUTCOME_AGAIN, TC_STATUS_NEW),
        outcome_of(2, TC_OUTCOME_FAILED, TC_STATUS_FAILED),
        outcome_of(3, TC_OUTCOME_RELEASED, TC_STATUS_NEW),
    };

    ck_assert_int_eq(leases->ops->finish(leases, outcomes, 4, verdicts, &err), TC_OK);
    assert_sum("taskcore_tasks_finished_total{done,}", 1);
    assert_sum("taskcore_tasks_finished_total{again,}", 1);
    assert_sum("taskcore_tasks_finished_total{failed,}", 1);
    assert_sum("taskcore_tasks_finished_total{released,}", 1);
    assert_sum("taskcore_tasks_retried_total{,}", 1);
    assert_sum("taskcore_group_size{finish,}", 4);
}
END_TEST

START_TEST(an_outcome_given_twice_is_counted_once)
{
    struct tc_verdict verdict;

    claim(1);

    struct tc_outcome outcome = outcome_of(0, TC_OUTCOME_DONE, TC_STATUS_DONE);

    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_OK);
    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_OK);
    assert_sum("taskcore_tasks_finished_total{done,}", 1);
}
END_TEST

START_TEST(stale_words_are_counted_by_reason)
{
    struct tc_verdict verdict;
    struct tc_renewed renewed;

    claim(1);

    struct tc_outcome outcome = outcome_of(0, TC_OUTCOME_DONE, TC_STATUS_DONE);
    struct tc_renewal renewal = { .id = claimed[0].id, .epoch = 7 };

    outcome.epoch = 0;
    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_OK);
    ck_assert_int_eq(leases->ops->extend(leases, &renewal, 1, &renewed, &err), TC_OK);
    assert_sum("taskcore_stale_verdicts_total{superseded,}", 1);
    assert_sum("taskcore_stale_verdicts_total{not_leased,}", 1);
    assert_sum("taskcore_tasks_finished_total{done,}", 0);
}
END_TEST

START_TEST(a_rescue_is_counted_and_is_no_retry)
{
    struct tc_verdict verdict;
    size_t count = 0;

    claim(1);
    release_claimed();
    fake_clock_advance(&clock_, 5000);
    ck_assert_int_eq(leases->ops->take_ended(leases, "r", 4, 1000, claimed, &count, &err),
                     TC_OK);
    ck_assert_uint_eq(count, 1);

    struct tc_outcome outcome = tc_crash_decide(&claimed[0], NOW_MS);

    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_OK);
    assert_sum("taskcore_tasks_rescued_total{,}", 1);
    assert_sum("taskcore_tasks_finished_total{again,}", 1);
    assert_sum("taskcore_tasks_retried_total{,}", 0);
}
END_TEST

START_TEST(what_wakes_is_counted)
{
    struct tc_verdict verdict;
    size_t count = 0;
    int64_t next_ms;

    claim(1);

    struct tc_outcome outcome = outcome_of(0, TC_OUTCOME_AGAIN, TC_STATUS_SCHEDULED);

    outcome.run_at_ms = NOW_MS + 10;
    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_OK);
    fake_clock_advance(&clock_, 20);
    ck_assert_int_eq(leases->ops->wake(leases, 10, &count, &next_ms, &err), TC_OK);
    ck_assert_uint_eq(count, 1);
    assert_sum("taskcore_tasks_woken_total{,}", 1);
}
END_TEST

START_TEST(a_failed_finish_is_counted_by_its_code)
{
    struct tc_verdict verdict;

    claim(1);

    struct tc_outcome outcome = outcome_of(0, TC_OUTCOME_DONE, TC_STATUS_DONE);

    faulty.plan = (struct fault_plan){ .nth = 0, .code = TC_UNKNOWN };
    ck_assert_int_eq(leases->ops->finish(leases, &outcome, 1, &verdict, &err), TC_UNKNOWN);
    ck_assert_int_eq(metrics_probe_records(&probe, "taskcore_store_seconds{finish,unknown}"),
                     1);
    assert_sum("taskcore_tasks_finished_total{done,}", 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metered_lease_repo");
    TCase *tcase = tcase_create("metered");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_claim_counts_tasks_and_how_long_they_waited);
    tcase_add_test(tcase, outcomes_are_counted_by_kind);
    tcase_add_test(tcase, an_outcome_given_twice_is_counted_once);
    tcase_add_test(tcase, stale_words_are_counted_by_reason);
    tcase_add_test(tcase, a_rescue_is_counted_and_is_no_retry);
    tcase_add_test(tcase, what_wakes_is_counted);
    tcase_add_test(tcase, a_failed_finish_is_counted_by_its_code);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
