#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct world world;
static struct tc_task task; /* in its first run */

static void setup(void)
{
    struct tc_task_spec spec = world_spec();

    world_open(&world);
    world_create(&world, &spec);
    task = world_claim(&world);
    fake_clock_advance(&world.clock, 250);
    world.queue.count = 0;
}

static void teardown(void)
{
    tc_task_release(&task);
    world_close(&world);
}

static struct tc_report make_done(const char *result)
{
    struct tc_report report = tc_report_done();

    report.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of(result) };
    return report;
}

static struct tc_report make_failed(bool retryable, int64_t delay_ms)
{
    return (struct tc_report){ .kind = TC_REPORT_FAILED,
                               .retryable = retryable,
                               .reason = TC_REASON_HANDLER,
                               .delay_ms = delay_ms,
                               .message = tc_bytes_of("no route") };
}

static struct tc_report make_released(int64_t delay_ms)
{
    return (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = delay_ms };
}

static enum tc_code finish(const struct tc_report *report, struct tc_verdict *ret_verdict)
{
    struct tc_finish_tasks_ports ports = world_finish_ports(&world);
    struct tc_finished_run run = { &task, report };

    return tc_finish_tasks(&ports, &run, 1, ret_verdict, &world.err);
}

static void assert_applied(const struct tc_report *report)
{
    struct tc_verdict verdict;

    ck_assert_int_eq(finish(report, &verdict), TC_OK);
    ck_assert_int_eq(verdict.kind, TC_VERDICT_APPLIED);
}

static void assert_stale(const struct tc_report *report, enum tc_stale_reason reason)
{
    struct tc_verdict verdict;

    ck_assert_int_eq(finish(report, &verdict), TC_OK);
    ck_assert_int_eq(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdict.stale, reason);
}

static struct tc_task peek(void)
{
    return world_peek(&world, &task.id);
}

START_TEST(a_good_result_is_kept_and_waiters_are_told)
{
    struct tc_report report = make_done("[1]");

    assert_applied(&report);

    struct tc_task stored = world_get(&world, &task.id);

    ck_assert_int_eq(stored.status, TC_STATUS_DONE);
    ck_assert(tc_content_equals(&stored.result, &report.result));
    ck_assert_int_eq(stored.finished_at_ms, WORLD_NOW + 250);
    ck_assert_int_eq(stored.attempt, 1);
    ck_assert(fake_events_saw(&world.events, &task.id));
    ck_assert_uint_eq(world.queue.count, 0);
    tc_task_release(&stored);
}
END_TEST

START_TEST(a_failed_attempt_waits_and_nobody_is_told)
{
    struct tc_report report = make_failed(true, TC_UNSET);

    assert_applied(&report);
    ck_assert_int_eq(peek().status, TC_STATUS_SCHEDULED);
    ck_assert_int_eq(peek().run_at_ms, WORLD_NOW + 250 + 4000);
    ck_assert_int_eq(peek().error.reason, TC_REASON_HANDLER);
    ck_assert_int_eq(peek().error.attempt, 1);
    ck_assert_uint_eq(world.events.count + world.queue.count, 0);
}
END_TEST

START_TEST(waits_are_spread_by_chance)
{
    static const uint64_t script[] = { 123 };
    struct tc_report report = make_failed(true, TC_UNSET);

    world.ids.script = script;
    world.ids.script_len = 1;
    assert_applied(&report);
    ck_assert_int_eq(peek().run_at_ms, WORLD_NOW + 250 + 4000 + 123);
}
END_TEST

START_TEST(what_waits_again_at_once_is_announced) /* _i: failed or released */
{
    struct tc_report report = _i ? make_failed(true, 0) : make_released(TC_UNSET);

    assert_applied(&report);
    ck_assert_int_eq(peek().status, TC_STATUS_NEW);
    ck_assert_uint_eq(world.queue.count, 1);
    ck_assert_int_eq(tc_id_compare(&world.queue.hints[0].id, &task.id), 0);
    ck_assert_uint_eq(world.events.count, 0);
}
END_TEST

