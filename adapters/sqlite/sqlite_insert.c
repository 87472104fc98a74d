#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

static enum tc_code insert_state(struct sqlite_store *store, const struct tc_task *task,
                                 int64_t num, int64_t place, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_STATE_INSERT_STATEMENT);

    query_bind_int(&query, 1, num);
    query_bind_int(&query, 2, task->status);
    if (place > 0)
        query_bind_int(&query, 3, place);
    else
        query_bind_null(&query, 3);
    query_bind_int(&query, 4, task->epoch);
    query_bind_int(&query, 5, task->attempt);
    query_bind_int(&query, 6, task->crashes);
    query_bind_int(&query, 7, task->updated_at_ms);
    query_bind_int(&query, 8, task->run_at_ms);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "insert a state", err);
}

/* --- runs: new tasks of one group and millisecond, whose states differ by number only --- */

struct pending {
    struct sqlite_run run; /* last 0: none */
    int64_t place;
    int64_t at_ms;
};

static enum tc_code insert_run(struct sqlite_store *store, struct pending *pending,
                               struct tc_error *err)
{
    struct sqlite_query query = { 0 };

    if (pending->run.last == 0)
        return TC_OK;
    query = sqlite_query(&store->writer, SQLITE_STATE_INSERT_RUN_STATEMENT);
    query_bind_int(&query, 1, pending->run.first);
    query_bind_int(&query, 2, pending->run.last);
    query_bind_int(&query, 3, pending->place);
    query_bind_int(&query, 4, pending->at_ms);
    pending->run.last = 0;
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "insert states", err);
}

static bool is_plain(const struct tc_task *task)
{
    return task->status == TC_STATUS_NEW && task->epoch == 0 && task->attempt == 0 &&
           task->crashes == 0 && task->run_at_ms == task->updated_at_ms;
}

static bool continues(const struct pending *pending, const struct tc_task *task, int64_t num,
                      int64_t place)
{
    return pending->run.last > 0 && pending->run.last + 1 == num && pending->place == place &&
           pending->at_ms == task->run_at_ms;
}

static enum tc_code add_state(struct sqlite_store *store, struct pending *pending,
                              const struct tc_task *task, int64_t num, int64_t place,
                              struct tc_error *err)
{
    enum tc_code code = TC_OK;

    if (!is_plain(task))
        return insert_state(store, task, num, place, err);
    if (!continues(pending, task, num, place)) {
        code = insert_run(store, pending, err);
        *pending = (struct pending){ { num, num }, place, task->run_at_ms };
    }
    pending->run.last = num;
    return code;
}

/* --- tasks --- */

static void bind_tags(struct sqlite_store *store, struct sqlite_query *query, int at,
                      const struct tc_task *task)
{
    if (task->tag_count == 0)
        query_bind_null(query, at);
    else
        query_bind_blob(
            query, at,
            (struct tc_bytes){ store->scratch, sqlite_tags_write(task, store->scratch) });
}

/* *ret_taken: there is a task with this id already, and nothing was stored. */
static enum tc_code insert_task(struct sqlite_store *store, const struct tc_task *task,
                                int64_t num, bool *ret_taken, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_TASK_INSERT_STATEMENT);

    query_bind_int(&query, 1, num);
    query_bind_id(&query, 2, &task->id);
    query_bind_text(&query, 3, task->queue);
    query_bind_text(&query, 4, task->type);
    query_bind_int(&query, 5, task->priority);
    query_bind_int(&query, 6, task->max_attempts);
    query_bind_int(&query, 7, task->max_crashes);
    query_bind_int(&query, 8, task->timeout_ms);
    query_bind_int(&query, 9, task->titled);
    if (task->traceparent[0])
        query_bind_text(&query, 10, task->traceparent);
    else
        query_bind_null(&query, 10);
    bind_tags(store, &query, 11, task);
    query_bind_int(&query, 12, task->payload.kind);
    query_bind_blob(&query, 13, task->payload.bytes);
    *ret_taken = false;
    if (query_run(&query))
        return TC_OK;
    *ret_taken = query.rc == SQLITE_CONSTRAINT_UNIQUE;
    return *ret_taken ? TC_OK : sqlite_fail(&store->writer, "insert a task", err);
}

static enum tc_code place_task(struct sqlite_store *store, struct pending *pending,
                               const struct tc_task *task, int64_t num, int64_t now_ms,
                               struct tc_error *err)
{
    struct sqlite_group *group = NULL;
    enum tc_code code;

    if (task->status == TC_STATUS_SCHEDULED) {
        code = sqlite_aside_put(store, task, num, task->status, task->run_at_ms, err);
    } else {
        struct sqlite_lane lane = sqlite_lane_of(task);

        code = sqlite_groups_open(store, &lane, now_ms, &group, err);
        if (code == TC_OK)
            sqlite_group_add(group, num);
    }
    return code == TC_OK ? add_state(store, pending, task, num, group ? group->place : 0, err)
                         : code;
}

