/* The handlers file: what it says, and how a bad one is refused. */

#include "apps/handlers/handler_file.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/taskcore-handlers-XXXXXX";
static struct handler_file file;
static struct tc_error err;

static void setup(void)
{
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);

    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
    file = (struct handler_file){ 0 };
}

static void teardown(void)
{
    handler_file_release(&file);
    unlink(path);
}

static enum tc_code read_text(const char *text)
{
    FILE *stream = fopen(path, "w");

    ck_assert_ptr_nonnull(stream);
    fputs(text, stream);
    fclose(stream);
    return handler_file_read(path, &file, &err);
}

static const struct handler_section *section(const char *type)
{
    for (size_t i = 0; i < file.count; i++)
        if (strcmp(file.sections[i].policy.type, type) == 0)
            return &file.sections[i];
    ck_abort_msg("there is no [%s]", type);
    return NULL;
}

START_TEST(a_program_with_all_that_may_be_said_of_it)
{
    ck_assert_int_eq(
        read_text("# how mail is sent\n[email.send]\nkind = exec\n"
                  "command = /usr/bin/mail \"two words\" 'a \"b\"'\n    --last\n"
                  "dir = /var/lib/my mail\ntimeout = 30s\nmax_attempts = 5\npriority = 7\n"
                  "retry_min = 500ms\nretry_max = 10min\ngrace = 2s\noutput_max = 64KiB\n"
                  "memory_max = 1GiB\nfile_size_max = 3MiB\ncpu_max = 1h\nopen_files_max = 64\n"
                  "processes_max = 20\nenv.LANG = C.UTF-8\nenv.EMPTY =\n"),
        TC_OK);

    const struct handler_section *mail = section("email.send");

    ck_assert_int_eq(mail->line, 2);
    ck_assert_int_eq(mail->kind, HANDLER_EXEC);
    ck_assert_uint_eq(mail->command.count, 4);
    ck_assert_str_eq(mail->command.items[0], "/usr/bin/mail");
    ck_assert_str_eq(mail->command.items[1], "two words");
    ck_assert_str_eq(mail->command.items[2], "a \"b\"");
    ck_assert_str_eq(mail->command.items[3], "--last");
    ck_assert_ptr_null(mail->command.items[4]);
    ck_assert_str_eq(mail->dir.items[0], "/var/lib/my mail");
    ck_assert_int_eq(mail->policy.timeout_ms, 30000);
    ck_assert_int_eq(mail->policy.max_attempts, 5);
    ck_assert_int_eq(mail->policy.priority, 7);
    ck_assert_int_eq(mail->policy.retry_min_ms, 500);
    ck_assert_int_eq(mail->policy.retry_max_ms, 600000);
    ck_assert_int_eq(mail->grace_ms, 2000);
    ck_assert_int_eq(mail->output_max, 65536);
    ck_assert_int_eq(mail->memory_max, 1 << 30);
    ck_assert_int_eq(mail->file_size_max, 3 << 20);
    ck_assert_int_eq(mail->cpu_ms, 3600000);
    ck_assert_int_eq(mail->open_files_max, 64);
    ck_assert_int_eq(mail->processes_max, 20);
    ck_assert_uint_eq(mail->env.count, 2);
    ck_assert_str_eq(mail->env.items[0], "LANG=C.UTF-8");
    ck_assert_str_eq(mail->env.items[1], "EMPTY=");
}
END_TEST

START_TEST(what_is_not_said_is_left_to_the_defaults)
{
    ck_assert_int_eq(read_text("[a]\nkind=exec\ncommand=/bin/true\n"), TC_OK);
    ck_assert_int_eq(section("a")->policy.priority, TC_UNSET);
    ck_assert_int_eq(section("a")->policy.timeout_ms, TC_UNSET);
    ck_assert_int_eq(section("a")->policy.max_attempts, TC_UNSET);
    ck_assert_int_eq(section("a")->policy.retry_min_ms, TC_UNSET);
    ck_assert_int_eq(section("a")->grace_ms, 0);
    ck_assert_uint_eq(section("a")->env.count, 0);
}
END_TEST

START_TEST(types_stand_in_order_with_their_policies)
{
    ck_assert_int_eq(read_text("[c]\nkind=pull\n[a]\nkind=pull\npriority=3\n[b]\nkind=pull\n"),
                     TC_OK);
    ck_assert_uint_eq(file.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(file.policies[i].type[0], "abc"[i]);
        ck_assert_str_eq(file.sections[i].policy.type, file.policies[i].type);
    }
    ck_assert_int_eq(file.policies[0].priority, 3);
}
END_TEST

START_TEST(a_file_without_types_is_fine)
{
    ck_assert_int_eq(read_text("\n; nothing yet\n"), TC_OK);
    ck_assert_uint_eq(file.count, 0);
}
END_TEST

START_TEST(as_many_types_as_a_worker_takes)
{
    char *text = malloc(40 * (HANDLER_SECTIONS_MAX + 1));
    char *at = text;

    ck_assert_ptr_nonnull(text);
    for (int i = 0; i < HANDLER_SECTIONS_MAX; i++)
        at += snprintf(at, 40, "[type.%d]\nkind = pull\n", i);
    ck_assert_int_eq(read_text(text), TC_OK);
    ck_assert_uint_eq(file.count, HANDLER_SECTIONS_MAX);
    handler_file_release(&file);
    snprintf(at, 40, "[one.more]\nkind = pull\n");
    ck_assert_int_eq(read_text(text), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, ":2001: more than 1000 types"));
    free(text);
}
END_TEST

