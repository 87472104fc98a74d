/* One task moves from one status to another: out of its place, into the next, and its state. */

#include "adapters/sqlite/sqlite_internal.h"

static bool is_waiting(enum tc_status status)
{
    return (TC_STATUS_BIT(status) & TC_STATUS_SET_WAITING) != 0;
}

static bool is_aside(enum tc_status status)
{
    return status == TC_STATUS_SCHEDULED || status == TC_STATUS_FAILED;
}

/* --- scheduled and failed --- */

static enum tc_code count_aside(struct sqlite_store *store, const char *queue,
                                enum tc_status status, int by, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_TALLY_ADD_STATEMENT);

    query_bind_text(&query, 1, queue);
    query_bind_int(&query, 2, status == TC_STATUS_SCHEDULED ? by : 0);
    query_bind_int(&query, 3, status == TC_STATUS_FAILED ? by : 0);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "count a task", err);
}

enum tc_code sqlite_aside_put(struct sqlite_store *store, const struct tc_task *task,
                              int64_t num, enum tc_status status, int64_t run_at_ms,
                              struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_ASIDE_INSERT_STATEMENT);

    query_bind_int(&query, 1, status);
    query_bind_id(&query, 2, &task->id);
    query_bind_int(&query, 3, num);
    if (status == TC_STATUS_SCHEDULED)
        query_bind_int(&query, 4, run_at_ms);
    else
        query_bind_null(&query, 4);
    if (!query_run(&query))
        return sqlite_fail(&store->writer, "put a task aside", err);
    return count_aside(store, task->queue, status, 1, err);
}

enum tc_code sqlite_aside_take(struct sqlite_store *store, const struct tc_id *id,
                               const char *queue, enum tc_status status, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_ASIDE_DELETE_STATEMENT);

    query_bind_int(&query, 1, status);
    query_bind_id(&query, 2, id);
    if (!query_run(&query))
        return sqlite_fail(&store->writer, "take a task from aside", err);
    if (sqlite3_changes(store->writer.db) != 1)
        return tc_fail(err, TC_INTERNAL, "sqlite: a task that is %s is not where it belongs",
                       tc_status_name(status));
    return count_aside(store, queue, status, -1, err);
}

/* --- places --- */

static enum tc_code leave(struct sqlite_store *store, const struct sqlite_row *row,
                          struct tc_error *err)
{
    const struct tc_task *task = &row->task;
    struct sqlite_group *group = NULL;
    enum tc_code code;

    if (is_aside(task->status))
        return sqlite_aside_take(store, &task->id, task->queue, task->status, err);
    if (is_waiting(task->status)) {
        struct sqlite_lane lane = sqlite_lane_of(task);

        code = sqlite_groups_find_ready(store, &lane, row->place, &group, err);
    } else if (task->status == TC_STATUS_PROCESSING) {
        code = sqlite_groups_find_lease(store, row->place, &group, err);
    } else {
        return TC_OK;
    }
    if (code == TC_OK && !sqlite_group_take(group, row->num))
        code = tc_fail(err, TC_INTERNAL, "sqlite: a task that is %s is not in its group",
                       tc_status_name(task->status));
    return code;
}

static enum tc_code enter(struct sqlite_store *store, const struct sqlite_row *row,
                          const struct sqlite_step *step, int64_t *ret_place,
                          struct tc_error *err)
{
    struct sqlite_lane lane = sqlite_lane_of(&row->task);
    struct sqlite_group *group = NULL;
    enum tc_code code;

    *ret_place = 0;
    if (is_aside(step->next))
        return sqlite_aside_put(store, &row->task, row->num, step->next, step->run_at_ms, err);
    if (!is_waiting(step->next))
        return TC_OK;
    code = sqlite_groups_open(store, &lane, step->now_ms, &group, err);
    if (code != TC_OK)
        return code;
    sqlite_group_add(group, row->num);
    *ret_place = group->place;
    return TC_OK;
}

/* --- words --- */

static enum tc_code drop(struct sqlite_store *store, enum sqlite_statement statement,
                         int64_t num, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, statement);

    query_bind_int(&query, 1, num);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "drop words", err);
}

static enum tc_code put_failure(struct sqlite_store *store, int64_t num,
                                const struct tc_failure *failure, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_FAILURE_PUT_STATEMENT);

    query_bind_int(&query, 1, num);
    query_bind_int(&query, 2, failure->reason);
    query_bind_int(&query, 3, failure->attempt);
    query_bind_int(&query, 4, failure->at_ms);
    query_bind_bytes_as_text(&query, 5, failure->message);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "keep a failure", err);
}

