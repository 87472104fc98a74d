#include "adapters/sqlite/sqlite_internal.h"

#include <string.h>

static bool has_result(const struct tc_outcome *outcome)
{
    return outcome->kind == TC_OUTCOME_DONE || outcome->kind == TC_OUTCOME_FAILED;
}

static bool has_error(const struct tc_outcome *outcome)
{
    return outcome->kind == TC_OUTCOME_AGAIN || outcome->kind == TC_OUTCOME_FAILED;
}

static enum tc_code take_from_lease(struct sqlite_store *store, int64_t place, int64_t num,
                                    struct sqlite_group **ret_lease, struct tc_error *err)
{
    enum tc_code code = sqlite_groups_find_lease(store, place, ret_lease, err);

    if (code == TC_OK && !sqlite_group_take(*ret_lease, num))
        code = tc_fail(err, TC_INTERNAL, "sqlite: a running task is not in its lease");
    return code;
}

/* --- the normal way: one statement, no look before it --- */

/* A run that ended well with a short result, of a task without an error. Where the task
 * stands is only a hint, which the statement checks. */
static enum tc_code try_done(struct sqlite_store *store, const struct tc_outcome *outcome,
                             int64_t now_ms, bool *ret_applied, struct tc_error *err)
{
    const struct sqlite_hint *hint = sqlite_hint_get(store, &outcome->id);
    struct sqlite_group *lease = NULL;

    *ret_applied = false;
    if (!hint || outcome->kind != TC_OUTCOME_DONE ||
        outcome->result.bytes.len > SQLITE_RESULT_INLINE)
        return TC_OK;

    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_STATE_DONE_STATEMENT);

    query_bind_int(&query, 1, hint->num);
    query_bind_int(&query, 2, outcome->epoch);
    query_bind_int(&query, 3, hint->place);
    query_bind_int(&query, 4, outcome->next);
    query_bind_int(&query, 5, outcome->kind);
    query_bind_int(&query, 6, now_ms);
    query_bind_int(&query, 7, outcome->result.kind);
    if (outcome->result.kind == TC_CONTENT_NONE)
        query_bind_null(&query, 8);
    else
        query_bind_blob(&query, 8, outcome->result.bytes);
    if (!query_run(&query))
        return sqlite_fail(&store->writer, "finish a task", err);
    *ret_applied = sqlite3_changes(store->writer.db) == 1;
    return *ret_applied ? take_from_lease(store, hint->place, hint->num, &lease, err) : TC_OK;
}

/* --- every other way: look, judge, step --- */

static enum tc_code is_same_result(struct sqlite_store *store, const struct sqlite_row *row,
                                   const struct tc_outcome *outcome, bool *ret_same,
                                   struct tc_error *err)
{
    struct tc_content kept = row->task.result;
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_RESULT_GET_STATEMENT);

    if (row->has & SQLITE_HAS_RESULT) {
        query_bind_int(&query, 1, row->num);
        query_bind_int(&query, 2, INT64_MAX);
        if (!query_next(&query))
            return sqlite_fail(&store->writer, "read a result", err);
        kept.bytes = query_bytes(&query, 0);
    }
    *ret_same = tc_content_equals(&kept, &outcome->result);
    return TC_OK;
}

static enum tc_code is_same_message(struct sqlite_store *store, const struct sqlite_row *row,
                                    const struct tc_outcome *outcome, bool *ret_same,
                                    struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_FAILURE_GET_STATEMENT);

    query_bind_int(&query, 1, row->num);
    *ret_same =
        query_next(&query) && tc_bytes_equals(query_bytes(&query, 3), outcome->error.message);
    return query_is_bad(&query) ? sqlite_fail(&store->writer, "read a failure", err) : TC_OK;
}

/* [L5] The holder asks again because the answer was lost. */
static enum tc_code is_repeated(struct sqlite_store *store, const struct sqlite_row *row,
                                const struct tc_outcome *outcome, bool *ret_repeated,
                                struct tc_error *err)
{
    bool same = row->task.epoch == outcome->epoch && row->outcome == (unsigned)outcome->kind;
    enum tc_code code = TC_OK;

    if (same && has_result(outcome))
        code = is_same_result(store, row, outcome, &same, err);
    if (code == TC_OK && same && has_error(outcome))
        code = is_same_message(store, row, outcome, &same, err);
    *ret_repeated = same;
    return code;
}

