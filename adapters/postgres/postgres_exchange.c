/* One statement out, its answer back; and transactions, which are statements as well. */

#include "adapters/postgres/postgres_wire.h"

#include <poll.h>
#include <string.h>

#define ANSWER_GRACE_MS 500 /* the server's own limit comes first, and says more */
#define ARRIVED_MAX     8   /* reads of an idle socket before it counts as sound */

#define GONE_MESSAGE "postgres: the connection was lost in a transaction"

/* Whatever the database's defaults are. */
#define BEGIN_SQL "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

static int64_t deadline_of(const struct postgres_connection *connection)
{
    const int64_t limit_ms = connection->config.statement_ms;

    return limit_ms ? postgres_tick_ms() + limit_ms + ANSWER_GRACE_MS : POSTGRES_NO_DEADLINE;
}

/* --- before a statement --- */

/* What the server said while nobody listened: farewell, perhaps. Finding that out before
 * anything is sent spares the caller a TC_UNKNOWN. */
static bool is_sound(PGconn *pg)
{
    struct pollfd socket = { .fd = PQsocket(pg), .events = POLLIN };

    for (int i = 0; i < ARRIVED_MAX && poll(&socket, 1, 0) > 0; i++) {
        if (!PQconsumeInput(pg))
            return false;
        if (PQisBusy(pg)) /* parses what came: nothing of it can be a result */
            return false;
    }
    return PQstatus(pg) == CONNECTION_OK;
}

static enum tc_code make_ready(struct postgres_connection *connection, struct tc_error *err)
{
    connection->sqlstate[0] = '\0';
    connection->unreplicated = false;
    if (connection->transaction == POSTGRES_GONE)
        return tc_fail(err, TC_UNAVAILABLE, GONE_MESSAGE);
    if (connection->transaction == POSTGRES_BEGUN)
        return TC_OK;
    if (connection->pg && !is_sound(connection->pg)) {
        postgres_lose(connection);
        connection->backoff_ms = 0; /* it may be there again */
    }

    enum tc_code code = postgres_connect(connection, err);

    if (code == TC_INVALID) { /* another server than at the start */
        code = TC_UNAVAILABLE;
        if (err)
            err->code = code;
    }
    return code;
}

/* --- sending --- */

static bool is_prepared(const struct postgres_connection *connection,
                        const struct postgres_statement *statement)
{
    for (size_t i = 0; i < connection->prepared_count; i++) {
        if (connection->prepared[i] == statement)
            return true;
    }
    return false;
}

/* How one statement goes out, alone or with what must precede it. */
struct sending {
    const struct postgres_statement *statement;
    const struct postgres_params *params;
    bool is_script; /* several statements, without parameters */
    bool begins;    /* BEGIN goes first */
    bool prepares;  /* PREPARE goes first */
    bool by_name;   /* it is prepared, then */
    bool in_doubt;  /* without an answer it may have been applied */
    int64_t deadline_ms;
};

static const struct postgres_params no_params;

static bool send_statement(PGconn *pg, const struct sending *sending)
{
    const struct postgres_statement *statement = sending->statement;
    const struct postgres_params *params = sending->params;

    if (sending->is_script)
        return PQsendQuery(pg, statement->sql);
    if (sending->by_name)
        return PQsendQueryPrepared(pg, statement->name, (int)params->count, params->values,
                                   params->lengths, params->formats, 1);
    return PQsendQueryParams(pg, statement->sql, (int)params->count, params->types,
                             params->values, params->lengths, params->formats, 1);
}

static bool send_all(PGconn *pg, const struct sending *sending)
{
    const struct postgres_statement *statement = sending->statement;
    const struct postgres_params *params = sending->params;

    if (!sending->begins && !sending->prepares)
        return send_statement(pg, sending);
    if (!PQenterPipelineMode(pg))
        return false;
    if (sending->begins && !PQsendQueryParams(pg, BEGIN_SQL, 0, NULL, NULL, NULL, NULL, 1))
        return false;
    if (sending->prepares &&
        !PQsendPrepare(pg, statement->name, statement->sql, (int)params->count, params->types))
        return false;
    return send_statement(pg, sending) && PQpipelineSync(pg);
}

