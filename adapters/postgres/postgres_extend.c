/* Heartbeats. A lease whose live members are all named alike is renewed as one row, and no task
 * is written. Where that is not so the named ones move to a lease of their own, so that the
 * others' end is not put off. */

#include "adapters/postgres/postgres_claims.h"
#include "adapters/postgres/postgres_split.h"

#include <stdlib.h>

/*
 * $1 now, $2 ids, $3 epochs, $4 lease_ms (0: as leased), $5 how many.
 *
 * A lease that has lost a member since the statement began has another count than the one that
 * was seen, and is left for the second way.
 */
#define GIVEN_WORDS                                                                            \
    POSTGRES_ROWS_OF("unnest($2::uuid[]), unnest($3::int8[]), unnest($4::int8[])", "$5")
#define SEEN                                                                                   \
    "seen AS MATERIALIZED ("                                                                   \
    "    SELECT g.num, g.lease_ms, t.status, t.epoch, t.place,"                                \
    "           t.status = 3 AND t.epoch = g.epoch AS holds"                                   \
    "    FROM " GIVEN_WORDS "         AS g (id, epoch, lease_ms, num)"                         \
    "    JOIN taskcore.task t ON t.id = g.id"                                                  \
    "    WHERE t.id = ANY ($2::uuid[])),"
#define WHOLE                                                                                  \
    "whole AS MATERIALIZED ("                                                                  \
    "    SELECT s.place, s.lease_ms, l.live"                                                   \
    "    FROM (SELECT place, min(lease_ms) AS lease_ms, count(*) AS count"                     \
    "          FROM seen WHERE holds"                                                          \
    "          GROUP BY place HAVING min(lease_ms) = max(lease_ms) ORDER BY place) s"          \
    "    CROSS JOIN LATERAL (SELECT live FROM taskcore.lease WHERE id = s.place) l"            \
    "    WHERE l.live = s.count),"
#define RENEWED                                                                                \
    "renewed AS ("                                                                             \
    "    UPDATE taskcore.lease l"                                                              \
    "    SET due_at = (SELECT at FROM clock)"                                                  \
    "                 + CASE WHEN w.lease_ms > 0 THEN w.lease_ms ELSE l.duration_ms END"       \
    "    FROM whole w"                                                                         \
    "    WHERE l.id = ANY (ARRAY(SELECT place FROM whole)) AND l.id = w.place"                 \
    "      AND l.live = w.live"                                                                \
    "    RETURNING l.id, l.due_at)"

static const struct postgres_statement renew_statement = {
    .name = "renew",
    .sql =
        "WITH " POSTGRES_CLOCK SEEN WHOLE RENEWED " SELECT s.num, s.status, s.epoch, r.due_at"
        " FROM seen s LEFT JOIN renewed r ON s.holds AND r.id = s.place",
    .writes = true,
};

enum column { NUM, STATUS, EPOCH, DUE_AT };

/* $1 now, $2 ids, $3 epochs, $4 progress, $5 how many. */
#define GIVEN_PROGRESS                                                                         \
    POSTGRES_ROWS_OF("unnest($2::uuid[]), unnest($3::int8[]), unnest($4::bytea[])", "$5")

static const struct postgres_statement progress_statement = {
    .name = "progress",
    .sql = "UPDATE taskcore.task t"
           " SET progress = g.progress, updated_at = coalesce($1, taskcore.now_ms()) "
           "FROM " GIVEN_PROGRESS " AS g (id, epoch, progress, num) "
           "WHERE t.id = ANY ($2::uuid[]) AND t.id = g.id AND t.status = 3"
           "  AND t.epoch = g.epoch",
    .writes = true,
};

/* --- one word per task: of several, the last one counts */

struct word {
    struct tc_id id;
    int64_t epoch;
    int64_t lease_ms;
    struct tc_bytes progress;
    struct tc_renewed renewed;
    size_t index; /* of its first renewal */
};

