#include "adapters/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

/* The part of the lanes that belongs to one queue, and what was taken from it. */
struct source {
    struct sqlite_lane_head *heads;
    size_t head_count;
    struct sqlite_group *lease;
    bool is_dry;
};

struct sources {
    struct source *items;
    size_t count;
};

static bool split_by_queue(const struct sqlite_lanes *lanes, struct sources *sources)
{
    *sources = (struct sources){ .items = calloc(lanes->count, sizeof(*sources->items)) };
    if (!sources->items)
        return false;
    for (size_t i = 0; i < lanes->count; i++) {
        struct sqlite_lane_head *head = &lanes->heads[i];

        if (i == 0 || strcmp(head[-1].lane.queue, head->lane.queue) != 0)
            sources->items[sources->count++].heads = head;
        sources->items[sources->count - 1].head_count++;
    }
    return true;
}

static enum tc_code open_lease(struct sqlite_store *store, const struct tc_claim *claim,
                               const char *queue, int64_t now_ms,
                               struct sqlite_group **ret_lease, struct tc_error *err)
{
    enum tc_code code = sqlite_groups_lease(store, queue, ret_lease, err);

    if (code != TC_OK)
        return code;

    struct sqlite_group *lease = *ret_lease;

    memcpy(lease->owner, claim->owner, strlen(claim->owner) + 1);
    lease->duration_ms = claim->lease_ms;
    lease->due_ms = now_ms + claim->lease_ms;
    lease->of_process = claim->of_process;
    return TC_OK;
}

/* --- taking by priority, then by age --- */

static struct sqlite_lane_head *best_head(const struct source *source)
{
    struct sqlite_lane_head *best = NULL;

    for (size_t i = 0; i < source->head_count; i++) {
        struct sqlite_lane_head *head = &source->heads[i];

        if (head->seq == 0)
            continue;
        if (!best || head->lane.rank < best->lane.rank ||
            (head->lane.rank == best->lane.rank && head->seq < best->seq))
            best = head;
    }
    return best;
}

/* Take up to `max` from one queue. */
static enum tc_code draw(struct sqlite_store *store, struct source *source, size_t max,
                         size_t *ret_taken, struct tc_error *err)
{
    size_t taken = 0;

    while (taken < max) {
        struct sqlite_lane_head *head = best_head(source);
        struct sqlite_group *group = NULL;

        if (!head) {
            source->is_dry = true;
            break;
        }

        enum tc_code code =
            sqlite_groups_find_ready(store, &head->lane, head->seq, &group, err);

        if (code != TC_OK)
            return code;
        taken += sqlite_group_move(group, source->lease, max - taken);
        if (group->left == 0)
            code = sqlite_lanes_advance(store, head, err);
        if (code != TC_OK)
            return code;
    }
    *ret_taken = taken;
    return TC_OK;
}

/* Equal shares of what is still wanted, round after round, until nothing is left. */
static enum tc_code share(struct sqlite_store *store, const struct tc_claim *claim,
                          struct sources *sources, int64_t now_ms, struct tc_error *err)
{
    size_t wanted = claim->max;
    size_t wet = sources->count;
    enum tc_code code = TC_OK;

    while (wanted > 0 && wet > 0) {
        size_t part = (wanted + wet - 1) / wet;

        wet = 0;
        for (size_t i = 0; i < sources->count && wanted > 0; i++) {
            struct source *source = &sources->items[i];
            size_t taken = 0;

            if (source->is_dry)
                continue;
            if (!source->lease)
                code = open_lease(store, claim, source->heads[0].lane.queue, now_ms,
                                  &source->lease, err);
            if (code == TC_OK)
                code = draw(store, source, part < wanted ? part : wanted, &taken, err);
            if (code != TC_OK)
                return code;
            wanted -= taken;
            wet += !source->is_dry;
            if (taken > 0)
                memcpy(store->last_queue, source->lease->lane.queue, sizeof(store->last_queue));
        }
    }
    return TC_OK;
}

static enum tc_code take_sources(struct sqlite_store *store, const struct tc_claim *claim,
                                 struct sources *sources, struct sqlite_grip *grip,
                                 struct tc_error *err)
{
    enum tc_code code = share(store, claim, sources, grip->now_ms, err);

    for (size_t i = 0; i < sources->count && code == TC_OK; i++)
        if (sources->items[i].lease)
            code = sqlite_grip_take(store, grip, sources->items[i].lease, 0, 0, err);
    return code;
}

/* An idle claim ends before a transaction begins. */
static enum tc_code claim_any(struct sqlite_store *store, const struct tc_claim *claim,
                              struct sqlite_grip *grip, struct tc_error *err)
{
    struct sqlite_lanes lanes = { 0 };
    struct sources sources = { 0 };
    enum tc_code code = sqlite_writer_lock(store, err);

