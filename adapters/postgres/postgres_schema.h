#ifndef TASKCORE_ADAPTERS_POSTGRES_SCHEMA_H
#define TASKCORE_ADAPTERS_POSTGRES_SCHEMA_H

/**
 * @file postgres_schema.h
 * The migrations: forward only, embedded into the programs (migrations/postgres/), each in one
 * transaction together with its row in taskcore.migration (version, name, SHA-256, applied_at),
 * one migrator at a time by an advisory lock. For taskctl; blocks for as long as it takes.
 */

#include "core/domain/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSTGRES_MIGRATION_NAME_SIZE 64

struct postgres_connection;

struct postgres_migration_status {
    int version;
    char name[POSTGRES_MIGRATION_NAME_SIZE];
    int64_t applied_at_ms; /**< 0: not yet */
    bool changed;          /**< applied with another text than this program's */
    bool unknown;          /**< applied by a newer program */
};

/** What every migration is reported with, before (`done` false) and after it ran. */
typedef void postgres_migrate_note(void *ctx, int version, const char *name, const char *sql,
                                   bool done);

/**
 * Apply what is missing, up to version `to` (0: all). `dry_run`: report only.
 * @return TC_OK; TC_INVALID: bad URL, `to` unknown or below what is applied, a migration whose
 *         text has changed, a schema newer than this program; TC_UNAVAILABLE: no server, or
 *         tables locked for longer than 5 s; TC_INTERNAL: a migration failed, nothing of it
 * stays.
 */
enum tc_code postgres_schema_migrate(const char *url, int to, bool dry_run,
                                     postgres_migrate_note *note, void *ctx,
                                     struct tc_error *err) TC_MUST_CHECK;

/** All that this program or the database knows, by version; malloc'ed, the caller frees. */
enum tc_code postgres_schema_status(const char *url,
                                    struct postgres_migration_status **ret_rows,
                                    size_t *ret_count, struct tc_error *err) TC_MUST_CHECK;

/** For whoever opens a store. @return TC_OK; TC_INVALID: a schema that is too old or too new
 *  for this program, the message says what to run; as postgres_run(). */
enum tc_code postgres_schema_check(struct postgres_connection *connection,
                                   struct tc_error *err) TC_MUST_CHECK;

#endif
