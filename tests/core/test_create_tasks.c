#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

static struct world world;
static struct tc_task_spec specs[3];
static struct tc_create_tasks_input input;
static struct tc_create_tasks_result result;

static void set_up_input(void)
{
    for (int i = 0; i < 3; i++)
        specs[i] = world_spec();
    input = (struct tc_create_tasks_input){ .specs = specs, .count = 1 };
    result = (struct tc_create_tasks_result){ 0 };
}

static void setup(void)
{
    world_open(&world);
    set_up_input();
}

static void teardown(void)
{
    tc_create_tasks_result_release(&result);
    world_close(&world);
}

static enum tc_code create_in(struct world *where)
{
    struct tc_create_tasks_ports ports = world_create_ports(where);

    tc_create_tasks_result_release(&result);
    return tc_create_tasks(&ports, &input, &result, &where->err);
}

static enum tc_code create(void)
{
    return create_in(&world);
}

/* The answer is the running number of the answers written, so that twins can be told. */
static enum tc_code write_answer(void *ctx, const struct tc_task *tasks, size_t count,
                                 char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    int *written = ctx;

    (void)tasks;
    (void)err;
    ck_assert_uint_eq(count, input.count);
    *ret_answer = malloc(2);
    ck_assert_ptr_nonnull(*ret_answer);
    (*ret_answer)[0] = (char)('a' + (*written)++);
    *ret_len = 1;
    return TC_OK;
}

static int answers;

static void use_key(const char *key, unsigned char hash)
{
    answers = 0;
    input.key = key;
    memset(input.request_hash, hash, sizeof(input.request_hash));
    input.write_answer = write_answer;
    input.write_answer_ctx = &answers;
}

static void assert_answer(const char *expected)
{
    ck_assert_uint_eq(result.answer_len, strlen(expected));
    ck_assert_int_eq(memcmp(result.answer, expected, strlen(expected)), 0);
}

START_TEST(stores_the_task_and_announces_it)
{
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);

    struct tc_task stored = world_get(&world, &result.first_id);

    ck_assert_int_eq(stored.status, TC_STATUS_NEW);
    ck_assert_int_eq(stored.created_at_ms, WORLD_NOW);
    ck_assert(tc_content_equals(&stored.payload, &specs[0].payload));
    tc_task_release(&stored);
    ck_assert_uint_eq(world.queue.count, 1);
    ck_assert_int_eq(tc_id_compare(&world.queue.hints[0].id, &result.first_id), 0);
}
END_TEST

START_TEST(a_scheduled_task_is_not_announced)
{
    specs[0].delay_ms = 1;
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_uint_eq(world.queue.count, 0);
    ck_assert_int_eq(world_peek(&world, &result.first_id).status, TC_STATUS_SCHEDULED);
}
END_TEST

START_TEST(a_silent_queue_does_not_lose_the_task)
{
    world.queue.answer = TC_UNAVAILABLE;
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);
    ck_assert_uint_eq(world_count(&world), 1);
}
END_TEST

START_TEST(a_batch_is_stored_and_announced_in_order)
{
    input.count = 3;
    specs[1].delay_ms = 1000;
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_uint_eq(world_count(&world), 3);
    ck_assert_uint_eq(world.queue.count, 2);
    ck_assert_int_eq(tc_id_compare(&world.queue.hints[0].id, &result.first_id), 0);
    ck_assert_int_lt(tc_id_compare(&world.queue.hints[0].id, &world.queue.hints[1].id), 0);
}
END_TEST

START_TEST(without_a_writer_there_is_no_answer)
{
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_ptr_null(result.answer);
    ck_assert_uint_eq(result.answer_len, 0);
}
END_TEST

static enum tc_code keep_ids(void *ctx, const struct tc_task *tasks, size_t count,
                             char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    struct tc_id *ids = ctx;

    (void)err;
    for (size_t i = 0; i < count; i++)
        ids[i] = tasks[i].id;
    *ret_answer = NULL;
    *ret_len = 0;
    return TC_OK;
}

