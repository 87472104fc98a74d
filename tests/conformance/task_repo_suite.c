#include "tests/conformance/task_repo_suite.h"

#include "tests/conformance/store_tcases.h"

Suite *task_repo_suite(const struct store_driver *driver)
{
    Suite *suite = suite_create(driver->name);

    suite_add_tcase(suite, task_repo_insert_tcase(driver));
    suite_add_tcase(suite, task_repo_bytes_tcase(driver));
    suite_add_tcase(suite, task_repo_list_tcase(driver));
    suite_add_tcase(suite, task_repo_change_tcase(driver));
    suite_add_tcase(suite, task_repo_counts_tcase(driver));
    suite_add_tcase(suite, task_repo_races_tcase(driver));
    if (driver->reopen)
        suite_add_tcase(suite, task_repo_durable_tcase(driver));
    return suite;
}
