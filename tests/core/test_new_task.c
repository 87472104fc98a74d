/* What a good spec becomes: the new task. */

#include "core/domain/task_spec.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))
#define NOW             INT64_C(1795300000000)

static struct tc_policy policy;
static struct tc_task_spec spec; /* good: a payload and nothing else */

static void setup(void)
{
    policy = tc_policy_default();
    tc_task_spec_init(&spec);
    spec.payload = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of("\"test\"") };
}

static void set_title(const char *title, const char *json)
{
    spec.payload = (struct tc_content){ 0 };
    spec.title = tc_bytes_of(title);
    spec.title_json = tc_bytes_of(json);
}

static struct tc_task make(void)
{
    return tc_task_from_spec(&spec, &policy, tc_id_make(NOW, 1, 1));
}

START_TEST(what_was_left_out_takes_the_documented_default)
{
    struct tc_task task = make();

    ck_assert_str_eq(task.type, "demo.process");
    ck_assert_str_eq(task.queue, "default");
    ck_assert_int_eq(task.priority, 0);
    ck_assert_int_eq(task.max_attempts, 3);
    ck_assert_int_eq(task.max_crashes, 3);
    ck_assert_int_eq(task.timeout_ms, 300000);
    ck_assert_int_eq(task.run_at_ms, NOW);
    ck_assert_uint_eq(task.tag_count, 0);
    ck_assert(!task.titled);
}
END_TEST

START_TEST(a_new_task_has_done_nothing_yet)
{
    struct tc_task task = make();

    ck_assert_int_eq(task.status, TC_STATUS_NEW);
    ck_assert_int_eq(task.attempt + task.crashes, 0);
    ck_assert_int_eq(task.epoch, 0);
    ck_assert_int_eq(task.created_at_ms, NOW);
    ck_assert_int_eq(task.updated_at_ms, NOW);
    ck_assert_int_eq(task.started_at_ms + task.finished_at_ms, 0);
    ck_assert_int_eq(task.error.reason, TC_REASON_NONE);
    ck_assert_str_eq(task.lease.owner, "");
    ck_assert_ptr_null(task.storage);
}
END_TEST

START_TEST(the_operators_defaults_hold)
{
    policy.default_max_crashes = 7;
    memcpy(policy.default_type, "email", sizeof("email"));

    struct tc_task task = make();

    ck_assert_int_eq(task.max_crashes, 7);
    ck_assert_str_eq(task.type, "email");
}
END_TEST

START_TEST(a_type_has_defaults_of_its_own)
{
    static const struct tc_type_policy email = { "email", 4, 1000, 9, TC_UNSET, TC_UNSET };

    policy.types = &email;
    policy.type_count = 1;
    spec.type = tc_bytes_of("email");
    spec.max_attempts = 2;

    struct tc_task task = make();

    ck_assert_int_eq(task.priority, 4);
    ck_assert_int_eq(task.timeout_ms, 1000);
    ck_assert_int_eq(task.max_attempts, 2);
}
END_TEST

START_TEST(what_was_asked_for_is_taken)
{
    spec.type = (struct tc_bytes){ "emailXX", 5 };
    spec.queue = tc_bytes_of("slow");
    spec.priority = 10;
    spec.max_attempts = 1;
    spec.max_crashes = 0;
    spec.timeout_ms = 1;
    spec.tags[0] = tc_bytes_of("blue");
    spec.tag_count = 1;
    memcpy(spec.traceparent, "00-1-2-01", 10);

    struct tc_task task = make();

    ck_assert_str_eq(task.type, "email");
    ck_assert_str_eq(task.queue, "slow");
    ck_assert_int_eq(task.priority, 10);
    ck_assert_int_eq(task.max_attempts, 1);
    ck_assert_int_eq(task.max_crashes, 0);
    ck_assert_int_eq(task.timeout_ms, 1);
    ck_assert(tc_bytes_equals(task.tags[0], spec.tags[0]) && task.tag_count == 1);
    ck_assert_str_eq(task.traceparent, "00-1-2-01");
    ck_assert(tc_content_equals(&task.payload, &spec.payload));
}
END_TEST

START_TEST(the_longest_names_fit)
{
    static const char longest[] =
        "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd";

    spec.type = spec.queue = tc_bytes_of(longest);

    struct tc_task task = make();

    ck_assert_str_eq(task.type, longest);
    ck_assert_str_eq(task.queue, longest);
}
END_TEST

START_TEST(a_title_becomes_the_payload_of_model_d)
{
    set_title("report", "\"rep\\u006frt\"");

    struct tc_task task = make();

    ck_assert(task.titled);
    ck_assert_str_eq(task.type, "demo.parity");
    ck_assert_int_eq(task.payload.kind, TC_CONTENT_JSON);
    ck_assert(tc_bytes_equals(task.payload.bytes, spec.title_json));
}
END_TEST

START_TEST(a_titled_task_may_have_another_type)
{
    set_title("report", "\"report\"");
    spec.type = tc_bytes_of("email");
    ck_assert_str_eq(make().type, "email");
}
END_TEST

static const struct {
    const char *why;
    int64_t run_at_ms;
    int64_t delay_ms;
    int64_t expected_ms;
    enum tc_status status;
} dues[] = {
    { "now", TC_UNSET, TC_UNSET, NOW, TC_STATUS_NEW },
    { "no delay", TC_UNSET, 0, NOW, TC_STATUS_NEW },
    { "1 ms", TC_UNSET, 1, NOW + 1, TC_STATUS_SCHEDULED },
    { "ten years", TC_UNSET, TC_DELAY_MAX_MS, NOW + TC_DELAY_MAX_MS, TC_STATUS_SCHEDULED },
    { "at this moment", NOW, TC_UNSET, NOW, TC_STATUS_NEW },
    { "next moment", NOW + 1, TC_UNSET, NOW + 1, TC_STATUS_SCHEDULED },
    { "before 1970", -1, TC_UNSET, -1, TC_STATUS_NEW },
    { "the first moment", TC_TIME_MIN_MS, TC_UNSET, TC_TIME_MIN_MS, TC_STATUS_NEW },
    { "in 1970", 0, TC_UNSET, 0, TC_STATUS_NEW },
    { "the last moment", TC_TIME_MAX_MS, TC_UNSET, TC_TIME_MAX_MS, TC_STATUS_SCHEDULED },
};

START_TEST(a_task_waits_for_its_time)
{
    spec.run_at_ms = dues[_i].run_at_ms;
    spec.delay_ms = dues[_i].delay_ms;

    struct tc_task task = make();

    ck_assert_msg(task.status == dues[_i].status, "%s", dues[_i].why);
    ck_assert_msg(task.run_at_ms == dues[_i].expected_ms, "%s", dues[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("new_task");
    TCase *tcase = tcase_create("making");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, what_was_left_out_takes_the_documented_default);
    tcase_add_test(tcase, a_new_task_has_done_nothing_yet);
    tcase_add_test(tcase, the_operators_defaults_hold);
    tcase_add_test(tcase, a_type_has_defaults_of_its_own);
    tcase_add_test(tcase, what_was_asked_for_is_taken);
    tcase_add_test(tcase, the_longest_names_fit);
    tcase_add_test(tcase, a_title_becomes_the_payload_of_model_d);
    tcase_add_test(tcase, a_titled_task_may_have_another_type);
    tcase_add_loop_test(tcase, a_task_waits_for_its_time, 0, COUNT_OF(dues));
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
