/* The C API as a program uses it: real threads, the memory store and a SQLite file. */
#include "include/taskcore.h"
#include "tests/support/run_suite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_MS 20000 /* a limit, not a wait: everything ends long before */

static struct taskcore *taskcore;
static char folder[] = "/tmp/taskcore-api-XXXXXX";
static char store_url[64];
static atomic_int calls;

static void make_folder(void)
{
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(store_url, sizeof(store_url), "sqlite:%s/db", folder);
    atomic_store(&calls, 0);
}

static void remove_folder(void)
{
    static const char *const names[] = { "db", "db-wal", "db-shm", "db.lock" };
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}

static void open_store(const char *url)
{
    const struct taskcore_options options = { .store = url,
                                              .retry_min_ms = 1,
                                              .retry_max_ms = 5 };

    ck_assert_msg(tc_open(&options, &taskcore) == TASKCORE_OK, "%s", tc_error_message());
}

static void setup(void)
{
    make_folder();
    open_store(store_url);
}

static void teardown(void)
{
    tc_close(taskcore);
    remove_folder();
}

static void start_with(taskcore_function *function)
{
    ck_assert_int_eq(tc_register(taskcore, "work", function, NULL), TASKCORE_OK);
    ck_assert_msg(tc_start(taskcore) == TASKCORE_OK, "%s", tc_error_message());
}

static void submit(char *ret_id, const char *key)
{
    const struct taskcore_task task = {
        .type = "work", .payload = "abc", .payload_len = 3, .key = key
    };

    ck_assert_msg(tc_submit(taskcore, &task, ret_id) == TASKCORE_OK, "%s", tc_error_message());
}

static struct taskcore_result await(const char *id)
{
    struct taskcore_result result;

    ck_assert_msg(tc_wait(taskcore, id, LONG_MS, &result) == TASKCORE_OK, "%s",
                  tc_error_message());
    return result;
}

static enum taskcore_end echo(struct taskcore_run *run, void *ctx)
{
    size_t len;
    const void *payload = tc_run_payload(run, &len);

    (void)ctx;
    atomic_fetch_add(&calls, 1);
    return tc_run_set_result(run, payload, len) == TASKCORE_OK ? TASKCORE_RUN_DONE
                                                               : TASKCORE_RUN_RETRY;
}

static enum taskcore_end fail_once(struct taskcore_run *run, void *ctx)
{
    (void)ctx;
    if (tc_run_attempt(run) > 1)
        return TASKCORE_RUN_DONE;
    tc_run_set_error(run, "not yet");
    return TASKCORE_RUN_RETRY;
}

static enum taskcore_end fail_for_good(struct taskcore_run *run, void *ctx)
{
    (void)ctx;
    tc_run_set_error(run, "never");
    return TASKCORE_RUN_FAILED;
}

START_TEST(a_function_runs_and_its_result_is_read)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    start_with(echo);
    submit(id, NULL);
    result = await(id);
    ck_assert_int_eq(result.status, TASKCORE_DONE);
    ck_assert_str_eq(result.data, "abc");
    ck_assert_uint_eq(result.len, 3);
    tc_result_release(&result);
}
END_TEST

START_TEST(a_failed_attempt_is_tried_again)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    start_with(fail_once);
    submit(id, NULL);
    result = await(id);
    ck_assert_int_eq(result.status, TASKCORE_DONE);
    ck_assert_int_eq(result.attempt, 2);
    tc_result_release(&result);
}
END_TEST

START_TEST(a_failure_for_good_is_told_with_its_message)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    start_with(fail_for_good);
    submit(id, NULL);
    result = await(id);
    ck_assert_int_eq(result.status, TASKCORE_FAILED);
    ck_assert_str_eq(result.error, "never");
    tc_result_release(&result);
}
END_TEST

START_TEST(a_key_yields_the_first_id_again)
{
    char first[TASKCORE_ID_SIZE];
    char second[TASKCORE_ID_SIZE];

    submit(first, "k");
    submit(second, "k");
    ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(a_key_used_for_another_task_is_a_conflict)
{
    const struct taskcore_task other = {
        .type = "work", .payload = "x", .payload_len = 1, .key = "k"
    };
    char id[TASKCORE_ID_SIZE];

    submit(id, "k");
    ck_assert_int_eq(tc_submit(taskcore, &other, id), TASKCORE_CONFLICT);
}
END_TEST

START_TEST(a_task_outlives_the_program_that_submitted_it)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    submit(id, NULL);
    tc_close(taskcore);
    open_store(store_url);
    start_with(echo);
    result = await(id);
    ck_assert_int_eq(result.status, TASKCORE_DONE);
    ck_assert_int_eq(atomic_load(&calls), 1);
    tc_result_release(&result);
}
END_TEST

START_TEST(a_cancelled_task_does_not_run)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    submit(id, NULL);
    ck_assert_int_eq(tc_cancel(taskcore, id), TASKCORE_OK);
    start_with(echo);
    result = await(id);
    ck_assert_int_eq(result.status, TASKCORE_CANCELLED);
    ck_assert_int_eq(atomic_load(&calls), 0);
    ck_assert_int_eq(tc_cancel(taskcore, id), TASKCORE_OK);
    tc_result_release(&result);
}
END_TEST

