/* Tasks on their way in: one statement for one task, one for up to a thousand of any queues
 * and types.
 *
 * A statement for many gets three sets of arrays, see postgres_layout.h: groups, runs, and the
 * tasks, of which a group and a run are slices. It costs the server a tenth to a fifth less
 * than all columns per task, and one task costs it a third less without arrays.
 */

#include "adapters/postgres/postgres_layout.h"
#include "adapters/postgres/postgres_tasks.h"

/* What goes into one statement; arrays may hold more, but somebody has to copy them. */
#define STATEMENT_TASKS TC_CREATION_TASKS_MAX
#define STATEMENT_BYTES ((size_t)32 << 20) /* of payloads */

#define TASK_BYTES ((size_t)256) /* of the rest of a task, as a guess for the buffer */

#define TASK_COLUMNS                                                                           \
    "id, place, updated_at, run_at, wake_at, timeout_ms, max_attempts, max_crashes, status, "  \
    "priority, payload_kind, titled, queue, type, traceparent, tags, payload"

static const struct postgres_statement insert_one_statement = {
    .name = "insert_one",
    .sql =
        "WITH place AS MATERIALIZED ("
        "    SELECT coalesce($1::bigint, taskcore.now_ms()) AS at,"
        "           CASE WHEN $6::smallint = 1 THEN nextval('taskcore.ready_seq') END AS seq),"
        "waiting AS ("
        "    INSERT INTO taskcore.ready (queue, type, rank, seq, since, check_at, ids)"
        "    SELECT $3::text, $4::text, 10 - $5::smallint, seq, at, at + $2::bigint,"
        "           ARRAY[$7::uuid]"
        "    FROM place WHERE seq IS NOT NULL) "
        "INSERT INTO taskcore.task (" TASK_COLUMNS ")"
        "SELECT $7, seq, $8::bigint, $9::bigint, CASE WHEN seq IS NULL THEN $9 END,"
        "       $10::bigint, $11::int, $12::int, $6, $5, $13::smallint, $14::boolean, $3, $4,"
        "       $15::text, $16::bytea, $17::bytea "
        "FROM place",
    .writes = true,
};

static const struct postgres_statement insert_many_statement = {
    .name = "insert_many",
    .sql = "WITH clock AS MATERIALIZED ("
           "    SELECT coalesce($1::bigint, taskcore.now_ms()) AS at),"
           "place AS MATERIALIZED ("
           "    SELECT g.*, CASE WHEN status = 1 THEN nextval('taskcore.ready_seq') END AS seq"
           "    FROM unnest($3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::int[],"
           "                $8::int[]) WITH ORDINALITY"
           "         AS g(queue, type, priority, status, first, last, num)),"
           "waiting AS ("
           "    INSERT INTO taskcore.ready (queue, type, rank, seq, since, check_at, ids)"
           "    SELECT queue, type, 10 - priority, seq, at, at + $2::bigint,"
           "           ($17::uuid[])[first:last]"
           "    FROM place, clock WHERE seq IS NOT NULL) "
           "INSERT INTO taskcore.task (" TASK_COLUMNS ")"
           "SELECT t.id, p.seq, t.updated_at, t.run_at,"
           "       CASE WHEN p.seq IS NULL THEN t.run_at END, r.timeout_ms, r.max_attempts,"
           "       r.max_crashes, p.status, p.priority, r.payload_kind, r.titled, p.queue,"
           "       p.type, t.traceparent, t.tags, t.payload "
           "FROM unnest($9::int[], $10::int[], $11::int[], $12::bigint[], $13::int[],"
           "            $14::int[], $15::smallint[], $16::boolean[])"
           "     AS r(num, first, last, timeout_ms, max_attempts, max_crashes, payload_kind,"
           "          titled) "
           "JOIN place p ON p.num = r.num "
           "CROSS JOIN LATERAL unnest("
           "     ($17::uuid[])[r.first:r.last], ($18::bigint[])[r.first:r.last],"
           "     ($19::bigint[])[r.first:r.last], ($20::text[])[r.first:r.last],"
           "     ($21::bytea[])[r.first:r.last], ($22::bytea[])[r.first:r.last])"
           "     AS t(id, updated_at, run_at, traceparent, tags, payload)",
    .writes = true,
};

