#include "tests/apps/settings_case.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(without_anything_the_documented_defaults_hold)
{
    const char *const argv[] = { "taskapi", NULL };

    ck_assert_int_eq(load(argv), TC_OK);
    ck_assert_int_eq(request, SETTINGS_RUN);
    ck_assert_str_eq(values.listen, "127.0.0.1:8000");
    ck_assert_str_eq(values.default_type, "demo.process");
    ck_assert_int_eq(values.work.lease_ms, 30000);
    ck_assert_int_eq(values.work.retry_min_ms, 4000);
    ck_assert_int_eq(values.work.retry_max_ms, 600000);
    ck_assert_int_eq(values.payload_max, 1048576);
    ck_assert_int_eq(values.max_crashes, 3);
    ck_assert_int_eq(values.work.drain_ms, 20000);
    ck_assert_int_eq(values.connections, 512);
    ck_assert_int_eq(values.work.demo_seconds.low, 2);
    ck_assert_int_eq(values.work.demo_seconds.high, 5);
}
END_TEST

START_TEST(a_flag_beats_the_environment_which_beats_the_file)
{
    char *path = write_file("lease_ms = 2000\ndrain_ms = 1\nworkers = 3\n");
    const char *const argv[] = { "taskapi", "--config", path, "--lease-ms", "4000", NULL };

    setenv("TASK_LEASE_MS", "3000", 1);
    setenv("TASK_DRAIN_MS", "2", 1);
    ck_assert_msg(load(argv) == TC_OK, "%s", err.message);
    ck_assert_int_eq(values.work.lease_ms, 4000);
    ck_assert_int_eq(values.work.drain_ms, 2);
    ck_assert_int_eq(values.workers, 3);
    unlink(path);
}
END_TEST

START_TEST(a_section_of_the_file_is_the_first_word_of_a_name)
{
    char *path = write_file("[retry]\nmin_ms = 10\nmax_ms = 20\n");

    ck_assert_msg(load_env("TASK_CONFIG", path) == TC_OK, "%s", err.message);
    ck_assert_int_eq(values.work.retry_min_ms, 10);
    ck_assert_int_eq(values.work.retry_max_ms, 20);
    unlink(path);
}
END_TEST

START_TEST(an_unknown_entry_of_the_file_is_refused_by_name)
{
    char *path = write_file("leese_ms = 10\n");

    ck_assert_int_eq(load_env("TASK_CONFIG", path), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "leese_ms"));
    unlink(path);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused)
{
    ck_assert_int_eq(load_env("TASK_CONFIG", "/nonexistent/file"), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/file"));
}
END_TEST

START_TEST(an_empty_value_means_not_set)
{
    ck_assert_int_eq(load_env("TASK_LEASE_MS", ""), TC_OK);
    ck_assert_int_eq(values.work.lease_ms, 30000);
}
END_TEST

static const struct {
    const char *name;
    const char *value;
    bool is_good;
} cases[] = {
    { "TASK_LEASE_MS", "1000", true },
    { "TASK_LEASE_MS", "999", false },
    { "TASK_LEASE_MS", "3600000", true },
    { "TASK_LEASE_MS", "3600001", false },
    { "TASK_LEASE_MS", "5s", false },
    { "TASK_LEASE_MS", " 5000", false },
    { "TASK_LEASE_MS", "+5000", false },
    { "TASK_LEASE_MS", "1e4", false },
    { "TASK_LEASE_MS", "99999999999999999999", false },
    { "TASK_WORKERS", "0", true },
    { "TASK_WORKERS", "-1", false },
    { "TASK_WORKERS", "256", true },
    { "TASK_WORKERS", "257", false },
    { "TASK_DEMO_SECONDS", "0", true },
    { "TASK_DEMO_SECONDS", "2-5", true },
    { "TASK_DEMO_SECONDS", "5-2", false },
    { "TASK_DEMO_SECONDS", "2-", false },
    { "TASK_DEMO_SECONDS", "-2", false },
    { "TASK_DEMO_SECONDS", "1-2-3", false },
    { "TASK_LOG_LEVEL", "debug", true },
    { "TASK_LOG_LEVEL", "Debug", false },
    { "TASK_LOG_LEVEL", "deb", false },
    { "TASK_LOG_LEVEL", "debug|info", false },
    { "TASK_LOG_FORMAT", "json", true },
    { "TASK_LOG_FORMAT", "xml", false },
    { "TASK_DATABASE_URL", "memory:", true },
    { "TASK_DATABASE_URL", "memory:x", false },
    { "TASK_DATABASE_URL", "sqlite:a", true },
    { "TASK_DATABASE_URL", "sqlite:", false },
    { "TASK_DATABASE_URL", "mysql://x", false },
    { "TASK_QUEUE_URL", "http://h:9092", false },
    { "TASK_DATABASE_POOLER", "transaction", true },
    { "TASK_DATABASE_POOLER", "session", false },
    { "TASK_ANNOUNCE", "publisher", true },
    { "TASK_ANNOUNCE", "both", false },
    { "TASK_DEFAULT_TYPE", "a.b-c_9", true },
    { "TASK_DEFAULT_TYPE", "A", false },
};

START_TEST(a_bad_value_is_refused_naming_the_setting) /* loop test over cases */
{
    enum tc_code code = load_env(cases[_i].name, cases[_i].value);

    ck_assert_msg((code == TC_OK) == cases[_i].is_good, "%s=%s", cases[_i].name,
                  cases[_i].value);
    if (code != TC_OK)
        ck_assert_msg(strstr(err.message, cases[_i].name), "%s", err.message);
}
END_TEST

START_TEST(a_value_too_long_to_keep_is_refused)
{
    char value[SETTING_TEXT_SIZE + 1];

    memset(value, 'a', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    ck_assert_int_eq(load_env("TASK_LISTEN", value), TC_INVALID);
}
END_TEST

START_TEST(an_unknown_flag_is_refused)
{
    const char *const argv[] = { "taskapi", "--leese-ms", "5", NULL };

    ck_assert_int_eq(load(argv), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "leese-ms"));
}
END_TEST

START_TEST(a_flag_without_its_value_is_refused)
{
    const char *const argv[] = { "taskapi", "--lease-ms", NULL };

    ck_assert_int_eq(load(argv), TC_INVALID);
}
END_TEST

START_TEST(a_flag_may_carry_its_value_behind_an_equals_sign)
{
    const char *const argv[] = { "taskapi", "--lease-ms=1500", "--version", NULL };

    ck_assert_int_eq(load(argv), TC_OK);
    ck_assert_int_eq(values.work.lease_ms, 1500);
    ck_assert_int_eq(request, SETTINGS_VERSION);
}
END_TEST

START_TEST(the_longest_wait_may_not_be_below_the_first)
{
    ck_assert_int_eq(load_env("TASK_RETRY_MAX_MS", "3999"), TC_OK);
    ck_assert_int_eq(taskapi_settings_check(&values, &err), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "TASK_RETRY_MAX_MS"));
}
END_TEST

