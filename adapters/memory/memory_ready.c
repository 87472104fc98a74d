/* Where tasks wait: first in, first out, per queue and per lane (queue and type), by rank. */

#include "adapters/memory/memory_internal.h"

#include <string.h>
#include <utlist.h>

static struct memory_queue *intern_queue(struct memory_ready *ready, const char *name)
{
    struct memory_queue *queue;

    HASH_FIND_STR(ready->queues, name, queue);
    if (queue)
        return queue;
    queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    memcpy(queue->name, name, strlen(name));
    queue->served = ++ready->served;
    HASH_ADD_STR(ready->queues, name, queue);
    if (!queue->hh.tbl) {
        free(queue);
        return NULL;
    }
    return queue;
}

static struct memory_type *intern_type(struct memory_ready *ready, const char *name)
{
    struct memory_type *type;

    HASH_FIND_STR(ready->types, name, type);
    if (type)
        return type;
    type = calloc(1, sizeof(*type));
    if (!type)
        return NULL;
    memcpy(type->name, name, strlen(name));
    HASH_ADD_STR(ready->types, name, type);
    if (!type->hh.tbl) {
        free(type);
        return NULL;
    }
    return type;
}

struct memory_lane *memory_lane_find(const struct memory_ready *ready,
                                     struct memory_queue *queue, struct memory_type *type)
{
    const struct memory_lane_key key = { queue, type };
    struct memory_lane *lane;

    HASH_FIND(hh, ready->lanes, &key, sizeof(key), lane);
    return lane;
}

struct memory_lane *memory_lane_intern(struct memory_ready *ready, const char *queue_name,
                                       const char *type_name)
{
    struct memory_queue *queue = intern_queue(ready, queue_name);
    struct memory_type *type = queue ? intern_type(ready, type_name) : NULL;
    struct memory_lane *lane = type ? memory_lane_find(ready, queue, type) : NULL;

    if (lane || !type)
        return lane;
    lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    lane->key = (struct memory_lane_key){ queue, type };
    HASH_ADD(hh, ready->lanes, key, sizeof(lane->key), lane);
    if (!lane->hh.tbl) {
        free(lane);
        return NULL;
    }
    return lane;
}

static size_t rank_of(const struct memory_record *record)
{
    return (size_t)(TC_PRIORITY_MAX - record->priority);
}

void memory_ready_add(struct memory_ready *ready, struct memory_record *record)
{
    struct memory_lane *lane = record->lane;
    struct memory_queue *queue = lane->key.queue;
    struct memory_type *type = lane->key.type;
    size_t rank = rank_of(record);

    record->seq = ++ready->seq;
    DL_APPEND2(lane->waiting[rank], record, lane_prev, lane_next);
    DL_APPEND2(queue->waiting[rank], record, queue_prev, queue_next);
    if (lane->waiting_count++ == 0)
        CDL_APPEND2(type->lanes, lane, prev, next);
    if (queue->count.waiting++ == 0) {
        CDL_APPEND2(ready->ring, queue, prev, next);
        ready->ring_count++;
    }
}

void memory_ready_remove(struct memory_ready *ready, struct memory_record *record)
{
    struct memory_lane *lane = record->lane;
    struct memory_queue *queue = lane->key.queue;
    struct memory_type *type = lane->key.type;
    size_t rank = rank_of(record);

    DL_DELETE2(lane->waiting[rank], record, lane_prev, lane_next);
    DL_DELETE2(queue->waiting[rank], record, queue_prev, queue_next);
    if (--lane->waiting_count == 0)
        CDL_DELETE2(type->lanes, lane, prev, next);
    if (--queue->count.waiting == 0) {
        CDL_DELETE2(ready->ring, queue, prev, next);
        ready->ring_count--;
    }
}

struct memory_record *memory_ready_head(struct memory_record *const waiting[MEMORY_RANKS])
{
    for (size_t rank = 0; rank < MEMORY_RANKS; rank++)
        if (waiting[rank])
            return waiting[rank];
    return NULL;
}

struct memory_record *memory_ready_next(const struct memory_record *record, bool any_type)
{
    const struct memory_lane *lane = record->lane;
    struct memory_record *const *waiting = any_type ? lane->key.queue->waiting : lane->waiting;
    struct memory_record *next = any_type ? record->queue_next : record->lane_next;

    for (size_t rank = rank_of(record) + 1; !next && rank < MEMORY_RANKS; rank++)
        next = waiting[rank];
    return next;
}

bool memory_ready_is_before(const struct memory_record *a, const struct memory_record *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->seq < b->seq;
}

int64_t memory_queue_oldest_ms(const struct memory_queue *queue)
{
    int64_t oldest_ms = 0;

    for (size_t rank = 0; rank < MEMORY_RANKS; rank++) {
        const struct memory_record *head = queue->waiting[rank];

        if (head && (oldest_ms == 0 || head->waiting_since_ms < oldest_ms))
            oldest_ms = head->waiting_since_ms;
    }
    return oldest_ms;
}

/* HASH_CLEAR frees the table only; the elements stay linked to each other. */
static void free_lanes(struct memory_lane *first)
{
    struct memory_lane *next;

    for (struct memory_lane *lane = first; lane; lane = next) {
        next = lane->hh.next;
        free(lane);
    }
}

static void free_types(struct memory_type *first)
{
    struct memory_type *next;

    for (struct memory_type *type = first; type; type = next) {
        next = type->hh.next;
        free(type);
    }
}

static void free_queues(struct memory_queue *first)
{
    struct memory_queue *next;

    for (struct memory_queue *queue = first; queue; queue = next) {
        next = queue->hh.next;
        free(queue);
    }
}

void memory_ready_free(struct memory_ready *ready)
{
    struct memory_lane *lanes = ready->lanes;
    struct memory_type *types = ready->types;
    struct memory_queue *queues = ready->queues;

    HASH_CLEAR(hh, ready->lanes);
    HASH_CLEAR(hh, ready->types);
    HASH_CLEAR(hh, ready->queues);
    free_lanes(lanes);
    free_types(types);
    free_queues(queues);
}
