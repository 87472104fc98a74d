/* Memory that runs out at every place in turn. Linked with --wrap for the allocator: calls
 * from our own code come here first. */

#include "tests/adapters/exec_site.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *former, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *former, size_t size);
char *__wrap_strdup(const char *text);

static int fail_in = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return fail_in >= 0 && fail_in-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *former, size_t size)
{
    return fails() ? NULL : __real_realloc(former, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

START_TEST(an_open_without_memory_leaves_nothing)
{
    static const char *const argv[] = { "/bin/echo", "a", NULL };
    static const char *const env[] = { "A=1", "B=2", NULL };
    const struct exec_config config = { .argv = argv, .env = env };
    enum tc_code code = TC_NO_MEMORY;
    int failures = 0;

    while (code == TC_NO_MEMORY) {
        struct tc_handler *handler = NULL;
        struct tc_error err;

        fail_in = failures++;
        code = exec_handler_open(&config, &handler, &err);
        fail_in = -1;
        ck_assert_int_eq(handler == NULL, code != TC_OK);
        exec_handler_close(handler);
    }
    ck_assert_int_eq(code, TC_OK);
    ck_assert_int_eq(failures, 9); /* itself, two lists, four strings, the folder; then none */
}
END_TEST

static void run_with_failure(int nth)
{
    tc_report_release(&site.run.report);
    fail_in = nth;
    site_run_into(&site.run);
    fail_in = -1;
}

START_TEST(a_run_without_memory_for_its_output_may_be_tried_again)
{
    const char *const argv[] = { "/usr/bin/head", "-c", "9000", "/dev/zero", NULL };

    site.config.argv = argv;
    site.config.is_json = NULL;
    site_open();
    for (int nth = 0; nth < 3; nth++) { /* 4096 bytes, twice as many, four times */
        run_with_failure(nth);
        assert_failed(true, "no memory for the output");
    }
    run_with_failure(3);
    ck_assert_int_eq(site.run.report.kind, TC_REPORT_DONE);
    ck_assert_uint_eq(site.run.report.result.bytes.len, 9000);
}
END_TEST

START_TEST(a_failure_without_memory_for_its_message_is_still_one)
{
    const char *const argv[] = { site_script("program", "echo oops >&2; exit 1"), NULL };

    site.config.argv = argv;
    site_open();
    run_with_failure(0);
    assert_failed(false, "failed, and no memory for the message");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exec_memory");
    TCase *tcase = tcase_create("memory");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, site_setup, site_teardown);
    tcase_add_test(tcase, an_open_without_memory_leaves_nothing);
    tcase_add_test(tcase, a_run_without_memory_for_its_output_may_be_tried_again);
    tcase_add_test(tcase, a_failure_without_memory_for_its_message_is_still_one);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