#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    const char *text;
    const char *refusal;
} bad[] = {
    { "[a]\nkind=exec\n", ":1: command is missing" },
    { "[a]\npriority=1\n", ":1: kind is missing" },
    { "[a]\nkind=magic\n", ":2: kind = magic: must be exec or pull" },
    { "[a]\nkind=pull\nkind=pull\n", ":3: kind comes twice" },
    { "[a]\nkind=pull\ncommand=/bin/true\n", ":1: command is not for kind = pull" },
    { "[a]\nkind=pull\nenv.A=1\n", ":1: env.NAME is not for kind = pull" },
    { "[a]\nkind=exec\ncommand=true\n", ":3: command = true: must be the absolute path" },
    { "[a]\nkind=exec\ncommand=\n", ":3: command = : must be the absolute path" },
    { "[a]\nkind=exec\ncommand=/bin/echo 'x\n", ":3: command = /bin/echo 'x: must be" },
    { "[a]\nkind=exec\ncommand=/bin/true\ndir=tmp\n", ":4: dir = tmp: must be an absolute" },
    { "[a]\nkind=pull\ntimeout=30\n", ":3: timeout = 30: must be a time" },
    { "[a]\nkind=pull\ntimeout=0s\n", ":3: timeout = 0s: must be a time" },
    { "[a]\nkind=pull\ntimeout=8d\n", ":3: timeout = 8d: must be a time" },
    { "[a]\nkind=pull\ntimeout=9999999999999d\n", ": must be a time" },
    { "[a]\nkind=pull\ntimeout=-1s\n", ": must be a time" },
    { "[a]\nkind=pull\npriority=11\n", ":3: priority = 11: must be 0..10" },
    { "[a]\nkind=pull\npriority=high\n", ":3: priority = high: must be 0..10" },
    { "[a]\nkind=pull\nretry_min=2s\nretry_max=1s\n", ":1: retry_max must not be below" },
    { "[a]\nkind=exec\ncommand=/bin/true\nmemory_max=1KiB\n", ": must be a size" },
    { "[a]\nkind=exec\ncommand=/bin/true\nmemory_max=64M\n", ": must be a size" },
    { "[a]\nkind=exec\ncommand=/bin/true\nenv.1A=x\n", ":4: env.1A: must be letters" },
    { "[a]\nkind=exec\ncommand=/bin/true\nenv.TASK_ID=x\n", ":4: env.TASK_ID: must be" },
    { "[a]\nkind=exec\ncommand=/bin/true\nenv.A=x\nenv.A=y\n", ":5: env.A comes twice" },
    { "[a]\ncolour=red\n", ":2: there is no key 'colour'" },
    { "[a]\nkind=pull\n  priority=1\n", ":3: an indented line goes on with kind" },
    { "[a]\nkind=pull\n[a]\nkind=pull\n", ":3: [a] comes twice, first in line 1" },
    { "[a]\nkind=pull\n[b]\nkind=pull\n[a]\nkind=pull\n", ":5: [a] comes twice" },
    { "[a]\n[b]\nkind=pull\n", ":1: a section without keys" },
    { "[b]\nkind=pull\n[a]\n", ":3: a section without keys" },
    { "kind=pull\n", ":1: a key before the first [type]" },
    { "[A]\nkind=pull\n", ":1: [A]: a type is 1 to 48 of" },
    { "[]\nkind=pull\n", ":1: []: a type is" },
    { "[" LONG "]\nkind=pull\n", "a type is 1 to 48 of" },
    { "[a]\nkind=pull\nnonsense\n", ":3: neither '[type]' nor 'key = value'" },
    { "[a\nkind=pull\n", ":1: neither '[type]'" },
    { "[a]\nkind=exec\ncommand=/" LONG LONG LONG LONG "\n", ":3: a line is too long" },
};

#define BAD_COUNT ((int)(sizeof(bad) / sizeof(bad[0])))

START_TEST(a_bad_file_is_refused_with_line_and_reason) /* _i: row of `bad` */
{
    ck_assert_int_eq(read_text(bad[_i].text), TC_INVALID);
    ck_assert_msg(strstr(err.message, bad[_i].refusal), "%s", err.message);
    ck_assert(strncmp(err.message, path, strlen(path)) == 0);
    ck_assert_uint_eq(file.count, 0);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named)
{
    ck_assert_int_eq(handler_file_read("/nowhere/handlers.ini", &file, &err), TC_INVALID);
    ck_assert_str_eq(err.message, "/nowhere/handlers.ini: No such file or directory");
    ck_assert_int_eq(handler_file_read("/tmp", &file, &err), TC_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handler_file");
    TCase *tcase = tcase_create("handlers file");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_program_with_all_that_may_be_said_of_it);
    tcase_add_test(tcase, what_is_not_said_is_left_to_the_defaults);
    tcase_add_test(tcase, types_stand_in_order_with_their_policies);
    tcase_add_test(tcase, a_file_without_types_is_fine);
    tcase_add_test(tcase, as_many_types_as_a_worker_takes);
    tcase_add_loop_test(tcase, a_bad_file_is_refused_with_line_and_reason, 0, BAD_COUNT);
    tcase_add_test(tcase, a_file_that_is_not_there_is_named);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
