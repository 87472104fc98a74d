#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct world world;
static struct tc_id id; /* of a task that waits */

static void setup(void)
{
    struct tc_task_spec spec = world_spec();

    world_open(&world);
    id = world_create(&world, &spec);
}

static void teardown(void)
{
    world_close(&world);
}

static enum tc_code get_in(struct world *where, const struct tc_id *wanted, int64_t wait_ms,
                           enum tc_status *ret_status)
{
    struct tc_get_task_ports ports = world_get_ports(where);
    struct tc_task task;
    enum tc_code code = tc_get_task(&ports, wanted, wait_ms, &task, &where->err);

    if (code == TC_OK) {
        *ret_status = task.status;
        tc_task_release(&task);
    }
    return code;
}

static enum tc_status get(int64_t wait_ms)
{
    enum tc_status status = TC_STATUS_COUNT;

    ck_assert_int_eq(get_in(&world, &id, wait_ms, &status), TC_OK);
    return status;
}

static int64_t passed_ms(void)
{
    return world.clock.now_ms - WORLD_NOW;
}

/* What happens elsewhere during a wait. */

static void cancel_and_tell(void *ctx)
{
    struct tc_change_task_ports ports = world_change_ports(&world);
    struct tc_task task;

    (void)ctx;
    ck_assert_int_eq(tc_cancel_task(&ports, &id, &task, &world.err), TC_OK);
    tc_task_release(&task);
}

static void cancel_silently(void *ctx)
{
    size_t told = world.events.count;

    cancel_and_tell(ctx);
    world.events.count = told;
}

static void tell_of_nothing(void *ctx)
{
    (void)ctx;
    world.events.base.ops->notify(&world.events.base, &id, 1);
    fake_clock_advance(&world.clock, 7);
}

static void stop_the_process(void *ctx)
{
    (void)ctx;
    world.events.base.ops->interrupt(&world.events.base);
}

static void set_the_wall_clock_back(void *ctx)
{
    (void)ctx;
    world.clock.now_ms -= 1000000;
}

START_TEST(a_task_is_read_as_it_is)
{
    ck_assert_int_eq(get(0), TC_STATUS_NEW);
    ck_assert_int_eq(passed_ms(), 0);
    ck_assert_uint_eq(world.events.watches + world.events.waits, 0);
}
END_TEST

START_TEST(an_unknown_id_is_not_found_at_once)
{
    struct tc_id absent = tc_id_make(WORLD_NOW, 0, 999);
    enum tc_status status;

    ck_assert_int_eq(get_in(&world, &absent, 20000, &status), TC_NOT_FOUND);
    ck_assert_int_eq(passed_ms(), 0);
}
END_TEST

static const enum tc_status ended[] = { TC_STATUS_DONE, TC_STATUS_FAILED, TC_STATUS_CANCELLED };

START_TEST(what_has_ended_is_not_waited_for)
{
    cancel_and_tell(NULL);
    id = world_create_in(&world, ended[_i]);
    ck_assert_int_eq(get(20000), ended[_i]);
    ck_assert_int_eq(passed_ms(), 0);
}
END_TEST

START_TEST(the_wait_ends_with_the_task)
{
    world.events.during = cancel_and_tell;
    ck_assert_int_eq(get(20000), TC_STATUS_CANCELLED);
    ck_assert_int_eq(passed_ms(), 0);
    ck_assert_uint_eq(world.events.waits, 1);
}
END_TEST

static const int64_t spans[] = { 1, 999, 1000, 1001, 20000 };

START_TEST(the_wait_ends_with_its_time)
{
    ck_assert_int_eq(get(spans[_i]), TC_STATUS_NEW);
    ck_assert_int_eq(passed_ms(), spans[_i]);
    ck_assert_int_le(world.events.longest_ms, 1000);
}
END_TEST

START_TEST(a_lost_event_costs_a_second_at_most)
{
    world.events.during = cancel_silently;
    ck_assert_int_eq(get(20000), TC_STATUS_CANCELLED);
    ck_assert_int_le(passed_ms(), 1000);
}
END_TEST

START_TEST(being_woken_for_nothing_makes_the_wait_no_longer)
{
    world.events.during = tell_of_nothing;
    ck_assert_int_eq(get(700), TC_STATUS_NEW);
    ck_assert_int_eq(passed_ms(), 700);
    ck_assert_uint_eq(world.events.waits, 100);
}
END_TEST

START_TEST(a_stopping_process_answers_with_what_is_known)
{
    world.events.during = stop_the_process;
    ck_assert_int_eq(get(20000), TC_STATUS_NEW);
    ck_assert_int_eq(passed_ms(), 0);
    ck_assert_uint_eq(world.events.waits, 1);
}
END_TEST

START_TEST(the_wall_clock_does_not_matter_to_a_wait)
{
    int64_t start_ms = world.clock.tick_ms;

    world.events.during = set_the_wall_clock_back;
    ck_assert_int_eq(get(2500), TC_STATUS_NEW);
    ck_assert_int_eq(world.clock.tick_ms - start_ms, 2500);
}
END_TEST

static void get_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_task_spec spec = world_spec();
    struct tc_id waiting = world_create(where, &spec);
    enum tc_status status = TC_STATUS_COUNT;

    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = get_in(where, &waiting, 3000, &status);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_int_eq(status, code == TC_OK ? TC_STATUS_NEW : TC_STATUS_COUNT);
}

START_TEST(a_failed_read_is_said_at_once)
{
    world_each_call(&world_faults[0], get_with_fault);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("get_task");
    TCase *rules = tcase_create("rules");

    tcase_add_checked_fixture(rules, setup, teardown);
    tcase_add_test(rules, a_task_is_read_as_it_is);
    tcase_add_test(rules, an_unknown_id_is_not_found_at_once);
    tcase_add_loop_test(rules, what_has_ended_is_not_waited_for, 0, COUNT_OF(ended));
    tcase_add_test(rules, the_wait_ends_with_the_task);
    tcase_add_loop_test(rules, the_wait_ends_with_its_time, 0, COUNT_OF(spans));
    tcase_add_test(rules, a_lost_event_costs_a_second_at_most);
    tcase_add_test(rules, being_woken_for_nothing_makes_the_wait_no_longer);
    tcase_add_test(rules, a_stopping_process_answers_with_what_is_known);
    tcase_add_test(rules, the_wall_clock_does_not_matter_to_a_wait);
    tcase_add_test(rules, a_failed_read_is_said_at_once);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
