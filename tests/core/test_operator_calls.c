/* The short use cases of readers and operators: list, count, check, forget. */

#include "core/usecases/list_tasks.h"
#include "core/usecases/store_status.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct world world;

static void setup(void)
{
    world_open(&world);
}

static void teardown(void)
{
    world_close(&world);
}

static struct tc_task_filter all(size_t limit)
{
    return (struct tc_task_filter){ .statuses = TC_STATUS_SET_ALL,
                                    .created_after_ms = -1,
                                    .created_before_ms = -1,
                                    .limit = limit };
}

static const struct {
    size_t limit;
    enum tc_code expected;
    size_t count; /* of 201 */
} limits[] = { { 0, TC_OK, 50 },
               { 1, TC_OK, 1 },
               { 199, TC_OK, 199 },
               { 200, TC_OK, 200 },
               { 201, TC_INVALID, 0 } };

START_TEST(a_page_has_as_many_tasks_as_asked_for)
{
    struct tc_task_filter filter = all(limits[_i].limit);
    struct tc_task_spec spec = world_spec();
    struct tc_task_page page = { 0 };

    for (int i = 0; i < 201; i++)
        world_create(&world, &spec);
    ck_assert_int_eq(tc_list_tasks(&world.tasks.base, &filter, &page, &world.err),
                     limits[_i].expected);
    ck_assert_uint_eq(page.count, limits[_i].count);
    tc_task_page_release(&page);
}
END_TEST

START_TEST(large_payloads_are_left_out_of_a_page) /* _i: bytes over 4096 */
{
    static char text[5000];
    struct tc_task_filter filter = all(1);
    struct tc_task_spec spec = world_spec();
    struct tc_task_page page;

    memset(text, '1', sizeof(text));
    spec.payload.bytes = (struct tc_bytes){ text, (size_t)(4096 + _i) };
    world_create(&world, &spec);
    filter.large = 1; /* not for the caller to say */
    ck_assert_int_eq(tc_list_tasks(&world.tasks.base, &filter, &page, &world.err), TC_OK);
    ck_assert_int_eq(page.omitted[0].payload, _i > 0);
    ck_assert_uint_eq(page.tasks[0].payload.bytes.len, _i > 0 ? 0 : (size_t)(4096 + _i));
    tc_task_page_release(&page);
}
END_TEST

START_TEST(a_filter_is_passed_on)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_DONE);
    struct tc_task_filter filter = all(10);
    struct tc_task_page page;

    world_create_in(&world, TC_STATUS_NEW);
    filter.statuses = TC_STATUS_BIT(TC_STATUS_DONE);
    ck_assert_int_eq(tc_list_tasks(&world.tasks.base, &filter, &page, &world.err), TC_OK);
    ck_assert_uint_eq(page.count, 1);
    ck_assert_int_eq(tc_id_compare(&page.tasks[0].id, &id), 0);
    tc_task_page_release(&page);
}
END_TEST

static void list_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_task_filter filter = all(10);
    struct tc_task_page page = { .count = 77 };

    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = tc_list_tasks(&where->tasks.base, &filter, &page, &where->err);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(page.count, code == TC_OK ? 0 : 77);
    if (code == TC_OK)
        tc_task_page_release(&page);
}

START_TEST(a_page_that_failed_is_no_empty_page)
{
    world_each_call(&world_faults[0], list_with_fault);
}
END_TEST

START_TEST(queues_are_counted)
{
    struct tc_queue_count *counts;
    size_t count;

    world_create_in(&world, TC_STATUS_FAILED);
    world_create_in(&world, TC_STATUS_PROCESSING);
    world_create_in(&world, TC_STATUS_SCHEDULED);
    fake_clock_advance(&world.clock, 5);
    world_create_in(&world, TC_STATUS_NEW);
    ck_assert_int_eq(tc_count_tasks(&world.tasks.base, &counts, &count, &world.err), TC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(counts[0].queue, "default");
    ck_assert_int_eq(counts[0].waiting, 1);
    ck_assert_int_eq(counts[0].processing, 1);
    ck_assert_int_eq(counts[0].scheduled, 1);
    ck_assert_int_eq(counts[0].failed, 1);
    ck_assert_int_eq(counts[0].oldest_waiting_ms, WORLD_NOW + 5);
    free(counts);
}
END_TEST

static void count_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_queue_count *counts = NULL;
    size_t count = 77;

    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = tc_count_tasks(&where->tasks.base, &counts, &count, &where->err);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(count, code == TC_OK ? 0 : 77);
    free(counts);
}

