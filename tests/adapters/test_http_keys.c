#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

/* Idempotency-Key, and what a client is told when the store fails. */

#define BODY  "{\"payload\":\"once\"}"
#define BATCH "{\"tasks\":[{\"payload\":\"once\"},{\"payload\":\"twice\"}]}"

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static int post(const char *key, const char *target, const char *body)
{
    site_header(&site, "Idempotency-Key", key);
    return site_post(&site, target, body);
}

static void break_store(int nth, enum tc_code code, enum fault_kind kind, int times)
{
    site.repo.plan =
        (struct fault_plan){ .nth = nth, .code = code, .kind = kind, .times = times };
}

START_TEST(the_same_request_again_gets_the_first_answer)
{
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);

    char *first = strdup(site_body(&site));
    char *location = strdup(site_answer_header(&site, "Location"));

    ck_assert_ptr_null(site_answer_header(&site, "Idempotent-Replayed"));
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 200);
    ck_assert_str_eq(site_body(&site), first);
    ck_assert_str_eq(site_answer_header(&site, "Location"), location);
    ck_assert_str_eq(site_answer_header(&site, "Idempotent-Replayed"), "true");
    ck_assert_uint_eq(site_stored(&site), 1);
    free(first);
    free(location);
}
END_TEST

START_TEST(a_replay_is_what_the_task_was_at_first)
{
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
    site_finish(&site, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 200);
    ck_assert_str_eq(site_text(&site, "status"), "new");
}
END_TEST

START_TEST(a_replay_is_not_announced_again)
{
    post("k", SITE_TASKS, BODY);
    post("k", SITE_TASKS, BODY);
    ck_assert_uint_eq(site.queue.count, 1);
}
END_TEST

START_TEST(a_replay_tells_the_glue_its_task)
{
    post("k", SITE_TASKS, BODY);

    struct tc_id first = site.response.task_id;

    post("k", SITE_TASKS, BODY);
    ck_assert(site.response.has_task_id);
    ck_assert_int_eq(tc_id_compare(&site.response.task_id, &first), 0);
}
END_TEST

static const char *const others[] = {
    "{\"payload\":\"other\"}",      (BODY " "), (" " BODY), "{\"payload\": \"once\"}",
    "{\"payload\":\"\\u006fnce\"}",
};

START_TEST(another_body_is_a_mismatch)
{
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
    site_assert_problem(&site, post("k", SITE_TASKS, others[_i]), 422, "idempotency_mismatch");
    ck_assert_ptr_null(site_answer_header(&site, "Location"));
    ck_assert_uint_eq(site_stored(&site), 1);
}
END_TEST

START_TEST(a_key_is_one_for_every_path)
{
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
    ck_assert_int_eq(post("k", "/tasks", BODY), 200);
    ck_assert_int_eq(post("k", "/tasks/", BODY), 200);
    site_assert_problem(&site, post("k", SITE_TASKS "/batch", BATCH), 422,
                        "idempotency_mismatch");
    ck_assert_uint_eq(site_stored(&site), 1);
}
END_TEST

START_TEST(a_key_covers_a_whole_batch)
{
    ck_assert_int_eq(post("k", SITE_TASKS "/batch", BATCH), 201);

    char *first = strdup(site_body(&site));

    ck_assert_int_eq(post("k", "/tasks/batch/", BATCH), 200);
    ck_assert_str_eq(site_body(&site), first);
    ck_assert_str_eq(site_answer_header(&site, "Idempotent-Replayed"), "true");
    site_assert_problem(&site, post("k", SITE_TASKS, BODY), 422, "idempotency_mismatch");
    ck_assert_uint_eq(site_stored(&site), 2);
    free(first);
}
END_TEST

START_TEST(different_keys_make_different_tasks)
{
    ck_assert_int_eq(post("k1", SITE_TASKS, BODY), 201);
    ck_assert_int_eq(post("K1", SITE_TASKS, BODY), 201);
    ck_assert_uint_eq(site_stored(&site), 2);
}
END_TEST

START_TEST(no_key_makes_a_task_each_time)
{
    ck_assert_int_eq(site_post(&site, SITE_TASKS, BODY), 201);
    ck_assert_int_eq(site_post(&site, SITE_TASKS, BODY), 201);
    ck_assert_uint_eq(site_stored(&site), 2);
}
END_TEST

static char key_of_256[257];

static const char *const bad_keys[] = { "",         " ",    "a b",     "tab\tkey",
                                        "\xC3\xA9", "\x7F", key_of_256 };

START_TEST(a_bad_key_is_refused)
{
    memset(key_of_256, 'k', sizeof(key_of_256) - 1);
    site_assert_invalid(&site, post(bad_keys[_i], SITE_TASKS, BODY), "/Idempotency-Key");
    ck_assert_uint_eq(site_stored(&site), 0);
}
END_TEST

START_TEST(keys_at_the_limits_are_taken)
{
    memset(key_of_256, 'k', 255);
    ck_assert_int_eq(post(key_of_256, SITE_TASKS, BODY), 201);
    ck_assert_int_eq(post("!", SITE_TASKS, BODY), 201);
    ck_assert_int_eq(post("~\"#", SITE_TASKS, BODY), 201);
}
END_TEST

