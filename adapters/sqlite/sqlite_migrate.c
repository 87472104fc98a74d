/* The schema: forward only, each step in one transaction, each remembered with a checksum. */

#include "adapters/sqlite/sqlite_internal.h"

#include <stdio.h>
#include <string.h>

#define APPLICATION_ID 0x54434F52 /* "TCOR", in the file's header */

/* Made from migrations/sqlite/ by scripts/embed-files.py. */
extern const unsigned char sqlite_migration_0001_tasks[];
extern const unsigned long sqlite_migration_0001_tasks_len;

struct migration {
    const char *name;
    const unsigned char *text; /* ends with a NUL */
    const unsigned long *len;
};

static const struct migration migrations[] = {
    { "0001_tasks", sqlite_migration_0001_tasks, &sqlite_migration_0001_tasks_len },
};

#define LATEST ((int)(sizeof(migrations) / sizeof(migrations[0])))

/* FNV-1a: against edits by mistake, not against malice. */
static int64_t checksum(const struct migration *migration)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (unsigned long i = 0; i < *migration->len; i++)
        hash = (hash ^ migration->text[i]) * UINT64_C(0x100000001b3);
    return (int64_t)(hash >> 1);
}

/* A statement that is used once. */
static struct sqlite_query prepare(struct sqlite_connection *connection, const char *sql)
{
    struct sqlite_query query = { 0 };

    query.rc = sqlite3_prepare_v2(connection->db, sql, -1, &query.stmt, NULL);
    return query;
}

static void query_close(struct sqlite_query *query)
{
    sqlite3_finalize(query->stmt);
}
#define AUTO_CLOSE __attribute__((cleanup(query_close))) struct sqlite_query

static enum tc_code read_number(struct sqlite_connection *connection, const char *sql,
                                int64_t *ret_number, struct tc_error *err)
{
    AUTO_CLOSE query = prepare(connection, sql);

    if (!query_next(&query))
        return sqlite_fail(connection, "read the schema", err);
    *ret_number = query_int(&query, 0);
    return TC_OK;
}

/* Ours, or empty? */
static enum tc_code check_owner(struct sqlite_connection *connection, struct tc_error *err)
{
    int64_t application = 0;
    int64_t objects = 0;
    enum tc_code code = read_number(connection, "PRAGMA application_id", &application, err);

    if (code == TC_OK)
        code = read_number(connection, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (code == TC_OK && application != APPLICATION_ID && (application != 0 || objects > 0))
        code = tc_fail(err, TC_INVALID, "sqlite: the file belongs to another program");
    return code;
}

static enum tc_code check_applied(struct sqlite_connection *connection, int version,
                                  struct tc_error *err)
{
    AUTO_CLOSE query =
        prepare(connection, "SELECT version, checksum FROM migration ORDER BY version");
    int seen = 0;

    while (query_next(&query)) {
        if (query_int(&query, 0) != seen + 1 || seen == LATEST)
            return tc_fail(err, TC_INVALID, "sqlite: the list of migrations is damaged");
        if (query_int(&query, 1) != checksum(&migrations[seen]))
            return tc_fail(err, TC_INVALID,
                           "sqlite: migration '%s' is not the one that was applied",
                           migrations[seen].name);
        seen++;
    }
    if (query_is_bad(&query))
        return sqlite_fail(connection, "read the migrations", err);
    if (seen != version)
        return tc_fail(err, TC_INVALID,
                       "sqlite: %d migrations are recorded, but the version"
                       " is %d",
                       seen, version);
    return TC_OK;
}

static enum tc_code record(struct sqlite_connection *connection, int number, int64_t now_ms,
                           struct tc_error *err)
{
    const struct migration *migration = &migrations[number - 1];
    AUTO_CLOSE query = prepare(connection, "INSERT INTO migration (version, name, checksum,"
                                           " applied_at) VALUES (?1, ?2, ?3, ?4)");

    query_bind_int(&query, 1, number);
    query_bind_text(&query, 2, migration->name);
    query_bind_int(&query, 3, checksum(migration));
    query_bind_int(&query, 4, now_ms);
    return query_run(&query) ? TC_OK : sqlite_fail(connection, "record a migration", err);
}

static enum tc_code apply(struct sqlite_connection *connection, int number, int64_t now_ms,
                          struct tc_error *err)
{
    static const char table[] =
        "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY,"
        " name TEXT NOT NULL, checksum INTEGER NOT NULL, applied_at INTEGER NOT NULL) STRICT";
    char header[96];
    enum tc_code code = sqlite_run_script(connection, "BEGIN IMMEDIATE", "migrate", err);

    snprintf(header, sizeof(header), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, number);
    if (code == TC_OK)
        code = sqlite_run_script(connection, table, "migrate", err);
    if (code == TC_OK)
        code = sqlite_run_script(connection, (const char *)migrations[number - 1].text,
                                 migrations[number - 1].name, err);
    if (code == TC_OK)
        code = record(connection, number, now_ms, err);
    if (code == TC_OK)
        code = sqlite_run_script(connection, header, "migrate", err);
    if (code == TC_OK)
        return sqlite_commit(connection, err);
    sqlite_rollback(connection);
    return code;
}

enum tc_code sqlite_migrate(struct sqlite_connection *connection, int64_t now_ms,
                            struct tc_error *err)
{
    int64_t version = 0;
    enum tc_code code = check_owner(connection, err);

    if (code == TC_OK)
        code = read_number(connection, "PRAGMA user_version", &version, err);
    if (code != TC_OK)
        return code;
    if (version < 0 || version > LATEST)
        return tc_fail(err, TC_INVALID,
                       "sqlite: the schema has version %lld, this program knows up to %d",
                       (long long)version, LATEST);
    if (version > 0)
        code = check_applied(connection, (int)version, err);
    for (int number = (int)version + 1; code == TC_OK && number <= LATEST; number++)
        code = apply(connection, number, now_ms, err);
    return code;
}
