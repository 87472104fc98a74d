#include "adapters/sqlite/sqlite_internal.h"

static struct sqlite_step step_of(const struct sqlite_row *row, const struct tc_change *change,
                                  int64_t now_ms)
{
    struct sqlite_step step = sqlite_step_to(row, change->to, now_ms);

    if (!change->start_over)
        return step;
    step.attempt = 0;
    step.crashes = 0;
    step.outcome = 0;
    step.run_at_ms = now_ms;
    step.set_result = true;
    step.set_failure = true;
    step.drop_progress = true;
    return step;
}

static enum tc_code read_and_step(struct sqlite_store *store, const struct tc_change *change,
                                  bool *ret_applies, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_TASK_BY_ID_STATEMENT);
    struct sqlite_row row;
    enum tc_code code;

    query_bind_id(&query, 1, &change->id);
    if (!query_next(&query))
        return query_is_bad(&query) ? sqlite_fail(&store->writer, "read a task", err)
                                    : sqlite_not_found(&change->id, err);
    code = sqlite_row_read(&query, &row, err);
    if (code != TC_OK)
        return code;
    *ret_applies = (TC_STATUS_BIT(row.task.status) & change->from) != 0;
    if (!*ret_applies)
        return TC_OK;

    struct sqlite_step step = step_of(&row, change, tc_clock_now_ms(store->clock));

    return sqlite_step_apply(store, &row, &step, err);
}

/* A refusal changes nothing, so its transaction is rolled back; the task is loaded in it. */
static enum tc_code settle(struct sqlite_store *store, bool applies, struct tc_task *task,
                           struct tc_task *ret_task, struct tc_error *err)
{
    enum tc_code code = sqlite_writer_end(
        store,
        applies ? TC_OK
                : tc_fail(err, TC_CONFLICT, "the task is %s", tc_status_name(task->status)),
        err);

    if (code != TC_OK && applies)
        tc_task_release(task);
    else
        *ret_task = *task;
    return code;
}

enum tc_code sqlite_change(struct tc_task_repo *repo, const struct tc_change *change,
                           struct tc_task *ret_task, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_tasks(repo);
    struct tc_task task;
    bool applies = false;
    enum tc_code code;

    if (change->to == TC_STATUS_PROCESSING)
        return tc_fail(err, TC_INTERNAL, "only a claim leases a task");
    code = sqlite_write(store, err);
    if (code != TC_OK)
        return code;
    code = read_and_step(store, change, &applies, err);
    if (code == TC_OK)
        code = sqlite_task_load(store, &store->writer, &change->id, &task, err);
    return code == TC_OK ? settle(store, applies, &task, ret_task, err)
                         : sqlite_writer_end(store, code, err);
}
