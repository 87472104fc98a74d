#include "core/usecases/announce_tasks.h"

#include "core/domain/announcement.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#define DELIVER_MS 5000
#define LONG_MS    60000 /* longer than any group is held, shorter than the next check */

static struct world world;

/* The creator of a task tells the queue as well; that is not what is tested here. */
static struct tc_id create(const char *type, int priority)
{
    struct tc_task_spec spec = world_spec();

    spec.type = tc_bytes_of(type);
    spec.priority = priority;

    struct tc_id id = world_create(&world, &spec);

    world.queue.count = 0;
    return id;
}

static enum tc_code announce(bool pending, size_t max, struct tc_announced *ret_announced)
{
    struct tc_announce_tasks_ports ports = world_announce_ports(&world);
    struct tc_announce_tasks_input input = { pending, max, DELIVER_MS };

    return tc_announce_tasks(&ports, &input, ret_announced, &world.err);
}

static struct tc_announced announce_all(bool pending)
{
    struct tc_announced announced = { .groups = 77 };

    ck_assert_int_eq(announce(pending, TC_ANNOUNCEMENT_GROUPS_MAX, &announced), TC_OK);
    return announced;
}

static void open_world(void)
{
    world_open(&world);
}

static void close_world(void)
{
    world_close(&world);
}

START_TEST(nothing_that_waits_tells_the_queue_nothing)
{
    struct tc_announced announced = announce_all(true);

    ck_assert_uint_eq(announced.groups, 0);
    ck_assert_uint_eq(announced.tasks, 0);
    ck_assert_int_eq(announced.next_ms, -1);
    ck_assert_uint_eq(world.queue.deliveries, 0);
}
END_TEST

START_TEST(a_hint_says_what_a_worker_must_know)
{
    struct tc_id id = create("email", 7);
    const struct tc_hint *hint = world.queue.hints;

    announce_all(true);
    ck_assert_uint_eq(world.queue.count, 1);
    ck_assert_int_eq(tc_id_compare(&hint->id, &id), 0);
    ck_assert_str_eq(hint->queue, "default");
    ck_assert_str_eq(hint->type, "email");
    ck_assert_int_eq(hint->priority, 7);
    ck_assert_int_eq(world.queue.deliver_ms, DELIVER_MS);
}
END_TEST

START_TEST(all_groups_go_in_one_delivery)
{
    struct tc_announced announced;

    create("email", 0);
    create("email", 0);
    create("report", 0);
    announced = announce_all(true);
    ck_assert_uint_eq(announced.groups, 2);
    ck_assert_uint_eq(announced.tasks, 3);
    ck_assert_uint_eq(world.queue.deliveries, 1);
    ck_assert_uint_eq(world.queue.count, 3);
}
END_TEST

START_TEST(what_is_more_than_was_asked_for_is_due_now)
{
    struct tc_announced announced;

    create("email", 0);
    create("report", 0);
    ck_assert_int_eq(announce(true, 1, &announced), TC_OK);
    ck_assert_uint_eq(announced.groups, 1);
    ck_assert_int_eq(announced.next_ms, 0);
}
END_TEST

START_TEST(an_announced_task_is_pending_only_when_that_is_asked_for) /* loop: no, yes */
{
    struct tc_id id = create("email", 0);

    announce_all(_i);
    ck_assert_int_eq(world_peek(&world, &id).status, _i ? TC_STATUS_PENDING : TC_STATUS_NEW);
}
END_TEST

START_TEST(what_nobody_came_for_is_announced_again_later_each_time)
{
    create("email", 0);
    announce_all(true);
    for (int times = 0; times < 8; times++) {
        fake_clock_advance(&world.clock, tc_announce_wait_ms(times) - 1);
        ck_assert_uint_eq(announce_all(true).tasks, 0);
        fake_clock_advance(&world.clock, 1);
        ck_assert_uint_eq(announce_all(true).tasks, 1);
    }
}
END_TEST

START_TEST(what_was_claimed_is_not_announced_again)
{
    struct tc_id id = create("email", 0);
    struct tc_task task;

    announce_all(true);
    task = world_claim(&world);
    ck_assert_int_eq(tc_id_compare(&task.id, &id), 0);
    tc_task_release(&task);
    fake_clock_advance(&world.clock, TC_ANNOUNCE_AGAIN_MAX_MS);
    ck_assert_uint_eq(announce_all(true).tasks, 0);
}
END_TEST

