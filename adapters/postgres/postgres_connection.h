#ifndef TASKCORE_ADAPTERS_POSTGRES_CONNECTION_H
#define TASKCORE_ADAPTERS_POSTGRES_CONNECTION_H

/**
 * @file postgres_connection.h
 * One libpq connection with a deadline on everything. The files behind it (postgres_wire.h) are
 * the only ones that talk to libpq's connection functions and that map SQLSTATEs to codes.
 *
 * One thread at a time. A connection that breaks, or whose server does not answer in time, is
 * closed at once and reconnects by itself at the next statement, but not before its backoff is
 * over (50 ms, doubling to 500 ms); until then it fails at once.
 *
 * Errors of every statement: TC_UNAVAILABLE (nothing was applied: not connected, or refused by
 * 40001, 40P01, 55P03, 57014, 58030, class 53, or a server that has become read only or has
 * forgotten what was prepared); TC_UNKNOWN (the connection was lost while a statement or a
 * COMMIT that writes was on its way, or its standby did not confirm); TC_CONFLICT (23505);
 * TC_NO_MEMORY; TC_INTERNAL (anything else: our SQL or our validation is wrong). Messages hold
 * the SQLSTATE and the server's primary message, never parameters.
 *
 * Names of hosts are resolved by the system, which may take longer than connect_ms.
 */

#include "adapters/postgres/postgres_params.h"

#include <libpq-fe.h>

struct tc_logger;
struct postgres_connection;

/** Borrowed for as long as the connection is open. */
struct postgres_connection_config {
    const char *url;      /**< postgresql://… as libpq takes it */
    const char *name;     /**< application_name */
    int64_t statement_ms; /**< a statement's limit, at the server and, with 500 ms more, here;
                               0: none */
    int64_t connect_ms;   /**< for TCP, TLS and the login together */
    bool prepares;        /**< false: behind a transaction pooler, nothing lasts: nothing is
                               prepared or set, and statement_ms counts here alone */
    struct tc_logger *logger; /**< NULL: silent */
};

/** A statement that is prepared once per connection, under its name. Static. */
struct postgres_statement {
    const char *name; /**< "claim_any" */
    const char *sql;
    bool writes; /**< a lost answer is TC_UNKNOWN, else TC_UNAVAILABLE */
};

/** Allocates only; the first statement connects. @return TC_OK; TC_INVALID: a bad URL;
 *  TC_NO_MEMORY. */
enum tc_code postgres_connection_new(const struct postgres_connection_config *config,
                                     struct postgres_connection **ret_connection,
                                     struct tc_error *err) TC_MUST_CHECK;
void postgres_connection_free(struct postgres_connection *connection);

/**
 * Connect now unless connected.
 * @return TC_OK; TC_UNAVAILABLE (postgres_sqlstate(): of a refused login); TC_INVALID: a server
 *         older than 15, which statements report as TC_UNAVAILABLE.
 */
enum tc_code postgres_connect(struct postgres_connection *connection,
                              struct tc_error *err) TC_MUST_CHECK;
bool postgres_is_connected(const struct postgres_connection *connection);
/** Counts connects: what was set on the server is gone when it has changed. */
uint64_t postgres_generation(const struct postgres_connection *connection);
/** Close; the next statement connects again at once. A transaction is lost by it. */
void postgres_disconnect(struct postgres_connection *connection);

/** The socket, -1 when there is none, and what has arrived on it by itself (NOTIFY). */
int postgres_socket(const struct postgres_connection *connection);
/** @return TC_OK with the next one, `*ret_notify` NULL: none (PQfreemem() it); TC_UNAVAILABLE.
 */
enum tc_code postgres_next_notify(struct postgres_connection *connection, PGnotify **ret_notify,
                                  struct tc_error *err) TC_MUST_CHECK;

/**
 * Run one statement; `params` NULL: none. Outside a transaction it commits by itself. The
 * result, in binary format, is the caller's to PQclear(); ret_result NULL: not wanted.
 */
enum tc_code postgres_run(struct postgres_connection *connection,
                          const struct postgres_statement *statement,
                          struct postgres_params *params, PGresult **ret_result,
                          struct tc_error *err) TC_MUST_CHECK;

/** Text without parameters and results, several statements allowed: for migrations. */
enum tc_code postgres_run_script(struct postgres_connection *connection, const char *sql,
                                 struct tc_error *err) TC_MUST_CHECK;

/**
 * A transaction, READ COMMITTED. Statements inside report TC_UNAVAILABLE when the connection is
 * lost, because nothing was committed; commit reports TC_UNKNOWN. After any failure call
 * rollback, which never fails (it closes the connection if it must) and keeps `err`.
 * postgres_run() sends BEGIN together with the first statement.
 */
void postgres_begin(struct postgres_connection *connection);
enum tc_code postgres_commit(struct postgres_connection *connection,
                             struct tc_error *err) TC_MUST_CHECK;
void postgres_rollback(struct postgres_connection *connection);

/** SQLSTATE of the last failure, "" when it had none: for the few who look (23505). */
const char *postgres_sqlstate(const struct postgres_connection *connection);

#endif