struct words {
    struct word *items;
    size_t count;
    size_t progress_count;
    bool wrote; /* something of this is there to stay */
};

static int by_word(const void *a, const void *b)
{
    const struct word *first = a;
    const struct word *second = b;
    int order = tc_id_compare(&first->id, &second->id);

    if (order == 0)
        order = (first->epoch > second->epoch) - (first->epoch < second->epoch);
    return order ? order : (first->index > second->index) - (first->index < second->index);
}

static bool is_same_word(const struct word *a, const struct word *b)
{
    return a->epoch == b->epoch && tc_id_compare(&a->id, &b->id) == 0;
}

static bool collect(const struct tc_renewal *renewals, size_t count, struct words *ret_words)
{
    struct word *items = malloc(count * sizeof(*items));
    size_t kept = 0;

    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct word){ .id = renewals[i].id,
                                  .epoch = renewals[i].epoch,
                                  .lease_ms = renewals[i].lease_ms,
                                  .progress = renewals[i].progress,
                                  .index = i };
    qsort(items, count, sizeof(*items), by_word);
    for (size_t i = 0; i < count; i++) {
        struct tc_bytes before = { 0 };
        bool again = kept > 0 && is_same_word(&items[kept - 1], &items[i]);

        if (again)
            before = items[--kept].progress;
        items[kept] = items[i];
        if (!items[kept].progress.data)
            items[kept].progress = before;
        kept++;
    }
    *ret_words = (struct words){ .items = items, .count = kept };
    for (size_t i = 0; i < kept; i++)
        ret_words->progress_count += items[i].progress.data != NULL;
    return true;
}

static void answer(const struct words *words, const struct tc_renewal *renewals, size_t count,
                   struct tc_renewed *ret_renewed)
{
    for (size_t i = 0; i < count; i++) {
        const struct word key = { .id = renewals[i].id, .epoch = renewals[i].epoch };
        size_t low = 0;
        size_t high = words->count;

        while (low + 1 < high) {
            size_t middle = low + (high - low) / 2;
            const struct word *word = &words->items[middle];
            int order = tc_id_compare(&word->id, &key.id);

            if (order < 0 || (order == 0 && word->epoch <= key.epoch))
                low = middle;
            else
                high = middle;
        }
        ret_renewed[i] = words->items[low].renewed;
    }
}

/* --- statements */

static enum tc_code keep_progress(struct postgres_store *store,
                                  struct postgres_connection *connection,
                                  const struct words *words, struct tc_error *err)
{
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, 256 + 64 * words->progress_count);
    postgres_add_now(&params, store);
    postgres_array_begin(&params, POSTGRES_UUID);
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].progress.data)
            postgres_push_id(&params, &words->items[i].id);
    postgres_array_end(&params);
    postgres_array_begin(&params, POSTGRES_INT8);
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].progress.data)
            postgres_push_int(&params, POSTGRES_INT8, words->items[i].epoch);
    postgres_array_end(&params);
    postgres_array_begin(&params, POSTGRES_BYTEA);
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].progress.data)
            postgres_push_bytes(&params, words->items[i].progress);
    postgres_array_end(&params);
    postgres_add_int4(&params, (int)words->progress_count);
    code = postgres_run(connection, &progress_statement, &params, NULL, err);
    postgres_params_release(&params);
    return code;
}

static void add_words(struct postgres_params *params, const struct words *words)
{
    postgres_array_begin(params, POSTGRES_UUID);
    for (size_t i = 0; i < words->count; i++)
        postgres_push_id(params, &words->items[i].id);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < words->count; i++)
        postgres_push_int(params, POSTGRES_INT8, words->items[i].epoch);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_INT8);
    for (size_t i = 0; i < words->count; i++)
        postgres_push_int(params, POSTGRES_INT8, words->items[i].lease_ms);
    postgres_array_end(params);
    postgres_add_int4(params, (int)words->count);
}

