#include "tests/apps/settings_case.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Settings whose names are another library's: TASK_KAFKA_... */

static const char *option(const char *name)
{
    const struct setting_family *family = &values.cluster.kafka;

    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->options[i].name, name) == 0)
            return family->options[i].value;
    return NULL;
}

START_TEST(a_family_takes_its_options_from_everywhere_by_the_usual_precedence)
{
    char *path = write_file("[kafka]\nclient.rack = file\nlinger.ms = 1\nlog_level = 3\n");
    const char *const argv[] = {
        "taskapi", "--config", path, "--kafka-client-rack", "flag", NULL,
    };

    setenv("TASK_KAFKA_CLIENT_RACK", "environment", 1);
    setenv("TASK_KAFKA_LINGER_MS", "2", 1);
    ck_assert_msg(load(argv) == TC_OK, "%s", err.message);
    ck_assert_str_eq(option("client.rack"), "flag");
    ck_assert_str_eq(option("linger.ms"), "2");
    ck_assert_str_eq(option("log.level"), "3");
    ck_assert_uint_eq(values.cluster.kafka.count, 3);
    unlink(path);
    unsetenv("TASK_KAFKA_CLIENT_RACK");
    unsetenv("TASK_KAFKA_LINGER_MS");
}
END_TEST

START_TEST(a_secret_option_is_read_from_its_file_and_never_printed)
{
    char *path = write_file("s3cret\n");
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    setenv("TASK_KAFKA_SASL_USERNAME", "me", 1);
    ck_assert_msg(load_env("TASK_KAFKA_SASL_PASSWORD_FILE", path) == TC_OK, "%s", err.message);
    ck_assert_str_eq(option("sasl.password"), "s3cret");
    settings_print(&taskapi_settings_table, &values, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "TASK_KAFKA_SASL_PASSWORD=***\n"));
    ck_assert_ptr_nonnull(strstr(text, "TASK_KAFKA_SASL_USERNAME=me\n"));
    free(text);
    unlink(path);
    unsetenv("TASK_KAFKA_SASL_USERNAME");
    unsetenv("TASK_KAFKA_SASL_PASSWORD_FILE");
}
END_TEST

START_TEST(what_is_no_name_of_an_option_is_refused)
{
    ck_assert_int_eq(load_env("TASK_KAFKA_a b", "x"), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "TASK_KAFKA_a b"));
    unsetenv("TASK_KAFKA_a b");
}
END_TEST

START_TEST(one_option_more_than_there_is_room_for_is_refused)
{
    char name[64];
    enum tc_code code = TC_OK;

    for (int i = 0; i <= SETTING_OPTIONS_MAX; i++) {
        ck_assert_int_eq(code, TC_OK);
        snprintf(name, sizeof(name), "TASK_KAFKA_X%d", i);
        code = load_env(name, "x");
    }
    ck_assert_int_eq(code, TC_INVALID);
    for (int i = 0; i <= SETTING_OPTIONS_MAX; i++) {
        snprintf(name, sizeof(name), "TASK_KAFKA_X%d", i);
        unsetenv(name);
    }
}
END_TEST

START_TEST(no_option_and_no_file_of_a_secret_counts_as_unknown)
{
    size_t at = 0;

    setenv("TASK_KAFKA_ANYTHING", "1", 1);
    setenv("TASK_KAFKA_SASL_PASSWORD_FILE", "/x", 1);
    setenv("TASK_DATABASE_URL_FILE", "/x", 1);
    ck_assert_ptr_null(settings_next_unknown(&taskapi_settings_table, &at));
    unsetenv("TASK_KAFKA_ANYTHING");
    unsetenv("TASK_KAFKA_SASL_PASSWORD_FILE");
    unsetenv("TASK_DATABASE_URL_FILE");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings_family");
    TCase *families = tcase_create("rules");

    tcase_add_checked_fixture(families, settings_case_setup, NULL);
    tcase_add_test(families,
                   a_family_takes_its_options_from_everywhere_by_the_usual_precedence);
    tcase_add_test(families, a_secret_option_is_read_from_its_file_and_never_printed);
    tcase_add_test(families, what_is_no_name_of_an_option_is_refused);
    tcase_add_test(families, one_option_more_than_there_is_room_for_is_refused);
    tcase_add_test(families, no_option_and_no_file_of_a_secret_counts_as_unknown);
    suite_add_tcase(suite, families);
    return run_suite(suite);
}
