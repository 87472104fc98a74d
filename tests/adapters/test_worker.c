#include "tests/adapters/worker_fixture.h"
#include "tests/support/run_suite.h"

#include "ports/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10000

static struct tc_error err;
static _Atomic int runs;
static pthread_mutex_t seen_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tc_id seen[MANY + 10];

static void run_ok(struct tc_run *run, struct tc_report *ret_report)
{
    run->ops->log(run, "it goes well");
    ret_report->result = (struct tc_content){ TC_CONTENT_TEXT, tc_bytes_of("well") };
}

static void run_count(struct tc_run *run, struct tc_report *ret_report)
{
    (void)ret_report;
    pthread_mutex_lock(&seen_lock);
    if (atomic_load(&runs) < MANY + 10)
        seen[atomic_load(&runs)] = run->task->id;
    atomic_fetch_add(&runs, 1);
    pthread_mutex_unlock(&seen_lock);
}

/* Fails until the second attempt. */
static void run_flaky(struct tc_run *run, struct tc_report *ret_report)
{
    if (run->task->attempt < 2)
        *ret_report = tc_report_failed(TC_REASON_HANDLER, true, tc_bytes_of("not yet"));
}

static void run_hopeless(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    *ret_report = tc_report_failed(TC_REASON_HANDLER, false, tc_bytes_of("never"));
}

static void run_progress(struct tc_run *run, struct tc_report *ret_report)
{
    char too_long[TC_PROGRESS_MAX + 1];

    memset(too_long, ' ', sizeof(too_long));
    if (run->ops->progress(run, (struct tc_bytes){ too_long, sizeof(too_long) }))
        *ret_report = tc_report_failed(TC_REASON_HANDLER, false, tc_bytes_of("was taken"));
    (void)!run->ops->progress(run, tc_bytes_of("{\"percent\":1}"));
    (void)!run->ops->progress(run, tc_bytes_of("{\"percent\":40}"));
    gate_wait();
}

static void run_stack(struct tc_run *run, struct tc_report *ret_report)
{
    volatile char deep[1000 * 1024];

    (void)run;
    for (size_t i = 0; i < sizeof(deep); i += 4096)
        deep[i] = 1;
    if (deep[4096] != 1)
        *ret_report = tc_report_failed(TC_REASON_HANDLER, false, tc_bytes_of("no stack"));
}

static void run_gate(struct tc_run *run, struct tc_report *ret_report)
{
    (void)run;
    (void)ret_report;
    atomic_fetch_add(&runs, 1);
    fixture_changed();
    gate_wait();
}

static void setup(void)
{
    fixture_open();
    atomic_store(&runs, 0);
    fixture_handle("ok", run_ok);
    fixture_handle("count", run_count);
    fixture_handle("flaky", run_flaky);
    fixture_handle("hopeless", run_hopeless);
    fixture_handle("progress", run_progress);
    fixture_handle("stack", run_stack);
    fixture_handle("gate", run_gate);
}

static void teardown(void)
{
    fixture_close();
}

START_TEST(a_task_is_run_and_its_result_stored)
{
    fixture_start(2);

    struct tc_id id = fixture_create("ok");

    await_status(id, TC_STATUS_DONE);

    struct tc_task task = fixture_get(id);
    struct tc_content wanted = { TC_CONTENT_TEXT, tc_bytes_of("well") };

    ck_assert(tc_content_equals(&task.result, &wanted));
    ck_assert_int_eq(task.attempt, 1);
    ck_assert_int_eq(task.epoch, 1);
    tc_task_release(&task);
}
END_TEST

START_TEST(a_task_that_waited_before_the_start_is_run)
{
    struct tc_id id = fixture_create("ok");

    fixture_start(1);
    await_status(id, TC_STATUS_DONE);
}
END_TEST

START_TEST(a_failed_attempt_is_made_again)
{
    fixture_start(2);

    struct tc_id id = fixture_create("flaky");

    await_status(id, TC_STATUS_DONE);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.attempt, 2);
    ck_assert_int_eq(task.crashes, 0);
    tc_task_release(&task);
}
END_TEST

START_TEST(what_is_hopeless_fails_at_once)
{
    fixture_start(2);

    struct tc_id id = fixture_create("hopeless");

    await_status(id, TC_STATUS_FAILED);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.attempt, 1);
    ck_assert_int_eq(task.error.reason, TC_REASON_NOT_RETRYABLE);
    tc_task_release(&task);
}
END_TEST

START_TEST(a_type_without_a_handler_is_left_alone)
{
    fixture_start(2);

    struct tc_id foreign = fixture_create("foreign");

    await_status(fixture_create("ok"), TC_STATUS_DONE);
    await_status(foreign, TC_STATUS_NEW);
}
END_TEST

