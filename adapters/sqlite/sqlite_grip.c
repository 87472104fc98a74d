/* Giving the members of a lease to it: a run of numbers costs two statements, whatever its
 * length. */

#include "adapters/sqlite/sqlite_internal.h"

void sqlite_grip_release(struct sqlite_grip *grip)
{
    while (grip->count > 0)
        tc_task_release(&grip->tasks[--grip->count]);
}

static bool is_claimable(const struct sqlite_row *row)
{
    return (TC_STATUS_BIT(row->task.status) & TC_STATUS_SET_WAITING) != 0;
}

/* The row as the UPDATE below makes it. */
static void claim_row(struct sqlite_row *row, int64_t now_ms)
{
    row->task.attempt++;
    row->task.started_at_ms = now_ms;
    row->has &= ~SQLITE_HAS_PROGRESS;
}

static void rescue_row(struct sqlite_row *row, int crashes)
{
    row->task.attempt -= crashes;
    row->task.crashes += crashes;
}

static enum tc_code drop_progress(struct sqlite_store *store, int64_t num, struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_PROGRESS_DELETE_STATEMENT);

    query_bind_int(&query, 1, num);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "drop progress", err);
}

static enum tc_code take_row(struct sqlite_store *store, struct sqlite_grip *grip,
                             const struct sqlite_group *lease, int crashes,
                             struct sqlite_row *row, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    if (lease->rescue) {
        rescue_row(row, crashes);
    } else {
        if (row->has & SQLITE_HAS_PROGRESS)
            code = drop_progress(store, row->num, err);
        claim_row(row, grip->now_ms);
    }
    row->task.status = TC_STATUS_PROCESSING;
    row->task.epoch++;
    row->task.updated_at_ms = grip->now_ms;
    if (code == TC_OK)
        code =
            sqlite_row_copy_leased(&store->writer, row, lease, &grip->tasks[grip->count], err);
    if (code == TC_OK) {
        grip->count++;
        sqlite_hint_put(store, &row->task.id, row->num, lease->place);
    }
    return code;
}

/* Statuses are checked: a group that names a task in another status is damage. */
static enum tc_code load_run(struct sqlite_store *store, struct sqlite_grip *grip,
                             const struct sqlite_group *lease, struct sqlite_run run,
                             int crashes, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_TASKS_OF_RUN_STATEMENT);
    int64_t seen = 0;
    enum tc_code code = TC_OK;

    query_bind_int(&query, 1, run.first);
    query_bind_int(&query, 2, run.last);
    while (code == TC_OK && query_next(&query)) {
        struct sqlite_row row;

        code = sqlite_row_read(&query, &row, err);
        if (code == TC_OK && !lease->rescue && !is_claimable(&row))
            code = tc_fail(err, TC_INTERNAL, "sqlite: a task that is %s is in a ready group",
                           tc_status_name(row.task.status));
        if (code == TC_OK)
            code = take_row(store, grip, lease, crashes, &row, err);
        seen++;
    }
    if (code == TC_OK && query_is_bad(&query))
        return sqlite_fail(&store->writer, "read tasks", err);
    if (code == TC_OK && seen != run.last - run.first + 1)
        return tc_fail(err, TC_INTERNAL, "sqlite: a group names tasks that are missing");
    return code;
}

static enum tc_code give_run(struct sqlite_store *store, const struct sqlite_grip *grip,
                             const struct sqlite_group *lease, struct sqlite_run run,
                             int crashes, struct tc_error *err)
{
    struct sqlite_query query =
        sqlite_query(&store->writer, lease->rescue ? SQLITE_STATE_RESCUE_STATEMENT
                                                   : SQLITE_STATE_CLAIM_STATEMENT);

    query_bind_int(&query, 1, run.first);
    query_bind_int(&query, 2, run.last);
    query_bind_int(&query, 3, lease->place);
    query_bind_int(&query, 4, grip->now_ms);
    if (lease->rescue)
        query_bind_int(&query, 5, crashes);
    if (!query_run(&query))
        return sqlite_fail(&store->writer, "lease tasks", err);
    if (sqlite3_changes(store->writer.db) != run.last - run.first + 1)
        return tc_fail(err, TC_INTERNAL, "sqlite: a group names tasks in another status");
    return TC_OK;
}

enum tc_code sqlite_grip_take(struct sqlite_store *store, struct sqlite_grip *grip,
                              const struct sqlite_group *lease, size_t from, int crashes,
                              struct tc_error *err)
{
    struct sqlite_run run;
    size_t at = from;
    enum tc_code code = TC_OK;

    while (code == TC_OK && sqlite_run_next(lease->nums, lease->count, &at, &run)) {
        code = load_run(store, grip, lease, run, crashes, err);
        if (code == TC_OK)
            code = give_run(store, grip, lease, run, crashes, err);
    }
    return code;
}