START_TEST(a_final_failure_is_told_to_waiters)
{
    struct tc_report report = make_failed(false, TC_UNSET);

    assert_applied(&report);
    ck_assert_int_eq(peek().status, TC_STATUS_FAILED);
    ck_assert_int_eq(peek().error.reason, TC_REASON_NOT_RETRYABLE);
    ck_assert(fake_events_saw(&world.events, &task.id));
}
END_TEST

START_TEST(a_released_run_costs_no_attempt)
{
    struct tc_report report = make_released(5000);

    assert_applied(&report);
    ck_assert_int_eq(peek().attempt, 0);
    ck_assert_int_eq(peek().epoch, 1);
    ck_assert_int_eq(peek().status, TC_STATUS_SCHEDULED);
    ck_assert_int_eq(peek().run_at_ms, WORLD_NOW + 250 + 5000);
}
END_TEST

START_TEST(a_task_runs_as_often_as_allowed_and_no_more)
{
    struct tc_report report = make_failed(true, 0);

    for (int attempt = 1; attempt <= task.max_attempts; attempt++) {
        ck_assert_int_eq(task.attempt, attempt);
        assert_applied(&report);
        ck_assert_int_eq(peek().status, attempt == 3 ? TC_STATUS_FAILED : TC_STATUS_NEW);
        if (attempt == 3)
            break;
        tc_task_release(&task);
        task = world_claim(&world);
    }
}
END_TEST

START_TEST(a_result_fits_up_to_its_limit) /* _i: bytes over the limit */
{
    struct tc_report report = make_done("123456");

    world.policy.result_max = (size_t)(6 - _i);
    assert_applied(&report);
    ck_assert_int_eq(peek().status, _i > 0 ? TC_STATUS_FAILED : TC_STATUS_DONE);
    ck_assert_int_eq(peek().error.reason, _i > 0 ? TC_REASON_NOT_RETRYABLE : TC_REASON_NONE);
    ck_assert_int_eq(peek().result.kind, _i > 0 ? TC_CONTENT_NONE : TC_CONTENT_JSON);
}
END_TEST

START_TEST(a_result_over_the_limit_says_so)
{
    static const char expected[] = "result_too_large: the result is over the limit";
    struct tc_report report = make_done("123456");

    world.policy.result_max = 5;
    assert_applied(&report);

    struct tc_task stored = world_get(&world, &task.id);

    ck_assert(tc_bytes_equals(stored.error.message, tc_bytes_of(expected)));
    tc_task_release(&stored);
}
END_TEST

START_TEST(the_same_word_again_is_accepted_and_changes_nothing) /* _i: report */
{
    struct tc_report reports[] = { make_done("1"), make_failed(true, TC_UNSET),
                                   make_failed(false, 0), make_released(0) };
    struct tc_verdict verdict;

    assert_applied(&reports[_i]);

    struct tc_task before = peek();

    fake_clock_advance(&world.clock, 100);
    ck_assert_int_eq(finish(&reports[_i], &verdict), TC_OK);
    ck_assert_int_ne(verdict.kind, TC_VERDICT_STALE);

    struct tc_task after = peek();

    ck_assert_int_eq(after.status, before.status);
    ck_assert_int_eq(after.attempt, before.attempt);
    ck_assert_int_eq(after.run_at_ms, before.run_at_ms);
    ck_assert_int_eq(after.finished_at_ms, before.finished_at_ms);
}
END_TEST

START_TEST(another_word_after_the_end_is_refused)
{
    struct tc_report first = make_done("1");
    struct tc_report other = make_done("2");
    struct tc_report failed = make_failed(true, 0);

    assert_applied(&first);
    assert_stale(&other, TC_STALE_FINISHED);
    assert_stale(&failed, TC_STALE_FINISHED);
    ck_assert_int_eq(peek().status, TC_STATUS_DONE);
}
END_TEST