START_TEST(the_answer_is_written_from_the_tasks_that_are_stored)
{
    struct tc_id ids[3];

    input.count = 3;
    input.write_answer = keep_ids;
    input.write_answer_ctx = ids;
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(tc_id_compare(&ids[0], &result.first_id), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(world_peek(&world, &ids[i]).status, TC_STATUS_NEW);
}
END_TEST

static enum tc_code refuse_answer(void *ctx, const struct tc_task *tasks, size_t count,
                                  char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    (void)ctx, (void)tasks, (void)count, (void)ret_answer, (void)ret_len;
    return tc_fail(err, TC_NO_MEMORY, "no room for the answer");
}

START_TEST(a_task_whose_answer_cannot_be_written_is_not_stored) /* _i: tasks */
{
    input.count = (size_t)_i;
    input.write_answer = refuse_answer;
    ck_assert_int_eq(create(), TC_NO_MEMORY);
    ck_assert_str_eq(world.err.message, "no room for the answer");
    ck_assert_uint_eq(world_count(&world), 0);
}
END_TEST

START_TEST(the_same_request_again_gets_the_first_answer)
{
    use_key("k1", 1);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);
    assert_answer("a");

    struct tc_id first = result.first_id;

    fake_clock_advance(&world.clock, 5000);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(tc_id_compare(&result.first_id, &first), 0);
    assert_answer("a");
    ck_assert_uint_eq(world_count(&world), 1);
    ck_assert_uint_eq(world.queue.count, 1);
}
END_TEST

START_TEST(a_key_that_stands_for_another_request_is_a_mismatch)
{
    use_key("k1", 1);
    ck_assert_int_eq(create(), TC_OK);
    use_key("k1", 2);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_MISMATCH);
    ck_assert_ptr_null(result.answer);
    ck_assert_uint_eq(world_count(&world), 1);
    ck_assert_uint_eq(world.queue.count, 1);
}
END_TEST

START_TEST(another_key_is_another_request)
{
    use_key("k1", 1);
    ck_assert_int_eq(create(), TC_OK);
    use_key("k2", 1);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);
    ck_assert_uint_eq(world_count(&world), 2);
}
END_TEST

START_TEST(one_key_covers_a_whole_batch)
{
    input.count = 3;
    use_key("k1", 1);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(create(), TC_OK);
    ck_assert_int_eq(result.verdict, TC_INSERT_EXISTING);
    ck_assert_uint_eq(world_count(&world), 3);
}
END_TEST

START_TEST(releasing_a_result_twice_or_none_is_harmless)
{
    use_key("k1", 1);
    ck_assert_int_eq(create(), TC_OK);
    tc_create_tasks_result_release(&result);
    ck_assert_ptr_null(result.answer);
    tc_create_tasks_result_release(&result);
    tc_create_tasks_result_release(NULL);
}
END_TEST

/* --- what fails: OK if and only if the tasks are stored, each exactly once --- */

static void assert_truth(struct world *where, enum tc_code code)
{
    size_t expected = code == TC_OK ? input.count : 0;

    ck_assert_uint_eq(world_count(where), expected);
    ck_assert_uint_eq(where->queue.count, expected);
    if (code == TC_OK)
        ck_assert_int_eq(result.verdict, TC_INSERT_CREATED);
    if (code == TC_OK && input.key)
        assert_answer("a");
}

static void create_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    world_break(where, nth, fault->code, fault->kind);
    answers = 0;

    enum tc_code code = create_in(where);
    bool fails = world_fired(where) > 0 && fault->code == TC_UNAVAILABLE;

    ck_assert_msg(code == (fails ? TC_UNAVAILABLE : TC_OK), "%s: %s", fault->why,
                  tc_code_name(code));
    assert_truth(where, code);
}

START_TEST(success_is_said_exactly_of_what_is_stored) /* _i: fault, then tasks */
{
    input.count = _i < WORLD_FAULT_COUNT ? 1 : 3;
    world_each_call(&world_faults[_i % WORLD_FAULT_COUNT], create_with_fault);
}
END_TEST

START_TEST(with_a_key_as_well) /* _i: fault, then tasks */
{
    input.count = _i < WORLD_FAULT_COUNT ? 1 : 3;
    use_key("k1", 1);
    world_each_call(&world_faults[_i % WORLD_FAULT_COUNT], create_with_fault);
}
END_TEST

START_TEST(an_outcome_that_stays_unknown_is_called_unknown) /* _i: applied or not */
{
    world_break(&world, 0, TC_UNKNOWN, _i ? FAULT_AFTER : FAULT_BEFORE);
    world.tasks.plan.times = 100;
    ck_assert_int_eq(create(), TC_UNKNOWN);
    ck_assert_str_eq(world.err.message, "the task may have been stored");
    ck_assert_uint_eq(world_count(&world), _i ? 1 : 0);
    ck_assert_uint_eq(world.queue.count, 0);
}
END_TEST