static const char *traceparent_of(const struct tc_task *task)
{
    return task->traceparent[0] ? task->traceparent : NULL;
}

/* `buffer` holds POSTGRES_TAGS_SIZE. No tags: NULL. */
static struct tc_bytes tags_of(const struct tc_task *task, unsigned char *buffer)
{
    if (task->tag_count == 0)
        return (struct tc_bytes){ NULL, 0 };
    return (struct tc_bytes){ buffer, postgres_tags_write(task, buffer) };
}

static struct tc_bytes payload_of(const struct tc_task *task)
{
    return task->payload.bytes.len > 0 ? task->payload.bytes : (struct tc_bytes){ "", 0 };
}

/* --- one task */

static enum tc_code insert_one(struct postgres_store *store,
                               struct postgres_connection *connection,
                               const struct tc_task *task, struct tc_error *err)
{
    unsigned char tags[POSTGRES_TAGS_SIZE];
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, 2 * TASK_BYTES + task->payload.bytes.len);
    postgres_add_now(&params, store);
    postgres_add_check_after(&params, store);
    postgres_add_text(&params, task->queue);
    postgres_add_text(&params, task->type);
    postgres_add_int2(&params, task->priority);
    postgres_add_int2(&params, (int)task->status);
    postgres_add_id(&params, &task->id);
    postgres_add_int8(&params, task->updated_at_ms);
    postgres_add_int8(&params, task->run_at_ms);
    postgres_add_int8(&params, task->timeout_ms);
    postgres_add_int4(&params, task->max_attempts);
    postgres_add_int4(&params, task->max_crashes);
    postgres_add_int2(&params, (int)task->payload.kind);
    postgres_add_bool(&params, task->titled);
    postgres_add_text(&params, traceparent_of(task));
    postgres_add_bytes(&params, tags_of(task, tags));
    postgres_add_bytes(&params, payload_of(task));
    code = postgres_run(connection, &insert_one_statement, &params, NULL, err);
    postgres_params_release(&params);
    return code;
}

/* --- many tasks */

typedef int64_t number_of(const struct tc_task *task);

static int64_t priority_of(const struct tc_task *task)
{
    return task->priority;
}

static int64_t status_of(const struct tc_task *task)
{
    return (int64_t)task->status;
}

static int64_t timeout_of(const struct tc_task *task)
{
    return task->timeout_ms;
}

static int64_t max_attempts_of(const struct tc_task *task)
{
    return task->max_attempts;
}

static int64_t max_crashes_of(const struct tc_task *task)
{
    return task->max_crashes;
}

static int64_t kind_of(const struct tc_task *task)
{
    return (int64_t)task->payload.kind;
}

static int64_t titled_of(const struct tc_task *task)
{
    return task->titled;
}

/* What the first task of each slice says. */
static void add_said(struct postgres_params *params, const struct postgres_layout *layout,
                     const struct postgres_slice *slices, size_t count,
                     enum postgres_element element, number_of *number)
{
    postgres_array_begin(params, element);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, element, number(layout->items[slices[i].first].task));
    postgres_array_end(params);
}

/* Where the slices begin and end, as SQL counts. */
static void add_bounds(struct postgres_params *params, const struct postgres_slice *slices,
                       size_t count)
{
    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, POSTGRES_INT4, (int64_t)slices[i].first + 1);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, POSTGRES_INT4, (int64_t)(slices[i].first + slices[i].count));
    postgres_array_end(params);
}

static void add_groups(struct postgres_params *params, const struct postgres_layout *layout)
{
    const struct postgres_slice *groups = layout->groups;
    size_t count = layout->group_count;

    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < count; i++)
        postgres_push_text(params, layout->items[groups[i].first].task->queue);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < count; i++)
        postgres_push_text(params, layout->items[groups[i].first].task->type);
    postgres_array_end(params);
    add_said(params, layout, groups, count, POSTGRES_INT2, priority_of);
    add_said(params, layout, groups, count, POSTGRES_INT2, status_of);
    add_bounds(params, groups, count);
}

