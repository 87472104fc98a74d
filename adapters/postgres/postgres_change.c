/* One task moves, in a transaction.
 *
 * Locks are taken in everybody's order: a row of ready before its tasks (as claims do), a task
 * before its lease (as finishes do). So a cancel waits for the claim that is at the group, and
 * no id stays behind in it. */

#include "adapters/postgres/postgres_lanes.h"
#include "adapters/postgres/postgres_tasks.h"

/* The row that the task waits in, if it waits. Until the task is locked as well, the answer
 * may be overtaken. */
static const struct postgres_statement lock_ready_statement = {
    .name = "change_lock_ready",
    .sql = "SELECT r.seq FROM taskcore.ready r "
           "WHERE (r.queue, r.type, r.rank, r.seq) ="
           "      (SELECT t.queue, t.type, (10 - t.priority)::smallint, t.place"
           "       FROM taskcore.task t WHERE t.id = $1::uuid AND t.status IN (1, 2)) "
           "FOR UPDATE OF r",
    .writes = true,
};

static const struct postgres_statement lock_task_statement = {
    .name = "change_lock_task",
    .sql = "SELECT status FROM taskcore.task WHERE id = $1::uuid FOR UPDATE",
    .writes = true,
};

/* SKIP LOCKED: it is locked already, by this transaction, unless the task was claimed and came
 * back to another group in the meantime. Then the id may stay in it until a claim comes by. */
static const struct postgres_statement leave_ready_statement = {
    .name = "change_leave_ready",
    .sql = "WITH place AS MATERIALIZED ("
           "    SELECT r.queue, r.type, r.rank, r.seq, r.ids FROM taskcore.ready r"
           "    WHERE (r.queue, r.type, r.rank, r.seq) ="
           "          (SELECT t.queue, t.type, (10 - t.priority)::smallint, t.place"
           "           FROM taskcore.task t WHERE t.id = $1::uuid)"
           "    FOR UPDATE OF r SKIP LOCKED),"
           "gone AS ("
           "    DELETE FROM taskcore.ready r USING place p"
           "    WHERE (r.queue, r.type, r.rank, r.seq) = (p.queue, p.type, p.rank, p.seq)"
           "      AND p.ids <@ ARRAY[$1::uuid]) "
           "UPDATE taskcore.ready r SET ids = array_remove(p.ids, $1::uuid) FROM place p "
           "WHERE (r.queue, r.type, r.rank, r.seq) = (p.queue, p.type, p.rank, p.seq)"
           "  AND NOT p.ids <@ ARRAY[$1::uuid]",
    .writes = true,
};

static const struct postgres_statement leave_lease_statement = {
    .name = "change_leave_lease",
    .sql = "WITH place AS MATERIALIZED ("
           "    SELECT l.id, l.live FROM taskcore.lease l"
           "    WHERE l.id = (SELECT t.place FROM taskcore.task t WHERE t.id = $1::uuid)"
           "    FOR UPDATE OF l),"
           "gone AS ("
           "    DELETE FROM taskcore.lease l USING place p WHERE l.id = p.id AND p.live = 1) "
           "UPDATE taskcore.lease l SET live = p.live - 1 FROM place p "
           "WHERE l.id = p.id AND p.live > 1",
    .writes = true,
};

/* $5: it enters a group of its own; $6: it starts over. A task that waits on keeps its place.
 */
static const struct postgres_statement move_statement = {
    .name = "change_move",
    .sql = "WITH step AS MATERIALIZED ("
           "    SELECT coalesce($2::bigint, taskcore.now_ms()) AS at,"
           "           CASE WHEN $5::boolean THEN nextval('taskcore.ready_seq') END AS seq),"
           "entered AS ("
           "    INSERT INTO taskcore.ready (queue, type, rank, seq, since, check_at, ids)"
           "    SELECT t.queue, t.type, 10 - t.priority, s.seq, s.at, s.at + $3::bigint,"
           "           ARRAY[t.id]"
           "    FROM taskcore.task t, step s WHERE t.id = $1::uuid AND s.seq IS NOT NULL) "
           "UPDATE taskcore.task t SET "
           "    status = $4::smallint, updated_at = s.at,"
           "    place = CASE WHEN $4 IN (1, 2) THEN coalesce(s.seq, t.place) END,"
           "    finished_at = CASE WHEN $4 >= 4 THEN s.at ELSE 0 END,"
           "    failed_at = CASE WHEN $4 = 5 THEN s.at END,"
           "    run_at = CASE WHEN $6::boolean THEN s.at ELSE t.run_at END,"
           "    wake_at = CASE WHEN $4 = 0 THEN"
           "                  CASE WHEN $6 THEN s.at ELSE t.run_at END END,"
           "    attempt = CASE WHEN $6 THEN 0 ELSE t.attempt END,"
           "    crashes = CASE WHEN $6 THEN 0 ELSE t.crashes END,"
           "    outcome = CASE WHEN $6 THEN 0 ELSE t.outcome END,"
           "    error_reason = CASE WHEN $6 THEN 0 ELSE t.error_reason END,"
           "    error_attempt = CASE WHEN $6 THEN 0 ELSE t.error_attempt END,"
           "    error_at = CASE WHEN $6 THEN 0 ELSE t.error_at END,"
           "    error = CASE WHEN NOT $6 THEN t.error END,"
           "    result_kind = CASE WHEN $6 THEN 0 ELSE t.result_kind END,"
           "    result = CASE WHEN NOT $6 THEN t.result END,"
           "    progress = CASE WHEN NOT $6 THEN t.progress END "
           "FROM step s, (SELECT NULL::text AS owner, NULL::bigint AS due_at,"
           "                     NULL::bigint AS duration_ms) l "
           "WHERE t.id = $1::uuid RETURNING " POSTGRES_TASK_COLUMNS,
    .writes = true,
};

