#include "core/domain/container_of.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

static struct world world;
static struct tc_task task; /* in its first run, its lease about to end */

static void setup(void)
{
    struct tc_task_spec spec = world_spec();

    world_open(&world);
    world_create(&world, &spec);
    task = world_claim(&world);
    world.queue.count = 0;
}

static void teardown(void)
{
    tc_task_release(&task);
    world_close(&world);
}

static void let_leases_end(struct world *where)
{
    fake_clock_advance(&where->clock, where->policy.lease_ms + 1);
}

static enum tc_code rescue_in(struct world *where, size_t max, struct tc_rescued *ret_rescued)
{
    struct tc_rescue_tasks_ports ports = world_rescue_ports(where);

    return tc_rescue_tasks(&ports, "keeper", max, ret_rescued, &where->err);
}

static struct tc_rescued rescue(void)
{
    struct tc_rescued rescued;

    ck_assert_int_eq(rescue_in(&world, 10, &rescued), TC_OK);
    return rescued;
}

static struct tc_task peek(void)
{
    return world_peek(&world, &task.id);
}

START_TEST(a_lost_task_waits_for_a_worker_again_at_once)
{
    let_leases_end(&world);

    struct tc_rescued rescued = rescue();

    ck_assert_uint_eq(rescued.again, 1);
    ck_assert_uint_eq(rescued.failed, 0);
    ck_assert_int_eq(peek().status, TC_STATUS_NEW);
    ck_assert_uint_eq(world.queue.count, 1);
    ck_assert_uint_eq(world.events.count, 0);
}
END_TEST

START_TEST(a_lost_run_counts_as_a_crash_and_not_as_an_attempt)
{
    let_leases_end(&world);
    rescue();
    ck_assert_int_eq(peek().attempt, 0);
    ck_assert_int_eq(peek().crashes, 1);
    ck_assert_int_eq(peek().epoch, 2);
    ck_assert_int_eq(peek().error.reason, TC_REASON_WORKER_LOST);
    ck_assert_int_eq(peek().error.attempt, 1);
    ck_assert_int_eq(peek().error.at_ms, world.clock.now_ms);
}
END_TEST

START_TEST(a_task_that_kills_its_workers_ends_in_the_dead_letters)
{
    for (int crash = 1; crash <= task.max_crashes; crash++) {
        let_leases_end(&world);
        ck_assert_uint_eq(rescue().again, 1);
        tc_task_release(&task);
        task = world_claim(&world);
        ck_assert_int_eq(task.attempt, 1);
    }
    let_leases_end(&world);
    ck_assert_uint_eq(rescue().failed, 1);
    ck_assert_int_eq(peek().status, TC_STATUS_FAILED);
    ck_assert_int_eq(peek().crashes, task.max_crashes + 1);
    ck_assert_int_eq(peek().error.reason, TC_REASON_WORKER_LOST);
    ck_assert(fake_events_saw(&world.events, &task.id));
}
END_TEST

START_TEST(one_attempt_without_crashes_is_at_most_once)
{
    struct tc_task_spec spec = world_spec();

    tc_task_release(&task);
    spec.max_attempts = 1;
    spec.max_crashes = 0;
    spec.priority = 10;
    world_create(&world, &spec);
    task = world_claim(&world);
    let_leases_end(&world);
    rescue();
    ck_assert_int_eq(peek().status, TC_STATUS_FAILED);
}
END_TEST

START_TEST(a_lease_that_holds_is_left_alone)
{
    fake_clock_advance(&world.clock, world.policy.lease_ms - 1);

    struct tc_rescued rescued = rescue();

    ck_assert_uint_eq(rescued.again + rescued.failed, 0);
    ck_assert_int_eq(peek().status, TC_STATUS_PROCESSING);
    ck_assert_int_eq(peek().epoch, 1);
}
END_TEST

START_TEST(a_task_is_rescued_once)
{
    let_leases_end(&world);
    ck_assert_uint_eq(rescue().again, 1);
    ck_assert_uint_eq(rescue().again, 0);
    ck_assert_int_eq(peek().crashes, 1);
}
END_TEST

