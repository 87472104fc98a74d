#include "apps/process/programs.h"
#include "apps/taskworker/taskworker_settings.h"
#include "tests/apps/settings_case.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

/* Several programs with settings in common. */

START_TEST(what_another_program_reads_is_known)
{
    ck_assert(!settings_know(&taskworker_settings_table, "TASK_LISTEN"));
    ck_assert(programs_know("TASK_LISTEN"));
    ck_assert(programs_know("TASK_QUEUES"));
    ck_assert(!programs_know("TASK_LEESE_MS"));
}
END_TEST

START_TEST(a_program_for_many_processes_refuses_a_store_of_one)
{
    static struct taskworker_settings worker;
    const char *const argv[] = { "taskworker", "--database-url", "sqlite:x", NULL };

    ck_assert_int_eq(load_table(&taskworker_settings_table, argv, &worker), TC_OK);
    ck_assert_int_eq(taskworker_settings_check(&worker, &err), TC_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "TASK_DATABASE_URL"));
}
END_TEST

static const struct {
    const char *text;
    int count; /* -1: refused */
} queue_lists[] = {
    { "", 0 },    { "a", 1 },     { "a,b-c,d.e_f", 3 }, { ",", -1 },    { "a,", -1 },
    { ",a", -1 }, { "a,,b", -1 }, { "A", -1 },          { "a, b", -1 },
};

START_TEST(a_list_of_queues_is_names_with_commas_between) /* loop test over queue_lists */
{
    struct taskworker_queues queues;
    bool good = taskworker_queues_parse(queue_lists[_i].text, &queues);

    ck_assert_int_eq(good, queue_lists[_i].count >= 0);
    if (good)
        ck_assert_int_eq((int)queues.count, queue_lists[_i].count);
}
END_TEST

START_TEST(the_docs_tell_each_row_once_with_all_its_programs)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    settings_print_docs(programs, out);
    fclose(out);

    const char *row = strstr(text, "| `TASK_LEASE_MS` |");

    ck_assert_ptr_nonnull(row);
    ck_assert_ptr_null(strstr(row + 1, "| `TASK_LEASE_MS` |"));
    ck_assert(strstr(row, "| api, worker |") < strchr(row, '\n'));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("programs");
    TCase *several = tcase_create("rules");

    tcase_add_checked_fixture(several, settings_case_setup, NULL);
    tcase_add_test(several, what_another_program_reads_is_known);
    tcase_add_test(several, a_program_for_many_processes_refuses_a_store_of_one);
    tcase_add_loop_test(several, a_list_of_queues_is_names_with_commas_between, 0,
                        sizeof(queue_lists) / sizeof(queue_lists[0]));
    tcase_add_test(several, the_docs_tell_each_row_once_with_all_its_programs);
    suite_add_tcase(suite, several);
    return run_suite(suite);
}
