#include "adapters/postgres/postgres_invariants.h"

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_result.h"
#include "adapters/postgres/postgres_schema.h"

#include <stdio.h>

#define CONNECT_MS   5000
#define STATEMENT_MS INT64_C(600000) /* all of a large table is read */
#define ID_SIZE      256             /* of a violation: an id, or the key of a row */

/* Each gives one text per violation, and holds at any moment that is committed. The statuses:
 * 0 scheduled, 1 new, 2 pending, 3 processing, 4 done, 5 failed, 6 cancelled. */
static const struct rule {
    const char *name;
    const char *rule;
    const char *violations;
} rules[] = {
    {
        "waiting_in_ready",
        "a waiting task is in the ready row that its place names",
        "SELECT t.id::text FROM taskcore.task t"
        " WHERE t.status IN (1, 2) AND NOT EXISTS ("
        "   SELECT FROM taskcore.ready r"
        "   WHERE (r.queue, r.type, r.rank, r.seq)"
        "       = (t.queue, t.type, (10 - t.priority)::int2, t.place)"
        "     AND t.id = ANY (r.ids))",
    },
    {
        "ready_members",
        "a ready row names 1 to 256 tasks, each once",
        "SELECT concat_ws('/', r.queue, r.type, r.rank, r.seq) FROM taskcore.ready r"
        " WHERE cardinality(r.ids) NOT BETWEEN 1 AND 256"
        "    OR cardinality(r.ids) <> (SELECT count(DISTINCT i) FROM unnest(r.ids) i)",
    },
    {
        "ready_tasks",
        "what a ready row names is a task of its queue, type and priority",
        "SELECT i::text FROM taskcore.ready r CROSS JOIN unnest(r.ids) i"
        " LEFT JOIN taskcore.task t ON t.id = i"
        " WHERE t.id IS NULL"
        "    OR (t.queue, t.type, 10 - t.priority) IS DISTINCT FROM (r.queue, r.type, r.rank)",
    },
    {
        "processing_in_lease",
        "a processing task is in the lease of its queue that its place names",
        "SELECT t.id::text FROM taskcore.task t"
        " LEFT JOIN taskcore.lease l ON l.id = t.place"
        " WHERE t.status = 3"
        "   AND (l.id IS NULL OR l.queue <> t.queue OR t.id <> ALL (l.ids))",
    },
    {
        "lease_live",
        "a lease counts the tasks that are processing under it",
        "SELECT l.id::text FROM taskcore.lease l"
        " WHERE l.live <> (SELECT count(*) FROM taskcore.task t"
        "   WHERE t.id = ANY (l.ids) AND t.status = 3 AND t.place = l.id)",
    },
    {
        "lease_members",
        "a lease names 1 to 256 tasks, each once",
        "SELECT l.id::text FROM taskcore.lease l"
        " WHERE cardinality(l.ids) NOT BETWEEN 1 AND 256"
        "    OR cardinality(l.ids) <> (SELECT count(DISTINCT i) FROM unnest(l.ids) i)",
    },
    {
        "place",
        "a task has a place exactly while it waits or is processing",
        "SELECT id::text FROM taskcore.task"
        " WHERE (status BETWEEN 1 AND 3) <> (place IS NOT NULL)",
    },
    {
        "scheduled_wakes",
        "a scheduled task wakes at its run_at, any other never",
        "SELECT id::text FROM taskcore.task"
        " WHERE wake_at IS DISTINCT FROM CASE WHEN status = 0 THEN run_at END",
    },
    {
        "terminal_finished",
        "a task has a time of finish exactly when its status is terminal",
        "SELECT id::text FROM taskcore.task WHERE (status >= 4) <> (finished_at <> 0)",
    },
    {
        "failed_listed",
        "a failed task is among the dead letters since its finish, any other is not",
        "SELECT id::text FROM taskcore.task"
        " WHERE failed_at IS DISTINCT FROM CASE WHEN status = 5 THEN finished_at END",
    },
    {
        "held",
        "a task that was ever leased has an epoch",
        "SELECT id::text FROM taskcore.task"
        " WHERE epoch < CASE WHEN status IN (3, 4, 5) OR attempt > 0 OR crashes > 0"
        "                    THEN 1 ELSE 0 END",
    },
    {
        "error_whole",
        "an error has a reason, a time and a message, or there is none",
        "SELECT id::text FROM taskcore.task"
        " WHERE (error_reason <> 0) <> (error IS NOT NULL)"
        "    OR (error_reason <> 0) <> (error_at <> 0)",
    },
    {
        "key_task",
        "an idempotency key leads to a task",
        "SELECT k.first_id::text FROM taskcore.key k"
        " WHERE NOT EXISTS (SELECT FROM taskcore.task t WHERE t.id = k.first_id)",
    },
    /* What follows is the core's doing: what it decides, the store applies unjudged. */
    {
        "attempts",
        "no task has more attempts than it may have, or fewer than none",
        "SELECT id::text FROM taskcore.task"
        " WHERE attempt NOT BETWEEN 0 AND max_attempts OR crashes < 0 OR max_crashes < 0",
    },
    {
        "ran",
        "a task that is done, or processing but for its rescue, has counted an attempt",
        "SELECT t.id::text FROM taskcore.task t"
        " LEFT JOIN taskcore.lease l ON t.status = 3 AND l.id = t.place"
        " WHERE (t.status = 4 OR (t.status = 3 AND NOT l.rescue))"
        "   AND (t.attempt < 1 OR t.started_at = 0)",
    },
    {
        "failed_for_a_reason",
        "a failed task has used its attempts up, or its crashes, or cannot be retried",
        "SELECT id::text FROM taskcore.task"
        " WHERE status = 5"
        "   AND CASE error_reason WHEN 1 THEN attempt < max_attempts"
        "                         WHEN 2 THEN attempt < max_attempts"
        "                         WHEN 3 THEN crashes <= max_crashes"
        "                         WHEN 4 THEN false"
        "                         ELSE true END",
    },
    {
        "crashes_end",
        "a task with more crashes than it may have is failed for that, cancelled, or about to"
        " be failed by its rescuer",
        "SELECT t.id::text FROM taskcore.task t"
        " LEFT JOIN taskcore.lease l ON t.status = 3 AND l.id = t.place"
        " WHERE t.crashes > t.max_crashes"
        "   AND NOT CASE t.status WHEN 3 THEN coalesce(l.rescue, false)"
        "                         WHEN 5 THEN t.error_reason = 3"
        "                         WHEN 6 THEN true"
        "                         ELSE false END",
    },
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

static enum tc_code check_rule(struct postgres_connection *connection, const struct rule *rule,
                               postgres_violation_note *note, void *ctx, size_t *broken,
                               struct tc_error *err)
{
    char sql[1024];
    const struct postgres_statement statement = { .name = rule->name, .sql = sql };
    AUTO_RESULT result = NULL;
    char example[ID_SIZE];
    int len = snprintf(sql, sizeof(sql), "SELECT count(*), min(v) FROM (%s) AS violation (v)",
                       rule->violations);

    if (len < 0 || (size_t)len >= sizeof(sql))
        return tc_fail(err, TC_INTERNAL, "the query of rule '%s' is too long", rule->name);

    enum tc_code code = postgres_run(connection, &statement, NULL, &result, err);

    if (code != TC_OK || postgres_get_int(result, 0, 0) == 0)
        return code;
    ++*broken;
    postgres_get_text(result, 0, 1, example, sizeof(example));
    if (note)
        note(ctx, rule->name, rule->rule, (size_t)postgres_get_int(result, 0, 0), example);
    return TC_OK;
}

/* All see the same moment. */
static enum tc_code check_all(struct postgres_connection *connection,
                              postgres_violation_note *note, void *ctx, size_t *ret_broken,
                              struct tc_error *err)
{
    size_t broken = 0;
    enum tc_code code;

    postgres_begin(connection);
    code = postgres_run_script(
        connection, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    for (size_t i = 0; code == TC_OK && i < RULE_COUNT; i++)
        code = check_rule(connection, &rules[i], note, ctx, &broken, err);
    postgres_rollback(connection);
    if (code == TC_OK)
        *ret_broken = broken;
    return code;
}

enum tc_code postgres_check_invariants(const char *url, postgres_violation_note *note,
                                       void *ctx, size_t *ret_rules, size_t *ret_broken,
                                       struct tc_error *err)
{
    const struct postgres_connection_config config = {
        .url = url,
        .name = "taskctl",
        .statement_ms = STATEMENT_MS,
        .connect_ms = CONNECT_MS,
    };
    struct postgres_connection *connection = NULL;
    enum tc_code code = postgres_connection_new(&config, &connection, err);

    if (code == TC_OK)
        code = postgres_schema_check(connection, err);
    if (code == TC_OK)
        code = check_all(connection, note, ctx, ret_broken, err);
    if (code == TC_OK)
        *ret_rules = RULE_COUNT;
    postgres_connection_free(connection);
    return code;
}
