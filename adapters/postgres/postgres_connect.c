/* From a URL to a session that is set up: all with one deadline. */

#include "adapters/postgres/postgres_wire.h"
#include "ports/logger.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MIN 150000

enum tc_code postgres_check_url(const char *url, struct tc_error *err)
{
    char *complaint = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &complaint);
    enum tc_code code = TC_OK;

    /* libpq's text may quote the URL, with the password in it; this part of it does not. */
    if (!options && complaint && strstr(complaint, "invalid URI query parameter"))
        code = tc_fail(err, TC_INVALID, "postgres: bad URL: %.*s",
                       (int)strcspn(complaint, "\n"), complaint);
    else if (!options)
        code = tc_fail(err, complaint ? TC_INVALID : TC_NO_MEMORY,
                       "postgres: the URL cannot be read: postgresql://user@host/database?… is"
                       " what libpq takes");
    PQfreemem(complaint);
    PQconninfoFree(options);
    return code;
}

/* What stands before the URL gives way to it, what stands behind goes before it. */
static PGconn *start(const struct postgres_connection *connection)
{
    static const char *const keywords[] = {
        "application_name",
        "target_session_attrs",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "dbname",
        "client_encoding",
        "host",
        "hostaddr",
        "port",
        NULL,
    };
    const struct postgres_connection_config *config = &connection->config;
    struct postgres_hosts hosts;

    postgres_order_hosts(config->url, connection->first_host, &hosts);

    const char *const values[] = {
        config->name ? config->name : "taskcore",
        "read-write",
        "10",
        "3",
        "3",
        "10000",
        config->url,
        "UTF8",
        hosts.host,
        hosts.hostaddr,
        hosts.port,
        NULL,
    };
    PGconn *pg = PQconnectStartParams(keywords, values, 1);

    postgres_release_hosts(&hosts);
    return pg;
}

/* "FATAL:  57P03: the database system is starting up": libpq gives the SQLSTATE of a refused
 * login only in its verbose text. */
static void find_sqlstate(const char *text, char ret_sqlstate[6])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    ret_sqlstate[0] = '\0';
    for (const char *at = text; (at = strstr(at, ":  ")); at++) {
        if (strspn(at + 3, digits) != 5 || at[8] != ':')
            continue;
        memcpy(ret_sqlstate, at + 3, 5);
        ret_sqlstate[5] = '\0';
    }
}

static enum tc_code fail_connect(struct postgres_connection *connection, bool in_time,
                                 struct tc_error *err)
{
    const char *text = connection->pg ? PQerrorMessage(connection->pg) : "no memory";
    enum tc_code code;

    find_sqlstate(text, connection->sqlstate);
    if (in_time) {
        code = tc_fail(err, TC_UNAVAILABLE, "postgres: %.*s", (int)strcspn(text, "\n"), text);
    } else {
        connection->first_host++;
        code = tc_fail(err, TC_UNAVAILABLE, "postgres: cannot connect within %" PRId64 " ms",
                       connection->config.connect_ms);
    }
    postgres_lose(connection);
    return code;
}

/* @return false: no connection; `*ret_in_time` says why. */
static bool finish_login(PGconn *pg, int64_t deadline_ms, bool *ret_in_time)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    while (next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED) {
        if (!postgres_wait_socket(pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                                  deadline_ms)) {
            *ret_in_time = false;
            return false;
        }
        next = PQconnectPoll(pg);
    }
    return next == PGRES_POLLING_OK;
}

/* Nothing of this is needed for what statements mean; it bounds what goes wrong. Behind a
 * transaction pooler it would land on sessions of others. Plans are made once and kept, since
 * planning our longer statements costs more than running them; those made while the tables are
 * empty would read them from end to end for ever: hence no sequential scans. A count that
 * starts processes of its own would take the processors from those who claim and finish. */
static enum tc_code set_up(struct postgres_connection *connection, int64_t deadline_ms,
                           struct tc_error *err)
{
    const int64_t limit_ms = connection->config.statement_ms;
    char script[384];

    if (PQserverVersion(connection->pg) < VERSION_MIN)
        return tc_fail(err, TC_INVALID, "postgres: the server is version %d, 15 is needed",
                       PQserverVersion(connection->pg) / 10000);
    if (!connection->config.prepares)
        return TC_OK;
    snprintf(script, sizeof(script),
             "SET statement_timeout = %" PRId64 "; SET lock_timeout = %" PRId64 ";"
             " SET idle_in_transaction_session_timeout = %" PRId64 ";"
             " SET search_path = pg_catalog; SET jit = off; SET enable_seqscan = off;"
             " SET plan_cache_mode = force_generic_plan;"
             " SET max_parallel_workers_per_gather = 0",
             limit_ms, limit_ms - limit_ms / 5, limit_ms);
    return postgres_send_script(connection, script, false, deadline_ms, err);
}

static enum tc_code try_connect(struct postgres_connection *connection, struct tc_error *err)
{
    int64_t deadline_ms = postgres_tick_ms() + connection->config.connect_ms;
    bool in_time = true;

    connection->pg = start(connection);
    if (!connection->pg || PQstatus(connection->pg) == CONNECTION_BAD)
        return fail_connect(connection, true, err);
    PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(connection->pg, postgres_receive_notice, connection);
    if (!finish_login(connection->pg, deadline_ms, &in_time) ||
        PQsetnonblocking(connection->pg, 1) != 0)
        return fail_connect(connection, in_time, err);

    enum tc_code code = set_up(connection, deadline_ms, err);

    if (code == TC_OK)
        connection->generation++;
    else if (connection->pg)
        postgres_lose(connection);
    return code;
}

enum tc_code postgres_connect(struct postgres_connection *connection, struct tc_error *err)
{
    if (connection->pg)
        return TC_OK;
    connection->sqlstate[0] = '\0';
    if (connection->backoff_ms && postgres_tick_ms() < connection->next_connect_ms)
        return tc_fail(err, TC_UNAVAILABLE, "postgres: not connected");
    return try_connect(connection, err);
}
