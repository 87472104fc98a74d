#include "adapters/postgres/postgres_schema.h"

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_result.h"

#include <stdio.h>
#include <stdlib.h>

/* Made from migrations/postgres/ by scripts/embed-files.py. */
extern const unsigned char postgres_migration_0001_tasks[];
extern const unsigned long postgres_migration_0001_tasks_len;

#define CONNECT_MS 5000
#define TRIES_MAX  3

static const struct migration {
    const char *name;
    const unsigned char *text; /* ends with a NUL */
    const unsigned long *len;
} migrations[] = {
    { "0001_tasks", postgres_migration_0001_tasks, &postgres_migration_0001_tasks_len },
};

#define LATEST ((int)(sizeof(migrations) / sizeof(migrations[0])))

/* What the database says. */
struct applied {
    struct postgres_migration_status *rows;
    size_t count;
};

/* From the tables of the catalog: to_regclass() may answer out of a cache that does not know
 * yet what another migrator has just committed. */
static const struct postgres_statement has_table = {
    .name = "schema_has_table",
    .sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c"
           " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
           " WHERE n.nspname = 'taskcore' AND c.relname = 'migration')",
};

static const struct postgres_statement read_version = {
    .name = "schema_version",
    .sql = "SELECT coalesce(max(version), 0) FROM taskcore.migration",
};

/* The checksums are PostgreSQL's to make: $1 versions, $2 their texts here. */
static const struct postgres_statement read_applied = {
    .name = "schema_applied",
    .sql = "SELECT m.version, m.name, m.applied_at, k.version IS NULL,"
           " k.version IS NOT NULL AND m.checksum <> sha256(k.text)"
           " FROM taskcore.migration m"
           " LEFT JOIN unnest($1, $2) AS k (version, text) ON k.version = m.version"
           " ORDER BY m.version",
};

static const struct postgres_statement take_turn = {
    .name = "schema_turn",
    .sql = "SELECT pg_advisory_xact_lock(7310868735391100003)", /* "task", "core" */
};

static const struct postgres_statement record = {
    .name = "schema_record",
    .sql = "INSERT INTO taskcore.migration (version, name, checksum, applied_at)"
           " VALUES ($1, $2, sha256($3),"
           " (extract(epoch FROM clock_timestamp()) * 1000)::bigint)",
    .writes = true,
};

static const char table[] = "CREATE SCHEMA IF NOT EXISTS taskcore;"
                            " CREATE TABLE IF NOT EXISTS taskcore.migration ("
                            " version int PRIMARY KEY, name text NOT NULL,"
                            " checksum bytea NOT NULL, applied_at bigint NOT NULL)";

/* --- what is there --- */

static struct tc_bytes text_of(int version)
{
    const struct migration *migration = &migrations[version - 1];

    return (struct tc_bytes){ migration->text, *migration->len };
}

static enum tc_code find_table(struct postgres_connection *connection, bool *ret_found,
                               struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    enum tc_code code = postgres_run(connection, &has_table, NULL, &result, err);

    if (code == TC_OK)
        *ret_found = postgres_get_bool(result, 0, 0);
    return code;
}

static enum tc_code query_applied(struct postgres_connection *connection, PGresult **ret_result,
                                  struct tc_error *err)
{
    struct postgres_params params;

    postgres_params_init(&params, 0);
    postgres_array_begin(&params, POSTGRES_INT4);
    for (int version = 1; version <= LATEST; version++)
        postgres_push_int(&params, POSTGRES_INT4, version);
    postgres_array_end(&params);
    postgres_array_begin(&params, POSTGRES_BYTEA);
    for (int version = 1; version <= LATEST; version++)
        postgres_push_bytes(&params, text_of(version));
    postgres_array_end(&params);

    enum tc_code code = postgres_run(connection, &read_applied, &params, ret_result, err);

    postgres_params_release(&params);
    return code;
}