START_TEST(a_worker_that_was_taken_over_is_refused)
{
    struct tc_report released = make_released(0);
    struct tc_report done = make_done("1");

    assert_applied(&released);

    struct tc_task next = world_claim(&world);

    assert_stale(&done, TC_STALE_SUPERSEDED);
    ck_assert_int_eq(peek().status, TC_STATUS_PROCESSING);
    ck_assert_int_eq(peek().epoch, 2);
    ck_assert_uint_eq(world.events.count, 0);
    tc_task_release(&next);
}
END_TEST

START_TEST(a_word_from_nowhere_is_refused)
{
    struct tc_report done = make_done("1");

    task.epoch = 7;
    assert_stale(&done, TC_STALE_NOT_LEASED);
    task.id = tc_id_make(WORLD_NOW, 0, 999);
    assert_stale(&done, TC_STALE_NOT_FOUND);
}
END_TEST

START_TEST(a_lease_that_ran_out_but_was_not_taken_over_counts)
{
    struct tc_report done = make_done("1");

    fake_clock_advance(&world.clock, world.policy.lease_ms * 10);
    assert_applied(&done);
    ck_assert_int_eq(peek().status, TC_STATUS_DONE);
}
END_TEST

START_TEST(stale_members_do_not_harm_the_others)
{
    struct tc_finish_tasks_ports ports = world_finish_ports(&world);
    struct tc_task_spec spec = world_spec();
    struct tc_id second = world_create(&world, &spec);
    struct tc_task other = world_claim(&world);
    struct tc_report done = make_done("1");
    struct tc_finished_run runs[] = { { &task, &done }, { &other, &done } };
    struct tc_verdict verdicts[2];

    task.epoch = 9;
    ck_assert_int_eq(tc_finish_tasks(&ports, runs, 2, verdicts, &world.err), TC_OK);
    ck_assert_int_eq(verdicts[0].kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdicts[1].kind, TC_VERDICT_APPLIED);
    ck_assert(!fake_events_saw(&world.events, &task.id));
    ck_assert(fake_events_saw(&world.events, &second));
    tc_task_release(&other);
}
END_TEST

START_TEST(a_silent_queue_does_not_undo_a_release)
{
    struct tc_report released = make_released(0);
    struct tc_task again;

    world.queue.answer = TC_UNAVAILABLE;
    assert_applied(&released);
    again = world_claim(&world);
    ck_assert_int_eq(again.epoch, 2);
    tc_task_release(&again);
}
END_TEST

/* --- what fails: after a lost answer the same word settles it --- */

static const struct ending {
    const char *why;
    enum tc_report_kind kind;
    bool retryable;
    enum tc_status next;
} endings[] = {
    { "done", TC_REPORT_DONE, false, TC_STATUS_DONE },
    { "again", TC_REPORT_FAILED, true, TC_STATUS_SCHEDULED },
    { "failed", TC_REPORT_FAILED, false, TC_STATUS_FAILED },
    { "released", TC_REPORT_RELEASED, false, TC_STATUS_NEW },
};

static struct tc_report make(const struct ending *ending)
{
    if (ending->kind == TC_REPORT_DONE)
        return make_done("1");
    return ending->kind == TC_REPORT_RELEASED ? make_released(0)
                                              : make_failed(ending->retryable, TC_UNSET);
}

