/* Heartbeats. A lease whose members all live on alike is renewed as one row; otherwise those
 * that live on move to a lease of their own, so that the others' end is not put off. */

#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

/* A renewal that holds its task. */
struct live {
    size_t index; /* of the renewal */
    int64_t num;
    int64_t place;
    int64_t duration_ms;
};

struct lives {
    struct live *items;
    size_t count;
};

static enum tc_code judge(struct sqlite_store *store, const struct tc_renewal *renewal,
                          struct live *ret_live, struct tc_renewed *ret_renewed,
                          struct tc_error *err)
{
    int64_t num = 0;
    enum tc_code code = sqlite_num_of(store, &renewal->id, &num, err);

    *ret_renewed = (struct tc_renewed){ .stale = TC_STALE_NOT_FOUND };
    if (code != TC_OK || num == 0)
        return code;

    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_STATE_BRIEF_STATEMENT);

    query_bind_int(&query, 1, num);
    if (!query_next(&query))
        return sqlite_fail(&store->writer, "read a state", err);
    ret_renewed->stale = tc_lease_judge((enum tc_status)query_int(&query, 0),
                                        query_int(&query, 1), renewal->epoch);
    ret_live->num = num;
    ret_live->place = query_int(&query, 2);
    return TC_OK;
}

static enum tc_code keep_progress(struct sqlite_store *store, int64_t num,
                                  struct tc_bytes progress, int64_t now_ms,
                                  struct tc_error *err)
{
    struct sqlite_query put = sqlite_query(&store->writer, SQLITE_PROGRESS_PUT_STATEMENT);

    query_bind_int(&put, 1, num);
    query_bind_blob(&put, 2, progress);
    if (!query_run(&put))
        return sqlite_fail(&store->writer, "keep progress", err);

    struct sqlite_query note = sqlite_query(&store->writer, SQLITE_STATE_PROGRESS_STATEMENT);

    query_bind_int(&note, 1, num);
    query_bind_int(&note, 2, now_ms);
    return query_run(&note) ? TC_OK : sqlite_fail(&store->writer, "keep progress", err);
}

static enum tc_code collect(struct sqlite_store *store, const struct tc_renewal *renewals,
                            size_t count, struct tc_renewed *renewed, struct lives *lives,
                            int64_t now_ms, struct tc_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct live *live = &lives->items[lives->count];
        struct sqlite_group *lease = NULL;
        enum tc_code code = judge(store, &renewals[i], live, &renewed[i], err);

        if (code == TC_OK && renewed[i].stale != TC_STALE_NONE)
            continue;
        if (code == TC_OK)
            code = sqlite_groups_find_lease(store, live->place, &lease, err);
        if (code == TC_OK && renewals[i].progress.data)
            code = keep_progress(store, live->num, renewals[i].progress, now_ms, err);
        if (code != TC_OK)
            return code;
        live->index = i;
        live->duration_ms =
            renewals[i].lease_ms > 0 ? renewals[i].lease_ms : lease->duration_ms;
        lives->count++;
    }
    return TC_OK;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_task(const void *a, const void *b)
{
    const struct live *first = a;
    const struct live *second = b;
    int order = compare(first->num, second->num);

    return order ? order : compare((int64_t)first->index, (int64_t)second->index);
}

static int by_terms(const void *a, const void *b)
{
    const struct live *first = a;
    const struct live *second = b;
    int order = compare(first->place, second->place);

    if (order == 0)
        order = compare(first->duration_ms, second->duration_ms);
    return order ? order : by_task(a, b);
}

/* Of several words on one task in one call, the last one counts. */
static void agree(struct lives *lives)
{
    qsort(lives->items, lives->count, sizeof(*lives->items), by_task);
    for (size_t i = lives->count; i > 1; i--)
        if (lives->items[i - 2].num == lives->items[i - 1].num)
            lives->items[i - 2].duration_ms = lives->items[i - 1].duration_ms;
    qsort(lives->items, lives->count, sizeof(*lives->items), by_terms);
}

static enum tc_code place_run(struct sqlite_store *store, struct sqlite_run run, int64_t place,
                              struct tc_error *err)
{
    struct sqlite_query query = sqlite_query(&store->writer, SQLITE_STATE_PLACE_STATEMENT);