START_TEST(counts_that_failed_are_no_zeros)
{
    world_each_call(&world_faults[0], count_with_fault);
}
END_TEST

/* A store whose durable write takes 12 ms. */

static enum tc_code check_slowly(struct tc_task_repo *repo, struct tc_error *err)
{
    (void)repo;
    (void)err;
    fake_clock_advance(&world.clock, 12);
    return TC_OK;
}

START_TEST(a_store_that_answers_is_up_and_its_time_is_measured)
{
    static const struct tc_task_repo_ops ops = { .check = check_slowly };
    struct tc_task_repo slow = { &ops };
    struct tc_store_health health = tc_check_store(&slow, &world.clock.base, &world.err);

    ck_assert(health.up);
    ck_assert_int_eq(health.latency_ms, 12);
}
END_TEST

static void check_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_store_health health;

    world_break(where, nth, fault->code, fault->kind);
    health = tc_check_store(&where->tasks.base, &where->clock.base, &where->err);
    ck_assert_int_eq(health.up, world_fired(where) == 0);
}

START_TEST(a_store_that_fails_is_down) /* _i: fault */
{
    world_each_call(&world_faults[_i], check_with_fault);
}
END_TEST

static void create_with_key(struct world *where)
{
    struct tc_create_tasks_ports ports = world_create_ports(where);
    struct tc_task_spec spec = world_spec();
    struct tc_create_tasks_input input = { .specs = &spec, .count = 1, .key = "k1" };
    struct tc_create_tasks_result result;

    ck_assert_int_eq(tc_create_tasks(&ports, &input, &result, &where->err), TC_OK);
    tc_create_tasks_result_release(&result);
}

static enum tc_code forget(struct world *where, size_t *ret_count)
{
    return tc_forget_old_keys(&where->tasks.base, &where->clock.base, &where->policy, ret_count,
                              &where->err);
}

START_TEST(keys_are_forgotten_after_their_life_and_tasks_stay) /* _i: ms after it */
{
    size_t count;

    create_with_key(&world);
    fake_clock_advance(&world.clock, world.policy.key_lifetime_ms + _i);
    ck_assert_int_eq(forget(&world, &count), TC_OK);
    ck_assert_uint_eq(count, _i > 0 ? 1 : 0);
    ck_assert_uint_eq(world_count(&world), 1);
}
END_TEST

static void forget_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    size_t count = 77;

    create_with_key(where);
    fake_clock_advance(&where->clock, where->policy.key_lifetime_ms + 1);
    world_break(where, nth, fault->code, fault->kind);

    enum tc_code code = forget(where, &count);

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(count, code == TC_OK ? 1 : 77);
    ck_assert_uint_eq(world_count(where), 1);
}

START_TEST(forgetting_that_failed_can_be_done_again) /* _i: fault */
{
    world_each_call(&world_faults[_i], forget_with_fault);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operator_calls");
    TCase *list = tcase_create("list");
    TCase *status = tcase_create("status");

    tcase_add_checked_fixture(list, setup, teardown);
    tcase_add_loop_test(list, a_page_has_as_many_tasks_as_asked_for, 0, COUNT_OF(limits));
    tcase_add_loop_test(list, large_payloads_are_left_out_of_a_page, -1, 2);
    tcase_add_test(list, a_filter_is_passed_on);
    tcase_add_test(list, a_page_that_failed_is_no_empty_page);
    suite_add_tcase(suite, list);

    tcase_add_checked_fixture(status, setup, teardown);
    tcase_add_test(status, queues_are_counted);
    tcase_add_test(status, counts_that_failed_are_no_zeros);
    tcase_add_test(status, a_store_that_answers_is_up_and_its_time_is_measured);
    tcase_add_loop_test(status, a_store_that_fails_is_down, 0, WORLD_FAULT_COUNT);
    tcase_add_loop_test(status, keys_are_forgotten_after_their_life_and_tasks_stay, -1, 2);
    tcase_add_loop_test(status, forgetting_that_failed_can_be_done_again, 0, WORLD_FAULT_COUNT);
    suite_add_tcase(suite, status);
    return run_suite(suite);
}