START_TEST(a_lost_worker_that_comes_back_is_refused)
{
    struct tc_report done = tc_report_done();

    let_leases_end(&world);
    rescue();

    struct tc_verdict verdict = world_finish(&world, &task, &done);

    ck_assert_int_eq(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(verdict.stale, TC_STALE_SUPERSEDED);
    ck_assert_int_eq(peek().status, TC_STATUS_NEW);
}
END_TEST

START_TEST(a_rescue_takes_no_more_than_asked)
{
    struct tc_task_spec spec = world_spec();
    struct tc_rescued rescued;

    for (int i = 0; i < 2; i++) {
        world_create(&world, &spec);
        tc_task_release(&task);
        task = world_claim(&world);
    }
    let_leases_end(&world);
    ck_assert_int_eq(rescue_in(&world, 2, &rescued), TC_OK);
    ck_assert_uint_eq(rescued.again, 2);
    ck_assert_int_eq(rescue_in(&world, 2, &rescued), TC_OK);
    ck_assert_uint_eq(rescued.again, 1);
}
END_TEST

/* A clock that lets something happen between the take-over and the decision. */
struct meddling_clock {
    struct tc_clock base;
    enum tc_status becomes;
};

static int64_t meddle(struct tc_clock *clock)
{
    struct meddling_clock *self = TC_CONTAINER_OF(clock, struct meddling_clock, base);
    struct tc_change change = { .id = task.id,
                                .from = TC_STATUS_BIT(TC_STATUS_PROCESSING),
                                .to = self->becomes };
    struct tc_task after;

    ck_assert_int_eq(world.repo->ops->change(world.repo, &change, &after, NULL), TC_OK);
    tc_task_release(&after);
    return world.clock.now_ms;
}

START_TEST(a_cancel_during_the_rescue_wins)
{
    static const struct tc_clock_ops ops = { .now_ms = meddle };
    struct meddling_clock clock = { { &ops }, TC_STATUS_CANCELLED };
    struct tc_rescue_tasks_ports ports = world_rescue_ports(&world);
    struct tc_rescued rescued;

    let_leases_end(&world);
    ports.clock = &clock.base;
    ck_assert_int_eq(tc_rescue_tasks(&ports, "keeper", 10, &rescued, &world.err), TC_OK);
    ck_assert_uint_eq(rescued.again + rescued.failed, 0);
    ck_assert_int_eq(peek().status, TC_STATUS_CANCELLED);
    ck_assert_uint_eq(world.queue.count, 0);
}
END_TEST

/* --- what fails: the task comes back, and one lost worker is one crash --- */

static void rescue_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_id id = world_create_in(where, TC_STATUS_PROCESSING);
    struct tc_rescued rescued = { 77, 77 };

    let_leases_end(where);
    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = rescue_in(where, 10, &rescued);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(rescued.again, code == TC_OK ? 1 : 77);
    if (code == TC_OK)
        ck_assert_int_eq(world_peek(where, &id).status, TC_STATUS_NEW);

    where->leases.plan.nth = -1; /* from here on nothing fails */
    let_leases_end(where);
    ck_assert_int_eq(rescue_in(where, 10, &rescued), TC_OK);
    ck_assert_int_eq(world_peek(where, &id).status, TC_STATUS_NEW);
    ck_assert_int_eq(world_peek(where, &id).crashes, 1);
    ck_assert_int_eq(world_peek(where, &id).attempt, 0);
    ck_assert_int_eq(world_peek(where, &id).error.attempt, 1);
}

START_TEST(a_rescue_that_failed_half_way_is_made_good_by_the_next) /* _i: fault */
{
    world_each_call(&world_faults[_i], rescue_with_fault);
}
END_TEST

START_TEST(a_rescue_makes_two_calls_and_none_for_nothing)
{
    world_break(&world, -1, TC_OK, FAULT_BEFORE); /* count from here */
    ck_assert_uint_eq(rescue().again, 0);
    ck_assert_int_eq(world.leases.plan.calls, 1);
    let_leases_end(&world);
    ck_assert_uint_eq(rescue().again, 1);
    ck_assert_int_eq(world.leases.plan.calls, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rescue_tasks");
    TCase *rules = tcase_create("rules");
    TCase *faults = tcase_create("faults");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_test(rules, a_lost_task_waits_for_a_worker_again_at_once);
    tcase_add_test(rules, a_lost_run_counts_as_a_crash_and_not_as_an_attempt);
    tcase_add_test(rules, a_task_that_kills_its_workers_ends_in_the_dead_letters);
    tcase_add_test(rules, one_attempt_without_crashes_is_at_most_once);
    tcase_add_test(rules, a_lease_that_holds_is_left_alone);
    tcase_add_test(rules, a_task_is_rescued_once);
    tcase_add_test(rules, a_lost_worker_that_comes_back_is_refused);
    tcase_add_test(rules, a_rescue_takes_no_more_than_asked);
    tcase_add_test(rules, a_cancel_during_the_rescue_wins);
    suite_add_tcase(suite, rules);

    tcase_add_checked_fixture(faults, setup, teardown);
    tcase_add_loop_test(faults, a_rescue_that_failed_half_way_is_made_good_by_the_next, 0,
                        WORLD_FAULT_COUNT);
    tcase_add_test(faults, a_rescue_makes_two_calls_and_none_for_nothing);
    suite_add_tcase(suite, faults);
    return run_suite(suite);
}