    query_bind_int(&query, 1, run.first);
    query_bind_int(&query, 2, run.last);
    query_bind_int(&query, 3, place);
    return query_run(&query) ? TC_OK : sqlite_fail(&store->writer, "split a lease", err);
}

/* Only those that live on; numbers between them may belong to others. */
static enum tc_code split(struct sqlite_store *store, struct sqlite_group *lease,
                          const struct live *lives, size_t count,
                          struct sqlite_group **ret_part, struct tc_error *err)
{
    enum tc_code code = sqlite_groups_lease(store, lease->lane.queue, ret_part, err);
    struct sqlite_group *part = *ret_part;
    struct sqlite_run run;
    size_t at = 0;

    if (code != TC_OK)
        return code;
    memcpy(part->owner, lease->owner, sizeof(part->owner));
    part->duration_ms = lease->duration_ms;
    part->of_process = lease->of_process;
    part->rescue = lease->rescue;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && lives[i].num == lives[i - 1].num)
            continue;
        if (!sqlite_group_take(lease, lives[i].num))
            return tc_fail(err, TC_INTERNAL, "sqlite: a running task is not in its lease");
        sqlite_group_add(part, lives[i].num);
    }
    while (code == TC_OK && sqlite_run_next(part->nums, part->count, &at, &run))
        code = place_run(store, run, part->place, err);
    return code;
}

static size_t count_tasks(const struct live *lives, size_t count)
{
    size_t tasks = 0;

    for (size_t i = 0; i < count; i++)
        tasks += i == 0 || lives[i].num != lives[i - 1].num;
    return tasks;
}

/* `lives` agree in lease and duration. */
static enum tc_code renew(struct sqlite_store *store, const struct live *lives, size_t count,
                          int64_t now_ms, struct tc_renewed *renewed, struct tc_error *err)
{
    struct sqlite_group *lease = NULL;
    enum tc_code code = sqlite_groups_find_lease(store, lives[0].place, &lease, err);

    if (code == TC_OK && count_tasks(lives, count) < lease->left)
        code = split(store, lease, lives, count, &lease, err);
    if (code != TC_OK)
        return code;
    lease->due_ms = now_ms + lives[0].duration_ms;
    lease->is_reset = true;
    for (size_t i = 0; i < count; i++)
        renewed[lives[i].index].expires_at_ms = lease->due_ms;
    return TC_OK;
}

static enum tc_code renew_all(struct sqlite_store *store, struct lives *lives, int64_t now_ms,
                              struct tc_renewed *renewed, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    agree(lives);
    for (size_t from = 0, to; from < lives->count && code == TC_OK; from = to) {
        const struct live *first = &lives->items[from];

        to = from + 1;
        while (to < lives->count && lives->items[to].place == first->place &&
               lives->items[to].duration_ms == first->duration_ms)
            to++;
        code = renew(store, first, to - from, now_ms, renewed, err);
    }
    return code;
}

static enum tc_code extend(struct sqlite_store *store, const struct tc_renewal *renewals,
                           size_t count, struct lives *lives, struct tc_renewed *renewed,
                           struct tc_error *err)
{
    enum tc_code code = sqlite_write(store, err);

    if (code != TC_OK)
        return code;

    int64_t now_ms = tc_clock_now_ms(store->clock);

    code = collect(store, renewals, count, renewed, lives, now_ms, err);
    if (code == TC_OK)
        code = renew_all(store, lives, now_ms, renewed, err);
    return sqlite_writer_end(store, code, err);
}

enum tc_code sqlite_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                           size_t count, struct tc_renewed *ret_renewed, struct tc_error *err)
{
    if (count == 0)
        return TC_OK;

    /* One more life than renewals: a stale one is written before it is passed over. */
    struct lives lives = { .items = malloc((count + 1) * sizeof(*lives.items)) };
    struct tc_renewed *renewed = malloc(count * sizeof(*renewed));
    enum tc_code code;

    if (lives.items && renewed) {
        code = extend(sqlite_store_of_leases(repo), renewals, count, &lives, renewed, err);
        if (code == TC_OK)
            memcpy(ret_renewed, renewed, count * sizeof(*renewed));
    } else {
        code = tc_fail(err, TC_NO_MEMORY, "sqlite: %zu renewals", count);
    }
    free(lives.items);
    free(renewed);
    return code;
}
