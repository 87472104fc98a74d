#ifndef TESTS_ADAPTERS_POSTGRES_CLIENT_H
#define TESTS_ADAPTERS_POSTGRES_CLIENT_H

/** @file postgres_client.h One connection under test, and short ways to use it. */

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_result.h"
#include "tests/adapters/postgres_server.h"

#define CLIENT_STATEMENT_MS 1000
#define CLIENT_CONNECT_MS   1000

extern struct postgres_client {
    struct postgres_connection_config config;
    struct postgres_connection *connection;
    PGresult *result; /**< of the last client_run() */
    struct tc_error err;
} client;

/** Fixture: a connection to this program's database, with an empty table "thing (num)". */
void client_setup(void);
void client_teardown(void);

/** Begin anew with `config` changed by the test. */
void client_open(void);

/** Run without parameters, and keep the result. */
enum tc_code client_run(const struct postgres_statement *statement);
/** Must succeed. */
void client_do(const struct postgres_statement *statement);
/** The number in the first field of the last result. */
int64_t client_number(void);

/** What the last failure must have been. */
void client_assert_failed(enum tc_code actual, enum tc_code code, const char *sqlstate);

/** How many things there are, as another connection sees it. */
int64_t client_thing_count(void);

/** Wait until the connection may be tried again, and use it. */
void client_await_reconnect(void);

int64_t client_tick_ms(void);

extern const struct postgres_statement client_read;   /**< SELECT 7 */
extern const struct postgres_statement client_insert; /**< a thing */

#endif
