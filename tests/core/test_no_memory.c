/* Every allocation of every use case fails once, those of the memory store included. What is
 * answered must be true: TC_NO_MEMORY, nothing applied, nothing leaked (under ASan). */

#include "core/usecases/claim_tasks.h"
#include "tests/core/world.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

static struct tc_error err;

/* Run `scenario` with the nth allocation failing, for n = 0, 1, … until none does. It calls
 * alloc_fault_arm(nth), acts, and returns alloc_fault_disarm(). */
static void each_allocation(int (*scenario)(struct world *world, int nth))
{
    static struct world world;
    int fired;
    int nth = 0;

    do {
        world_open(&world);
        fired = scenario(&world, nth);
        world_close(&world);
        ck_assert_msg(nth > 0 || fired, "nothing was ever allocated");
        nth++;
    } while (fired);
}

static int create(struct world *world, int nth, size_t count, const char *key)
{
    struct tc_create_tasks_ports ports = world_create_ports(world);
    struct tc_task_spec specs[] = { world_spec(), world_spec(), world_spec() };
    struct tc_create_tasks_input input = { .specs = specs, .count = count, .key = key };
    struct tc_create_tasks_result result = { 0 };

    alloc_fault_arm(nth);

    enum tc_code code = tc_create_tasks(&ports, &input, &result, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_uint_eq(world_count(world), fired ? 0 : count);
    tc_create_tasks_result_release(&result);
    return fired;
}

static int create_batch(struct world *world, int nth)
{
    return create(world, nth, 3, NULL);
}

static int create_with_key(struct world *world, int nth)
{
    return create(world, nth, 1, "k1");
}

START_TEST(a_task_for_which_there_is_no_room_is_not_stored)
{
    each_allocation(create_batch);
    each_allocation(create_with_key);
}
END_TEST

static int get(struct world *world, int nth)
{
    struct tc_get_task_ports ports = world_get_ports(world);
    struct tc_id id = world_create_in(world, TC_STATUS_NEW);
    struct tc_task task = { 0 };

    alloc_fault_arm(nth);

    enum tc_code code = tc_get_task(&ports, &id, 2500, &task, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    tc_task_release(&task);
    return fired;
}

START_TEST(a_task_that_cannot_be_read_is_not_shown)
{
    each_allocation(get);
}
END_TEST

static int cancel(struct world *world, int nth)
{
    struct tc_change_task_ports ports = world_change_ports(world);
    struct tc_id id = world_create_in(world, TC_STATUS_PROCESSING);
    struct tc_task task = { 0 };

    alloc_fault_arm(nth);

    enum tc_code code = tc_cancel_task(&ports, &id, &task, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_int_eq(world_peek(world, &id).status,
                     fired ? TC_STATUS_PROCESSING : TC_STATUS_CANCELLED);
    tc_task_release(&task);
    return fired;
}

static int retry(struct world *world, int nth)
{
    struct tc_change_task_ports ports = world_change_ports(world);
    struct tc_id id = world_create_in(world, TC_STATUS_FAILED);
    struct tc_task task = { 0 };

    alloc_fault_arm(nth);

    enum tc_code code = tc_retry_task(&ports, &id, &task, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_int_eq(world_peek(world, &id).status, fired ? TC_STATUS_FAILED : TC_STATUS_NEW);
    tc_task_release(&task);
    return fired;
}

START_TEST(a_change_without_memory_changes_nothing)
{
    each_allocation(cancel);
    each_allocation(retry);
}
END_TEST

static int claim(struct world *world, int nth)
{
    struct tc_claim wanted = { .owner = WORLD_OWNER, .max = 2 };
    struct tc_id id = world_create_in(world, TC_STATUS_NEW);
    struct tc_task tasks[2];
    size_t count = 0;

    alloc_fault_arm(nth);

    enum tc_code code = tc_claim_tasks(&world->leases.base, &world->policy, &wanted, tasks,
                                       &count, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_int_eq(world_peek(world, &id).status,
                     fired ? TC_STATUS_NEW : TC_STATUS_PROCESSING);
    for (size_t i = 0; i < count; i++)
        tc_task_release(&tasks[i]);
    return fired;
}

START_TEST(a_claim_without_memory_leases_nothing)
{
    each_allocation(claim);
}
END_TEST

static int finish(struct world *world, int nth)
{
    struct tc_finish_tasks_ports ports = world_finish_ports(world);
    struct tc_id id = world_create_in(world, TC_STATUS_NEW);
    struct tc_task task = world_claim(world);
    struct tc_report report = tc_report_done();
    struct tc_finished_run run = { &task, &report };
    struct tc_verdict verdict;

    report.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("[1]") };
    alloc_fault_arm(nth);

    enum tc_code code = tc_finish_tasks(&ports, &run, 1, &verdict, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_int_eq(world_peek(world, &id).status,
                     fired ? TC_STATUS_PROCESSING : TC_STATUS_DONE);
    ck_assert_int_eq(fake_events_saw(&world->events, &id), !fired);
    tc_task_release(&task);
    return fired;
}

START_TEST(an_end_without_memory_can_be_told_again)
{
    each_allocation(finish);
}
END_TEST

static int rescue(struct world *world, int nth)
{
    struct tc_rescue_tasks_ports ports = world_rescue_ports(world);
    struct tc_id id = world_create_in(world, TC_STATUS_PROCESSING);
    struct tc_rescued rescued;

    fake_clock_advance(&world->clock, world->policy.lease_ms + 1);
    alloc_fault_arm(nth);

    enum tc_code code = tc_rescue_tasks(&ports, "keeper", 10, &rescued, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    fake_clock_advance(&world->clock, world->policy.lease_ms + 1);
    ck_assert_int_eq(tc_rescue_tasks(&ports, "keeper", 10, &rescued, &world->err), TC_OK);
    ck_assert_int_eq(world_peek(world, &id).status, TC_STATUS_NEW);
    ck_assert_int_eq(world_peek(world, &id).crashes, 1);
    return fired;
}

START_TEST(a_rescue_without_memory_is_made_good_by_the_next)
{
    each_allocation(rescue);
}
END_TEST

static int announce(struct world *world, int nth)
{
    struct tc_announce_tasks_ports ports = world_announce_ports(world);
    struct tc_announce_tasks_input input = { .pending = true, .max = 8, .deliver_ms = 1000 };
    struct tc_id id = world_create_in(world, TC_STATUS_NEW);
    struct tc_announced announced;

    world->queue.count = 0; /* what the creator told it */
    alloc_fault_arm(nth);

    enum tc_code code = tc_announce_tasks(&ports, &input, &announced, &world->err);
    int fired = alloc_fault_disarm();

    ck_assert_int_eq(code, fired ? TC_NO_MEMORY : TC_OK);
    ck_assert_uint_eq(world->queue.count, fired ? 0 : 1);
    ck_assert_int_eq(world_peek(world, &id).status, fired ? TC_STATUS_NEW : TC_STATUS_PENDING);
    return fired;
}

START_TEST(an_announcement_without_memory_tells_nobody)
{
    each_allocation(announce);
}
END_TEST

START_TEST(a_copy_without_memory_writes_nothing)
{
    struct tc_task task = { .payload = { TC_CONTENT_JSON, { "1", 1 } } };
    struct tc_task copy = { .attempt = 77 };

    alloc_fault_arm(0);
    ck_assert_int_eq(tc_task_copy(&copy, &task, &err), TC_NO_MEMORY);
    ck_assert_int_eq(alloc_fault_disarm(), 1);
    ck_assert_int_eq(copy.attempt, 77);
}
END_TEST

START_TEST(a_result_without_memory_leaves_the_one_before)
{
    struct tc_report report = tc_report_done();
    struct tc_content expected = { TC_CONTENT_JSON, { "1", 1 } };

    ck_assert_int_eq(tc_report_set_result(&report, TC_CONTENT_JSON, tc_bytes_of("1"), &err),
                     TC_OK);
    alloc_fault_arm(0);
    ck_assert_int_eq(tc_report_set_result(&report, TC_CONTENT_JSON, tc_bytes_of("2"), &err),
                     TC_NO_MEMORY);
    ck_assert_int_eq(alloc_fault_disarm(), 1);
    ck_assert(tc_content_equals(&report.result, &expected));
    tc_report_release(&report);
}
END_TEST

START_TEST(a_failure_is_told_even_without_memory)
{
    alloc_fault_arm(0);

    struct tc_report report = tc_report_failed(TC_REASON_TIMEOUT, true, tc_bytes_of("slow"));

    ck_assert_int_eq(alloc_fault_disarm(), 1);
    ck_assert_int_eq(report.kind, TC_REPORT_FAILED);
    ck_assert_int_eq(report.reason, TC_REASON_TIMEOUT);
    ck_assert(
        tc_bytes_equals(report.message, tc_bytes_of("failed, and no memory for the message")));
    tc_report_release(&report);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("no_memory");
    TCase *usecases = tcase_create("use cases");
    TCase *values = tcase_create("values");

    tcase_add_test(usecases, a_task_for_which_there_is_no_room_is_not_stored);
    tcase_add_test(usecases, a_task_that_cannot_be_read_is_not_shown);
    tcase_add_test(usecases, a_change_without_memory_changes_nothing);
    tcase_add_test(usecases, a_claim_without_memory_leases_nothing);
    tcase_add_test(usecases, an_end_without_memory_can_be_told_again);
    tcase_add_test(usecases, a_rescue_without_memory_is_made_good_by_the_next);
    tcase_add_test(usecases, an_announcement_without_memory_tells_nobody);
    suite_add_tcase(suite, usecases);

    tcase_add_test(values, a_copy_without_memory_writes_nothing);
    tcase_add_test(values, a_result_without_memory_leaves_the_one_before);
    tcase_add_test(values, a_failure_is_told_even_without_memory);
    suite_add_tcase(suite, values);
    return run_suite(suite);
}
