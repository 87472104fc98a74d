/* Two short use cases of workers and their keeper. */

#include "core/usecases/heartbeat_tasks.h"
#include "core/usecases/wake_tasks.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct world world;
static size_t count;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

/* --- heartbeat --- */

static enum tc_code renew(struct world *where, const struct tc_renewal *renewal,
                          struct tc_renewed *ret_renewed)
{
    return tc_heartbeat_tasks(&where->leases.base, renewal, 1, ret_renewed, &where->err);
}

START_TEST(a_heartbeat_prolongs_the_lease_as_it_was_leased)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_PROCESSING);
    struct tc_renewal renewal = { .id = id, .epoch = 1 };
    struct tc_renewed renewed;

    fake_clock_advance(&world.clock, 10000);
    ck_assert_int_eq(renew(&world, &renewal, &renewed), TC_OK);
    ck_assert_int_eq(renewed.stale, TC_STALE_NONE);
    ck_assert_int_eq(renewed.expires_at_ms, WORLD_NOW + 10000 + 30000);
    ck_assert_int_eq(world_peek(&world, &id).lease.expires_at_ms, renewed.expires_at_ms);
}
END_TEST

START_TEST(a_heartbeat_brings_progress)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_PROCESSING);
    struct tc_renewal renewal = { .id = id,
                                  .epoch = 1,
                                  .progress = tc_bytes_of("{\"percent\":40}") };
    struct tc_renewed renewed;
    struct tc_task stored;

    ck_assert_int_eq(renew(&world, &renewal, &renewed), TC_OK);
    stored = world_get(&world, &id);
    ck_assert(tc_bytes_equals(stored.progress, renewal.progress));
    tc_task_release(&stored);
}
END_TEST

START_TEST(a_heartbeat_brings_back_the_news_of_a_cancel)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_CANCELLED);
    struct tc_renewal renewal = { .id = id, .epoch = 1 };
    struct tc_renewed renewed;

    ck_assert_int_eq(renew(&world, &renewal, &renewed), TC_OK);
    ck_assert_int_eq(renewed.stale, TC_STALE_CANCELLED);
}
END_TEST

static const struct {
    const char *why;
    int64_t lease_ms;
    size_t progress_len;
    enum tc_code expected;
} renewals[] = {
    { "as it was leased", 0, 0, TC_OK },
    { "negative lease", -1, 0, TC_INVALID },
    { "shortest lease", 1, 0, TC_OK },
    { "longest lease", 3600000, 0, TC_OK },
    { "too long a lease", 3600001, 0, TC_INVALID },
    { "most progress", 0, 4096, TC_OK },
    { "too much progress", 0, 4097, TC_INVALID },
};

START_TEST(a_bad_heartbeat_is_refused_with_its_whole_group)
{
    static char progress[5000];
    struct tc_id id = world_create_in(&world, TC_STATUS_PROCESSING);
    struct tc_renewal group[2] = { { .id = id, .epoch = 1 }, { .id = id, .epoch = 1 } };
    struct tc_renewed renewed[2];
    bool good = renewals[_i].expected == TC_OK;

    memset(progress, ' ', sizeof(progress));
    group[1].lease_ms = renewals[_i].lease_ms;
    group[1].progress = (struct tc_bytes){ progress, renewals[_i].progress_len };
    fake_clock_advance(&world.clock, 1000);
    ck_assert_msg(tc_heartbeat_tasks(&world.leases.base, group, 2, renewed, &world.err) ==
                      renewals[_i].expected,
                  "%s", renewals[_i].why);
    ck_assert_int_eq(world_peek(&world, &id).lease.expires_at_ms != WORLD_NOW + 30000, good);
}
END_TEST

static void renew_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_id id = world_create_in(where, TC_STATUS_PROCESSING);
    struct tc_renewal renewal = { .id = id, .epoch = 1 };
    struct tc_renewed renewed = { .expires_at_ms = 77 };

    fake_clock_advance(&where->clock, 1000);
    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = renew(where, &renewal, &renewed);
    bool applied = code == TC_OK || fault->kind == FAULT_AFTER;
    int64_t end_ms = WORLD_NOW + 30000 + (applied ? 1000 : 0);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_int_eq(renewed.expires_at_ms, code == TC_OK ? end_ms : 77);
    ck_assert_int_eq(world_peek(where, &id).lease.expires_at_ms, end_ms);
}

START_TEST(a_heartbeat_that_failed_promises_no_lease) /* _i: fault */
{
    world_each_call(&world_faults[_i], renew_with_fault);
}
END_TEST

/* --- wake --- */