/* An id that is there already can only be the first of a creation that came before. */
static enum tc_code store_tasks(struct sqlite_store *store, struct pending *pending,
                                const struct tc_creation *creation, int64_t now_ms,
                                struct tc_inserted *inserted, struct tc_error *err)
{
    inserted->verdict = TC_INSERT_CREATED;
    inserted->first_id = creation->tasks[0].id;
    for (size_t i = 0; i < creation->task_count; i++) {
        const struct tc_task *task = &creation->tasks[i];
        int64_t num = ++store->last_num;
        bool taken = false;
        enum tc_code code = insert_task(store, task, num, &taken, err);

        if (code == TC_OK && taken && i == 0) {
            inserted->verdict = TC_INSERT_EXISTING;
            return TC_OK;
        }
        if (taken)
            return tc_fail(err, TC_INTERNAL, "sqlite: the id of a new task is taken");
        if (code == TC_OK)
            code = place_task(store, pending, task, num, now_ms, err);
        if (code != TC_OK)
            return code;
    }
    return TC_OK;
}

/* --- idempotency keys --- */

static enum tc_code read_known(const struct sqlite_query *query,
                               const struct tc_creation *creation, struct tc_inserted *inserted,
                               struct tc_error *err)
{
    struct tc_bytes hash = query_bytes(query, 0);
    struct tc_bytes answer = query_bytes(query, 2);

    if (hash.len != TC_REQUEST_HASH_SIZE ||
        memcmp(hash.data, creation->request_hash, hash.len) != 0) {
        inserted->verdict = TC_INSERT_MISMATCH;
        return TC_OK;
    }
    if (!query_copy_id(query, 1, &inserted->first_id))
        return tc_fail(err, TC_INTERNAL, "sqlite: an idempotency key is malformed");
    inserted->answer = malloc(answer.len + 1);
    if (!inserted->answer)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: an answer of %zu bytes", answer.len);
    if (answer.len > 0)
        memcpy(inserted->answer, answer.data, answer.len);
    inserted->answer[answer.len] = '\0';
    inserted->answer_len = answer.len;
    inserted->verdict = TC_INSERT_EXISTING;
    return TC_OK;
}

static enum tc_code find_key(struct sqlite_store *store, const struct tc_creation *creation,
                             bool *ret_known, struct tc_inserted *inserted,
                             struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_KEY_GET_STATEMENT);

    query_bind_text(&query, 1, creation->key);
    *ret_known = query_next(&query);
    if (query_is_bad(&query))
        return sqlite_fail(&store->writer, "find an idempotency key", err);
    return *ret_known ? read_known(&query, creation, inserted, err) : TC_OK;
}

static enum tc_code keep_key(struct sqlite_store *store, const struct tc_creation *creation,
                             int64_t now_ms, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_KEY_INSERT_STATEMENT);

    query_bind_text(&query, 1, creation->key);
    query_bind_blob(&query, 2,
                    (struct tc_bytes){ creation->request_hash, TC_REQUEST_HASH_SIZE });
    query_bind_id(&query, 3, &creation->tasks[0].id);
    query_bind_int(&query, 4, now_ms);
    query_bind_blob(&query, 5, creation->answer);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "keep a key", err);
}

/* Twins within one group meet here as well: the second one finds what the first has stored. */
static enum tc_code insert_one(struct sqlite_store *store, struct pending *pending,
                               const struct tc_creation *creation, int64_t now_ms,
                               struct tc_inserted *inserted, struct tc_error *err)
{
    bool known = false;
    enum tc_code code =
        creation->key ? find_key(store, creation, &known, inserted, err) : TC_OK;

    if (code != TC_OK || known)
        return code;
    code = store_tasks(store, pending, creation, now_ms, inserted, err);
    if (code == TC_OK && creation->key && inserted->verdict == TC_INSERT_CREATED)
        code = keep_key(store, creation, now_ms, err);
    return code;
}

static enum tc_code insert_all(struct sqlite_store *store, const struct tc_creation *creations,
                               size_t count, struct tc_inserted *inserted, struct tc_error *err)
{
    enum tc_code code = sqlite_write(store, err);

    if (code != TC_OK)
        return code;

    struct pending pending = { { 0, 0 }, 0, 0 };
    int64_t now_ms = tc_clock_now_ms(store->clock);

    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = insert_one(store, &pending, &creations[i], now_ms, &inserted[i], err);
    if (code == TC_OK)
        code = insert_run(store, &pending, err);
    return sqlite_writer_end(store, code, err);
}

enum tc_code sqlite_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted, struct tc_error *err)
{
    if (count == 0)
        return TC_OK;

    struct tc_inserted *inserted = calloc(count, sizeof(*inserted));
    enum tc_code code;

    if (!inserted)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: verdicts on %zu creations", count);
    code = insert_all(sqlite_store_of_tasks(repo), creations, count, inserted, err);
    if (code == TC_OK)
        memcpy(ret_inserted, inserted, count * sizeof(*inserted));
    for (size_t i = 0; i < count && code != TC_OK; i++)
        tc_inserted_release(&inserted[i]);
    free(inserted);
    return code;
}
