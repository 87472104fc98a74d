#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

enum tc_code sqlite_get(struct tc_task_repo *repo, const struct tc_id *id,
                        struct tc_task *ret_task, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_tasks(repo);
    struct sqlite_connection *reader;
    enum tc_code code = sqlite_read(store, &reader, err);

    if (code != TC_OK)
        return code;
    code = sqlite_task_load(store, reader, id, ret_task, err);
    sqlite_read_end(store, reader);
    return code;
}

/* --- counts --- */

struct tally {
    struct tc_queue_count *rows;
    size_t count;
    size_t capacity;
};

static bool grow(struct tally *tally)
{
    size_t capacity = tally->capacity ? 2 * tally->capacity : 16;
    struct tc_queue_count *rows = realloc(tally->rows, capacity * sizeof(*rows));

    if (!rows)
        return false;
    tally->rows = rows;
    tally->capacity = capacity;
    return true;
}

static enum tc_code read_counts(struct sqlite_connection *reader, struct tally *tally,
                                struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(reader, SQLITE_COUNTS_STATEMENT);

    while (query_next(&query)) {
        if (tally->count == tally->capacity && !grow(tally))
            return tc_fail(err, TC_NO_MEMORY, "sqlite: counts of %zu queues", tally->count);

        struct tc_queue_count *row = &tally->rows[tally->count++];

        *row = (struct tc_queue_count){
            .waiting = query_int(&query, 1),
            .processing = query_int(&query, 2),
            .scheduled = query_int(&query, 3),
            .failed = query_int(&query, 4),
            .oldest_waiting_ms = query_int(&query, 5),
        };
        if (!query_copy_text(&query, 0, row->queue, sizeof(row->queue)))
            return tc_fail(err, TC_INTERNAL, "sqlite: the name of a queue is malformed");
    }
    return query_is_bad(&query) ? sqlite_fail(reader, "count", err) : TC_OK;
}

enum tc_code sqlite_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                           size_t *ret_count, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_tasks(repo);
    struct sqlite_connection *reader;
    struct tally tally = { 0 };
    enum tc_code code = sqlite_read(store, &reader, err);

    if (code != TC_OK)
        return code;
    code = read_counts(reader, &tally, err);
    sqlite_read_end(store, reader);
    if (code != TC_OK) {
        free(tally.rows);
        return code;
    }
    *ret_counts = tally.rows;
    *ret_count = tally.count;
    return TC_OK;
}

/* --- small writes --- */

static enum tc_code sqlite_check(struct tc_task_repo *repo, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_tasks(repo);
    enum tc_code code = sqlite_write(store, err);

    if (code != TC_OK)
        return code;

    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_HEALTH_SET_STATEMENT);

    query_bind_int(&query, 1, tc_clock_now_ms(store->clock));
    if (!query_run(&query))
        code = sqlite_fail(&store->writer, "write", err);
    return sqlite_writer_end(store, code, err);
}

static enum tc_code sqlite_forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                       size_t *ret_count, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_tasks(repo);
    enum tc_code code = sqlite_write(store, err);
    size_t count = 0;

    if (code != TC_OK)
        return code;

    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_KEY_FORGET_STATEMENT);

    query_bind_int(&query, 1, before_ms);
    query_bind_int(&query, 2, max > INT64_MAX ? INT64_MAX : (int64_t)max);
    if (query_run(&query))
        count = (size_t)sqlite3_changes(store->writer.db);
    else
        code = sqlite_fail(&store->writer, "forget keys", err);
    code = sqlite_writer_end(store, code, err);
    if (code == TC_OK)
        *ret_count = count;
    return code;
}

const struct tc_task_repo_ops sqlite_task_repo_ops = {
    .name = "sqlite",
    .insert = sqlite_insert,
    .get = sqlite_get,
    .list = sqlite_list,
    .change = sqlite_change,
    .counts = sqlite_counts,
    .check = sqlite_check,
    .forget_keys = sqlite_forget_keys,
};
