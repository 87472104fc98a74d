/* From a row to a task. */

#include "adapters/sqlite/sqlite_internal.h"

#include <string.h>

/* The order of SQLITE_WHOLE_TASK. */
enum column {
    COLUMN_NUM,
    COLUMN_ID,
    COLUMN_QUEUE,
    COLUMN_TYPE,
    COLUMN_PRIORITY,
    COLUMN_MAX_ATTEMPTS,
    COLUMN_MAX_CRASHES,
    COLUMN_TIMEOUT_MS,
    COLUMN_TITLED,
    COLUMN_TRACEPARENT,
    COLUMN_TAGS,
    COLUMN_PAYLOAD_KIND,
    COLUMN_STATUS,
    COLUMN_PLACE,
    COLUMN_EPOCH,
    COLUMN_ATTEMPT,
    COLUMN_CRASHES,
    COLUMN_OUTCOME,
    COLUMN_HAS,
    COLUMN_UPDATED_AT,
    COLUMN_RUN_AT,
    COLUMN_STARTED_AT,
    COLUMN_FINISHED_AT,
    COLUMN_RESULT_KIND,
    COLUMN_PAYLOAD,
    COLUMN_RESULT,
};

size_t sqlite_tags_write(const struct tc_task *task, unsigned char *ret_bytes)
{
    unsigned char *at = ret_bytes;

    for (size_t i = 0; i < task->tag_count; i++) {
        const struct tc_bytes *tag = &task->tags[i];

        *at++ = (unsigned char)tag->len;
        *at++ = (unsigned char)(tag->len >> 8);
        if (tag->len > 0)
            memcpy(at, tag->data, tag->len);
        at += tag->len;
    }
    return (size_t)(at - ret_bytes);
}

static bool read_tags(struct tc_bytes bytes, struct tc_task *task)
{
    const unsigned char *at = bytes.data;
    size_t left = bytes.len;

    while (left > 0) {
        size_t len = left >= 2 ? (size_t)at[0] | (size_t)at[1] << 8 : SIZE_MAX - 2;

        if (len + 2 > left || task->tag_count == TC_TAG_COUNT_MAX)
            return false;
        task->tags[task->tag_count++] = (struct tc_bytes){ at + 2, len };
        at += len + 2;
        left -= len + 2;
    }
    return true;
}

static void read_numbers(const struct sqlite_query *query, struct sqlite_row *row)
{
    struct tc_task *task = &row->task;

    row->num = query_int(query, COLUMN_NUM);
    row->place = query_int(query, COLUMN_PLACE);
    row->outcome = (unsigned)query_int(query, COLUMN_OUTCOME);
    row->has = (unsigned)query_int(query, COLUMN_HAS);
    task->status = (enum tc_status)query_int(query, COLUMN_STATUS);
    task->priority = (int)query_int(query, COLUMN_PRIORITY);
    task->max_attempts = (int)query_int(query, COLUMN_MAX_ATTEMPTS);
    task->max_crashes = (int)query_int(query, COLUMN_MAX_CRASHES);
    task->timeout_ms = query_int(query, COLUMN_TIMEOUT_MS);
    task->titled = query_int(query, COLUMN_TITLED) != 0;
    task->epoch = query_int(query, COLUMN_EPOCH);
    task->attempt = (int)query_int(query, COLUMN_ATTEMPT);
    task->crashes = (int)query_int(query, COLUMN_CRASHES);
    task->updated_at_ms = query_int(query, COLUMN_UPDATED_AT);
    task->run_at_ms = query_int(query, COLUMN_RUN_AT);
    task->created_at_ms = tc_id_ms(&task->id);
    if (task->epoch > 0)
        task->started_at_ms = query_int(query, COLUMN_STARTED_AT);
    if (tc_status_is_terminal(task->status))
        task->finished_at_ms = query_int(query, COLUMN_FINISHED_AT);
}