    if (code != TC_OK)
        return code;
    code = sqlite_lanes_find(store, claim, &lanes, err);
    if (code != TC_OK || lanes.count == 0) {
        sqlite_writer_unlock(store);
        return code;
    }
    code = sqlite_writer_begin(store, err);
    if (code == TC_OK) {
        grip->now_ms = tc_clock_now_ms(store->clock);
        if (!split_by_queue(&lanes, &sources))
            code = tc_fail(err, TC_NO_MEMORY, "sqlite: a claim of %zu tasks", claim->max);
        else
            code = take_sources(store, claim, &sources, grip, err);
        code = sqlite_writer_end(store, code, err);
    }
    free(sources.items);
    free(lanes.heads);
    return code;
}

/* --- by id, from hints --- */

static bool is_named(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

static bool is_wanted(const struct tc_claim *claim, const struct tc_task *task)
{
    return (TC_STATUS_BIT(task->status) & TC_STATUS_SET_WAITING) != 0 &&
           is_named(claim->queues, claim->queue_count, task->queue) &&
           is_named(claim->types, claim->type_count, task->type);
}

/* One lease per queue in this claim. */
static enum tc_code lease_for(struct sqlite_store *store, const struct tc_claim *claim,
                              const char *queue, int64_t now_ms,
                              struct sqlite_group **ret_lease, struct tc_error *err)
{
    for (size_t i = 0; i < store->groups.count; i++) {
        struct sqlite_group *group = store->groups.items[i];

        if (group->is_lease && strcmp(group->lane.queue, queue) == 0) {
            *ret_lease = group;
            return TC_OK;
        }
    }
    return open_lease(store, claim, queue, now_ms, ret_lease, err);
}

static enum tc_code read_short(struct sqlite_store *store, int64_t num, struct sqlite_row *row,
                               bool *ret_found, struct tc_error *err)
{
    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_LIST_ONE_STATEMENT);

    query_bind_int(&query, 1, 0);
    query_bind_int(&query, 2, num);
    *ret_found = query_next(&query);
    if (query_is_bad(&query))
        return sqlite_fail(&store->writer, "read a task", err);
    return *ret_found ? sqlite_row_read(&query, row, err) : TC_OK;
}

static enum tc_code take_id(struct sqlite_store *store, const struct tc_claim *claim,
                            const struct tc_id *id, struct sqlite_grip *grip,
                            struct tc_error *err)
{
    struct sqlite_group *group = NULL;
    struct sqlite_group *lease = NULL;
    struct sqlite_row row;
    bool found = false;
    int64_t num = 0;
    enum tc_code code = sqlite_num_of(store, id, &num, err);

    if (code == TC_OK && num > 0)
        code = read_short(store, num, &row, &found, err);
    if (code != TC_OK || !found || !is_wanted(claim, &row.task))
        return code;

    struct sqlite_lane lane = sqlite_lane_of(&row.task);

    code = sqlite_groups_find_ready(store, &lane, row.place, &group, err);
    if (code == TC_OK && !sqlite_group_take(group, num))
        code = tc_fail(err, TC_INTERNAL, "sqlite: a waiting task is not in its group");
    if (code == TC_OK)
        code = lease_for(store, claim, row.task.queue, grip->now_ms, &lease, err);
    if (code != TC_OK)
        return code;
    sqlite_group_add(lease, num);
    return sqlite_grip_take(store, grip, lease, lease->count - 1, 0, err);
}

static enum tc_code claim_ids(struct sqlite_store *store, const struct tc_claim *claim,
                              struct sqlite_grip *grip, struct tc_error *err)
{
    enum tc_code code = sqlite_write(store, err);

    if (code != TC_OK)
        return code;
    grip->now_ms = tc_clock_now_ms(store->clock);
    for (size_t i = 0; i < claim->id_count && code == TC_OK && grip->count < claim->max; i++)
        code = take_id(store, claim, &claim->ids[i], grip, err);
    return sqlite_writer_end(store, code, err);
}

enum tc_code sqlite_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                          struct tc_task *ret_tasks, size_t *ret_count, struct tc_error *err)
{
    struct sqlite_store *store = sqlite_store_of_leases(repo);
    struct sqlite_grip grip = { .tasks = ret_tasks };
    enum tc_code code;

    if (claim->max > TC_LEASE_GROUP_MAX)
        return tc_fail(err, TC_INTERNAL, "a claim of %zu tasks", claim->max);
    code = claim->id_count > 0 ? claim_ids(store, claim, &grip, err)
                               : claim_any(store, claim, &grip, err);
    if (code != TC_OK)
        sqlite_grip_release(&grip);
    else
        *ret_count = grip.count;
    return code;
}