START_TEST(a_scheduled_task_runs_when_it_is_due)
{
    fixture_start(2);

    struct tc_id id = fixture_create_as("ok", 3, 60000, 300);

    await_status(id, TC_STATUS_DONE);

    struct tc_task task = fixture_get(id);

    ck_assert_int_ge(task.started_at_ms, task.run_at_ms);
    ck_assert_int_le(task.started_at_ms, task.run_at_ms + 2000);
    tc_task_release(&task);
}
END_TEST

static int compare_ids(const void *a, const void *b)
{
    return tc_id_compare(a, b);
}

START_TEST(ten_thousand_tasks_run_once_each)
{
    struct tc_id *ids = calloc(MANY, sizeof(*ids));

    fixture_start(4);
    for (size_t i = 0; i < MANY; i += 1000)
        fixture_create_many("count", 1000, ids + i);
    for (size_t i = 0; i < MANY; i++)
        await_status(ids[i], TC_STATUS_DONE);
    ck_assert_int_eq(atomic_load(&runs), MANY);
    qsort(seen, MANY, sizeof(*seen), compare_ids);
    for (size_t i = 0; i < MANY; i++)
        ck_assert_int_eq(tc_id_compare(&seen[i], &ids[i]), 0);
    free(ids);
}
END_TEST

START_TEST(as_many_run_at_a_time_as_there_are_slots)
{
    struct tc_id ids[10];

    fixture_start(3);
    fixture_create_many("gate", 10, ids);
    await_count(&runs, 3);
    ck_assert_uint_eq(fixture_pool().busy, 3);
    ck_assert_uint_eq(fixture_pool().threads, 3);
    gate_open();
    await_count(&runs, 10);
}
END_TEST

START_TEST(slow_tasks_are_not_claimed_ahead)
{
    struct tc_id ids[10];
    int waiting = 0;

    fixture_start(3);
    fixture_create_many("gate", 10, ids);
    await_count(&runs, 3);
    for (size_t i = 0; i < 10; i++) {
        struct tc_task task = fixture_get(ids[i]);

        waiting += task.status == TC_STATUS_NEW;
        tc_task_release(&task);
    }
    ck_assert_int_eq(waiting, 7);
}
END_TEST

static bool has_progress(void *ctx)
{
    struct tc_task task = fixture_get(*(struct tc_id *)ctx);
    bool has = tc_bytes_equals(task.progress, tc_bytes_of("{\"percent\":40}"));

    tc_task_release(&task);
    return has;
}

START_TEST(the_last_word_of_progress_is_stored_with_the_heartbeat)
{
    fixture.policy.lease_ms = 300;
    fixture_start(1);

    struct tc_id id = fixture_create("progress");

    await(has_progress, &id);
    gate_open();
    await_status(id, TC_STATUS_DONE);
}
END_TEST

START_TEST(a_handler_has_a_megabyte_of_stack)
{
    fixture_start(1);
    await_status(fixture_create("stack"), TC_STATUS_DONE);
}
END_TEST

/* Behind the back of the worker: only a hint, or the look each second, can find it. */
static struct tc_id create_quietly(void)
{
    struct tc_id id = fixture_create_as("ok", 3, 60000, 1);
    struct tc_change due = {
        .id = id, .from = TC_STATUS_SET_ALL, .to = TC_STATUS_NEW, .start_over = true
    };
    struct tc_task task;

    ck_assert_int_eq(fixture.repo->ops->change(fixture.repo, &due, &task, &err), TC_OK);
    tc_task_release(&task);
    return id;
}

START_TEST(a_hint_that_names_a_task_is_claimed_and_committed)
{
    struct tc_id id = fixture_create("foreign");

    fixture_start(1);
    fixture_hint(id);
    await_count(&fixture.faults.commits, 1);
    ck_assert_int_eq(atomic_load(&fixture.faults.named_claims), 1);
    await_status(id, TC_STATUS_NEW);
}
END_TEST

START_TEST(a_task_of_which_no_hint_came_is_found)
{
    fixture_start(1);
    await_status(create_quietly(), TC_STATUS_DONE);
}
END_TEST

START_TEST(a_queue_that_fails_is_no_obstacle)
{
    atomic_store(&fixture.faults.receive_code, TC_UNAVAILABLE);
    fixture_start(1);
    await_status(fixture_create("ok"), TC_STATUS_DONE);
}
END_TEST

