#ifndef TESTS_CONFORMANCE_LEASE_REPO_SUITE_H
#define TESTS_CONFORMANCE_LEASE_REPO_SUITE_H

#include "tests/conformance/store_fixture.h"

/** The promises of ports/lease_repo.h, for any store. One driver per program. */
Suite *lease_repo_suite(const struct store_driver *driver);

#endif
