#ifndef TESTS_CONFORMANCE_TASK_REPO_SUITE_H
#define TESTS_CONFORMANCE_TASK_REPO_SUITE_H

#include "tests/conformance/store_fixture.h"

/** The promises of ports/task_repo.h, for any store. One driver per program. */
Suite *task_repo_suite(const struct store_driver *driver);

#endif