/* --- receiving --- */

struct answer {
    PGresult *last;   /* of the last command that succeeded */
    PGresult *error;  /* the first */
    int succeeded;    /* commands */
    bool is_complete; /* the server is ready for the next statement */
    bool in_time;
};

static void keep(struct answer *answer, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    PGresult **place = NULL;

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
        status == PGRES_EMPTY_QUERY) {
        place = &answer->last;
        answer->succeeded++;
    } else if (status != PGRES_PIPELINE_ABORTED && !answer->error)
        place = &answer->error;
    if (place) {
        PQclear(*place);
        *place = result;
    } else {
        PQclear(result);
    }
}

/* The statement is durable when the server is ready for the next one: an error of its commit
 * may follow its result. */
static void receive(PGconn *pg, bool pipeline, int64_t deadline_ms, struct answer *ret_answer)
{
    int gaps = 0;

    while (gaps < 2) {
        PGresult *result = postgres_await(pg, deadline_ms, &ret_answer->in_time);

        if (!ret_answer->in_time)
            return;
        if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            ret_answer->is_complete = PQexitPipelineMode(pg) == 1;
            return;
        }
        if (!result && !pipeline) {
            ret_answer->is_complete = PQstatus(pg) == CONNECTION_OK;
            return;
        }
        if (result)
            keep(ret_answer, result);
        gaps = result ? 0 : gaps + 1; /* between two commands of a pipeline there is one */
    }
}

static enum tc_code settle(struct postgres_connection *connection,
                           const struct sending *sending, const struct answer *answer,
                           struct tc_error *err)
{
    if (answer->error) {
        enum tc_code code =
            postgres_fail_result(connection, answer->error, sending->in_doubt, err);

        if (!answer->is_complete && connection->pg)
            postgres_lose(connection);
        return code;
    }
    if (!answer->is_complete)
        return postgres_fail_lost(connection, sending->in_doubt, answer->in_time, err);
    connection->backoff_ms = 0;
    if (sending->in_doubt && connection->unreplicated)
        return tc_fail(err, TC_UNKNOWN, "postgres: committed, but the standby did not confirm");
    return TC_OK;
}

/* A prepared statement stays, even if what followed it failed. */
static void remember(struct postgres_connection *connection, const struct sending *sending,
                     const struct answer *answer)
{
    int before = sending->begins ? 1 : 0;

    if (sending->prepares && connection->pg && answer->succeeded > before)
        connection->prepared[connection->prepared_count++] = sending->statement;
}

static enum tc_code exchange(struct postgres_connection *connection,
                             const struct sending *sending, PGresult **ret_result,
                             struct tc_error *err)
{
    bool pipeline = sending->begins || sending->prepares;
    struct answer answer = { .in_time = true };

    if (!send_all(connection->pg, sending) ||
        !postgres_flush(connection->pg, sending->deadline_ms))
        return postgres_fail_lost(connection, sending->in_doubt,
                                  postgres_tick_ms() < sending->deadline_ms, err);
    receive(connection->pg, pipeline, sending->deadline_ms, &answer);

    enum tc_code code = settle(connection, sending, &answer, err);

    remember(connection, sending, &answer);
    PQclear(answer.error);
    if (code == TC_OK && ret_result)
        *ret_result = answer.last;
    else
        PQclear(answer.last);
    return code;
}

enum tc_code postgres_run(struct postgres_connection *connection,
                          const struct postgres_statement *statement,
                          struct postgres_params *params, PGresult **ret_result,
                          struct tc_error *err)
{
    enum tc_code code = params ? postgres_params_finish(params, err) : TC_OK;

    if (code == TC_OK)
        code = make_ready(connection, err);
    if (code != TC_OK)
        return code;