START_TEST(a_repeated_key_is_refused)
{
    site_header(&site, "idempotency-key", "a");
    site_assert_invalid(&site, post("a", SITE_TASKS, BODY), "/Idempotency-Key");
}
END_TEST

START_TEST(a_bad_key_is_named_together_with_bad_fields)
{
    site_assert_problem(&site, post("", SITE_TASKS, "{\"payload\":1,\"priority\":11}"), 422,
                        "validation_failed");
    ck_assert_uint_eq(site_count(&site, "errors"), 2);
}
END_TEST

START_TEST(a_bad_key_comes_after_bad_json)
{
    site_assert_problem(&site, post("", SITE_TASKS, "{"), 400, "malformed_json");
}
END_TEST

START_TEST(a_refused_request_is_not_remembered)
{
    ck_assert_int_eq(post("k", SITE_TASKS, "{\"payload\":\"\"}"), 422);
    ck_assert_int_eq(post("k", SITE_TASKS, "{"), 400);
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
}
END_TEST

START_TEST(a_store_that_is_away_is_503_and_nothing_is_stored)
{
    break_store(0, TC_UNAVAILABLE, FAULT_BEFORE, 1);
    site_assert_problem(&site, post("k", SITE_TASKS, BODY), 503, "unavailable");
    ck_assert_uint_eq(site_stored(&site), 0);
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
}
END_TEST

START_TEST(no_memory_is_503)
{
    break_store(0, TC_NO_MEMORY, FAULT_BEFORE, 1);
    site_assert_problem(&site, site_post(&site, SITE_TASKS, BODY), 503, "unavailable");
}
END_TEST

START_TEST(a_bug_is_500_and_tells_only_the_log)
{
    break_store(0, TC_INTERNAL, FAULT_BEFORE, 1);
    site_assert_problem(&site, site_post(&site, SITE_TASKS, BODY), 500, "internal");
    ck_assert_str_eq(site_text(&site, "detail"), "an error of the service");
    ck_assert_int_eq(site.logger.level, TC_LOG_ERROR);
    ck_assert_str_eq(site.logger.request_id, "request-1");
    ck_assert_ptr_nonnull(strstr(site.logger.message, "internal"));
}
END_TEST

START_TEST(a_lost_answer_that_is_settled_is_201)
{
    break_store(0, TC_UNKNOWN, FAULT_AFTER, 1);
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 201);
    ck_assert_uint_eq(site_stored(&site), 1);
}
END_TEST

START_TEST(an_unsettled_outcome_says_that_the_task_may_exist)
{
    break_store(0, TC_UNKNOWN, FAULT_AFTER, 3);
    site_assert_problem(&site, post("k", SITE_TASKS, BODY), 503, "unavailable");
    ck_assert_ptr_nonnull(strstr(site_text(&site, "detail"), "may exist"));
    ck_assert_ptr_nonnull(strstr(site_text(&site, "detail"), "same Idempotency-Key is safe"));
}
END_TEST

START_TEST(a_retry_after_an_unsettled_outcome_makes_no_second_task)
{
    break_store(0, TC_UNKNOWN, FAULT_AFTER, 3);
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 503);
    ck_assert_int_eq(post("k", SITE_TASKS, BODY), 200);
    ck_assert_uint_eq(site_stored(&site), 1);
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *keys_suite(void)
{
    Suite *suite = suite_create("http_keys");
    TCase *tcase = tcase_create("keys");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_same_request_again_gets_the_first_answer);
    tcase_add_test(tcase, a_replay_is_what_the_task_was_at_first);
    tcase_add_test(tcase, a_replay_is_not_announced_again);
    tcase_add_test(tcase, a_replay_tells_the_glue_its_task);
    tcase_add_loop_test(tcase, another_body_is_a_mismatch, 0, COUNT_OF(others));
    tcase_add_test(tcase, a_key_is_one_for_every_path);
    tcase_add_test(tcase, a_key_covers_a_whole_batch);
    tcase_add_test(tcase, different_keys_make_different_tasks);
    tcase_add_test(tcase, no_key_makes_a_task_each_time);
    tcase_add_loop_test(tcase, a_bad_key_is_refused, 0, COUNT_OF(bad_keys));
    tcase_add_test(tcase, keys_at_the_limits_are_taken);
    tcase_add_test(tcase, a_repeated_key_is_refused);
    tcase_add_test(tcase, a_bad_key_is_named_together_with_bad_fields);
    tcase_add_test(tcase, a_bad_key_comes_after_bad_json);
    tcase_add_test(tcase, a_refused_request_is_not_remembered);
    tcase_add_test(tcase, a_store_that_is_away_is_503_and_nothing_is_stored);
    tcase_add_test(tcase, no_memory_is_503);
    tcase_add_test(tcase, a_bug_is_500_and_tells_only_the_log);
    tcase_add_test(tcase, a_lost_answer_that_is_settled_is_201);
    tcase_add_test(tcase, an_unsettled_outcome_says_that_the_task_may_exist);
    tcase_add_test(tcase, a_retry_after_an_unsettled_outcome_makes_no_second_task);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(keys_suite());
}
