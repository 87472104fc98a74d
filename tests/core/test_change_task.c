#include "core/usecases/claim_tasks.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <string.h>

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

typedef enum tc_code change_fn(const struct tc_change_task_ports *ports, const struct tc_id *id,
                               struct tc_task *ret_task, struct tc_error *err);

/* The fields of the task that came back, its bytes released; status COUNT when none did. */
static enum tc_code apply(struct world *where, change_fn *change, const struct tc_id *id,
                          struct tc_task *ret_task)
{
    struct tc_change_task_ports ports = world_change_ports(where);
    struct tc_task task = { .status = TC_STATUS_COUNT };
    enum tc_code code = change(&ports, id, &task, &where->err);

    *ret_task = task;
    ret_task->storage = NULL;
    if (code == TC_OK)
        tc_task_release(&task);
    return code;
}

START_TEST(cancelling_follows_the_table) /* _i: status */
{
    enum tc_status from = (enum tc_status)_i;
    bool ends = from == TC_STATUS_DONE || from == TC_STATUS_FAILED;
    struct tc_id id = world_create_in(&world, from);
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), ends ? TC_CONFLICT : TC_OK);
    ck_assert_int_eq(task.status, ends ? TC_STATUS_COUNT : TC_STATUS_CANCELLED);
    ck_assert_int_eq(world_peek(&world, &id).status, ends ? from : TC_STATUS_CANCELLED);
}
END_TEST

START_TEST(retrying_follows_the_table) /* _i: status */
{
    enum tc_status from = (enum tc_status)_i;
    bool legal = from == TC_STATUS_FAILED || from == TC_STATUS_CANCELLED;
    struct tc_id id = world_create_in(&world, from);
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_retry_task, &id, &task), legal ? TC_OK : TC_CONFLICT);
    ck_assert_int_eq(task.status, legal ? TC_STATUS_NEW : TC_STATUS_COUNT);
    ck_assert_int_eq(world_peek(&world, &id).status, legal ? TC_STATUS_NEW : from);
}
END_TEST

START_TEST(a_refusal_names_the_status)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_DONE);
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_CONFLICT);
    ck_assert_str_eq(world.err.message, "a task that is done cannot be cancelled");
    ck_assert_int_eq(apply(&world, tc_retry_task, &id, &task), TC_CONFLICT);
    ck_assert_str_eq(world.err.message, "a task that is done cannot be retried");
}
END_TEST

static change_fn *const changes[] = { tc_cancel_task, tc_retry_task };

START_TEST(an_unknown_id_is_not_found) /* _i: change */
{
    struct tc_id absent = tc_id_make(WORLD_NOW, 0, 999);
    struct tc_task task;

    ck_assert_int_eq(apply(&world, changes[_i], &absent, &task), TC_NOT_FOUND);
    ck_assert_uint_eq(world.events.count + world.queue.count, 0);
}
END_TEST

START_TEST(waiters_learn_of_a_cancellation)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_OK);
    ck_assert(fake_events_saw(&world.events, &id));
    ck_assert_int_eq(world_peek(&world, &id).finished_at_ms, WORLD_NOW);
}
END_TEST

START_TEST(cancelling_again_changes_nothing)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_CANCELLED);
    struct tc_task before = world_peek(&world, &id);
    struct tc_task task;

    fake_clock_advance(&world.clock, 1000);
    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_OK);
    ck_assert_int_eq(world_peek(&world, &id).updated_at_ms, before.updated_at_ms);
    ck_assert_int_eq(world_peek(&world, &id).finished_at_ms, before.finished_at_ms);
}
END_TEST

START_TEST(the_worker_of_a_cancelled_task_is_refused)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);
    struct tc_task running = world_claim(&world);
    struct tc_report done = tc_report_done();
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_OK);

    struct tc_verdict verdict = world_finish(&world, &running, &done);

    ck_assert_int_eq(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdict.stale, TC_STALE_CANCELLED);
    ck_assert_int_eq(world_peek(&world, &id).status, TC_STATUS_CANCELLED);
    tc_task_release(&running);
}
END_TEST

