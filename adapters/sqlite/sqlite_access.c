/* Whose turn it is: one writer, some readers. */

#include "adapters/sqlite/sqlite_internal.h"

#include <errno.h>
#include <time.h>

static struct timespec deadline(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += SQLITE_WAIT_MAX_MS / 1000;
    return at;
}

static enum tc_code fail_busy(const char *whom, struct tc_error *err)
{
    return tc_fail(err, TC_UNAVAILABLE, "sqlite: no %s was free for %d ms", whom,
                   SQLITE_WAIT_MAX_MS);
}

/* --- the writer --- */

static enum tc_code read_counter(struct sqlite_connection *connection,
                                 enum sqlite_statement statement, int64_t *counter,
                                 struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(connection, statement);

    if (!query_next(&query))
        return sqlite_fail(connection, "read the last number", err);
    /* Numbers once given by this process are not given again, committed or not. */
    if (query_int(&query, 0) > *counter)
        *counter = query_int(&query, 0);
    return TC_OK;
}

enum tc_code sqlite_counters_load(struct sqlite_store *store, struct tc_error *err)
{
    enum tc_code code =
        read_counter(&store->writer, SQLITE_LAST_NUM_STATEMENT, &store->last_num, err);

    if (code == TC_OK)
        code =
            read_counter(&store->writer, SQLITE_LAST_PLACE_STATEMENT, &store->last_place, err);
    return code;
}

/* After an I/O error what this connection believes of the file may be wrong (F94). */
static enum tc_code mend(struct sqlite_store *store, struct tc_error *err)
{
    const struct sqlite_connection_options options = { .size_max = store->size_max };
    enum tc_code code;

    sqlite_connection_close(&store->writer);
    code = sqlite_connection_open(&store->writer, store->path, &options, err);
    if (code == TC_OK)
        code = sqlite_counters_load(store, err);
    store->writer.broken = code != TC_OK;
    tc_log(store->logger, TC_LOG_WARN, NULL, "sqlite: the writing connection was opened anew%s",
           code == TC_OK ? "" : ", in vain");
    return code;
}

enum tc_code sqlite_writer_lock(struct sqlite_store *store, struct tc_error *err)
{
    struct timespec at = deadline();
    bool gone = false;

    pthread_mutex_lock(&store->mutex);
    while (store->writer_busy && !gone)
        gone = pthread_cond_timedwait(&store->writer_freed, &store->mutex, &at) == ETIMEDOUT;
    gone = store->writer_busy;
    store->writer_busy = true;
    pthread_mutex_unlock(&store->mutex);
    if (gone)
        return fail_busy("writer", err);
    if (!store->writer.broken)
        return TC_OK;

    enum tc_code code = mend(store, err);

    if (code != TC_OK)
        sqlite_writer_unlock(store);
    return code;
}

void sqlite_writer_unlock(struct sqlite_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->writer_busy = false;
    pthread_cond_signal(&store->writer_freed);
    pthread_mutex_unlock(&store->mutex);
}

enum tc_code sqlite_writer_begin(struct sqlite_store *store, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_BEGIN_STATEMENT);
    enum tc_code code;

    if (query_run(&query))
        return TC_OK;
    code = sqlite_fail(&store->writer, "begin", err);
    sqlite_writer_unlock(store);
    return code;
}

enum tc_code sqlite_write(struct sqlite_store *store, struct tc_error *err)
{
    enum tc_code code = sqlite_writer_lock(store, err);

    return code == TC_OK ? sqlite_writer_begin(store, err) : code;
}

/* The commit stands; a log that cannot be copied only grows. */
static void checkpoint(struct sqlite_store *store)
{
    bool good = sqlite_checkpoint_if_due(&store->writer);

    if (!good && !store->checkpoint_failed)
        tc_log(store->logger, TC_LOG_WARN, NULL, "sqlite: cannot shorten '%s-wal': %s",
               store->path, sqlite3_errmsg(store->writer.db));
    store->checkpoint_failed = !good;
}

enum tc_code sqlite_writer_end(struct sqlite_store *store, enum tc_code code,
                               struct tc_error *err)
{
    if (code == TC_OK)
        code = sqlite_groups_flush(store, err);
    if (code == TC_OK)
        code = sqlite_commit(&store->writer, err);
    else
        sqlite_rollback(&store->writer);
    sqlite_groups_clear(&store->groups);
    if (code == TC_OK || store->writer.is_full)
        checkpoint(store);
    sqlite_writer_unlock(store);
    return code;
}

/* --- the readers --- */

static struct sqlite_connection *find_free(struct sqlite_store *store)
{
    for (size_t i = 0; i < store->reader_count; i++)
        if (!store->reader_busy[i]) {
            store->reader_busy[i] = true;
            return &store->readers[i];
        }
    return NULL;
}

static void give_back(struct sqlite_store *store, const struct sqlite_connection *reader)
{
    pthread_mutex_lock(&store->mutex);
    store->reader_busy[reader - store->readers] = false;
    pthread_cond_signal(&store->reader_freed);
    pthread_mutex_unlock(&store->mutex);
}

static enum tc_code begin_read(struct sqlite_store *store, struct sqlite_connection *reader,
                               struct tc_error *err)
{
    static const struct sqlite_connection_options options = { .read_only = true };

    if (reader->broken) {
        sqlite_connection_close(reader);

        enum tc_code code = sqlite_connection_open(reader, store->path, &options, err);

        reader->broken = code != TC_OK;
        if (code != TC_OK)
            return code;
    }

    AUTO_QUERY query = sqlite_query(reader, SQLITE_BEGIN_READ_STATEMENT);

    return query_run(&query) ? TC_OK : sqlite_fail(reader, "begin", err);
}

enum tc_code sqlite_read(struct sqlite_store *store, struct sqlite_connection **ret_reader,
                         struct tc_error *err)
{
    struct timespec at = deadline();
    struct sqlite_connection *reader;
    bool gone = false;
    enum tc_code code;

    pthread_mutex_lock(&store->mutex);
    while (!(reader = find_free(store)) && !gone)
        gone = pthread_cond_timedwait(&store->reader_freed, &store->mutex, &at) == ETIMEDOUT;
    pthread_mutex_unlock(&store->mutex);
    if (!reader)
        return fail_busy("reader", err);
    code = begin_read(store, reader, err);
    if (code == TC_OK)
        *ret_reader = reader;
    else
        give_back(store, reader);
    return code;
}

void sqlite_read_end(struct sqlite_store *store, struct sqlite_connection *reader)
{
    sqlite_rollback(reader); /* it has read only: there is nothing to commit */
    give_back(store, reader);
}