static const struct {
    const char *why;
    enum tc_code deliver;
    enum tc_code publish;
    enum tc_code expected;
} refusals[] = {
    { "the broker is away", TC_UNAVAILABLE, TC_OK, TC_UNAVAILABLE },
    { "some may have arrived", TC_UNKNOWN, TC_OK, TC_UNKNOWN },
    { "the queue is full", TC_OK, TC_UNAVAILABLE, TC_UNAVAILABLE },
};

START_TEST(what_the_queue_did_not_acknowledge_is_announced_soon_again) /* loop over refusals */
{
    struct tc_id id = create("email", 0);
    struct tc_announced announced = { .groups = 77 };

    world.queue.deliver_answer = refusals[_i].deliver;
    world.queue.answer = refusals[_i].publish;
    ck_assert_int_eq(announce(true, 1, &announced), refusals[_i].expected);
    ck_assert_uint_eq(announced.groups, 77);
    ck_assert_int_eq(world_peek(&world, &id).status, TC_STATUS_NEW);

    world.queue.deliver_answer = world.queue.answer = TC_OK;
    fake_clock_advance(&world.clock, LONG_MS);
    ck_assert_uint_eq(announce_all(true).tasks, 1);
}
END_TEST

START_TEST(while_the_queue_is_told_nobody_else_announces_the_same)
{
    struct tc_announced announced;

    create("email", 0);
    world.queue.deliver_answer = TC_UNAVAILABLE;
    ck_assert_int_eq(announce(true, 1, &announced), TC_UNAVAILABLE);
    fake_clock_advance(&world.clock, DELIVER_MS);
    world.queue.deliver_answer = TC_OK;
    ck_assert_uint_eq(announce_all(true).tasks, 0);
}
END_TEST

static void a_call_fails(struct world *broken, const struct world_fault *fault, int nth)
{
    struct tc_announce_tasks_ports ports = world_announce_ports(broken);
    struct tc_announce_tasks_input input = { true, 8, DELIVER_MS };
    struct tc_id id = world_create_in(broken, TC_STATUS_NEW);
    struct tc_announced announced;

    broken->queue.count = 0;
    world_break(broken, nth, fault->code, fault->kind);

    enum tc_code code = tc_announce_tasks(&ports, &input, &announced, &broken->err);

    ck_assert_int_eq(code, world_fired(broken) ? fault->code : TC_OK);
    if (world_peek(broken, &id).status == TC_STATUS_PENDING)
        ck_assert_uint_eq(broken->queue.count, 1);
    fake_clock_advance(&broken->clock, LONG_MS);
    ports.announcements = memory_store_announcement_repo(broken->store);
    ck_assert_int_eq(tc_announce_tasks(&ports, &input, &announced, &broken->err), TC_OK);
    ck_assert_int_eq(world_peek(broken, &id).status, TC_STATUS_PENDING);
    ck_assert_uint_ge(broken->queue.count, 1);
}

START_TEST(whatever_the_store_fails_at_the_task_is_announced_in_the_end) /* loop over faults */
{
    world_each_call(&world_faults[_i], a_call_fails);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("announce_tasks");
    TCase *tcase = tcase_create("announcing");
    TCase *faults = tcase_create("faults");

    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, nothing_that_waits_tells_the_queue_nothing);
    tcase_add_test(tcase, a_hint_says_what_a_worker_must_know);
    tcase_add_test(tcase, all_groups_go_in_one_delivery);
    tcase_add_test(tcase, what_is_more_than_was_asked_for_is_due_now);
    tcase_add_loop_test(tcase, an_announced_task_is_pending_only_when_that_is_asked_for, 0, 2);
    tcase_add_test(tcase, what_nobody_came_for_is_announced_again_later_each_time);
    tcase_add_test(tcase, what_was_claimed_is_not_announced_again);
    tcase_add_loop_test(tcase, what_the_queue_did_not_acknowledge_is_announced_soon_again, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    tcase_add_test(tcase, while_the_queue_is_told_nobody_else_announces_the_same);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(faults, whatever_the_store_fails_at_the_task_is_announced_in_the_end, 0,
                        WORLD_FAULT_COUNT);
    suite_add_tcase(suite, faults);
    return run_suite(suite);
}
