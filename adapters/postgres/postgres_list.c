/* Pages of tasks in key order. What is scheduled, failed or running is looked up where it
 * stands (partial indexes, leases); any other filter looks at tasks one after another, a
 * bounded number per call.
 *
 * Each statement ends with one more row, the edge: where the window that it looked at ended,
 * if the window was full. Being the second half of a UNION ALL under a LIMIT it is not even
 * looked for while the first half fills the page; and it is of the same snapshot.
 *
 * One bound of the window is written as a comparison of rows: the planner does not know their
 * values, and takes two plain ones together for so narrow a range that sorting what is in
 * it would be cheaper than reading the index in order up to the LIMIT.
 */

#include "adapters/postgres/postgres_tasks.h"

#include <stdlib.h>
#include <string.h>

#define FEW  2000 /* ids to look up one by one, when not all of them pass */
#define NEAR 201  /* TC_PAGE_LIMIT_MAX and one: enough while every task passes */

#define ASIDE_STATES                                                                           \
    (TC_STATUS_BIT(TC_STATUS_SCHEDULED) | TC_STATUS_BIT(TC_STATUS_PROCESSING) |                \
     TC_STATUS_BIT(TC_STATUS_FAILED))

/* $1 above, $2 below (both exclusive), $3 what is long, $4 statuses, $5 queue, $6 type, $7 the
 * tag as it is stored, $8 how many rows. */
#define LISTED                                                                                 \
    "SELECT " POSTGRES_TASK_COLUMNS_WITH("CASE WHEN octet_length(t.payload) <= $3::bigint "    \
                                         "THEN t.payload END",                                 \
                                         "CASE WHEN octet_length(t.result) <= $3 THEN "        \
                                         "t.result END") ", octet_length(t.payload) > $3, "    \
                                                         "octet_length(t.result) > $3, false "

#define LEASE                                                                                  \
    "LEFT JOIN LATERAL (SELECT x.owner, x.due_at, x.duration_ms FROM taskcore.lease x"         \
    "                   WHERE t.status = 3 AND x.id = t.place OFFSET 0) l ON true "

#define PASSES                                                                                 \
    "WHERE (1 << t.status) & $4::int <> 0 AND ($5::text IS NULL OR t.queue = $5) "             \
    "  AND ($6::text IS NULL OR t.type = $6)"                                                  \
    "  AND ($7::bytea IS NULL OR position($7 IN t.tags) > 0) "

#define EDGE                                                                                   \
    "SELECT e.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"     \
    "       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,"     \
    "       NULL, NULL, NULL, NULL, NULL, NULL, true "

enum column {
    LONG_PAYLOAD = POSTGRES_TASK_COLUMN_COUNT,
    LONG_RESULT,
    IS_EDGE,
};

#define UP                          "x.id > $1::uuid AND (x.id, true) < ($2::uuid, true) ", "ASC "
#define DOWN                        "x.id < $2::uuid AND (x.id, true) > ($1::uuid, true) ", "DESC "
#define SCAN(direction, look, last) SCAN_(direction, look, last)
#define SCAN_(within, order, look, last)                                                       \
    "SELECT * FROM ("                                                                          \
    "    (" LISTED "     FROM (SELECT * FROM taskcore.task x WHERE " within                    \
    "           ORDER BY x.id " order "LIMIT " look ") t " LEASE PASSES                        \
    "     ORDER BY t.id " order ")"                                                            \
    "    UNION ALL"                                                                            \
    "    (" EDGE "FROM (SELECT x.id FROM taskcore.task x WHERE " within                        \
    "                   ORDER BY x.id " order "OFFSET " last " LIMIT 1) e)"                    \
    ") page LIMIT $8::bigint"

/* $9: how many ids to look at. The indexes have the queues in front: a step from queue to
 * queue, and in each a walk by id. The ids of a lease may have left it. */