/* NULL: longer than was asked for. */
static bool read_words(const struct sqlite_query *query, int kind_column, int column,
                       struct tc_content *content)
{
    content->kind = (enum tc_content_kind)query_int(query, kind_column);
    if (content->kind == TC_CONTENT_NONE)
        return true;
    if (sqlite3_column_type(query->stmt, column) == SQLITE_NULL)
        return false;
    content->bytes = query_bytes(query, column);
    return true;
}

enum tc_code sqlite_row_read(const struct sqlite_query *query, struct sqlite_row *ret_row,
                             struct tc_error *err)
{
    struct tc_task *task = &ret_row->task;

    *ret_row = (struct sqlite_row){ 0 };
    if (!query_copy_id(query, COLUMN_ID, &task->id) ||
        !query_copy_text(query, COLUMN_QUEUE, task->queue, sizeof(task->queue)) ||
        !query_copy_text(query, COLUMN_TYPE, task->type, sizeof(task->type)) ||
        !query_copy_text(query, COLUMN_TRACEPARENT, task->traceparent,
                         sizeof(task->traceparent)) ||
        !read_tags(query_bytes(query, COLUMN_TAGS), task))
        return tc_fail(err, TC_INTERNAL, "sqlite: task number %lld is malformed",
                       (long long)query_int(query, COLUMN_NUM));
    read_numbers(query, ret_row);
    ret_row->omitted.payload =
        !read_words(query, COLUMN_PAYLOAD_KIND, COLUMN_PAYLOAD, &task->payload);
    ret_row->omitted.result =
        !read_words(query, COLUMN_RESULT_KIND, COLUMN_RESULT, &task->result);
    if (sqlite3_errcode(sqlite3_db_handle(query->stmt)) == SQLITE_NOMEM)
        return tc_fail(err, TC_NO_MEMORY, "sqlite: read a task");
    return TC_OK;
}

/* --- what stands beside the row --- */

static enum tc_code load_lease(const struct sqlite_store *store,
                               struct sqlite_connection *connection, struct sqlite_row *row,
                               struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(connection, SQLITE_LEASE_TERMS_STATEMENT);
    struct tc_lease *lease = &row->task.lease;

    query_bind_int(&query, 1, row->place);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(connection, "read a lease", err)
                                    : tc_fail(err, TC_INTERNAL,
                                              "sqlite: lease %lld of a running task is missing",
                                              (long long)row->place);
    if (!query_copy_text(&query, 0, lease->owner, sizeof(lease->owner)))
        return tc_fail(err, TC_INTERNAL, "sqlite: lease %lld is malformed",
                       (long long)row->place);
    lease->expires_at_ms = query_int(&query, 1);
    lease->duration_ms = query_int(&query, 2);
    if (lease->expires_at_ms == 0)
        lease->expires_at_ms = store->opened_ms;
    return TC_OK;
}

/* The rows beside a state stay open until their bytes are copied. */
struct beside {
    struct sqlite_query failure;
    struct sqlite_query progress;
    struct sqlite_query result;
};

static void beside_end(struct beside *beside)
{
    query_end(&beside->failure);
    query_end(&beside->progress);
    query_end(&beside->result);
}

static enum tc_code find_beside(struct sqlite_connection *connection,
                                enum sqlite_statement statement, const struct sqlite_row *row,
                                struct sqlite_query *ret_query, struct tc_error *err)
{
    *ret_query = sqlite_query(connection, statement);
    query_bind_int(ret_query, 1, row->num);
    if (query_next(ret_query))
        return TC_OK;
    return query_is_bad(ret_query)
               ? sqlite_fail(connection, "read beside a task", err)
               : tc_fail(err, TC_INTERNAL, "sqlite: a row beside task number %lld is missing",
                         (long long)row->num);
}

static enum tc_code load_failure(struct sqlite_connection *connection, struct sqlite_row *row,
                                 struct sqlite_query *query, struct tc_error *err)
{
    enum tc_code code = find_beside(connection, SQLITE_FAILURE_GET_STATEMENT, row, query, err);

