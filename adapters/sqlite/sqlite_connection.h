#ifndef TASKCORE_ADAPTERS_SQLITE_CONNECTION_H
#define TASKCORE_ADAPTERS_SQLITE_CONNECTION_H

/**
 * @file sqlite_connection.h
 * One connection with its prepared statements, and how SQLite's results become ours. Private
 * to adapters/sqlite/. A connection belongs to one thread at a time.
 */

#include "adapters/sqlite/sqlite_sql.h"
#include "core/domain/content.h"
#include "core/domain/error.h"
#include "core/domain/id.h"

#include <sqlite3.h>

/** Beyond this the log is cut back, even if readers must be waited for. */
#define SQLITE_WAL_MAX_PAGES 16384

struct sqlite_connection {
    sqlite3 *db; /* NULL: closed */
    sqlite3_stmt *stmts[SQLITE_STATEMENT_COUNT];
    bool committing;   /* a failure now may have reached the disk */
    bool broken;       /* to be closed and opened again before the next use */
    bool is_full;      /* the last failure was want of room */
    int wal_pages;     /* in the log after the last commit */
    int checkpoint_at; /* copy the log into the file from this many pages on */
};

struct sqlite_connection_options {
    bool read_only;
    int64_t size_max; /* bytes; 0: none */
};

/** Open `path`. The connection must be closed also after a failure. */
enum tc_code sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                    const struct sqlite_connection_options *options,
                                    struct tc_error *err) TC_MUST_CHECK;

/** Closed and zeroed ones are fine. */
void sqlite_connection_close(struct sqlite_connection *connection);

/** Run texts that return nothing of interest; for the time of opening. */
enum tc_code sqlite_run_script(struct sqlite_connection *connection, const char *sql,
                               const char *doing, struct tc_error *err) TC_MUST_CHECK;

/**
 * What the connection's last failure means: SQLITE_FULL, BUSY, CANTOPEN, READONLY and the like
 * are TC_UNAVAILABLE; SQLITE_IOERR too, unless a commit was under way: then TC_UNKNOWN;
 * NOMEM is TC_NO_MEMORY; all else TC_INTERNAL. The message never holds a value.
 */
enum tc_code sqlite_fail(struct sqlite_connection *connection, const char *doing,
                         struct tc_error *err);

/** COMMIT; after a failure nothing is open any more. */
enum tc_code sqlite_commit(struct sqlite_connection *connection,
                           struct tc_error *err) TC_MUST_CHECK;
void sqlite_rollback(struct sqlite_connection *connection);

/**
 * Copy the log into the file if it has grown enough, or if room is wanting: then the log is
 * begun anew and needs none. @return false: that failed.
 */
bool sqlite_checkpoint_if_due(struct sqlite_connection *connection);

/**
 * A prepared statement at work. Results stick: bind all, run, and ask once.
 *
 *     AUTO_QUERY query = sqlite_query(connection, SQLITE_NUM_OF_ID_STATEMENT);
 *     query_bind_id(&query, 1, id);
 *     if (query_next(&query)) …
 *     return query_is_bad(&query) ? sqlite_fail(…) : …;
 */
struct sqlite_query {
    sqlite3_stmt *stmt;
    int rc; /* SQLITE_OK while binding, then ROW or DONE, else what went wrong */
};

struct sqlite_query sqlite_query(struct sqlite_connection *connection,
                                 enum sqlite_statement statement);

static inline void query_end(struct sqlite_query *query)
{
    sqlite3_reset(query->stmt); /* NULL is fine */
}
#define AUTO_QUERY __attribute__((cleanup(query_end))) struct sqlite_query

static inline void query_bind_int(struct sqlite_query *query, int at, int64_t value)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_int64(query->stmt, at, value);
}

static inline void query_bind_null(struct sqlite_query *query, int at)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_null(query->stmt, at);
}

/* An empty run is an empty value, never NULL. */
static inline void query_bind_blob(struct sqlite_query *query, int at, struct tc_bytes bytes)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_blob64(query->stmt, at, bytes.len ? bytes.data : "", bytes.len,
                                        SQLITE_STATIC);
}

static inline void query_bind_bytes_as_text(struct sqlite_query *query, int at,
                                            struct tc_bytes bytes)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_bind_text64(query->stmt, at, bytes.len ? bytes.data : "", bytes.len,
                                        SQLITE_STATIC, SQLITE_UTF8);
}

static inline void query_bind_text(struct sqlite_query *query, int at, const char *text)
{
    query_bind_bytes_as_text(query, at, tc_bytes_of(text));
}

static inline void query_bind_id(struct sqlite_query *query, int at, const struct tc_id *id)
{
    query_bind_blob(query, at, (struct tc_bytes){ id->bytes, sizeof(id->bytes) });
}

/** Step. True when there is a row to read. */
static inline bool query_next(struct sqlite_query *query)
{
    if (query->rc == SQLITE_OK || query->rc == SQLITE_ROW)
        query->rc = sqlite3_step(query->stmt);
    return query->rc == SQLITE_ROW;
}

/** Run a statement without rows. False when it failed. */
static inline bool query_run(struct sqlite_query *query)
{
    if (query->rc == SQLITE_OK)
        query->rc = sqlite3_step(query->stmt);
    if (query->stmt)
        sqlite3_reset(query->stmt);
    return query->rc == SQLITE_DONE;
}

static inline bool query_is_bad(const struct sqlite_query *query)
{
    return query->rc != SQLITE_OK && query->rc != SQLITE_ROW && query->rc != SQLITE_DONE;
}

static inline int64_t query_int(const struct sqlite_query *query, int column)
{
    return sqlite3_column_int64(query->stmt, column);
}

/** Text or blob alike; borrowed until the next step. */
static inline struct tc_bytes query_bytes(const struct sqlite_query *query, int column)
{
    const void *data = sqlite3_column_blob(query->stmt, column);

    return (struct tc_bytes){ data, (size_t)sqlite3_column_bytes(query->stmt, column) };
}

/** Copy a short text into `ret_text[size]`. False when it does not fit. */
bool query_copy_text(const struct sqlite_query *query, int column, char *ret_text, size_t size);

/** False when the column is no id. */
bool query_copy_id(const struct sqlite_query *query, int column, struct tc_id *ret_id);

#endif
