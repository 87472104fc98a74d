#include "tests/adapters/worker_fixture.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define WEEK_MS INT64_C(604800000)

static struct tc_error err;
static _Atomic int begun;
static _Atomic int ended;
static _Atomic int told; /* enum tc_stop_reason that the last handler was told */

static void say(_Atomic int *counter)
{
    atomic_fetch_add(counter, 1);
    fixture_changed();
}

/* Works until it is told to stop, and then says that it is done. */
static void run_patient(struct tc_run *run, struct tc_report *ret_report)
{
    (void)ret_report;
    say(&begun);
    while (run->ops->should_stop(run) == TC_STOP_NONE)
        run->ops->sleep_ms(run, WEEK_MS);
    atomic_store(&told, run->ops->should_stop(run));
    say(&ended);
}

/* Ignores every stop. */
static void run_deaf(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    ret_report->result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("too late") };
    say(&begun);
    gate_wait();
    say(&ended);
}

static void run_ok(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    (void)ret_report;
    say(&ended);
}

static void setup(void)
{
    fixture_open();
    atomic_store(&begun, 0);
    atomic_store(&ended, 0);
    fixture.policy.lease_ms = 600;
    fixture.config.stop_grace_ms = 100;
    fixture_handle("patient", run_patient);
    fixture_handle("deaf", run_deaf);
    fixture_handle("ok", run_ok);
}

static void teardown(void)
{
    fixture_close();
}

static struct tc_id start_one(size_t slots, const char *type)
{
    fixture_start(slots);

    struct tc_id id = fixture_create(type);

    await_count(&begun, 1);
    return id;
}

static void cancel(struct tc_id id)
{
    struct tc_change change = { .id = id,
                                .from = TC_STATUS_BIT(TC_STATUS_PROCESSING),
                                .to = TC_STATUS_CANCELLED };
    struct tc_task task;

    ck_assert_int_eq(fixture.repo->ops->change(fixture.repo, &change, &task, &err), TC_OK);
    tc_task_release(&task);
}

/* --- cancel, loss */

START_TEST(a_cancelled_task_learns_of_it)
{
    struct tc_id id = start_one(1, "patient");

    cancel(id);
    await_count(&ended, 1);
    ck_assert_int_eq(atomic_load(&told), TC_STOP_CANCELLED);
    await_status(id, TC_STATUS_CANCELLED);
}
END_TEST

START_TEST(the_slot_of_a_cancelled_task_is_free_again)
{
    cancel(start_one(1, "patient"));
    await_status(fixture_create("ok"), TC_STATUS_DONE);
}
END_TEST

/* Another worker takes the task over: its lease is made to end, and rescued by hand. */
static void take_over(struct tc_id id)
{
    struct tc_change away = { .id = id,
                              .from = TC_STATUS_BIT(TC_STATUS_PROCESSING),
                              .to = TC_STATUS_CANCELLED };
    struct tc_change back = { .id = id,
                              .from = TC_STATUS_BIT(TC_STATUS_CANCELLED),
                              .to = TC_STATUS_NEW,
                              .start_over = true };
    struct tc_claim claim = {
        .owner = "other", .ids = &id, .id_count = 1, .max = 1, .lease_ms = 60000
    };
    struct tc_task task;
    size_t count = 0;

    ck_assert_int_eq(fixture.repo->ops->change(fixture.repo, &away, &task, &err), TC_OK);
    tc_task_release(&task);
    ck_assert_int_eq(fixture.repo->ops->change(fixture.repo, &back, &task, &err), TC_OK);
    tc_task_release(&task);
    ck_assert_int_eq(fixture.leases->ops->claim(fixture.leases, &claim, &task, &count, &err),
                     TC_OK);
    ck_assert_uint_eq(count, 1);
    tc_task_release(&task);
}

START_TEST(what_a_handler_says_after_it_lost_the_lease_changes_nothing)
{
    struct tc_id id = start_one(1, "patient"); /* the only slot is taken: nobody else claims */

    take_over(id);
    await_count(&ended, 1);
    ck_assert_int_eq(atomic_load(&told), TC_STOP_LOST);
    await_status(fixture_create("ok"), TC_STATUS_DONE);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.status, TC_STATUS_PROCESSING);
    ck_assert_int_eq(task.epoch, 2);
    ck_assert_str_eq(task.lease.owner, "other");
    tc_task_release(&task);
}
END_TEST

