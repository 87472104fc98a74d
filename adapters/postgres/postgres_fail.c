#include "adapters/postgres/postgres_wire.h"
#include "ports/logger.h"

#include <string.h>

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   500

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The server is going, or has gone, and the answer with it. */
static bool is_lost(const char *sqlstate)
{
    return sqlstate[0] == '\0' || begins(sqlstate, "08") || begins(sqlstate, "57P") ||
           strcmp(sqlstate, "40003") == 0;
}

static enum tc_code code_from(const char *sqlstate, bool in_doubt)
{
    static const char *const refusals[] = {
        "40001", /* serialization failure */
        "40P01", /* deadlock */
        "55P03", /* lock not available */
        "57014", /* statement timeout or cancelled */
        "25006", /* read only: it is a standby by now */
        "26000", /* no such prepared statement */
        "53",    /* out of disk, memory or connections */
        "58030", /* I/O error */
    };

    if (is_lost(sqlstate))
        return in_doubt ? TC_UNKNOWN : TC_UNAVAILABLE;
    if (strcmp(sqlstate, "23505") == 0)
        return TC_CONFLICT;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (begins(sqlstate, refusals[i]))
            return TC_UNAVAILABLE;
    }
    return TC_INTERNAL;
}

/* A connection on which this happened goes on failing; the next one does not. */
static bool needs_new_connection(const char *sqlstate)
{
    return is_lost(sqlstate) || strcmp(sqlstate, "26000") == 0 ||
           strcmp(sqlstate, "25006") == 0;
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

void postgres_lose(struct postgres_connection *connection)
{
    int64_t wait_ms = connection->backoff_ms * 2;

    PQfinish(connection->pg);
    connection->pg = NULL;
    connection->prepared_count = 0;
    if (connection->transaction == POSTGRES_BEGUN)
        connection->transaction = POSTGRES_GONE;
    if (wait_ms < BACKOFF_FIRST_MS)
        wait_ms = BACKOFF_FIRST_MS;
    if (wait_ms > BACKOFF_MAX_MS)
        wait_ms = BACKOFF_MAX_MS;
    connection->backoff_ms = wait_ms;
    connection->next_connect_ms = postgres_tick_ms() + wait_ms;
}

enum tc_code postgres_fail_lost(struct postgres_connection *connection, bool in_doubt,
                                bool in_time, struct tc_error *err)
{
    connection->sqlstate[0] = '\0';
    postgres_lose(connection);
    return tc_fail(err, in_doubt ? TC_UNKNOWN : TC_UNAVAILABLE, "postgres: %s",
                   in_time ? "the connection was lost" : "the server did not answer in time");
}

enum tc_code postgres_fail_result(struct postgres_connection *connection,
                                  const PGresult *result, bool in_doubt, struct tc_error *err)
{
    const char *sqlstate = field(result, PG_DIAG_SQLSTATE);
    const char *function = field(result, PG_DIAG_SOURCE_FUNCTION);

    if (sqlstate[0] == '\0')
        return postgres_fail_lost(connection, in_doubt, true, err);
    memcpy(connection->sqlstate, sqlstate, strnlen(sqlstate, 5) + 1);

    enum tc_code code = code_from(sqlstate, in_doubt);
    bool lose = needs_new_connection(sqlstate);

    if (strcmp(function, "RevalidateCachedQuery") == 0) { /* a migration changed its columns */
        code = TC_UNAVAILABLE;
        lose = true;
    }
    code = tc_fail(err, code, "postgres: %s %s", connection->sqlstate,
                   field(result, PG_DIAG_MESSAGE_PRIMARY));
    if (lose)
        postgres_lose(connection);
    return code;
}

/* "canceling wait for synchronous replication": committed here, perhaps nowhere else. The
 * message may be translated, the name of the function that says it is not. */
static bool is_unreplicated(const PGresult *notice)
{
    return strcmp(field(notice, PG_DIAG_SOURCE_FUNCTION), "SyncRepWaitForLSN") == 0 ||
           strstr(field(notice, PG_DIAG_MESSAGE_PRIMARY), "wait for synchronous replication");
}

void postgres_receive_notice(void *arg, const PGresult *notice)
{
    struct postgres_connection *connection = arg;

    if (is_unreplicated(notice))
        connection->unreplicated = true;
    tc_log(connection->config.logger, TC_LOG_DEBUG, NULL, "postgres: notice %s %s",
           field(notice, PG_DIAG_SQLSTATE), field(notice, PG_DIAG_MESSAGE_PRIMARY));
}