static struct sqlite_step step_of(const struct sqlite_row *row,
                                  const struct tc_outcome *outcome, bool rescue, int64_t now_ms)
{
    struct sqlite_step step = sqlite_step_to(row, outcome->next, now_ms);

    step.outcome = outcome->kind;
    if (outcome->kind == TC_OUTCOME_RELEASED && !rescue) /* a rescue counted no attempt */
        step.attempt--;
    if (has_result(outcome)) {
        step.set_result = true;
        step.result = outcome->result;
    } else {
        step.run_at_ms = outcome->run_at_ms;
    }
    if (outcome->kind != TC_OUTCOME_RELEASED) {
        step.set_failure = true; /* of its own end: none when that was good */
        step.failure = outcome->error;
    }
    return step;
}

static enum tc_code settle(struct sqlite_store *store, const struct sqlite_row *row,
                           const struct tc_outcome *outcome, int64_t now_ms,
                           struct tc_verdict *ret_verdict, struct tc_error *err)
{
    enum tc_stale_reason stale =
        tc_lease_judge(row->task.status, row->task.epoch, outcome->epoch);
    struct sqlite_group *lease = NULL;
    bool repeated = false;
    enum tc_code code;

    if (stale != TC_STALE_NONE) {
        code = is_repeated(store, row, outcome, &repeated, err);
        *ret_verdict = (struct tc_verdict){ .kind = TC_VERDICT_ALREADY };
        if (!repeated)
            *ret_verdict = (struct tc_verdict){ TC_VERDICT_STALE, stale };
        return code;
    }
    *ret_verdict = (struct tc_verdict){ .kind = TC_VERDICT_APPLIED };
    code = sqlite_groups_find_lease(store, row->place, &lease, err);
    if (code != TC_OK)
        return code;

    struct sqlite_step step = step_of(row, outcome, lease->rescue, now_ms);

    return sqlite_step_apply(store, row, &step, err);
}

static enum tc_code look_and_settle(struct sqlite_store *store,
                                    const struct tc_outcome *outcome, int64_t now_ms,
                                    struct tc_verdict *ret_verdict, struct tc_error *err)
{
    struct sqlite_row row;
    int64_t num = 0;
    enum tc_code code = sqlite_num_of(store, &outcome->id, &num, err);

    if (code != TC_OK)
        return code;
    if (num == 0) {
        *ret_verdict = (struct tc_verdict){ TC_VERDICT_STALE, TC_STALE_NOT_FOUND };
        return TC_OK;
    }

    /* A payload is not needed here, a short result is. */
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_LIST_ONE_STATEMENT);

    query_bind_int(&query, 1, SQLITE_RESULT_INLINE);
    query_bind_int(&query, 2, num);
    if (!query_next(&query))
        return sqlite_fail(&store->writer, "read a task", err);
    code = sqlite_row_read(&query, &row, err);
    return code == TC_OK ? settle(store, &row, outcome, now_ms, ret_verdict, err) : code;
}

static enum tc_code finish_one(struct sqlite_store *store, const struct tc_outcome *outcome,
                               int64_t now_ms, struct tc_verdict *ret_verdict,
                               struct tc_error *err)
{
    bool applied = false;
    enum tc_code code = try_done(store, outcome, now_ms, &applied, err);

    if (code != TC_OK || !applied)
        return code == TC_OK ? look_and_settle(store, outcome, now_ms, ret_verdict, err) : code;
    *ret_verdict = (struct tc_verdict){ .kind = TC_VERDICT_APPLIED };
    return TC_OK;
}

enum tc_code sqlite_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                           size_t count, struct tc_verdict *ret_verdicts, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_leases(repo);
    struct tc_verdict verdicts[TC_LEASE_GROUP_MAX];
    enum tc_code code;

    if (count == 0)
        return TC_OK;
    if (count > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "%zu outcomes in one group", count);
    code = sqlite_write(store, err);
    if (code != TC_OK)
        return code;

    int64_t now_ms = tc_clock_now_ms(store->clock);

    for (size_t i = 0; i < count && code == TC_OK; i++)
        code = finish_one(store, &outcomes[i], now_ms, &verdicts[i], err);
    code = sqlite_writer_end(store, code, err);
    if (code == TC_OK)
        memcpy(ret_verdicts, verdicts, count * sizeof(*verdicts));
    return code;
}