/* Fast ones teach the worker to claim ahead; the slow ones behind them then wait for it. */
START_TEST(a_task_cancelled_while_it_was_claimed_ahead_is_not_run)
{
    struct tc_id ids[200];

    fixture.config.ahead_ms = 60000;
    fixture_start(1);
    fixture_create_many("ok", 200, ids);
    await_count(&ended, 200);
    fixture_create_many("deaf", 3, ids);
    await_count(&begun, 1);
    await_status(ids[2], TC_STATUS_PROCESSING);
    cancel(ids[2]);
    await_count(&fixture.faults.stale_extends, 1);
    /* Two are renewed at a time: with the third the worker has read that answer. */
    await_count(&fixture.faults.extends, atomic_load(&fixture.faults.extends) + 3);
    gate_open();
    await_status(ids[1], TC_STATUS_DONE);
    await_status(fixture_create("ok"), TC_STATUS_DONE);
    ck_assert_int_eq(atomic_load(&begun), 2);
}
END_TEST

/* --- timeout */

START_TEST(at_its_timeout_a_handler_is_told_to_stop)
{
    fixture_start(1);

    struct tc_id id = fixture_create_as("patient", 1, 50, 0);

    await_count(&ended, 1);
    ck_assert_int_eq(atomic_load(&told), TC_STOP_TIMEOUT);
    await_status(id, TC_STATUS_FAILED);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.error.reason, TC_REASON_TIMEOUT);
    ck_assert_int_eq(task.attempt, 1);
    tc_task_release(&task);
}
END_TEST

START_TEST(a_timeout_of_one_millisecond_works)
{
    fixture_start(1);
    await_status(fixture_create_as("patient", 1, 1, 0), TC_STATUS_FAILED);
}
END_TEST

START_TEST(a_timed_out_attempt_is_made_again)
{
    fixture_start(1);

    struct tc_id id = fixture_create_as("patient", 2, 20, 0);

    await_status(id, TC_STATUS_FAILED);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.attempt, 2);
    tc_task_release(&task);
}
END_TEST

START_TEST(the_attempt_fails_at_its_timeout_though_the_handler_is_deaf)
{
    fixture_start(1);

    struct tc_id id = fixture_create_as("deaf", 1, 20, 0);

    await_status(id, TC_STATUS_FAILED);
    ck_assert_int_eq(atomic_load(&ended), 0);
    gate_open();
    await_count(&ended, 1);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.error.reason, TC_REASON_TIMEOUT);
    ck_assert_int_eq(task.result.kind, TC_CONTENT_NONE);
    tc_task_release(&task);
}
END_TEST

static bool has_stuck(void *ctx)
{
    return fixture_pool().stuck == *(size_t *)ctx;
}

START_TEST(a_deaf_handler_does_not_keep_its_slot)
{
    size_t one = 1;
    size_t none = 0;

    fixture_start(1);
    fixture_create_as("deaf", 1, 20, 0);
    await_status(fixture_create("ok"), TC_STATUS_DONE);
    await(has_stuck, &one);
    ck_assert_uint_eq(fixture_pool().threads, 1);
    gate_open();
    await(has_stuck, &none);
}
END_TEST

START_TEST(deaf_handlers_get_four_threads_a_slot_and_no_more)
{
    size_t four = 4;

    fixture_start(1);
    for (int i = 0; i < 4; i++)
        fixture_create_as("deaf", 1, 20, 0);

    struct tc_id last = fixture_create("ok");

    await(has_stuck, &four);
    ck_assert_uint_eq(fixture_pool().threads, 0);
    await_status(last, TC_STATUS_NEW);
    gate_open();
    await_status(last, TC_STATUS_DONE);
    ck_assert_uint_eq(fixture_pool().threads, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker_stop");
    TCase *tcase = tcase_create("stop");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_cancelled_task_learns_of_it);
    tcase_add_test(tcase, the_slot_of_a_cancelled_task_is_free_again);
    tcase_add_test(tcase, what_a_handler_says_after_it_lost_the_lease_changes_nothing);
    tcase_add_test(tcase, a_task_cancelled_while_it_was_claimed_ahead_is_not_run);
    tcase_add_test(tcase, at_its_timeout_a_handler_is_told_to_stop);
    tcase_add_test(tcase, a_timeout_of_one_millisecond_works);
    tcase_add_test(tcase, a_timed_out_attempt_is_made_again);
    tcase_add_test(tcase, the_attempt_fails_at_its_timeout_though_the_handler_is_deaf);
    tcase_add_test(tcase, a_deaf_handler_does_not_keep_its_slot);
    tcase_add_test(tcase, deaf_handlers_get_four_threads_a_slot_and_no_more);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