#define ASIDE(direction) ASIDE_(direction)
#define ASIDE_(within, order)                                                                  \
    "WITH RECURSIVE " QUEUES("waking", "x.wake_at") ", " QUEUES(                               \
        "dead",                                                                                \
        "x.failed_at") ","                                                                     \
                       "found AS MATERIALIZED ("                                               \
                       "    SELECT h.id FROM waking q CROSS JOIN LATERAL ("                    \
                       "        SELECT x.id FROM taskcore.task x"                              \
                       "        WHERE x.wake_at IS NOT NULL AND x.queue = q.name AND " within  \
                       "        ORDER BY x.id " order                                          \
                       "LIMIT $9::bigint) h WHERE $4::int & 1 <> 0"                            \
                       "    UNION"                                                             \
                       "    SELECT h.id FROM dead q CROSS JOIN LATERAL ("                      \
                       "        SELECT x.id FROM taskcore.task x"                              \
                       "        WHERE x.failed_at IS NOT NULL AND x.queue = q.name "           \
                       "AND " within "        ORDER BY x.id " order                            \
                       "LIMIT $9) h WHERE $4 & 32 <> 0"                                        \
                       "    UNION"                                                             \
                       "    SELECT x.id FROM taskcore.lease m CROSS JOIN LATERAL "             \
                       "unnest(m.ids) x(id)"                                                   \
                       "    WHERE $4 & 8 <> 0 AND ($5::text IS NULL OR m.queue = $5) "         \
                       "AND " within ") "                                                      \
                       "SELECT * FROM ("                                                       \
                       "    (" LISTED                                                          \
                       "     FROM (SELECT f.id FROM found f ORDER BY f.id " order              \
                       "LIMIT $9) w"                                                           \
                       "     CROSS JOIN LATERAL (SELECT * FROM taskcore.task x WHERE x.id = "  \
                       "w.id OFFSET 0) t " LEASE PASSES "     ORDER BY w.id " order ")"        \
                       "    UNION ALL"                                                         \
                       "    (" EDGE "FROM (SELECT f.id FROM found f ORDER BY f.id " order      \
                       "                   OFFSET $9 - 1 LIMIT 1) e)"                          \
                       ") page LIMIT $8::bigint"

#define QUEUES(name, column)                                                                   \
    name "(name) AS ("                                                                         \
         "    SELECT coalesce($5::text COLLATE \"C\","                                         \
         "        (SELECT x.queue FROM taskcore.task x WHERE " column " IS NOT NULL"           \
         "         ORDER BY x.queue LIMIT 1))"                                                 \
         "    UNION ALL"                                                                       \
         "    SELECT (SELECT x.queue FROM taskcore.task x"                                     \
         "            WHERE " column                                                           \
         " IS NOT NULL AND x.queue > q.name ORDER BY x.queue LIMIT 1)"                         \
         "    FROM " name " q WHERE q.name IS NOT NULL AND $5 IS NULL)"

/* By how far it looks, then by direction. */
static const struct postgres_statement statements[][2] = {
    { { "list_near_down", SCAN(DOWN, "201", "200"), false },
      { "list_near_up", SCAN(UP, "201", "200"), false } },
    { { "list_far_down", SCAN(DOWN, "10000", "9999"), false },
      { "list_far_up", SCAN(UP, "10000", "9999"), false } },
    { { "list_aside_down", ASIDE(DOWN), false }, { "list_aside_up", ASIDE(UP), false } },
};

struct page_maker {
    const struct tc_task_filter *filter;
    struct tc_task_page page;
};

/* --- asking */

static bool is_aside(const struct tc_task_filter *filter)
{
    return (filter->statuses & ~ASIDE_STATES) == 0;
}

static bool picks_words(const struct tc_task_filter *filter)
{
    return filter->type || filter->tag.data;
}

static const struct postgres_statement *statement_of(const struct tc_task_filter *filter)
{
    bool all = filter->statuses == TC_STATUS_SET_ALL && !filter->queue && !picks_words(filter);

    return &statements[is_aside(filter) ? 2 : !all][filter->ascending];
}

