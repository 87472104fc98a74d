/* The store itself: opening, the two indexes over all tasks, and moves between places. */

#include "adapters/memory/memory_internal.h"

#include <string.h>

void memory_lock(struct memory_store *store)
{
    pthread_mutex_lock(&store->mutex);
}

void memory_unlock(struct memory_store *store)
{
    pthread_mutex_unlock(&store->mutex);
}

bool memory_reserve(struct memory_store *store, size_t extra)
{
    size_t needed = store->count + extra;
    size_t capacity = store->capacity ? store->capacity : 64;

    if (needed <= store->capacity)
        return true;
    while (capacity < needed)
        capacity *= 2;

    struct memory_record **sorted =
        realloc(store->sorted, capacity * sizeof(struct memory_record *));

    if (!sorted)
        return false;
    store->sorted = sorted;
    if (!memory_heap_reserve(&store->scheduled, capacity) ||
        !memory_heap_reserve(&store->leases, capacity) ||
        !memory_heap_reserve(&store->checks, capacity))
        return false;
    store->capacity = capacity;
    return true;
}

struct memory_record *memory_find(struct memory_store *store, const struct tc_id *id)
{
    struct memory_record *record;

    HASH_FIND(hh, store->by_id, id, sizeof(*id), record);
    return record;
}

size_t memory_lower_bound(const struct memory_store *store, const struct tc_id *id, bool after)
{
    size_t low = 0;
    size_t high = store->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = tc_id_compare(&store->sorted[middle]->id, id);

        if (order < 0 || (after && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Ids rise, so that a new task nearly always belongs at the end or close to it. */
static size_t place_of_new(const struct memory_store *store, const struct tc_id *id)
{
    size_t count = store->count;

    if (count == 0 || tc_id_compare(&store->sorted[count - 1]->id, id) < 0)
        return count;
    return memory_lower_bound(store, id, false);
}

static void drop_lease(struct memory_record *record)
{
    if (--record->lease->members == 0)
        free(record->lease);
    record->lease = NULL;
}

/* Out of the place that belongs to its status. */
static void leave(struct memory_store *store, struct memory_record *record)
{
    struct tc_queue_count *count = &record->lane->key.queue->count;

    switch (record->status) {
    case TC_STATUS_NEW:
    case TC_STATUS_PENDING:
        memory_ready_remove(&store->ready, record);
        memory_check_remove(store, record);
        break;
    case TC_STATUS_SCHEDULED:
        memory_heap_remove(&store->scheduled, &record->due);
        count->scheduled--;
        break;
    case TC_STATUS_PROCESSING:
        memory_heap_remove(&store->leases, &record->due);
        drop_lease(record);
        count->processing--;
        break;
    case TC_STATUS_FAILED:
        count->failed--;
        break;
    default:
        break;
    }
}

/* Into the place that belongs to its status; memory_grant() does it for PROCESSING. */
static void enter(struct memory_store *store, struct memory_record *record, int64_t now_ms)
{
    struct tc_queue_count *count = &record->lane->key.queue->count;

    switch (record->status) {
    case TC_STATUS_NEW:
    case TC_STATUS_PENDING:
        record->waiting_since_ms = now_ms;
        memory_ready_add(&store->ready, record);
        memory_check_add(store, record);
        break;
    case TC_STATUS_SCHEDULED:
        record->due.at = record->run_at_ms;
        record->due.order = ++store->ready.seq;
        memory_heap_push(&store->scheduled, &record->due);
        count->scheduled++;
        break;
    case TC_STATUS_FAILED:
        count->failed++;
        break;
    default:
        break;
    }
}

bool memory_add(struct memory_store *store, struct memory_record *record)
{
    size_t place = place_of_new(store, &record->id);
    size_t behind = store->count - place;

    HASH_ADD(hh, store->by_id, id, sizeof(record->id), record);
    if (!record->hh.tbl)
        return false;
    if (behind > 0)
        memmove(&store->sorted[place + 1], &store->sorted[place],
                behind * sizeof(struct memory_record *));
    store->sorted[place] = record;
    store->count++;
    enter(store, record, record->created_at_ms);
    return true;
}

void memory_remove(struct memory_store *store, struct memory_record *record)
{
    size_t place = memory_lower_bound(store, &record->id, false);

    leave(store, record);
    HASH_DEL(store->by_id, record);
    store->count--;
    memmove(&store->sorted[place], &store->sorted[place + 1],
            (store->count - place) * sizeof(struct memory_record *));
}

static bool is_waiting(enum tc_status status)
{
    return (TC_STATUS_BIT(status) & TC_STATUS_SET_WAITING) != 0;
}

void memory_move(struct memory_store *store, struct memory_record *record, enum tc_status next,
                 int64_t now_ms)
{
    bool keeps_place = is_waiting(record->status) && is_waiting(next);

    if (!keeps_place)
        leave(store, record);
    record->status = next;
    record->updated_at_ms = now_ms;
    record->finished_at_ms = tc_status_is_terminal(next) ? now_ms : 0;
    if (!keeps_place)
        enter(store, record, now_ms);
}

void memory_grant(struct memory_store *store, struct memory_record *record,
                  struct memory_lease *lease, int64_t expires_at_ms)
{
    leave(store, record);
    record->status = TC_STATUS_PROCESSING;
    record->lease = lease;
    lease->members++;
    record->due.at = expires_at_ms;
    record->due.order = ++store->ready.seq;
    memory_heap_push(&store->leases, &record->due);
    record->lane->key.queue->count.processing++;
}

enum tc_code memory_store_open(struct tc_clock *clock, struct memory_store **ret_store,
                               struct tc_error *err)
{
    struct memory_store *store = calloc(1, sizeof(*store));

    if (!store)
        return tc_fail(err, TC_NO_MEMORY, "a memory store");
    if (pthread_mutex_init(&store->mutex, NULL) != 0) {
        free(store);
        return tc_fail(err, TC_INTERNAL, "no mutex for a memory store");
    }
    store->task_repo.ops = &memory_task_repo_ops;
    store->lease_repo.ops = &memory_lease_repo_ops;
    store->announcement_repo.ops = &memory_announcement_repo_ops;
    store->clock = clock;
    *ret_store = store;
    return TC_OK;
}

struct tc_task_repo *memory_store_task_repo(struct memory_store *store)
{
    return &store->task_repo;
}

struct tc_lease_repo *memory_store_lease_repo(struct memory_store *store)
{
    return &store->lease_repo;
}

struct tc_announcement_repo *memory_store_announcement_repo(struct memory_store *store)
{
    return &store->announcement_repo;
}

static void free_records(struct memory_store *store)
{
    HASH_CLEAR(hh, store->by_id);
    for (size_t i = 0; i < store->count; i++) {
        if (store->sorted[i]->lease)
            drop_lease(store->sorted[i]);
        memory_record_free(store->sorted[i]);
    }
    free(store->sorted);
}

static void free_keys(struct memory_store *store)
{
    struct memory_key *next;
    struct memory_key *key = store->keys;

    HASH_CLEAR(hh, store->keys); /* the table only: the keys stay linked to each other */
    for (; key; key = next) {
        next = key->hh.next;
        memory_key_free(key);
    }
    free(store->key_ages.items);
}

void memory_store_close(struct memory_store *store)
{
    if (!store)
        return;
    free_records(store);
    free_keys(store);
    memory_ready_free(&store->ready);
    free(store->scheduled.items);
    free(store->leases.items);
    free(store->checks.items);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}