static enum tc_code wake(struct world *where, size_t *ret_count, int64_t *ret_next_ms)
{
    return tc_wake_tasks(&where->leases.base, &where->queue.base, ret_count, ret_next_ms,
                         &where->err);
}

static const struct {
    int64_t passed_ms;
    size_t woken;
    int64_t next_ms;
} naps[] = { { 0, 0, 60000 }, { 59999, 0, 1 }, { 60000, 1, -1 }, { 60001, 1, -1 } };

START_TEST(a_task_wakes_at_its_time_and_not_before)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_SCHEDULED);
    int64_t next_ms;

    fake_clock_advance(&world.clock, naps[_i].passed_ms);
    ck_assert_int_eq(wake(&world, &count, &next_ms), TC_OK);
    ck_assert_uint_eq(count, naps[_i].woken);
    ck_assert_int_eq(next_ms, naps[_i].next_ms);
    ck_assert_int_eq(world_peek(&world, &id).status,
                     naps[_i].woken ? TC_STATUS_NEW : TC_STATUS_SCHEDULED);
    ck_assert_uint_eq(world.queue.looks, naps[_i].woken);
}
END_TEST

START_TEST(with_nothing_scheduled_there_is_no_next_time)
{
    int64_t next_ms = 77;

    world_create_in(&world, TC_STATUS_NEW);
    ck_assert_int_eq(wake(&world, &count, &next_ms), TC_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(next_ms, -1);
    ck_assert_uint_eq(world.queue.looks, 0);
}
END_TEST

START_TEST(a_large_number_wakes_in_portions)
{
    struct tc_task_spec spec = world_spec();
    int64_t next_ms;

    spec.delay_ms = 10;
    for (int i = 0; i < 257; i++)
        world_create(&world, &spec);
    fake_clock_advance(&world.clock, 10);
    ck_assert_int_eq(wake(&world, &count, &next_ms), TC_OK);
    ck_assert_uint_eq(count, 256);
    ck_assert_int_eq(next_ms, 0);
    ck_assert_int_eq(wake(&world, &count, &next_ms), TC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(next_ms, -1);
}
END_TEST

static void wake_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_id id = world_create_in(where, TC_STATUS_SCHEDULED);
    int64_t next_ms = 77;

    fake_clock_advance(&where->clock, 60000);
    world_break(where, nth, fault->code, fault->kind);
    count = 77;

    enum tc_code code = wake(where, &count, &next_ms);
    bool applied = code == TC_OK || fault->kind == FAULT_AFTER;

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(count, code == TC_OK ? 1 : 77);
    ck_assert_int_eq(next_ms, code == TC_OK ? -1 : 77);
    ck_assert_int_eq(world_peek(where, &id).status,
                     applied ? TC_STATUS_NEW : TC_STATUS_SCHEDULED);
}

START_TEST(a_wake_that_failed_says_nothing_of_the_next) /* _i: fault */
{
    world_each_call(&world_faults[_i], wake_with_fault);
}
END_TEST

START_TEST(a_silent_queue_does_not_keep_a_task_asleep)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_SCHEDULED);
    int64_t next_ms;

    world.queue.answer = TC_UNAVAILABLE;
    fake_clock_advance(&world.clock, 60000);
    ck_assert_int_eq(wake(&world, &count, &next_ms), TC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(world_peek(&world, &id).status, TC_STATUS_NEW);
}
END_TEST

static void add_heartbeat(Suite *suite)
{
    TCase *tcase = tcase_create("heartbeat");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_heartbeat_prolongs_the_lease_as_it_was_leased);
    tcase_add_test(tcase, a_heartbeat_brings_progress);
    tcase_add_test(tcase, a_heartbeat_brings_back_the_news_of_a_cancel);
    tcase_add_loop_test(tcase, a_bad_heartbeat_is_refused_with_its_whole_group, 0,
                        COUNT_OF(renewals));
    tcase_add_loop_test(tcase, a_heartbeat_that_failed_promises_no_lease, 0, WORLD_FAULT_COUNT);
    suite_add_tcase(suite, tcase);
}

static void add_wake(Suite *suite)
{
    TCase *tcase = tcase_create("wake");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_task_wakes_at_its_time_and_not_before, 0, COUNT_OF(naps));
    tcase_add_test(tcase, with_nothing_scheduled_there_is_no_next_time);
    tcase_add_test(tcase, a_large_number_wakes_in_portions);
    tcase_add_loop_test(tcase, a_wake_that_failed_says_nothing_of_the_next, 0,
                        WORLD_FAULT_COUNT);
    tcase_add_test(tcase, a_silent_queue_does_not_keep_a_task_asleep);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("heartbeat_wake");

    add_heartbeat(suite);
    add_wake(suite);
    return run_suite(suite);
}