/* A tag that is too long to be one is cut here and found nowhere by has_tag(). */
static void add_tag(struct postgres_params *params, struct tc_bytes tag)
{
    unsigned char stored[POSTGRES_TAG_SIZE];

    if (tag.len > POSTGRES_TAG_SIZE - 2)
        tag.len = POSTGRES_TAG_SIZE - 2;
    postgres_add_bytes(params, (struct tc_bytes){ stored, postgres_tag_write(tag, stored) });
}

static void add_filter(struct postgres_params *params, const struct tc_task_filter *filter)
{
    struct tc_id_range range = tc_task_filter_range(filter);

    postgres_add_id(params, &range.above);
    postgres_add_id(params, &range.below);
    postgres_add_int8(params, filter->large > INT64_MAX ? INT64_MAX : (int64_t)filter->large);
    postgres_add_int4(params, (int)filter->statuses);
    postgres_add_text(params, filter->queue);
    postgres_add_text(params, filter->type);
    if (filter->tag.data)
        add_tag(params, filter->tag);
    else
        postgres_add_bytes(params, (struct tc_bytes){ NULL, 0 });
    postgres_add_int8(params, (int64_t)filter->limit + 1);
    if (is_aside(filter))
        postgres_add_int8(params, picks_words(filter) ? FEW : NEAR);
}

/* --- the answer */

/* What the server has found by its bytes may be the end of one tag and the head of the next. */
static bool has_tag(const struct tc_task *task, struct tc_bytes tag)
{
    for (size_t i = 0; i < task->tag_count; i++)
        if (tc_bytes_equals(task->tags[i], tag))
            return true;
    return false;
}

static enum tc_code add_task(struct page_maker *maker, const PGresult *result, int row,
                             struct tc_error *err)
{
    struct tc_task_page *page = &maker->page;
    struct tc_task task;
    enum tc_code code = postgres_read_task(result, row, 0, &task, err);

    if (code != TC_OK)
        return code;
    page->position = task.id;
    if (maker->filter->tag.data && !has_tag(&task, maker->filter->tag)) {
        tc_task_release(&task);
        return TC_OK;
    }
    page->omitted[page->count] = (struct tc_omitted){
        .payload = postgres_get_bool(result, row, LONG_PAYLOAD),
        .result = postgres_get_bool(result, row, LONG_RESULT),
    };
    page->tasks[page->count++] = task;
    return TC_OK;
}

static enum tc_code read_page(struct page_maker *maker, const PGresult *result,
                              struct tc_error *err)
{
    struct tc_task_page *page = &maker->page;
    enum tc_code code = TC_OK;

    for (int row = 0; row < PQntuples(result) && code == TC_OK; row++) {
        bool is_edge = postgres_get_bool(result, row, IS_EDGE);

        page->has_more = is_edge || (size_t)row == maker->filter->limit;
        if (is_edge)
            page->position = postgres_get_id(result, row, 0);
        if (page->has_more)
            return TC_OK;
        code = add_task(maker, result, row, err);
    }
    return code;
}

static enum tc_code list_work(struct postgres_store *store,
                              struct postgres_connection *connection, void *ctx,
                              struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct page_maker *maker = ctx;
    struct postgres_params params;
    enum tc_code code;

    (void)store;
    postgres_params_init(&params, 1024);
    add_filter(&params, maker->filter);
    code = postgres_run(connection, statement_of(maker->filter), &params, &result, err);
    postgres_params_release(&params);
    return code == TC_OK ? read_page(maker, result, err) : code;
}

enum tc_code postgres_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                           struct tc_task_page *ret_page, struct tc_error *err)
{
    struct page_maker maker = {
        .filter = filter,
        .page = {
            .tasks = malloc(filter->limit * sizeof(struct tc_task)),
            .omitted = malloc(filter->limit * sizeof(struct tc_omitted)),
            .position = filter->position,
        },
    };
    enum tc_code code;

    if (maker.page.tasks && maker.page.omitted)
        code = postgres_do(POSTGRES_SELF(repo, task_repo), list_work, &maker, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "a page of %zu tasks", filter->limit);
    if (code == TC_OK)
        *ret_page = maker.page;
    else
        tc_task_page_release(&maker.page);
    return code;
}
