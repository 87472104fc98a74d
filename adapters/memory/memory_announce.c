/*
 * Waiting tasks as a publisher sees them. There are no stored groups: each record has its own
 * time of check, in a heap, and a taker puts those together that are due and alike. The heap
 * is made with the first take(), so that a store without a publisher pays nothing for it.
 *
 * The name of a group is the number of its taking, which its records keep until they are taken
 * again or wait no more.
 */

#include "adapters/memory/memory_internal.h"

static struct memory_store *self_of(struct tc_announcement_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct memory_store, announcement_repo);
}

static struct memory_record *record_of(struct memory_heap_item *check)
{
    return TC_CONTAINER_OF(check, struct memory_record, check);
}

void memory_check_add(struct memory_store *store, struct memory_record *record)
{
    record->check.at = record->waiting_since_ms + store->announce_after_ms;
    record->check.order = record->seq;
    record->announced = 0;
    record->taken = 0;
    if (store->checking)
        memory_heap_push(&store->checks, &record->check);
}

void memory_check_now(struct memory_store *store, struct memory_record *record, int64_t now_ms)
{
    record->check.at = now_ms;
    if (store->checking)
        memory_heap_update(&store->checks, &record->check);
}

void memory_check_remove(struct memory_store *store, struct memory_record *record)
{
    if (store->checking)
        memory_heap_remove(&store->checks, &record->check);
}

static bool is_waiting(const struct memory_record *record)
{
    return (TC_STATUS_BIT(record->status) & TC_STATUS_SET_WAITING) != 0;
}

static void begin_checking(struct memory_store *store)
{
    if (store->checking)
        return;
    store->checking = true;
    for (size_t i = 0; i < store->count; i++)
        if (is_waiting(store->sorted[i]))
            memory_heap_push(&store->checks, &store->sorted[i]->check);
}

/* --- take --- */

/* What one call has put together; `lanes` are those of the groups. */
struct taking {
    struct memory_store *store;
    struct tc_announcement *groups;
    struct memory_lane *lanes[TC_ANNOUNCEMENT_GROUPS_MAX];
    size_t count;
    size_t max;
};

static bool is_alike(const struct taking *taking, size_t group,
                     const struct memory_record *record)
{
    const struct tc_announcement *at = &taking->groups[group];

    return taking->lanes[group] == record->lane && at->priority == record->priority &&
           at->times == record->announced && at->count < TC_ANNOUNCEMENT_IDS_MAX;
}

/* The group that `record` belongs to, a new one if need be; NULL: no memory. */
static struct tc_announcement *group_for(struct taking *taking,
                                         const struct memory_record *record)
{
    for (size_t i = 0; i < taking->count; i++)
        if (is_alike(taking, i, record))
            return &taking->groups[i];

    struct tc_announcement *group = &taking->groups[taking->count];
    const struct memory_lane_key *key = &record->lane->key;

    *group = (struct tc_announcement){
        .priority = record->priority,
        .place = (int64_t)(taking->store->takings + taking->count + 1),
        .times = record->announced,
        .ids = malloc(TC_ANNOUNCEMENT_IDS_MAX * sizeof(*group->ids)),
    };
    if (!group->ids)
        return NULL;
    memcpy(group->queue, key->queue->name, sizeof(group->queue));
    memcpy(group->type, key->type->name, sizeof(group->type));
    taking->lanes[taking->count++] = record->lane;
    return group;
}

static bool is_full(const struct taking *taking, const struct memory_record *record)
{
    for (size_t i = 0; i < taking->count; i++)
        if (is_alike(taking, i, record))
            return false;
    return taking->count == taking->max;
}

/* Out of the heap and into groups. @return false: no memory. */
static bool gather(struct taking *taking, int64_t now_ms)
{
    struct memory_heap *checks = &taking->store->checks;
    struct memory_heap_item *top = memory_heap_top(checks);

    while (top && top->at <= now_ms && !is_full(taking, record_of(top))) {
        struct tc_announcement *group = group_for(taking, record_of(top));

        if (!group)
            return false;
        memory_heap_remove(checks, top);
        group->ids[group->count++] = record_of(top)->id;
        top = memory_heap_top(checks);
    }
    return true;
}

/* Back into the heap: until `at` in our keeping, or untouched when `at` is negative. */
static void put_back(struct taking *taking, int64_t at)
{
    for (size_t i = 0; i < taking->count; i++)
        for (size_t j = 0; j < taking->groups[i].count; j++) {
            struct memory_record *record =
                memory_find(taking->store, &taking->groups[i].ids[j]);

            if (at >= 0) {
                record->taken = taking->groups[i].place;
                record->check.at = at;
            }
            memory_heap_push(&taking->store->checks, &record->check);
        }
}

static int64_t until_next(const struct memory_store *store, int64_t now_ms)
{
    const struct memory_heap_item *top = memory_heap_top(&store->checks);

    if (!top)
        return -1;
    return top->at > now_ms ? top->at - now_ms : 0;
}

static enum tc_code give_up(struct taking *taking, struct tc_error *err)
{
    put_back(taking, -1);
    for (size_t i = 0; i < taking->count; i++)
        tc_announcement_release(&taking->groups[i]);
    return tc_fail(err, TC_NO_MEMORY, "groups to announce");
}

static enum tc_code take(struct taking *taking, int64_t hold_ms, size_t *ret_count,
                         int64_t *ret_next_ms, struct tc_error *err)
{
    struct memory_store *store = taking->store;
    int64_t now_ms = tc_clock_now_ms(store->clock);

    begin_checking(store);
    if (!gather(taking, now_ms))
        return give_up(taking, err);
    put_back(taking, now_ms + hold_ms);
    store->takings += taking->count;
    *ret_count = taking->count;
    *ret_next_ms = until_next(store, now_ms);
    return TC_OK;
}

static enum tc_code memory_announce_take(struct tc_announcement_repo *repo, size_t max,
                                         int64_t hold_ms, struct tc_announcement *ret_groups,
                                         size_t *ret_count, int64_t *ret_next_ms,
                                         struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct taking taking = { .store = self, .groups = ret_groups, .max = max };

    memory_lock(self);

    enum tc_code code = take(&taking, hold_ms, ret_count, ret_next_ms, err);

    memory_unlock(self);
    return code;
}

/* --- announced --- */

static void settle(struct memory_store *store, struct memory_record *record,
                   const struct tc_announcement *group, bool pending, int64_t now_ms)
{
    if (!record || !is_waiting(record) || record->taken != group->place)
        return;
    record->taken = 0;
    record->announced = group->times + 1;
    record->check.at = now_ms + group->wait_ms;
    memory_heap_update(&store->checks, &record->check);
    if (pending && record->status == TC_STATUS_NEW)
        memory_move(store, record, TC_STATUS_PENDING, now_ms);
}

static enum tc_code memory_announced(struct tc_announcement_repo *repo,
                                     const struct tc_announcement *groups, size_t count,
                                     bool pending, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);

    (void)err;
    memory_lock(self);

    int64_t now_ms = tc_clock_now_ms(self->clock);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < groups[i].count; j++)
            settle(self, memory_find(self, &groups[i].ids[j]), &groups[i], pending, now_ms);
    memory_unlock(self);
    return TC_OK;
}

void memory_store_announces(struct memory_store *store, int64_t after_ms)
{
    memory_lock(store);
    store->announce_after_ms = after_ms;
    memory_unlock(store);
}

const struct tc_announcement_repo_ops memory_announcement_repo_ops = {
    .name = "memory",
    .take = memory_announce_take,
    .announced = memory_announced,
};