static void add_runs(struct postgres_params *params, const struct postgres_layout *layout)
{
    const struct postgres_slice *runs = layout->runs;
    size_t count = layout->run_count;

    postgres_array_begin(params, POSTGRES_INT4);
    for (size_t i = 0; i < count; i++)
        postgres_push_int(params, POSTGRES_INT4, (int64_t)runs[i].group + 1);
    postgres_array_end(params);
    add_bounds(params, runs, count);
    add_said(params, layout, runs, count, POSTGRES_INT8, timeout_of);
    add_said(params, layout, runs, count, POSTGRES_INT4, max_attempts_of);
    add_said(params, layout, runs, count, POSTGRES_INT4, max_crashes_of);
    add_said(params, layout, runs, count, POSTGRES_INT2, kind_of);
    add_said(params, layout, runs, count, POSTGRES_BOOL, titled_of);
}

static void add_tasks(struct postgres_params *params, const struct postgres_layout *layout)
{
    unsigned char tags[POSTGRES_TAGS_SIZE];
    const struct postgres_item *end = layout->items + layout->count;

    postgres_array_begin(params, POSTGRES_UUID);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_id(params, &item->task->id);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_int(params, POSTGRES_INT8, item->task->updated_at_ms);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_int(params, POSTGRES_INT8, item->task->run_at_ms);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_TEXT);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_text(params, traceparent_of(item->task));
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_bytes(params, tags_of(item->task, tags));
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (const struct postgres_item *item = layout->items; item < end; item++)
        postgres_push_bytes(params, payload_of(item->task));
    postgres_array_end(params);
}

static enum tc_code insert_many(struct postgres_store *store,
                                struct postgres_connection *connection,
                                const struct tc_task **tasks, size_t count, size_t bytes,
                                struct tc_error *err)
{
    struct postgres_params params;
    struct postgres_layout layout;
    enum tc_code code;

    if (!postgres_layout_init(&layout, tasks, count)) {
        postgres_layout_release(&layout);
        return tc_fail(err, TC_NO_MEMORY, "postgres: a batch of %zu tasks", count);
    }
    postgres_params_init(&params, bytes + (count + 4) * TASK_BYTES);
    postgres_add_now(&params, store);
    postgres_add_check_after(&params, store);
    add_groups(&params, &layout);
    add_runs(&params, &layout);
    add_tasks(&params, &layout);
    postgres_layout_release(&layout);
    code = postgres_run(connection, &insert_many_statement, &params, NULL, err);
    postgres_params_release(&params);
    return code;
}

/* --- the batch */

/* How many tasks from `at` on go into one statement. */
static size_t take(const struct postgres_batch *batch, size_t at, size_t *ret_bytes)
{
    size_t count = 0;

    *ret_bytes = 0;
    while (at + count < batch->count && count < STATEMENT_TASKS) {
        size_t len = batch->tasks[at + count]->payload.bytes.len;

        if (count > 0 && *ret_bytes + len > STATEMENT_BYTES)
            break;
        *ret_bytes += len;
        count++;
    }
    return count;
}

bool postgres_batch_is_small(const struct postgres_batch *batch)
{
    size_t bytes;

    return take(batch, 0, &bytes) == batch->count;
}

enum tc_code postgres_batch_insert(struct postgres_store *store,
                                   struct postgres_connection *connection,
                                   const struct postgres_batch *batch, struct tc_error *err)
{
    enum tc_code code = TC_OK;
    size_t bytes;

    if (batch->count == 1)
        return insert_one(store, connection, batch->tasks[0], err);
    for (size_t at = 0, count; code == TC_OK && at < batch->count; at += count) {
        count = take(batch, at, &bytes);
        code = insert_many(store, connection, batch->tasks + at, count, bytes, err);
    }
    return code;
}
