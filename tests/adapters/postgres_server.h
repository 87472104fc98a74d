#ifndef TESTS_ADAPTERS_POSTGRES_SERVER_H
#define TESTS_ADAPTERS_POSTGRES_SERVER_H

/**
 * @file postgres_server.h
 * A database of this program's own on the server that TC_TEST_POSTGRES names, and the store
 * driver over it.
 *
 * Check runs each test in a process of its own, so nothing here keeps a connection open from
 * one test to the next; connections belong into checked fixtures or tests.
 */

#include "adapters/postgres/postgres_store.h"
#include "tests/conformance/store_fixture.h"

/**
 * Make the database, migrate it, run the suite, drop the database. @return the exit status.
 * Without TC_TEST_POSTGRES the suite is skipped, or fails when TC_REQUIRE_BACKENDS is 1.
 */
int postgres_server_run(Suite *suite);

/** As postgres_server_run(), but the database stays empty: no schema. */
int postgres_server_run_bare(Suite *suite);

/** The database of this program; of the server, as it was given. */
const char *postgres_server_url(void);
const char *postgres_server_admin_url(void);
const char *postgres_server_database(void);
/** The same address with another database and one more option ("name=value"), each NULL: as it
 *  is. Valid until the next call. */
const char *postgres_server_url_with(const char *other_database, const char *option);

/** Run SQL in this program's database on a connection of its own; must succeed. */
void postgres_server_sql(const char *sql);
/** The number in the first row and column of a query. */
int64_t postgres_server_number(const char *sql);
/** Poll until the query gives `number`, for 10 s at most: then the test fails. */
void postgres_server_await(const char *sql, int64_t number);

/** Drop the schema and make it anew by its migrations. */
void postgres_server_recreate(void);
/** Cut off every other connection and empty all tables. For fixtures. */
void postgres_server_empty(void);

/** Open a store on this program's database, with `clock` (NULL: the server's time). */
enum tc_code postgres_server_open(struct tc_clock *clock, struct postgres_store **ret_store,
                                  struct tc_error *err);

/** Every invariant of postgres_invariants.h that a store answers for must hold. */
void postgres_server_check(void);

/** Runs the conformance suites, and checks the tables after each test; `ctx` is the struct
 *  postgres_store. */
extern const struct store_driver postgres_driver;
/** The same as if it ran behind a transaction pooler. */
extern const struct store_driver postgres_pooler_driver;

#endif
