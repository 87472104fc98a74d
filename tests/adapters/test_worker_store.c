#include "tests/adapters/worker_fixture.h"
#include "tests/support/run_suite.h"

#include <string.h>

static _Atomic int begun;
static _Atomic int runs;

static void run_ok(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    (void)ret_report;
    atomic_fetch_add(&runs, 1);
}

static void run_result(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    ret_report->result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("well") };
}

static void run_gate(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    (void)ret_report;
    atomic_fetch_add(&begun, 1);
    atomic_fetch_add(&runs, 1);
    fixture_changed();
    gate_wait();
}

static void setup(void)
{
    fixture_open();
    atomic_store(&begun, 0);
    atomic_store(&runs, 0);
    fixture_handle("ok", run_ok);
    fixture_handle("result", run_result);
    fixture_handle("gate", run_gate);
}

static void teardown(void)
{
    fixture_close();
}

static void fail_finishes(enum tc_code code, int times, bool applies)
{
    atomic_store(&fixture.faults.finish_code, (int)code);
    atomic_store(&fixture.faults.finish_applies, applies);
    atomic_store(&fixture.faults.finish_failures, times);
}

static void assert_ran_once(struct tc_id id)
{
    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.status, TC_STATUS_DONE);
    ck_assert_int_eq(task.epoch, 1);
    ck_assert_int_eq(atomic_load(&runs), 1);
    tc_task_release(&task);
}

static const enum tc_code retried[] = { TC_UNAVAILABLE, TC_UNKNOWN, TC_NO_MEMORY };

START_TEST(a_report_is_repeated_until_the_store_takes_it)
{
    fail_finishes(retried[_i], 5, false);
    fixture_start(1);

    struct tc_id id = fixture_create("ok");

    await_status(id, TC_STATUS_DONE);
    assert_ran_once(id);
    ck_assert_int_ge(atomic_load(&fixture.faults.finishes), 6);
}
END_TEST

START_TEST(a_report_whose_answer_was_lost_is_settled_by_repeating_it)
{
    fail_finishes(TC_UNKNOWN, 3, true);
    fixture_start(1);

    struct tc_id id = fixture_create("ok");

    await_count(&fixture.faults.finishes, 4);
    assert_ran_once(id);
}
END_TEST

START_TEST(leases_are_held_while_reports_wait_for_the_store)
{
    fixture.policy.lease_ms = 300;
    fail_finishes(TC_UNAVAILABLE, -1, false);
    fixture_start(1);

    struct tc_id id = fixture_create("ok");

    await_count(&fixture.faults.extends, 8); /* well over two leases later */
    fail_finishes(TC_OK, 0, false);
    await_status(id, TC_STATUS_DONE);
    assert_ran_once(id);
}
END_TEST

START_TEST(a_long_task_keeps_its_lease)
{
    fixture.policy.lease_ms = 300;
    fixture_start(1);

    struct tc_id id = fixture_create("gate");

    await_count(&fixture.faults.extends, 8);
    gate_open();
    await_status(id, TC_STATUS_DONE);
    assert_ran_once(id);
}
END_TEST

START_TEST(a_report_that_the_store_refuses_is_lost_alone)
{
    struct tc_id ids[20];

    atomic_store(&fixture.faults.refuse_results, true);
    fixture_create_many("ok", 20, ids);

    struct tc_id refused = fixture_create("result");

    fixture_start(4);
    for (size_t i = 0; i < 20; i++)
        await_status(ids[i], TC_STATUS_DONE);
    await_status(refused, TC_STATUS_PROCESSING);
}
END_TEST

START_TEST(work_goes_on_after_an_outage)
{
    atomic_store(&fixture.faults.claim_code, (int)TC_UNAVAILABLE);
    fixture_start(1);

    struct tc_id id = fixture_create("ok");

    await_count(&fixture.faults.claims, 3);
    atomic_store(&fixture.faults.claim_code, (int)TC_OK);
    await_status(id, TC_STATUS_DONE);
}
END_TEST

START_TEST(a_drain_ends_though_the_store_is_away)
{
    fail_finishes(TC_UNAVAILABLE, -1, false);
    fixture_start(1);

    struct tc_id id = fixture_create("ok");

    await_count(&fixture.faults.finishes, 1);
    ck_assert(!worker_drain(fixture.worker, 0));
    ck_assert(worker_close(fixture.worker));
    fixture.worker = NULL;
    await_status(id, TC_STATUS_PROCESSING); /* until its lease ends */
}
END_TEST

START_TEST(reports_go_in_groups)
{
    struct tc_id ids[1000];

    fixture_create_many("ok", 1000, ids);
    fixture_start(2);
    for (size_t i = 0; i < 1000; i++)
        await_status(ids[i], TC_STATUS_DONE);
    ck_assert_int_lt(atomic_load(&fixture.faults.finishes), 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker_store");
    TCase *tcase = tcase_create("store");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_report_is_repeated_until_the_store_takes_it, 0, 3);
    tcase_add_test(tcase, a_report_whose_answer_was_lost_is_settled_by_repeating_it);
    tcase_add_test(tcase, leases_are_held_while_reports_wait_for_the_store);
    tcase_add_test(tcase, a_long_task_keeps_its_lease);
    tcase_add_test(tcase, a_report_that_the_store_refuses_is_lost_alone);
    tcase_add_test(tcase, work_goes_on_after_an_outage);
    tcase_add_test(tcase, a_drain_ends_though_the_store_is_away);
    tcase_add_test(tcase, reports_go_in_groups);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
