#ifndef TESTS_CONFORMANCE_ANNOUNCEMENT_REPO_SUITE_H
#define TESTS_CONFORMANCE_ANNOUNCEMENT_REPO_SUITE_H

#include "tests/conformance/store_fixture.h"

/**
 * The promises of ports/announcement_repo.h, [A1] to [A3]. `driver` opens a store in which a
 * publisher looks after new groups at once; `later` one in which it does so after
 * ANNOUNCE_LATER_MS, because their creator has told the queue. Both bring announcements. One
 * pair of drivers per program.
 */
#define ANNOUNCE_LATER_MS 15000

Suite *announcement_repo_suite(const struct store_driver *driver,
                               const struct store_driver *later);

#endif
