#include "tests/conformance/lease_repo_suite.h"

#include "tests/conformance/store_tcases.h"

Suite *lease_repo_suite(const struct store_driver *driver)
{
    Suite *suite = suite_create(driver->name);

    suite_add_tcase(suite, lease_repo_claim_tcase(driver));
    suite_add_tcase(suite, lease_repo_finish_tcase(driver));
    suite_add_tcase(suite, lease_repo_outcome_tcase(driver));
    suite_add_tcase(suite, lease_repo_extend_tcase(driver));
    suite_add_tcase(suite, lease_repo_rescue_tcase(driver));
    suite_add_tcase(suite, lease_repo_races_tcase(driver));
    suite_add_tcase(suite, lease_repo_walk_tcase(driver));
    if (driver->reopen)
        suite_add_tcase(suite, lease_repo_durable_tcase(driver));
    return suite;
}