START_TEST(progress_is_not_lost_with_a_heartbeat)
{
    fixture.policy.lease_ms = 300;
    atomic_store(&fixture.faults.extend_failures, 3);
    fixture_start(1);

    struct tc_id id = fixture_create("progress");

    await(has_progress, &id);
    gate_open();
    await_status(id, TC_STATUS_DONE);
}
END_TEST

/* A worker that died: its lease ends, and nobody heartbeats. */
static void claim_and_die(void)
{
    struct tc_claim claim = { .owner = "dead", .max = 1, .lease_ms = 1 };
    struct tc_task task;
    size_t count = 0;

    ck_assert_int_eq(fixture.leases->ops->claim(fixture.leases, &claim, &task, &count, &err),
                     TC_OK);
    ck_assert_uint_eq(count, 1);
    tc_task_release(&task);
}

START_TEST(without_slots_dead_workers_tasks_are_rescued_all_the_same)
{
    struct tc_id id = fixture_create("ok");

    claim_and_die();
    fixture_start(0);
    await_status(id, TC_STATUS_NEW);

    struct tc_task task = fixture_get(id);

    ck_assert_int_eq(task.crashes, 1);
    ck_assert_int_eq(task.attempt, 0);
    tc_task_release(&task);
    ck_assert_uint_eq(fixture_pool().threads, 0);
}
END_TEST

START_TEST(a_dead_workers_task_is_run_by_another)
{
    struct tc_id id = fixture_create("ok");

    claim_and_die();
    fixture_start(2);
    await_status(id, TC_STATUS_DONE);
}
END_TEST

static struct tc_handler dummy;
static const struct tc_handler_entry twins[] = { { "a", &dummy },
                                                 { "b", &dummy },
                                                 { "a", &dummy } };
static const struct tc_handler_entry misnamed[] = { { "Not A Name", &dummy } };
static const struct tc_handler_entry nameless[] = { { "a", &dummy }, { NULL, &dummy } };
static const struct {
    const char *why;
    struct worker_config config;
} bad[] = {
    { "an owner with a space", { .owner = "a b" } },
    { "no owner", { .owner = "" } },
    { "slots without handlers", { .owner = "a", .slots = 1 } },
    { "a repeated type", { .owner = "a", .slots = 1, .handlers = twins, .handler_count = 3 } },
    { "a bad type", { .owner = "a", .slots = 1, .handlers = misnamed, .handler_count = 1 } },
    { "no type", { .owner = "a", .slots = 1, .handlers = nameless, .handler_count = 2 } },
    { "too many slots",
      { .owner = "a", .slots = 1025, .handlers = twins, .handler_count = 2 } },
    { "too many queues",
      { .owner = "a", .slots = 1, .handlers = twins, .handler_count = 2, .queue_count = 33 } },
    { "a negative grace", { .owner = "a", .stop_grace_ms = -1 } },
    { "a negative wait", { .owner = "a", .ahead_ms = -1 } },
};

START_TEST(a_bad_configuration_is_refused)
{
    struct worker_ports ports = { .policy = &fixture.policy };
    struct worker *worker;

    ck_assert_int_eq(worker_open(&bad[_i].config, &ports, &worker, &err), TC_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("work");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_task_is_run_and_its_result_stored);
    tcase_add_test(tcase, a_task_that_waited_before_the_start_is_run);
    tcase_add_test(tcase, a_failed_attempt_is_made_again);
    tcase_add_test(tcase, what_is_hopeless_fails_at_once);
    tcase_add_test(tcase, a_type_without_a_handler_is_left_alone);
    tcase_add_test(tcase, a_scheduled_task_runs_when_it_is_due);
    tcase_add_test(tcase, ten_thousand_tasks_run_once_each);
    tcase_add_test(tcase, as_many_run_at_a_time_as_there_are_slots);
    tcase_add_test(tcase, slow_tasks_are_not_claimed_ahead);
    tcase_add_test(tcase, the_last_word_of_progress_is_stored_with_the_heartbeat);
    tcase_add_test(tcase, progress_is_not_lost_with_a_heartbeat);
    tcase_add_test(tcase, a_hint_that_names_a_task_is_claimed_and_committed);
    tcase_add_test(tcase, a_task_of_which_no_hint_came_is_found);
    tcase_add_test(tcase, a_queue_that_fails_is_no_obstacle);
    tcase_add_test(tcase, a_handler_has_a_megabyte_of_stack);
    tcase_add_test(tcase, without_slots_dead_workers_tasks_are_rescued_all_the_same);
    tcase_add_test(tcase, a_dead_workers_task_is_run_by_another);
    tcase_add_loop_test(tcase, a_bad_configuration_is_refused, 0, sizeof(bad) / sizeof(bad[0]));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