START_TEST(a_finish_that_failed_can_be_repeated) /* _i: ending, then fault */
{
    const struct ending *ending = &endings[_i % COUNT_OF(endings)];
    const struct world_fault *fault = &world_faults[_i / COUNT_OF(endings)];
    struct tc_report report = make(ending);
    struct tc_verdict verdict = { .kind = (enum tc_verdict_kind)99 };
    bool applied = fault->kind == FAULT_AFTER;

    world_break(&world, 0, fault->code, fault->kind);
    ck_assert_int_eq(finish(&report, &verdict), fault->code);
    ck_assert_int_eq(verdict.kind, 99);
    ck_assert_int_eq(peek().status, applied ? ending->next : TC_STATUS_PROCESSING);
    ck_assert_uint_eq(world.events.count + world.queue.count, 0);

    fake_clock_advance(&world.clock, 10);
    ck_assert_int_eq(finish(&report, &verdict), TC_OK);
    ck_assert_msg(verdict.kind != TC_VERDICT_STALE, "%s: %s", ending->why, fault->why);
    ck_assert_int_eq(peek().status, ending->next);
    ck_assert_int_eq(peek().attempt, ending->kind == TC_REPORT_RELEASED ? 0 : 1);
    ck_assert_int_eq(fake_events_saw(&world.events, &task.id),
                     tc_status_is_terminal(ending->next));
}
END_TEST

static void finish_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_finish_tasks_ports ports = world_finish_ports(where);
    struct tc_id id = world_create_in(where, TC_STATUS_PROCESSING);
    struct tc_task running = world_get(where, &id);
    struct tc_report done = make_done("1");
    struct tc_finished_run run = { &running, &done };
    struct tc_verdict verdict;

    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = tc_finish_tasks(&ports, &run, 1, &verdict, &where->err);
    bool fired = world_fired(where) > 0;
    bool applied = !fired || fault->kind == FAULT_AFTER;

    ck_assert_int_eq(code, fired ? fault->code : TC_OK);
    ck_assert_int_eq(world_peek(where, &id).status,
                     applied ? TC_STATUS_DONE : TC_STATUS_PROCESSING);
    ck_assert_int_eq(fake_events_saw(&where->events, &id), code == TC_OK);
    tc_task_release(&running);
}

START_TEST(no_end_is_claimed_that_was_not_stored) /* _i: fault */
{
    world_each_call(&world_faults[_i], finish_with_fault);
}
END_TEST

static void add_rules(Suite *suite)
{
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_good_result_is_kept_and_waiters_are_told);
    tcase_add_test(tcase, a_failed_attempt_waits_and_nobody_is_told);
    tcase_add_test(tcase, waits_are_spread_by_chance);
    tcase_add_loop_test(tcase, what_waits_again_at_once_is_announced, 0, 2);
    tcase_add_test(tcase, a_final_failure_is_told_to_waiters);
    tcase_add_test(tcase, a_released_run_costs_no_attempt);
    tcase_add_test(tcase, a_task_runs_as_often_as_allowed_and_no_more);
    tcase_add_loop_test(tcase, a_result_fits_up_to_its_limit, -1, 2);
    tcase_add_test(tcase, a_result_over_the_limit_says_so);
    tcase_add_loop_test(tcase, the_same_word_again_is_accepted_and_changes_nothing, 0, 4);
    tcase_add_test(tcase, another_word_after_the_end_is_refused);
    tcase_add_test(tcase, a_worker_that_was_taken_over_is_refused);
    tcase_add_test(tcase, a_word_from_nowhere_is_refused);
    tcase_add_test(tcase, a_lease_that_ran_out_but_was_not_taken_over_counts);
    tcase_add_test(tcase, stale_members_do_not_harm_the_others);
    tcase_add_test(tcase, a_silent_queue_does_not_undo_a_release);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("finish_tasks");
    TCase *faults = tcase_create("faults");

    add_rules(suite);
    tcase_add_checked_fixture(faults, setup, teardown);
    tcase_add_loop_test(faults, a_finish_that_failed_can_be_repeated, 0,
                        COUNT_OF(endings) * WORLD_FAULT_COUNT);
    tcase_add_loop_test(faults, no_end_is_claimed_that_was_not_stored, 0, WORLD_FAULT_COUNT);
    suite_add_tcase(suite, faults);
    return run_suite(suite);
}