    if (code == TC_OK)
        row->task.error = (struct tc_failure){
            .reason = (enum tc_reason)query_int(query, 0),
            .attempt = (int)query_int(query, 1),
            .at_ms = query_int(query, 2),
            .message = query_bytes(query, 3),
        };
    return code;
}

static enum tc_code load_result(struct sqlite_connection *connection, struct sqlite_row *row,
                                int64_t large, struct sqlite_query *query, struct tc_error *err)
{
    *query = sqlite_query(connection, SQLITE_RESULT_GET_STATEMENT);
    query_bind_int(query, 2, large);
    query_bind_int(query, 1, row->num);
    if (!query_next(query))
        return query_is_bad(query)
                   ? sqlite_fail(connection, "read a result", err)
                   : tc_fail(err, TC_INTERNAL,
                             "sqlite: the result of task number %lld is missing",
                             (long long)row->num);
    row->omitted.result = sqlite3_column_type(query->stmt, 0) == SQLITE_NULL;
    row->task.result.bytes = query_bytes(query, 0);
    return TC_OK;
}

static enum tc_code copy(struct sqlite_connection *connection, struct sqlite_row *row,
                         int64_t large, struct tc_task *ret_task, struct tc_error *err)
{
    __attribute__((cleanup(beside_end))) struct beside beside = { 0 };
    enum tc_code code = TC_OK;

    if (row->has & SQLITE_HAS_FAILURE)
        code = load_failure(connection, row, &beside.failure, err);
    if (code == TC_OK && row->has & SQLITE_HAS_PROGRESS) {
        code =
            find_beside(connection, SQLITE_PROGRESS_GET_STATEMENT, row, &beside.progress, err);
        if (code == TC_OK)
            row->task.progress = query_bytes(&beside.progress, 0);
    }
    if (code == TC_OK && row->has & SQLITE_HAS_RESULT)
        code = load_result(connection, row, large, &beside.result, err);
    return code == TC_OK ? tc_task_copy(ret_task, &row->task, err) : code;
}

enum tc_code sqlite_row_copy(const struct sqlite_store *store,
                             struct sqlite_connection *connection, struct sqlite_row *row,
                             int64_t large, struct tc_task *ret_task, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    if (row->task.status == TC_STATUS_PROCESSING)
        code = load_lease(store, connection, row, err);
    return code == TC_OK ? copy(connection, row, large, ret_task, err) : code;
}

enum tc_code sqlite_row_copy_leased(struct sqlite_connection *connection,
                                    struct sqlite_row *row, const struct sqlite_group *lease,
                                    struct tc_task *ret_task, struct tc_error *err)
{
    memcpy(row->task.lease.owner, lease->owner, sizeof(lease->owner));
    row->task.lease.expires_at_ms = lease->due_ms;
    row->task.lease.duration_ms = lease->duration_ms;
    return copy(connection, row, INT64_MAX, ret_task, err);
}

enum tc_code sqlite_not_found(const struct tc_id *id, struct tc_error *err)
{
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(id, text);
    return tc_fail(err, TC_NOT_FOUND, "no task '%s'", text);
}

enum tc_code sqlite_task_load(const struct sqlite_store *store,
                              struct sqlite_connection *connection, const struct tc_id *id,
                              struct tc_task *ret_task, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(connection, SQLITE_TASK_BY_ID_STATEMENT);
    struct sqlite_row row;
    enum tc_code code;

    query_bind_id(&query, 1, id);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(connection, "read a task", err)
                                    : sqlite_not_found(id, err);
    code = sqlite_row_read(&query, &row, err);
    return code == TC_OK ? sqlite_row_copy(store, connection, &row, INT64_MAX, ret_task, err)
                         : code;
}

struct sqlite_lane sqlite_lane_of(const struct tc_task *task)
{
    struct sqlite_lane lane = { .rank = TC_PRIORITY_MAX - task->priority };

    memcpy(lane.queue, task->queue, sizeof(lane.queue));
    memcpy(lane.type, task->type, sizeof(lane.type));
    return lane;
}
