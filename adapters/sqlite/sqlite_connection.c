#include "adapters/sqlite/sqlite_connection.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define BUSY_TIMEOUT_MS  5000
#define PAGE_SIZE        4096
#define CHECKPOINT_PAGES 4096 /* 16 MiB: seldom, since it makes one commit wait */
#define CHECKPOINT_AGAIN 1024 /* when a reader was in the way */
#define CUT_TIMEOUT_MS   200  /* for readers that are in the way of cutting the log */

static const char *const texts[SQLITE_STATEMENT_COUNT] = {
#define TEXT_OF(name, text) [SQLITE_##name##_STATEMENT] = (text),
    SQLITE_STATEMENTS(TEXT_OF)
#undef TEXT_OF
};

const char *sqlite_statement_text(enum sqlite_statement statement)
{
    return texts[statement];
}

/* --- the only place where SQLite's results become ours --- */

static enum tc_code code_from(int result, bool committing)
{
    switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_PERM:
        return TC_UNAVAILABLE;
    case SQLITE_IOERR:
        return committing ? TC_UNKNOWN : TC_UNAVAILABLE;
    case SQLITE_NOMEM:
        return TC_NO_MEMORY;
    default:
        return TC_INTERNAL;
    }
}

/* After these the connection's picture of the file may be wrong. */
static bool is_breaking(int result)
{
    int primary = result & 0xff;

    return primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_CORRUPT ||
           primary == SQLITE_NOTADB;
}

enum tc_code sqlite_fail(struct sqlite_connection *connection, const char *doing,
                         struct tc_error *err)
{
    sqlite3 *db = connection->db;
    int result = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;

    connection->is_full = (result & 0xff) == SQLITE_FULL;
    if (is_breaking(result))
        connection->broken = true;
    return tc_fail(err, code_from(result, connection->committing), "sqlite: %s: %s (%d)", doing,
                   db ? sqlite3_errmsg(db) : sqlite3_errstr(result), result);
}

/* --- open and close --- */

static int note_wal_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_connection *connection = ctx;

    (void)db;
    (void)name;
    if (pages < connection->wal_pages)
        connection->checkpoint_at = CHECKPOINT_PAGES; /* it was begun anew */
    connection->wal_pages = pages;
    return SQLITE_OK;
}

enum tc_code sqlite_run_script(struct sqlite_connection *connection, const char *sql,
                               const char *doing, struct tc_error *err)
{
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_fail(connection, doing, err);
    return TC_OK;
}

static enum tc_code set_size_max(struct sqlite_connection *connection, int64_t size_max,
                                 struct tc_error *err)
{
    char sql[64];
    int64_t pages = size_max / PAGE_SIZE;

    if (size_max <= 0)
        return TC_OK;
    snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
             (long long)(pages < 1 ? 1 : pages));
    return sqlite_run_script(connection, sql, "limit the size", err);
}

static enum tc_code configure(struct sqlite_connection *connection,
                              const struct sqlite_connection_options *options,
                              struct tc_error *err)
{
    static const char shared[] = "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
                                 "PRAGMA trusted_schema = OFF;";
    static const char for_reading[] = "PRAGMA query_only = ON; PRAGMA cache_size = -1024";
    static const char for_writing[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;"
        "PRAGMA journal_size_limit = 67108864";
    sqlite3 *db = connection->db;
    enum tc_code code;

    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
    code = sqlite_run_script(connection, shared, "open", err);
    if (code == TC_OK)
        code = sqlite_run_script(connection, options->read_only ? for_reading : for_writing,
                                 "open", err);
    if (code == TC_OK)
        code = set_size_max(connection, options->size_max, err);
    if (code != TC_OK)
        return code;

    /* Checkpoints are ours alone: only the writer makes them, under the store's lock. */
    sqlite3_wal_autocheckpoint(db, 0);
    if (!options->read_only)
        sqlite3_wal_hook(db, note_wal_pages, connection);
    return TC_OK;
}

enum tc_code sqlite_connection_open(struct sqlite_connection *connection, const char *path,
                                    const struct sqlite_connection_options *options,
                                    struct tc_error *err)
{
    /* One thread at a time uses it, so SQLite need not lock. */
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;

    *connection = (struct sqlite_connection){ .checkpoint_at = CHECKPOINT_PAGES };
    if (sqlite3_open_v2(path, &connection->db, flags, NULL) != SQLITE_OK)
        return sqlite_fail(connection, "open", err);
    return configure(connection, options, err);
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    for (size_t i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        sqlite3_finalize(connection->stmts[i]);
    sqlite3_close(connection->db);
    *connection = (struct sqlite_connection){ 0 };
}

/* --- statements --- */

struct sqlite_query sqlite_query(struct sqlite_connection *connection,
                                 enum sqlite_statement statement)
{
    sqlite3_stmt **stmt = &connection->stmts[statement];
    int rc = SQLITE_OK;

    if (!*stmt)
        rc = sqlite3_prepare_v3(connection->db, texts[statement], -1, SQLITE_PREPARE_PERSISTENT,
                                stmt, NULL);
    return (struct sqlite_query){ .stmt = *stmt, .rc = rc };
}

bool query_copy_text(const struct sqlite_query *query, int column, char *ret_text, size_t size)
{
    struct tc_bytes text = query_bytes(query, column);

    if (text.len >= size)
        return false;
    if (text.len > 0)
        memcpy(ret_text, text.data, text.len);
    ret_text[text.len] = '\0';
    return true;
}

bool query_copy_id(const struct sqlite_query *query, int column, struct tc_id *ret_id)
{
    struct tc_bytes id = query_bytes(query, column);

    if (id.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, id.data, id.len);
    return true;
}

/* --- transactions --- */

void sqlite_rollback(struct sqlite_connection *connection)
{
    if (!connection->db || sqlite3_get_autocommit(connection->db))
        return;

    AUTO_QUERY query = sqlite_query(connection, SQLITE_ROLLBACK_STATEMENT);

    if (!query_run(&query))
        connection->broken = true;
}

enum tc_code sqlite_commit(struct sqlite_connection *connection, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(connection, SQLITE_COMMIT_STATEMENT);
    enum tc_code code = TC_OK;

    connection->committing = true;
    if (!query_run(&query))
        code = sqlite_fail(connection, "commit", err);
    connection->committing = false;
    sqlite_rollback(connection);
    return code;
}

bool sqlite_checkpoint_if_due(struct sqlite_connection *connection)
{
    bool cut = connection->wal_pages >= SQLITE_WAL_MAX_PAGES;
    int logged = 0;
    int copied = 0;

    if (connection->wal_pages < connection->checkpoint_at && !connection->is_full)
        return true;
    connection->is_full = false;
    if (cut)
        sqlite3_busy_timeout(connection->db, CUT_TIMEOUT_MS);

    int rc = sqlite3_wal_checkpoint_v2(
        connection->db, NULL, cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
        &logged, &copied);

    if (cut)
        sqlite3_busy_timeout(connection->db, BUSY_TIMEOUT_MS);
    connection->checkpoint_at = connection->wal_pages < INT_MAX - CHECKPOINT_AGAIN
                                    ? connection->wal_pages + CHECKPOINT_AGAIN
                                    : INT_MAX;
    return rc == SQLITE_OK || rc == SQLITE_BUSY;
}