static void judge(const PGresult *result, struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        words->items[i].renewed = (struct tc_renewed){ .stale = TC_STALE_NOT_FOUND };
    for (int row = 0; row < PQntuples(result); row++) {
        struct word *word = &words->items[postgres_get_int(result, row, NUM) - 1];

        word->renewed.stale =
            tc_lease_judge((enum tc_status)postgres_get_int(result, row, STATUS),
                           postgres_get_int(result, row, EPOCH), word->epoch);
        word->renewed.expires_at_ms = postgres_get_int(result, row, DUE_AT);
    }
}

static enum tc_code renew(struct postgres_store *store, struct postgres_connection *connection,
                          struct words *words, struct tc_error *err)
{
    struct postgres_params params;
    AUTO_RESULT result = NULL;

    postgres_params_init(&params, 256 + 48 * words->count);
    postgres_add_now(&params, store);
    add_words(&params, words);

    enum tc_code code = postgres_run(connection, &renew_statement, &params, &result, err);

    postgres_params_release(&params);
    if (code == TC_OK)
        judge(result, words);
    return code;
}

/* Those that hold their task, but were not renewed with their whole lease. */
static enum tc_code renew_rest(struct postgres_store *store,
                               struct postgres_connection *connection, struct words *words,
                               struct tc_error *err)
{
    struct postgres_part *parts = malloc(words->count * sizeof(*parts));
    size_t count = 0;
    enum tc_code code;

    if (!parts)
        return tc_fail(err, TC_NO_MEMORY, "postgres: %zu renewals", words->count);
    for (size_t i = 0; i < words->count; i++) {
        const struct word *word = &words->items[i];

        if (word->renewed.stale == TC_STALE_NONE && word->renewed.expires_at_ms == 0)
            parts[count++] = (struct postgres_part){
                .id = word->id, .epoch = word->epoch, .lease_ms = word->lease_ms, .index = i
            };
    }
    code = postgres_split(store, connection, parts, count, err);
    for (size_t i = 0; i < count && code == TC_OK; i++)
        words->items[parts[i].index].renewed = parts[i].renewed;
    free(parts);
    return code;
}

static bool is_complete(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (words->items[i].renewed.stale == TC_STALE_NONE &&
            words->items[i].renewed.expires_at_ms == 0)
            return false;
    return true;
}

static enum tc_code renew_apart(struct postgres_store *store,
                                struct postgres_connection *connection, struct words *words,
                                struct tc_error *err)
{
    enum tc_code code;

    postgres_begin(connection);
    code = renew_rest(store, connection, words, err);
    if (code == TC_OK)
        code = postgres_commit(connection, err);
    if (code != TC_OK)
        postgres_rollback(connection);
    return code;
}

/* Each step may be repeated, and none needs the others. */
static enum tc_code extend(struct postgres_store *store, struct postgres_connection *connection,
                           void *ctx, struct tc_error *err)
{
    struct words *words = ctx;
    enum tc_code code = TC_OK;

    if (words->progress_count > 0)
        code = keep_progress(store, connection, words, err);
    words->wrote = words->wrote || (code == TC_OK && words->progress_count > 0);
    if (code == TC_OK)
        code = renew(store, connection, words, err);
    words->wrote = words->wrote || code == TC_OK;
    if (code == TC_OK && !is_complete(words))
        code = renew_apart(store, connection, words, err);
    return code;
}

enum tc_code postgres_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                             size_t count, struct tc_renewed *ret_renewed, struct tc_error *err)
{
    struct postgres_store *store = POSTGRES_SELF(repo, lease_repo);
    struct words words;
    enum tc_code code;

    if (count == 0)
        return TC_OK;
    if (!collect(renewals, count, &words))
        return tc_fail(err, TC_NO_MEMORY, "postgres: %zu renewals", count);
    code = postgres_do(store, extend, &words, err);
    if (code == TC_OK)
        answer(&words, renewals, count, ret_renewed);
    if (code == TC_UNAVAILABLE && words.wrote)
        code = TC_UNKNOWN;
    free(words.items);
    return code;
}