static enum tc_code load_applied(struct postgres_connection *connection,
                                 struct applied *ret_applied, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    bool found = false;
    enum tc_code code = find_table(connection, &found, err);

    if (code == TC_OK && found)
        code = query_applied(connection, &result, err);
    if (code != TC_OK)
        return code;

    size_t count = result ? (size_t)PQntuples(result) : 0;
    struct postgres_migration_status *rows =
        calloc(count + (size_t)LATEST, sizeof(*rows)); /* room for what is missing as well */

    if (!rows)
        return tc_fail(err, TC_NO_MEMORY, "postgres: the list of migrations");
    for (size_t i = 0; i < count; i++) {
        int row = (int)i;

        rows[i].version = (int)postgres_get_int(result, row, 0);
        postgres_get_text(result, row, 1, rows[i].name, sizeof(rows[i].name));
        rows[i].applied_at_ms = postgres_get_int(result, row, 2);
        rows[i].unknown = postgres_get_bool(result, row, 3);
        rows[i].changed = postgres_get_bool(result, row, 4);
    }
    *ret_applied = (struct applied){ rows, count };
    return TC_OK;
}

/* They are 1, 2, 3, … as this program has them. */
static enum tc_code check_applied(const struct applied *applied, struct tc_error *err)
{
    for (size_t i = 0; i < applied->count; i++) {
        const struct postgres_migration_status *row = &applied->rows[i];

        if (row->version > LATEST)
            return tc_fail(err, TC_INVALID,
                           "schema version %d is newer than this program (%d): run a newer"
                           " program",
                           row->version, LATEST);
        if (row->version != (int)i + 1)
            return tc_fail(err, TC_INVALID, "the list of applied migrations has a gap at %d",
                           (int)i + 1);
        if (row->changed)
            return tc_fail(err, TC_INVALID,
                           "migration '%s' is not the one that was applied: its text has"
                           " changed",
                           row->name);
    }
    return TC_OK;
}

/* --- migrating --- */

struct migrator {
    struct postgres_connection *connection;
    int to;
    postgres_migrate_note *note;
    void *ctx;
};

static void tell(const struct migrator *migrator, int version, bool done)
{
    const struct migration *migration = &migrations[version - 1];

    if (migrator->note)
        migrator->note(migrator->ctx, version, migration->name, (const char *)migration->text,
                       done);
}

static enum tc_code read_state(const struct migrator *migrator, int *ret_version,
                               struct tc_error *err)
{
    struct applied applied = { NULL, 0 };
    enum tc_code code = load_applied(migrator->connection, &applied, err);

    if (code == TC_OK)
        code = check_applied(&applied, err);
    if (code == TC_OK && migrator->to < (int)applied.count)
        code = tc_fail(err, TC_INVALID,
                       "schema version %zu is above %d: migrations only go"
                       " forward",
                       applied.count, migrator->to);
    if (code == TC_OK)
        *ret_version = (int)applied.count;
    free(applied.rows);
    return code;
}

static enum tc_code apply(const struct migrator *migrator, int version, struct tc_error *err)
{
    struct postgres_connection *connection = migrator->connection;
    struct postgres_params params;
    enum tc_code code = postgres_run_script(connection, table, err);

    if (code == TC_OK)
        code = postgres_run_script(connection, (const char *)text_of(version).data, err);
    if (code != TC_OK)
        return code;
    postgres_params_init(&params, 0);
    postgres_add_int4(&params, version);
    postgres_add_text(&params, migrations[version - 1].name);
    postgres_add_bytes(&params, text_of(version));
    code = postgres_run(connection, &record, &params, NULL, err);
    postgres_params_release(&params);
    return code;
}

/* The next one, unless another migrator was faster. It waits for that one as long as it takes,
 * but for tables in use only a moment: who waits for a lock keeps all others out (F81). */
static enum tc_code step(const struct migrator *migrator, int *ret_version, bool *ret_applied,
                         struct tc_error *err)
{
    struct postgres_connection *connection = migrator->connection;
    int version = 0;
    enum tc_code code = postgres_run_script(connection,
                                            "SET LOCAL statement_timeout = 0;"
                                            " SET LOCAL lock_timeout = 0;"
                                            " SET LOCAL search_path = pg_catalog",
                                            err);

    if (code == TC_OK)
        code = postgres_run(connection, &take_turn, NULL, NULL, err);
    if (code == TC_OK)
        code = read_state(migrator, &version, err);
    if (code == TC_OK)
        code = postgres_run_script(connection, "SET LOCAL lock_timeout = '5s'", err);
    if (code != TC_OK)
        return code;
    *ret_applied = version < migrator->to;
    if (*ret_applied) {
        version++;
        tell(migrator, version, false);
        code = apply(migrator, version, err);
    }
    *ret_version = version;
    return code;
}