START_TEST(a_cancelled_task_is_not_claimed)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);
    struct tc_claim claim = { .owner = WORLD_OWNER, .max = 1 };
    struct tc_task task;
    size_t count = 9;

    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_OK);
    ck_assert_int_eq(
        tc_claim_tasks(&world.leases.base, &world.policy, &claim, &task, &count, &world.err),
        TC_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

static void assert_starts_over(const struct tc_task *task)
{
    ck_assert_int_eq(task->attempt, 0);
    ck_assert_int_eq(task->crashes, 0);
    ck_assert_int_eq(task->error.reason, TC_REASON_NONE);
    ck_assert_int_eq(task->result.kind, TC_CONTENT_NONE);
    ck_assert_int_eq(task->finished_at_ms, 0);
    ck_assert_int_eq(task->lease.expires_at_ms, 0);
}

START_TEST(a_retried_task_starts_over_but_its_epoch_goes_on)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_FAILED);
    struct tc_task task;

    ck_assert_int_eq(world_peek(&world, &id).attempt, 1);
    ck_assert_int_eq(apply(&world, tc_retry_task, &id, &task), TC_OK);
    task = world_peek(&world, &id);
    assert_starts_over(&task);
    ck_assert_int_eq(task.epoch, 1);

    struct tc_task again = world_claim(&world);

    ck_assert_int_eq(again.epoch, 2);
    ck_assert_int_eq(again.attempt, 1);
    tc_task_release(&again);
}
END_TEST

START_TEST(a_retried_task_is_announced)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_FAILED);
    size_t before = world.queue.count;
    struct tc_task task;

    ck_assert_int_eq(apply(&world, tc_retry_task, &id, &task), TC_OK);
    ck_assert_uint_eq(world.queue.count, before + 1);
    ck_assert_int_eq(tc_id_compare(&world.queue.hints[before].id, &id), 0);
}
END_TEST

START_TEST(a_silent_queue_does_not_stop_a_retry)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_FAILED);
    struct tc_task task;

    world.queue.answer = TC_UNAVAILABLE;
    ck_assert_int_eq(apply(&world, tc_retry_task, &id, &task), TC_OK);
    task = world_claim(&world);
    tc_task_release(&task);
}
END_TEST

/* --- what fails --- */

static void change_with_fault(struct world *where, const struct world_fault *fault, int nth,
                              change_fn *change, enum tc_status from, enum tc_status to)
{
    struct tc_id id = world_create_in(where, from);
    struct tc_task task;

    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = apply(where, change, &id, &task);
    bool fired = world_fired(where) > 0;
    bool applied = !fired || fault->kind == FAULT_AFTER;

    ck_assert_int_eq(code, fired ? fault->code : TC_OK);
    ck_assert_int_eq(world_peek(where, &id).status, applied ? to : from);
    ck_assert_int_eq(task.status, fired ? TC_STATUS_COUNT : to);
}

static void cancel_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    change_with_fault(where, fault, nth, tc_cancel_task, TC_STATUS_PROCESSING,
                      TC_STATUS_CANCELLED);
}

static void retry_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    change_with_fault(where, fault, nth, tc_retry_task, TC_STATUS_FAILED, TC_STATUS_NEW);
}

START_TEST(a_change_that_failed_is_not_said_to_have_worked) /* _i: fault */
{
    world_each_call(&world_faults[_i], cancel_with_fault);
    world_each_call(&world_faults[_i], retry_with_fault);
}
END_TEST

START_TEST(cancelling_again_settles_an_unknown_outcome) /* _i: fault */
{
    struct tc_id id = world_create_in(&world, TC_STATUS_PROCESSING);
    struct tc_task task;

    world_break(&world, 0, world_faults[_i].code, world_faults[_i].kind);
    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), world_faults[_i].code);
    ck_assert_int_eq(apply(&world, tc_cancel_task, &id, &task), TC_OK);
    ck_assert_int_eq(task.status, TC_STATUS_CANCELLED);
    ck_assert(fake_events_saw(&world.events, &id));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("change_task");
    TCase *rules = tcase_create("rules");
    TCase *faults = tcase_create("faults");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_loop_test(rules, cancelling_follows_the_table, 0, TC_STATUS_COUNT);
    tcase_add_loop_test(rules, retrying_follows_the_table, 0, TC_STATUS_COUNT);
    tcase_add_test(rules, a_refusal_names_the_status);
    tcase_add_loop_test(rules, an_unknown_id_is_not_found, 0, 2);
    tcase_add_test(rules, waiters_learn_of_a_cancellation);
    tcase_add_test(rules, cancelling_again_changes_nothing);
    tcase_add_test(rules, the_worker_of_a_cancelled_task_is_refused);
    tcase_add_test(rules, a_cancelled_task_is_not_claimed);
    tcase_add_test(rules, a_retried_task_starts_over_but_its_epoch_goes_on);
    tcase_add_test(rules, a_retried_task_is_announced);
    tcase_add_test(rules, a_silent_queue_does_not_stop_a_retry);
    suite_add_tcase(suite, rules);

    tcase_add_checked_fixture(faults, setup, teardown);
    tcase_add_loop_test(faults, a_change_that_failed_is_not_said_to_have_worked, 0,
                        WORLD_FAULT_COUNT);
    tcase_add_loop_test(faults, cancelling_again_settles_an_unknown_outcome, 0,
                        WORLD_FAULT_COUNT);
    suite_add_tcase(suite, faults);
    return run_suite(suite);
}
