#include "core/domain/policy.h"
#include "core/domain/task.h"
#include "tests/support/run_suite.h"

#include <stdint.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct tc_error err;

static struct tc_task make_full_task(void)
{
    static const char letters[] = "abcdefghijklmnop";
    struct tc_task task = {
        .id = tc_id_make(1000, 1, 1),
        .status = TC_STATUS_FAILED,
        .queue = "default",
        .type = "email",
        .attempt = 3,
        .payload = { TC_CONTENT_JSON, { "{\"a\":1}", 7 } },
        .result = { TC_CONTENT_BYTES, { "\0\xFF", 2 } },
        .progress = { "{\"percent\":4}", 13 },
        .tag_count = TC_TAG_COUNT_MAX,
        .error = { TC_REASON_HANDLER, 3, 2000, { "no route", 8 } },
    };

    for (size_t i = 0; i < TC_TAG_COUNT_MAX; i++)
        task.tags[i] = (struct tc_bytes){ &letters[i], 1 };
    return task;
}

static void assert_same_bytes(const struct tc_task *copy, const struct tc_task *task)
{
    ck_assert(tc_content_equals(&copy->payload, &task->payload));
    ck_assert(tc_content_equals(&copy->result, &task->result));
    ck_assert(tc_bytes_equals(copy->progress, task->progress));
    ck_assert(tc_bytes_equals(copy->error.message, task->error.message));
    for (size_t i = 0; i < task->tag_count; i++)
        ck_assert(tc_bytes_equals(copy->tags[i], task->tags[i]));
}

static void assert_own_bytes(const struct tc_task *copy, const struct tc_task *task)
{
    ck_assert_ptr_ne(copy->payload.bytes.data, task->payload.bytes.data);
    ck_assert_ptr_ne(copy->result.bytes.data, task->result.bytes.data);
    ck_assert_ptr_ne(copy->progress.data, task->progress.data);
    ck_assert_ptr_ne(copy->error.message.data, task->error.message.data);
    for (size_t i = 0; i < task->tag_count; i++)
        ck_assert_ptr_ne(copy->tags[i].data, task->tags[i].data);
}

START_TEST(a_copy_has_every_byte_of_its_own)
{
    struct tc_task task = make_full_task();
    struct tc_task copy;

    ck_assert_int_eq(tc_task_copy(&copy, &task, &err), TC_OK);
    assert_same_bytes(&copy, &task);
    assert_own_bytes(&copy, &task);
    ck_assert_str_eq(copy.type, "email");
    ck_assert_int_eq(copy.error.reason, TC_REASON_HANDLER);
    tc_task_release(&copy);
}
END_TEST

START_TEST(a_copy_outlives_what_it_was_made_of)
{
    struct tc_task task = make_full_task();
    struct tc_task first;
    struct tc_task second;

    ck_assert_int_eq(tc_task_copy(&first, &task, &err), TC_OK);
    ck_assert_int_eq(tc_task_copy(&second, &first, &err), TC_OK);
    tc_task_release(&first);
    assert_same_bytes(&second, &task);
    tc_task_release(&second);
}
END_TEST

START_TEST(a_task_without_bytes_needs_no_buffer)
{
    struct tc_task task = { .payload.kind = TC_CONTENT_JSON, .payload.bytes.data = "gone" };
    struct tc_task copy;

    ck_assert_int_eq(tc_task_copy(&copy, &task, &err), TC_OK);
    ck_assert_ptr_null(copy.storage);
    ck_assert_ptr_null(copy.payload.bytes.data);
    ck_assert_int_eq(copy.payload.kind, TC_CONTENT_JSON);
}
END_TEST

START_TEST(tags_beyond_the_count_are_not_copied)
{
    struct tc_task task = make_full_task();
    struct tc_task copy;

    task.tag_count = 1;
    task.tags[1] = (struct tc_bytes){ NULL, 99 };
    ck_assert_int_eq(tc_task_copy(&copy, &task, &err), TC_OK);
    assert_same_bytes(&copy, &task);
    tc_task_release(&copy);
}
END_TEST

START_TEST(releasing_a_task_twice_or_none_is_harmless)
{
    struct tc_task task = make_full_task();
    struct tc_task copy;

    ck_assert_int_eq(tc_task_copy(&copy, &task, &err), TC_OK);
    tc_task_release(&copy);
    ck_assert_ptr_null(copy.storage);
    ck_assert_uint_eq(copy.payload.bytes.len, 0);
    tc_task_release(&copy);
    tc_task_release(NULL);
}
END_TEST

/* Stored by adapters: this is the lock on the numbers. */
static const char *const reasons[] = {
    "none", "handler", "timeout", "worker_lost", "not_retryable", "none",
};

START_TEST(the_stored_numbers_of_the_reasons_never_change)
{
    ck_assert_str_eq(tc_reason_name((enum tc_reason)_i), reasons[_i]);
}
END_TEST

START_TEST(the_defaults_are_the_documented_ones)
{
    struct tc_policy policy = tc_policy_default();

    ck_assert_str_eq(policy.default_type, "demo.process");
    ck_assert_int_eq(policy.default_max_crashes, 3);
    ck_assert_uint_eq(policy.payload_max, 1048576);
    ck_assert_uint_eq(policy.result_max, 1048576);
    ck_assert_int_eq(policy.retry_min_ms, 4000);
    ck_assert_int_eq(policy.retry_max_ms, 600000);
    ck_assert_int_eq(policy.lease_ms, 30000);
    ck_assert_int_ge(policy.key_lifetime_ms, INT64_C(24) * 3600 * 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("task");
    TCase *rules = tcase_create("rules");

    tcase_add_test(rules, a_copy_has_every_byte_of_its_own);
    tcase_add_test(rules, a_copy_outlives_what_it_was_made_of);
    tcase_add_test(rules, a_task_without_bytes_needs_no_buffer);
    tcase_add_test(rules, tags_beyond_the_count_are_not_copied);
    tcase_add_test(rules, releasing_a_task_twice_or_none_is_harmless);
    tcase_add_loop_test(rules, the_stored_numbers_of_the_reasons_never_change, 0,
                        COUNT_OF(reasons));
    tcase_add_test(rules, the_defaults_are_the_documented_ones);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