    bool known = is_prepared(connection, statement);
    bool prepares = connection->config.prepares && !known &&
                    connection->prepared_count < POSTGRES_PREPARED_MAX;
    const struct sending sending = {
        .statement = statement,
        .params = params ? params : &no_params,
        .begins = connection->transaction == POSTGRES_BEGIN_ASKED,
        .prepares = prepares,
        .by_name = known || prepares,
        .in_doubt = statement->writes && connection->transaction == POSTGRES_AUTOCOMMIT,
        .deadline_ms = deadline_of(connection),
    };

    if (sending.begins)
        connection->transaction = POSTGRES_BEGUN;
    connection->wrote = connection->wrote || statement->writes;
    return exchange(connection, &sending, ret_result, err);
}

/* --- scripts --- */

enum tc_code postgres_send_script(struct postgres_connection *connection, const char *sql,
                                  bool in_doubt, int64_t deadline_ms, struct tc_error *err)
{
    const struct postgres_statement statement = { .sql = sql };
    const struct sending sending = {
        .statement = &statement,
        .is_script = true,
        .in_doubt = in_doubt,
        .deadline_ms = deadline_ms,
    };

    return exchange(connection, &sending, NULL, err);
}

enum tc_code postgres_run_script(struct postgres_connection *connection, const char *sql,
                                 struct tc_error *err)
{
    enum tc_code code = make_ready(connection, err);

    if (code == TC_OK && connection->transaction == POSTGRES_BEGIN_ASKED) {
        connection->transaction = POSTGRES_BEGUN;
        code = postgres_send_script(connection, BEGIN_SQL, false, deadline_of(connection), err);
    }
    if (code != TC_OK)
        return code;
    connection->wrote = true;
    return postgres_send_script(connection, sql, connection->transaction == POSTGRES_AUTOCOMMIT,
                                deadline_of(connection), err);
}

/* --- transactions --- */

void postgres_begin(struct postgres_connection *connection)
{
    connection->transaction = POSTGRES_BEGIN_ASKED;
    connection->wrote = false;
}

static enum tc_code send_commit(struct postgres_connection *connection, struct tc_error *err)
{
    static const struct postgres_statement statement = { .sql = "COMMIT" };
    const struct sending sending = {
        .statement = &statement,
        .params = &no_params,
        .in_doubt = connection->wrote,
        .deadline_ms = deadline_of(connection),
    };
    PGresult *result = NULL;
    enum tc_code code = exchange(connection, &sending, &result, err);

    if (code == TC_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        code = tc_fail(err, TC_INTERNAL, "postgres: commit of a transaction that had failed");
    PQclear(result);
    return code;
}

enum tc_code postgres_commit(struct postgres_connection *connection, struct tc_error *err)
{
    enum postgres_transaction transaction = connection->transaction;

    connection->transaction = POSTGRES_AUTOCOMMIT;
    if (transaction == POSTGRES_GONE)
        return tc_fail(err, TC_UNAVAILABLE, GONE_MESSAGE);
    if (transaction != POSTGRES_BEGUN)
        return TC_OK; /* nothing was run in it */
    connection->sqlstate[0] = '\0';
    connection->unreplicated = false;
    return send_commit(connection, err);
}

void postgres_rollback(struct postgres_connection *connection)
{
    static const struct postgres_statement statement = { .sql = "ROLLBACK" };
    const struct sending sending = {
        .statement = &statement,
        .params = &no_params,
        .deadline_ms = deadline_of(connection),
    };
    char sqlstate[sizeof(connection->sqlstate)];

    memcpy(sqlstate, connection->sqlstate, sizeof(sqlstate));
    if (connection->transaction == POSTGRES_BEGUN &&
        exchange(connection, &sending, NULL, NULL) != TC_OK && connection->pg)
        postgres_lose(connection);
    connection->transaction = POSTGRES_AUTOCOMMIT;
    memcpy(connection->sqlstate, sqlstate, sizeof(sqlstate));
}