static bool is_long(const struct tc_content *result)
{
    return result->bytes.len > SQLITE_RESULT_INLINE;
}

static enum tc_code set_result(struct sqlite_store *store, const struct sqlite_row *row,
                               const struct tc_content *result, unsigned *has,
                               struct tc_error *err)
{
    if (!is_long(result)) {
        *has &= ~SQLITE_HAS_RESULT;
        return row->has & SQLITE_HAS_RESULT
                   ? drop(store, SQLITE_RESULT_DELETE_STATEMENT, row->num, err)
                   : TC_OK;
    }

    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_RESULT_PUT_STATEMENT);

    *has |= SQLITE_HAS_RESULT;
    query_bind_int(&query, 1, row->num);
    query_bind_blob(&query, 2, result->bytes);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "keep a result", err);
}

static enum tc_code set_failure(struct sqlite_store *store, const struct sqlite_row *row,
                                const struct tc_failure *failure, unsigned *has,
                                struct tc_error *err)
{
    if (failure->reason != TC_REASON_NONE) {
        *has |= SQLITE_HAS_FAILURE;
        return put_failure(store, row->num, failure, err);
    }
    *has &= ~SQLITE_HAS_FAILURE;
    return row->has & SQLITE_HAS_FAILURE
               ? drop(store, SQLITE_FAILURE_DELETE_STATEMENT, row->num, err)
               : TC_OK;
}

static enum tc_code set_words(struct sqlite_store *store, const struct sqlite_row *row,
                              const struct sqlite_step *step, unsigned *has,
                              struct tc_error *err)
{
    enum tc_code code = TC_OK;

    if (step->set_result)
        code = set_result(store, row, &step->result, has, err);
    if (code == TC_OK && step->set_failure)
        code = set_failure(store, row, &step->failure, has, err);
    if (code == TC_OK && step->drop_progress && row->has & SQLITE_HAS_PROGRESS) {
        *has &= ~SQLITE_HAS_PROGRESS;
        code = drop(store, SQLITE_PROGRESS_DELETE_STATEMENT, row->num, err);
    }
    return code;
}

/* --- the step --- */

struct sqlite_step sqlite_step_to(const struct sqlite_row *row, enum tc_status next,
                                  int64_t now_ms)
{
    return (struct sqlite_step){
        .next = next,
        .attempt = row->task.attempt,
        .crashes = row->task.crashes,
        .outcome = row->outcome,
        .run_at_ms = row->task.run_at_ms,
        .now_ms = now_ms,
    };
}

static enum tc_code set_state(struct sqlite_store *store, const struct sqlite_row *row,
                              const struct sqlite_step *step, int64_t place, unsigned has,
                              struct tc_error *err)
{
    const struct tc_content *result = step->set_result ? &step->result : &row->task.result;
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_STATE_SET_STATEMENT);

    query_bind_int(&query, 1, row->num);
    query_bind_int(&query, 2, step->next);
    if (place > 0)
        query_bind_int(&query, 3, place);
    else
        query_bind_null(&query, 3);
    query_bind_int(&query, 4, step->attempt);
    query_bind_int(&query, 5, step->crashes);
    query_bind_int(&query, 6, step->outcome);
    query_bind_int(&query, 7, has);
    query_bind_int(&query, 8, step->now_ms);
    query_bind_int(&query, 9, step->run_at_ms);
    query_bind_int(&query, 10, result->kind);
    if (result->kind == TC_CONTENT_NONE || has & SQLITE_HAS_RESULT)
        query_bind_null(&query, 11);
    else
        query_bind_blob(&query, 11, result->bytes);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "write a state", err);
}

enum tc_code sqlite_step_apply(struct sqlite_store *store, const struct sqlite_row *row,
                               const struct sqlite_step *step, struct tc_error *err)
{
    bool stays = is_waiting(row->task.status) && is_waiting(step->next);
    int64_t place = row->place;
    unsigned has = row->has;
    enum tc_code code = TC_OK;

    if (!stays)
        code = leave(store, row, err);
    if (code == TC_OK && !stays)
        code = enter(store, row, step, &place, err);
    if (code == TC_OK)
        code = set_words(store, row, step, &has, err);
    return code == TC_OK ? set_state(store, row, step, place, has, err) : code;
}
