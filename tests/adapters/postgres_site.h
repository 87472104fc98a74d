#ifndef TESTS_ADAPTERS_POSTGRES_SITE_H
#define TESTS_ADAPTERS_POSTGRES_SITE_H

/**
 * @file postgres_site.h
 * A store for the tests that only PostgreSQL needs, behind the helpers of store_fixture.h:
 * an empty database and a clock that stands still.
 */

#include "tests/adapters/postgres_server.h"

/** Checked fixtures: open with the defaults; close whatever is open. */
void postgres_site_setup(void);
void postgres_site_teardown(void);

/** Close, and open with another configuration; url and clock are filled in when missing. */
void postgres_site_open(struct postgres_store_config config);

/** Close, and open as a user that has only the rights of this role. */
void postgres_site_open_as(const char *role);

#endif
