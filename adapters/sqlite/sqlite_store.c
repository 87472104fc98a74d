#include "adapters/sqlite/sqlite_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define READERS_DEFAULT 2
#define FULL_CHECK_MAX                                                                         \
    ((off_t)4 * 1024 * 1024) /* bytes: about 10 ms; larger files open fast                     \
                              */

/* --- opening, step by step --- */

static enum tc_code check_config(const struct sqlite_store_config *config, struct tc_error *err)
{
    if (!config->path || !config->path[0])
        return tc_fail(err, TC_INVALID, "sqlite: a path is required");
    if (!config->clock)
        return tc_fail(err, TC_INVALID, "sqlite: a clock is required");
    if (config->readers > SQLITE_READERS_MAX)
        return tc_fail(err, TC_INVALID, "sqlite: readers must be 1..%d", SQLITE_READERS_MAX);
    return TC_OK;
}

/* So that waits do not depend on the wall clock. */
static void init_conds(struct sqlite_store *store)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&store->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&store->writer_freed, &attr);
    pthread_cond_init(&store->reader_freed, &attr);
    pthread_condattr_destroy(&attr);
}

static enum tc_code take_file(struct sqlite_store *store, const char *path,
                              struct tc_error *err)
{
    enum tc_code code = sqlite_path_resolve(path, &store->path, err);

    if (code != TC_OK)
        return code;

    size_t size = strlen(store->path) + sizeof(".lock");

    store->lock_path = malloc(size);
    if (!store->lock_path)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: path '%s'", path);
    snprintf(store->lock_path, size, "%s.lock", store->path);
    code = sqlite_lock_take(store->lock_path, store->path, &store->lock_fd, err);
    return code == TC_OK ? sqlite_file_make(store->path, err) : code;
}

/* Names the file, since whoever starts the service chose it. */
static enum tc_code name_file(const struct sqlite_store *store, enum tc_code code, int result,
                              struct tc_error *err)
{
    char message[TC_ERROR_MESSAGE_SIZE];

    if (code == TC_OK || !err)
        return code;
    if (result == SQLITE_NOTADB || result == SQLITE_CORRUPT)
        code = TC_INVALID;
    memcpy(message, err->message, sizeof(message));
    return tc_fail(err, code, "'%s': %.*s", store->path,
                   (int)(sizeof(message) - 1 - strlen("'': ")), message);
}

/* Damage found now stops the start; found later it would fail one request after another. */
static enum tc_code check_small_file(struct sqlite_store *store, struct tc_error *err)
{
    struct sqlite_connection *writer = &store->writer;
    sqlite3_stmt *stmt = NULL;
    struct stat info;
    enum tc_code code = TC_OK;

    if (stat(store->path, &info) != 0 || info.st_size > FULL_CHECK_MAX)
        return TC_OK;
    if (sqlite3_prepare_v2(writer->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        code = sqlite_fail(writer, "check the file", err);
    else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
        code = tc_fail(err, TC_INVALID, "sqlite: the file is damaged: %.120s",
                       (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    return code;
}

/* What an earlier incarnation of this process held, nobody holds any more. */
static enum tc_code end_old_leases(struct sqlite_store *store, struct tc_error *err)
{
    enum tc_code code = sqlite_write(store, err);

    if (code != TC_OK)
        return code;

    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_LEASE_END_OF_PROCESS_STATEMENT);

    if (!query_run(&query))
        code = sqlite_fail(&store->writer, "end the leases of the last run", err);
    return sqlite_writer_end(store, code, err);
}

static enum tc_code open_writer(struct sqlite_store *store, struct tc_error *err)
{
    const struct sqlite_connection_options options = { .size_max = store->size_max };
    struct sqlite_connection *writer = &store->writer;
    enum tc_code code = sqlite_connection_open(writer, store->path, &options, err);

    if (code == TC_OK && sqlite3_db_readonly(writer->db, "main") == 1)
        code = tc_fail(err, TC_UNAVAILABLE, "sqlite: the file cannot be written");
    if (code == TC_OK)
        code = check_small_file(store, err);
    if (code == TC_OK)
        code = sqlite_migrate(writer, store->opened_ms, err);
    if (code == TC_OK)
        code = sqlite_counters_load(store, err);
    if (code == TC_OK)
        code = end_old_leases(store, err);
    return name_file(store, code, writer->db ? sqlite3_errcode(writer->db) : SQLITE_OK, err);
}

static enum tc_code open_readers(struct sqlite_store *store, size_t count, struct tc_error *err)
{
    const struct sqlite_connection_options options = { .read_only = true };
    enum tc_code code = TC_OK;

    while (code == TC_OK && store->reader_count < count)
        code = sqlite_connection_open(&store->readers[store->reader_count++], store->path,
                                      &options, err);
    return name_file(store, code, SQLITE_OK, err);
}

enum tc_code sqlite_store_open(const struct sqlite_store_config *config,
                               struct sqlite_store **ret_store, struct tc_error *err)
{
    struct tc_error unread; /* messages are built up even if nobody will read them */
    enum tc_code code = check_config(config, err);

    if (code != TC_OK)
        return code;
    if (!err)
        err = &unread;

    struct sqlite_store *store = calloc(1, sizeof(*store));

    if (!store)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: a store");
    store->task_repo.ops = &sqlite_task_repo_ops;
    store->lease_repo.ops = &sqlite_lease_repo_ops;
    store->clock = config->clock;
    store->logger = config->logger;
    store->lock_fd = -1;
    store->size_max = config->size_max;
    store->opened_ms = tc_clock_now_ms(config->clock);
    init_conds(store);
    code = take_file(store, config->path, err);
    if (code == TC_OK)
        code = open_writer(store, err);
    if (code == TC_OK)
        code = open_readers(store, config->readers ? config->readers : READERS_DEFAULT, err);
    if (code != TC_OK)
        sqlite_store_close(store);
    else
        *ret_store = store;
    return code;
}

/* The writer last: closing it copies the log into the file and removes the log. */
void sqlite_store_close(struct sqlite_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->reader_count; i++)
        sqlite_connection_close(&store->readers[i]);
    sqlite_connection_close(&store->writer);
    sqlite_groups_release(&store->groups);
    sqlite_lock_release(store->lock_fd);
    pthread_cond_destroy(&store->reader_freed);
    pthread_cond_destroy(&store->writer_freed);
    pthread_mutex_destroy(&store->mutex);
    free(store->lock_path);
    free(store->path);
    free(store);
}

struct tc_task_repo *sqlite_store_task_repo(struct sqlite_store *store)
{
    return &store->task_repo;
}

struct tc_lease_repo *sqlite_store_lease_repo(struct sqlite_store *store)
{
    return &store->lease_repo;
}
