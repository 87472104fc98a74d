#include "tests/adapters/worker_fixture.h"
#include "tests/support/run_suite.h"

#include <pthread.h>
#include <time.h>

#define WEEK_MS INT64_C(604800000)

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

static bool is_waiting(void *ctx)
{
    struct tc_task task = fixture_get(*(struct tc_id *)ctx);
    bool waiting = task.status == TC_STATUS_NEW && task.attempt == 0 && task.epoch > 0;

    tc_task_release(&task);
    return waiting;
}

static int64_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

START_TEST(a_drain_lets_running_tasks_end)
{
    struct tc_id id = start_one(1, "deaf");

    gate_open();
    ck_assert(worker_drain(fixture.worker, 20000));
    await_status(id, TC_STATUS_DONE);
}
END_TEST

START_TEST(at_the_end_of_a_drain_running_tasks_are_given_back)
{
    struct tc_id id = start_one(1, "patient");

    ck_assert(worker_drain(fixture.worker, 10));
    ck_assert_int_eq(atomic_load(&told), TC_STOP_SHUTDOWN);
    ck_assert(is_waiting(&id));
}
END_TEST

START_TEST(a_deaf_handler_is_given_back_within_two_seconds)
{
    struct tc_id id = start_one(1, "deaf");
    int64_t start = seconds_now();

    ck_assert(worker_drain(fixture.worker, 0));
    ck_assert_int_le(seconds_now() - start, 2);
    ck_assert(is_waiting(&id));
    gate_open();
    await_count(&ended, 1);
    ck_assert(is_waiting(&id));
}
END_TEST

START_TEST(nothing_is_taken_after_a_drain)
{
    fixture_start(2);
    ck_assert(worker_drain(fixture.worker, 0));

    struct tc_id id = fixture_create("ok");

    ck_assert(worker_close(fixture.worker));
    fixture.worker = NULL;
    await_status(id, TC_STATUS_NEW);
}
END_TEST

static void *drain_long(void *arg)
{
    say(arg);
    (void)!worker_drain(fixture.worker, WEEK_MS);
    return NULL;
}

START_TEST(a_second_drain_cuts_the_first_one_short)
{
    static _Atomic int draining;
    struct tc_id id = start_one(1, "patient");
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, drain_long, &draining), 0);
    await_count(&draining, 1);
    ck_assert(worker_drain(fixture.worker, 0));
    pthread_join(thread, NULL);
    ck_assert(is_waiting(&id));
}
END_TEST

/* Fast ones teach the worker to claim ahead; the slow ones behind them then wait for it. */
START_TEST(what_was_claimed_ahead_is_given_back_in_a_drain_and_not_run)
{
    struct tc_id ids[200];

    fixture.config.ahead_ms = 60000;
    fixture_start(1);
    fixture_create_many("ok", 200, ids);
    await_count(&ended, 200);
    fixture_create_many("patient", 3, ids);
    await_count(&begun, 1);
    await_status(ids[2], TC_STATUS_PROCESSING);
    ck_assert(worker_drain(fixture.worker, 10));
    ck_assert_int_eq(atomic_load(&begun), 1);
    for (size_t i = 0; i < 3; i++)
        ck_assert(is_waiting(&ids[i]));
}
END_TEST

static bool are_given_back(void *ctx)
{
    const struct tc_id *ids = ctx;
    size_t waiting = 0;

    for (size_t i = 0; i < 50; i++) {
        struct tc_task task = fixture_get(ids[i]);

        waiting += task.status == TC_STATUS_NEW;
        tc_task_release(&task);
    }
    return waiting == 49;
}

START_TEST(what_was_claimed_ahead_for_nothing_is_given_back_to_others)
{
    struct tc_id ids[200];

    fixture_start(1);
    fixture_create_many("ok", 200, ids);
    await_count(&ended, 200);
    fixture_create_many("deaf", 50, ids);
    await_count(&begun, 1);
    await(are_given_back, ids);
}
END_TEST

static void *close_it(void *arg)
{
    *(bool *)arg = worker_close(fixture.worker);
    return NULL;
}

START_TEST(a_close_does_not_wait_for_a_deaf_handler)
{
    bool all_ended = true;
    pthread_t thread;

    start_one(1, "deaf");
    ck_assert_int_eq(pthread_create(&thread, NULL, close_it, &all_ended), 0);
    pthread_join(thread, NULL);
    ck_assert(!all_ended);
    fixture.worker = NULL; /* the deaf thread frees it */
    gate_open();
    await_count(&ended, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker_drain");
    TCase *tcase = tcase_create("drain");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_drain_lets_running_tasks_end);
    tcase_add_test(tcase, at_the_end_of_a_drain_running_tasks_are_given_back);
    tcase_add_test(tcase, a_deaf_handler_is_given_back_within_two_seconds);
    tcase_add_test(tcase, nothing_is_taken_after_a_drain);
    tcase_add_test(tcase, a_second_drain_cuts_the_first_one_short);
    tcase_add_test(tcase, what_was_claimed_ahead_is_given_back_in_a_drain_and_not_run);
    tcase_add_test(tcase, what_was_claimed_ahead_for_nothing_is_given_back_to_others);
    tcase_add_test(tcase, a_close_does_not_wait_for_a_deaf_handler);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