START_TEST(a_file_that_is_open_is_refused)
{
    const struct taskcore_options options = { .store = store_url };
    struct taskcore *second = NULL;

    ck_assert_int_eq(tc_open(&options, &second), TASKCORE_UNAVAILABLE);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(tc_error_message(), "db"));
}
END_TEST

START_TEST(stopping_gives_a_running_task_back)
{
    char id[TASKCORE_ID_SIZE];
    struct taskcore_result result;

    start_with(echo);
    tc_stop(taskcore, 0);
    submit(id, NULL);
    ck_assert_int_eq(tc_wait(taskcore, id, 0, &result), TASKCORE_OK);
    ck_assert_int_eq(result.status, TASKCORE_NEW);
    ck_assert_int_eq(result.attempt, 0);
    tc_result_release(&result);
}
END_TEST

static const struct {
    const char *why;
    struct taskcore_task task;
} rejected[] = {
    { "no type", { .payload = "x", .payload_len = 1 } },
    { "bad type", { .type = "A", .payload = "x", .payload_len = 1 } },
    { "no payload", { .type = "work" } },
    { "empty payload", { .type = "work", .payload = "", .payload_len = 0 } },
    { "priority", { .type = "work", .payload = "x", .payload_len = 1, .priority = 11 } },
    { "delay", { .type = "work", .payload = "x", .payload_len = 1, .delay_ms = -1 } },
    { "attempts", { .type = "work", .payload = "x", .payload_len = 1, .max_attempts = 101 } },
    { "key", { .type = "work", .payload = "x", .payload_len = 1, .key = "a b" } },
};

START_TEST(a_bad_task_is_refused_in_words) /* loop test over rejected */
{
    char id[TASKCORE_ID_SIZE];

    ck_assert_msg(tc_submit(taskcore, &rejected[_i].task, id) == TASKCORE_INVALID, "%s",
                  rejected[_i].why);
    ck_assert_str_ne(tc_error_message(), "");
}
END_TEST

START_TEST(what_is_no_id_and_what_is_unknown_are_told_apart)
{
    struct taskcore_result result;

    ck_assert_int_eq(tc_wait(taskcore, "x", 0, &result), TASKCORE_INVALID);
    ck_assert_int_eq(tc_wait(taskcore, "01981b2e-0000-7000-8000-000000000000", 0, &result),
                     TASKCORE_NOT_FOUND);
}
END_TEST

START_TEST(a_type_can_be_registered_once_and_before_the_start)
{
    ck_assert_int_eq(tc_register(taskcore, "work", echo, NULL), TASKCORE_OK);
    ck_assert_int_eq(tc_register(taskcore, "work", echo, NULL), TASKCORE_INVALID);
    ck_assert_int_eq(tc_register(taskcore, "Work", echo, NULL), TASKCORE_INVALID);
    ck_assert_int_eq(tc_start(taskcore), TASKCORE_OK);
    ck_assert_int_eq(tc_register(taskcore, "more", echo, NULL), TASKCORE_INVALID);
    ck_assert_int_eq(tc_start(taskcore), TASKCORE_INVALID);
}
END_TEST

static const char *const bad_stores[] = { "", "memory", "sqlite:", "mysql://x",
                                          "sqlite:/nonexistent/folder/db" };

START_TEST(a_bad_store_is_refused_in_words) /* loop test over bad_stores */
{
    const struct taskcore_options options = { .store = bad_stores[_i] };
    struct taskcore *none = NULL;

    ck_assert_int_ne(tc_open(&options, &none), TASKCORE_OK);
    ck_assert_ptr_null(none);
    ck_assert_str_ne(tc_error_message(), "");
}
END_TEST

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

int main(void)
{
    Suite *suite = suite_create("c_api");
    TCase *api = tcase_create("api");

    tcase_set_timeout(api, 60);
    tcase_add_checked_fixture(api, setup, teardown);
    tcase_add_test(api, a_function_runs_and_its_result_is_read);
    tcase_add_test(api, a_failed_attempt_is_tried_again);
    tcase_add_test(api, a_failure_for_good_is_told_with_its_message);
    tcase_add_test(api, a_key_yields_the_first_id_again);
    tcase_add_test(api, a_key_used_for_another_task_is_a_conflict);
    tcase_add_test(api, a_task_outlives_the_program_that_submitted_it);
    tcase_add_test(api, a_cancelled_task_does_not_run);
    tcase_add_test(api, a_file_that_is_open_is_refused);
    tcase_add_test(api, stopping_gives_a_running_task_back);
    tcase_add_loop_test(api, a_bad_task_is_refused_in_words, 0, (int)COUNT_OF(rejected));
    tcase_add_test(api, what_is_no_id_and_what_is_unknown_are_told_apart);
    tcase_add_test(api, a_type_can_be_registered_once_and_before_the_start);
    tcase_add_loop_test(api, a_bad_store_is_refused_in_words, 0, (int)COUNT_OF(bad_stores));
    suite_add_tcase(suite, api);
    return run_suite(suite);
}