static enum tc_code try_one(const struct migrator *migrator, int *ret_version,
                            struct tc_error *err)
{
    bool applied = false;
    enum tc_code code;

    postgres_begin(migrator->connection);
    code = step(migrator, ret_version, &applied, err);
    if (code == TC_OK)
        code = postgres_commit(migrator->connection, err);
    if (code != TC_OK)
        postgres_rollback(migrator->connection);
    else if (applied)
        tell(migrator, *ret_version, true);
    return code;
}

/* Roles belong to the whole server: a migrator of another database may make them between our
 * look and our CREATE ROLE, and then they are there. */
static enum tc_code migrate_one(const struct migrator *migrator, int *ret_version,
                                struct tc_error *err)
{
    enum tc_code code = try_one(migrator, ret_version, err);

    for (int i = 0; i < TRIES_MAX && code == TC_CONFLICT; i++)
        code = try_one(migrator, ret_version, err);
    return code == TC_CONFLICT ? TC_INTERNAL : code;
}

static enum tc_code open_connection(const char *url,
                                    struct postgres_connection **ret_connection,
                                    struct tc_error *err)
{
    /* Sets up nothing of itself: what a migration needs, its transaction says. */
    const struct postgres_connection_config config = {
        .url = url,
        .name = "taskctl",
        .connect_ms = CONNECT_MS,
    };
    enum tc_code code = postgres_connection_new(&config, ret_connection, err);

    if (code == TC_OK)
        code = postgres_connect(*ret_connection, err);
    return code;
}

enum tc_code postgres_schema_migrate(const char *url, int to, bool dry_run,
                                     postgres_migrate_note *note, void *ctx,
                                     struct tc_error *err)
{
    struct migrator migrator = { .to = to ? to : LATEST, .note = note, .ctx = ctx };
    int version = 0;

    if (to < 0 || to > LATEST)
        return tc_fail(err, TC_INVALID, "there is no migration %d, the last one is %d", to,
                       LATEST);

    enum tc_code code = open_connection(url, &migrator.connection, err);

    if (code == TC_OK)
        code = read_state(&migrator, &version, err);
    for (int next = version + 1; code == TC_OK && dry_run && next <= migrator.to; next++)
        tell(&migrator, next, false);
    while (code == TC_OK && !dry_run && version < migrator.to)
        code = migrate_one(&migrator, &version, err);
    postgres_connection_free(migrator.connection);
    return code;
}

enum tc_code postgres_schema_status(const char *url,
                                    struct postgres_migration_status **ret_rows,
                                    size_t *ret_count, struct tc_error *err)
{
    struct postgres_connection *connection = NULL;
    struct applied applied = { NULL, 0 };
    enum tc_code code = open_connection(url, &connection, err);

    if (code == TC_OK)
        code = load_applied(connection, &applied, err);
    postgres_connection_free(connection);
    if (code != TC_OK)
        return code;
    for (size_t at = applied.count; applied.rows && at < (size_t)LATEST; at++) {
        struct postgres_migration_status *row = &applied.rows[applied.count++];

        row->version = (int)at + 1;
        snprintf(row->name, sizeof(row->name), "%s", migrations[at].name);
    }
    *ret_rows = applied.rows;
    *ret_count = applied.count;
    return TC_OK;
}

/* --- for the programs that use the schema --- */

enum tc_code postgres_schema_check(struct postgres_connection *connection, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    bool found = false;
    int version = 0;
    enum tc_code code = find_table(connection, &found, err);

    if (code == TC_OK && found)
        code = postgres_run(connection, &read_version, NULL, &result, err);
    if (code != TC_OK)
        return code;
    if (result)
        version = (int)postgres_get_int(result, 0, 0);
    if (version < LATEST)
        return tc_fail(err, TC_INVALID,
                       "schema version %d, this program needs %d: run taskctl migrate", version,
                       LATEST);
    if (version > LATEST)
        return tc_fail(err, TC_INVALID,
                       "schema version %d is newer than this program (%d): run a newer program",
                       version, LATEST);
    return TC_OK;
}