struct step {
    const struct tc_change *change;
    struct tc_task task; /* after it */
    bool has_task;
};

static bool is_waiting(enum tc_status status)
{
    return (TC_STATUS_BIT(status) & TC_STATUS_SET_WAITING) != 0;
}

static enum tc_code run_on(struct postgres_connection *connection,
                           const struct postgres_statement *statement, const struct tc_id *id,
                           PGresult **ret_result, struct tc_error *err)
{
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, sizeof(*id));
    postgres_add_id(&params, id);
    code = postgres_run(connection, statement, &params, ret_result, err);
    postgres_params_release(&params);
    return code;
}

static enum tc_code lock(struct postgres_connection *connection, const struct tc_id *id,
                         enum tc_status *ret_status, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    char text[TC_ID_TEXT_SIZE];
    enum tc_code code = run_on(connection, &lock_ready_statement, id, NULL, err);

    if (code == TC_OK)
        code = run_on(connection, &lock_task_statement, id, &result, err);
    if (code != TC_OK)
        return code;
    if (PQntuples(result) == 0) {
        tc_id_format(id, text);
        return tc_fail(err, TC_NOT_FOUND, "no task '%s'", text);
    }
    *ret_status = (enum tc_status)postgres_get_int(result, 0, 0);
    return TC_OK;
}

static enum tc_code leave(struct postgres_connection *connection, const struct step *step,
                          enum tc_status from, struct tc_error *err)
{
    const struct tc_id *id = &step->change->id;

    if (from == TC_STATUS_PROCESSING)
        return run_on(connection, &leave_lease_statement, id, NULL, err);
    if (is_waiting(from) && !is_waiting(step->change->to))
        return run_on(connection, &leave_ready_statement, id, NULL, err);
    return TC_OK;
}

static enum tc_code move(struct postgres_store *store, struct postgres_connection *connection,
                         struct step *step, enum tc_status from, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    const struct tc_change *change = step->change;
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, 64);
    postgres_add_id(&params, &change->id);
    postgres_add_now(&params, store);
    postgres_add_check_after(&params, store);
    postgres_add_int2(&params, (int)change->to);
    postgres_add_bool(&params, is_waiting(change->to) && !is_waiting(from));
    postgres_add_bool(&params, change->start_over);
    code = postgres_run(connection, &move_statement, &params, &result, err);
    postgres_params_release(&params);
    if (code == TC_OK && PQntuples(result) != 1)
        code = tc_fail(err, TC_INTERNAL, "postgres: a locked task is gone");
    if (code == TC_OK)
        code = postgres_read_task(result, 0, 0, &step->task, err);
    step->has_task = code == TC_OK;
    return code;
}

static enum tc_code change_within(struct postgres_store *store,
                                  struct postgres_connection *connection, struct step *step,
                                  struct tc_error *err)
{
    enum tc_status from = TC_STATUS_COUNT;
    enum tc_code code = lock(connection, &step->change->id, &from, err);

    if (code != TC_OK)
        return code;
    if ((TC_STATUS_BIT(from) & step->change->from) == 0) {
        code = postgres_load(connection, &step->change->id, &step->task, err);
        step->has_task = code == TC_OK;
        return code == TC_OK ? tc_fail(err, TC_CONFLICT, "the task is %s", tc_status_name(from))
                             : code;
    }
    code = leave(connection, step, from, err);
    return code == TC_OK ? move(store, connection, step, from, err) : code;
}

static enum tc_code change_work(struct postgres_store *store,
                                struct postgres_connection *connection, void *ctx,
                                struct tc_error *err)
{
    struct step *step = ctx;
    enum tc_code code;

    tc_task_release(&step->task);
    step->has_task = false;
    postgres_begin(connection);
    code = change_within(store, connection, step, err);
    if (code == TC_OK)
        return postgres_commit(connection, err);
    postgres_rollback(connection);
    return code;
}

enum tc_code postgres_change(struct tc_task_repo *repo, const struct tc_change *change,
                             struct tc_task *ret_task, struct tc_error *err)
{
    struct step step = { .change = change };
    enum tc_code code;

    if (change->to == TC_STATUS_PROCESSING)
        return tc_fail(err, TC_INTERNAL, "only a claim leases a task");
    code = postgres_do(POSTGRES_SELF(repo, task_repo), change_work, &step, err);
    postgres_lanes_touch(POSTGRES_SELF(repo, task_repo)->lanes);
    if (step.has_task && (code == TC_OK || code == TC_CONFLICT)) {
        *ret_task = step.task;
        return code;
    }
    tc_task_release(&step.task);
    return code == TC_CONFLICT ? TC_INTERNAL : code; /* no key of ours can be taken twice */
}