START_TEST(an_unknown_outcome_is_settled_by_the_second_try_too)
{
    world_break(&world, 0, TC_UNKNOWN, FAULT_AFTER);
    world.tasks.plan.times = 2;
    ck_assert_int_eq(create(), TC_OK);
    assert_truth(&world, TC_OK);
}
END_TEST

START_TEST(a_store_that_went_away_after_an_unknown_outcome_settles_nothing)
{
    struct fault_task_repo away;

    world_break(&world, 0, TC_UNKNOWN, FAULT_AFTER);
    fault_task_repo_init(&away, world.repo,
                         (struct fault_plan){ .nth = 1, .times = 9, .code = TC_UNAVAILABLE });
    world.tasks.inner = &away.base;
    ck_assert_int_eq(create(), TC_UNKNOWN);
    ck_assert_uint_eq(world_count(&world), 1);
}
END_TEST

START_TEST(other_failures_are_passed_on_untouched)
{
    world_break(&world, 0, TC_INTERNAL, FAULT_BEFORE);
    ck_assert_int_eq(create(), TC_INTERNAL);
    ck_assert_str_eq(world.err.message, "injected at call 0");
    ck_assert_int_eq(world.tasks.plan.calls, 1);
}
END_TEST

/* A twin that gets in between: its request is stored while ours is being written. */
static enum tc_code let_the_twin_first(void *ctx, const struct tc_task *tasks, size_t count,
                                       char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    struct tc_create_tasks_ports ports = world_create_ports(&world);
    struct tc_create_tasks_input twin = input;
    struct tc_create_tasks_result created;

    ports.repo = world.repo;
    twin.write_answer = write_answer;
    ck_assert_int_eq(tc_create_tasks(&ports, &twin, &created, err), TC_OK);
    tc_create_tasks_result_release(&created);
    return write_answer(ctx, tasks, count, ret_answer, ret_len, err);
}

START_TEST(a_twin_that_was_faster_is_answered_with) /* _i: fault; its code where it is final */
{
    bool fails = world_faults[_i].code == TC_UNAVAILABLE;

    use_key("k1", 1);
    input.write_answer = let_the_twin_first;
    world_break(&world, 0, world_faults[_i].code, world_faults[_i].kind);
    ck_assert_int_eq(create(), fails ? TC_UNAVAILABLE : TC_OK);
    ck_assert_uint_eq(world_count(&world), 1);
    if (fails)
        return;
    ck_assert_int_eq(result.verdict, TC_INSERT_EXISTING);
    assert_answer("a");
}
END_TEST

static void add_rules(Suite *suite)
{
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, stores_the_task_and_announces_it);
    tcase_add_test(tcase, a_scheduled_task_is_not_announced);
    tcase_add_test(tcase, a_silent_queue_does_not_lose_the_task);
    tcase_add_test(tcase, a_batch_is_stored_and_announced_in_order);
    tcase_add_test(tcase, without_a_writer_there_is_no_answer);
    tcase_add_test(tcase, the_answer_is_written_from_the_tasks_that_are_stored);
    tcase_add_loop_test(tcase, a_task_whose_answer_cannot_be_written_is_not_stored, 1, 3);
    tcase_add_test(tcase, the_same_request_again_gets_the_first_answer);
    tcase_add_test(tcase, a_key_that_stands_for_another_request_is_a_mismatch);
    tcase_add_test(tcase, another_key_is_another_request);
    tcase_add_test(tcase, one_key_covers_a_whole_batch);
    tcase_add_test(tcase, releasing_a_result_twice_or_none_is_harmless);
    suite_add_tcase(suite, tcase);
}

static void add_faults(Suite *suite)
{
    TCase *tcase = tcase_create("faults");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, success_is_said_exactly_of_what_is_stored, 0,
                        2 * WORLD_FAULT_COUNT);
    tcase_add_loop_test(tcase, with_a_key_as_well, 0, 2 * WORLD_FAULT_COUNT);
    tcase_add_loop_test(tcase, an_outcome_that_stays_unknown_is_called_unknown, 0, 2);
    tcase_add_test(tcase, an_unknown_outcome_is_settled_by_the_second_try_too);
    tcase_add_test(tcase, a_store_that_went_away_after_an_unknown_outcome_settles_nothing);
    tcase_add_test(tcase, other_failures_are_passed_on_untouched);
    tcase_add_loop_test(tcase, a_twin_that_was_faster_is_answered_with, 0, WORLD_FAULT_COUNT);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("create_tasks");

    add_rules(suite);
    add_faults(suite);
    return run_suite(suite);
}