START_TEST(an_unknown_variable_is_named_so_that_it_can_be_logged)
{
    size_t at = 0;

    setenv("TASK_LEESE_MS", "1", 1);
    ck_assert_str_eq(settings_next_unknown(&taskapi_settings_table, &at), "TASK_LEESE_MS");
    ck_assert_ptr_null(settings_next_unknown(&taskapi_settings_table, &at));
    unsetenv("TASK_LEESE_MS");
}
END_TEST

START_TEST(what_is_printed_loads_again_to_the_same)
{
    const char *const argv[] = { "taskapi", NULL };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct taskapi_settings first;

    setenv("TASK_DEMO_SECONDS", "3", 1);
    ck_assert_int_eq(load(argv), TC_OK);
    first = values;
    settings_print(&taskapi_settings_table, &values, out);
    fclose(out);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        char *equals = strchr(line, '=');

        *end = *equals = '\0';
        setenv(line, equals + 1, 1);
    }
    ck_assert_int_eq(load(argv), TC_OK);
    ck_assert_int_eq(values.work.demo_seconds.low, first.work.demo_seconds.low);
    ck_assert_int_eq(values.process.log_format, first.process.log_format);
    ck_assert_str_eq(values.database.url, first.database.url);
    free(text);
}
END_TEST

static const struct setting secret_rows[] = {
    { .name = "TASK_TEST_SECRET",
      .kind = SETTING_TEXT,
      .fallback = "",
      .secret = true,
      .help = "a secret" },
    { .name = NULL },
};
static const struct settings_group secret_groups[] = { { secret_rows, 0 }, { NULL, 0 } };
static const struct settings secret_table = { .program = "test", .groups = secret_groups };

START_TEST(a_secret_is_read_from_its_file_and_never_printed)
{
    char *path = write_file("s3cret\n");
    const char *const argv[] = { "test", NULL };
    char value[SETTING_TEXT_SIZE];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    setenv("TASK_TEST_SECRET_FILE", path, 1);
    ck_assert_int_eq(load_table(&secret_table, argv, value), TC_OK);
    ck_assert_str_eq(value, "s3cret");
    settings_print(&secret_table, value, out);
    fclose(out);
    ck_assert_ptr_null(strstr(text, "s3cret"));
    free(text);
    unlink(path);
}
END_TEST

START_TEST(a_password_in_the_database_url_is_neither_printed_nor_complained_of)
{
    const char *const argv[] = { "taskapi", NULL };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    ck_assert_int_eq(load_env("TASK_DATABASE_URL", "mysql://me:s3cret@host/db"), TC_INVALID);
    ck_assert_ptr_null(strstr(err.message, "s3cret"));
    unsetenv("TASK_DATABASE_URL");
    ck_assert_int_eq(load(argv), TC_OK);
    snprintf(values.database.url, sizeof(values.database.url),
             "postgresql://me:s3cret@host/db");
    settings_print(&taskapi_settings_table, &values, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "TASK_DATABASE_URL=postgresql://me:***@host/db\n"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *rules = tcase_create("rules");

    tcase_add_checked_fixture(rules, settings_case_setup, NULL);
    tcase_add_test(rules, without_anything_the_documented_defaults_hold);
    tcase_add_test(rules, a_flag_beats_the_environment_which_beats_the_file);
    tcase_add_test(rules, a_section_of_the_file_is_the_first_word_of_a_name);
    tcase_add_test(rules, an_unknown_entry_of_the_file_is_refused_by_name);
    tcase_add_test(rules, a_file_that_is_not_there_is_refused);
    tcase_add_test(rules, an_empty_value_means_not_set);
    tcase_add_loop_test(rules, a_bad_value_is_refused_naming_the_setting, 0,
                        sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(rules, a_value_too_long_to_keep_is_refused);
    tcase_add_test(rules, an_unknown_flag_is_refused);
    tcase_add_test(rules, a_flag_without_its_value_is_refused);
    tcase_add_test(rules, a_flag_may_carry_its_value_behind_an_equals_sign);
    tcase_add_test(rules, the_longest_wait_may_not_be_below_the_first);
    tcase_add_test(rules, an_unknown_variable_is_named_so_that_it_can_be_logged);
    tcase_add_test(rules, what_is_printed_loads_again_to_the_same);
    tcase_add_test(rules, a_secret_is_read_from_its_file_and_never_printed);
    tcase_add_test(rules, a_password_in_the_database_url_is_neither_printed_nor_complained_of);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
