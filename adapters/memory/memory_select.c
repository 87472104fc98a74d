/*
 * Which waiting tasks a claim gets.
 *
 * Within a queue: by rank, then by arrival. Several queues take turns, the least recently
 * served first, so that none starves whatever waits in the others. The cost depends on what
 * the claim asks for and returns, not on how much waits: at most `max` queues are looked at
 * per type, and the rings go on from there the next time.
 */

#include "adapters/memory/memory_internal.h"

#include <string.h>

/* The head of one lane, or of a whole queue, that moves on as tasks are chosen. */
struct stream {
    struct memory_record *at;
};

struct selection {
    struct memory_store *store;
    const struct tc_claim *claim;
    struct memory_queue **queues; /* candidates */
    size_t queue_count;
    struct memory_type **types; /* those asked for that exist */
    size_t type_count;
    struct stream *streams; /* per candidate a heap of type_count (or 1) */
    size_t *stream_counts;  /* per candidate */
};

static bool any_type(const struct selection *self)
{
    return self->claim->type_count == 0;
}

static size_t streams_per_queue(const struct selection *self)
{
    return any_type(self) ? 1 : self->type_count;
}

/* Stamps keep names that are given twice from counting twice. */
static void find_types(struct selection *self)
{
    struct memory_ready *ready = &self->store->ready;

    for (size_t i = 0; i < self->claim->type_count; i++) {
        struct memory_type *type;

        HASH_FIND_STR(ready->types, self->claim->types[i], type);
        if (!type || type->stamp == ready->stamp)
            continue;
        type->stamp = ready->stamp;
        self->types[self->type_count++] = type;
    }
}

static void add_queue(struct selection *self, struct memory_queue *queue)
{
    if (!queue || queue->stamp == self->store->ready.stamp)
        return;
    queue->stamp = self->store->ready.stamp;
    self->queues[self->queue_count++] = queue;
}

static void add_named_queues(struct selection *self)
{
    for (size_t i = 0; i < self->claim->queue_count; i++) {
        struct memory_queue *queue;

        HASH_FIND_STR(self->store->ready.queues, self->claim->queues[i], queue);
        add_queue(self, queue);
    }
}

static void add_queues_of_type(struct selection *self, struct memory_type *type)
{
    struct memory_lane *lane = type->lanes;

    for (size_t i = 0; lane && i < self->claim->max; i++) {
        add_queue(self, lane->key.queue);
        lane = lane->next;
        if (lane == type->lanes)
            return;
    }
    type->lanes = lane;
}

static void add_any_queues(struct selection *self)
{
    struct memory_ready *ready = &self->store->ready;
    struct memory_queue *queue = ready->ring;

    for (size_t i = 0; queue && i < self->claim->max; i++) {
        add_queue(self, queue);
        queue = queue->next;
        if (queue == ready->ring)
            return;
    }
    ready->ring = queue;
}

static int compare_served(const void *a, const void *b)
{
    const struct memory_queue *const *first = a;
    const struct memory_queue *const *second = b;

    return ((*first)->served > (*second)->served) - ((*first)->served < (*second)->served);
}

static void choose_queues(struct selection *self)
{
    if (self->claim->queue_count > 0 || self->claim->id_count > 0)
        add_named_queues(self);
    else if (any_type(self))
        add_any_queues(self);
    else
        for (size_t i = 0; i < self->type_count; i++)
            add_queues_of_type(self, self->types[i]);
    qsort(self->queues, self->queue_count, sizeof(*self->queues), compare_served);
    /* In one turn each, more than `max` queues could not be served. */
    if (self->claim->queue_count == 0 && self->queue_count > self->claim->max)
        self->queue_count = self->claim->max;
}

static void sink(struct stream *heap, size_t count, size_t index)
{
    struct stream moving = heap[index];

    for (;;) {
        size_t child = 2 * index + 1;

        if (child + 1 < count && memory_ready_is_before(heap[child + 1].at, heap[child].at))
            child++;
        if (child >= count || !memory_ready_is_before(heap[child].at, moving.at))
            break;
        heap[index] = heap[child];
        index = child;
    }
    heap[index] = moving;
}

static size_t open_streams(struct selection *self, struct memory_queue *queue,
                           struct stream *heap)
{
    size_t count = 0;

    if (any_type(self)) {
        heap[0].at = memory_ready_head(queue->waiting);
        return heap[0].at ? 1 : 0;
    }
    for (size_t i = 0; i < self->type_count; i++) {
        const struct memory_lane *lane =
            memory_lane_find(&self->store->ready, queue, self->types[i]);
        struct memory_record *head = lane ? memory_ready_head(lane->waiting) : NULL;

        if (head)
            heap[count++].at = head;
    }
    for (size_t i = count / 2; i > 0; i--)
        sink(heap, count, i - 1);
    return count;
}

static struct memory_record *take_first(const struct selection *self, struct stream *heap,
                                        size_t *count)
{
    struct memory_record *record = heap[0].at;

    heap[0].at = memory_ready_next(record, any_type(self));
    if (!heap[0].at)
        heap[0] = heap[--*count];
    if (*count > 0)
        sink(heap, *count, 0);
    return record;
}

/* One task of each queue in turn, until there is enough or nothing is left. */
static size_t take_turns(struct selection *self, struct memory_record **ret_records)
{
    size_t width = streams_per_queue(self);
    size_t count = 0;
    bool found = true;

    while (found && count < self->claim->max) {
        found = false;
        for (size_t i = 0; i < self->queue_count && count < self->claim->max; i++) {
            if (self->stream_counts[i] == 0)
                continue;
            ret_records[count++] =
                take_first(self, &self->streams[i * width], &self->stream_counts[i]);
            self->queues[i]->served = ++self->store->ready.served;
            found = true;
        }
    }
    return count;
}

static size_t select_any(struct selection *self, struct memory_record **ret_records)
{
    size_t width = streams_per_queue(self);

    for (size_t i = 0; i < self->queue_count; i++)
        self->stream_counts[i] = open_streams(self, self->queues[i], &self->streams[i * width]);
    return take_turns(self, ret_records);
}

static int compare_ready(const void *a, const void *b)
{
    const struct memory_record *const *first = a;
    const struct memory_record *const *second = b;

    if (*first == *second)
        return 0;
    return memory_ready_is_before(*first, *second) ? -1 : 1;
}

static bool is_asked_for(const struct selection *self, const struct memory_record *record)
{
    const struct memory_lane_key *key = &record->lane->key;
    uint64_t stamp = self->store->ready.stamp;

    return (TC_STATUS_BIT(record->status) & TC_STATUS_SET_WAITING) != 0 &&
           (self->claim->queue_count == 0 || key->queue->stamp == stamp) &&
           (any_type(self) || key->type->stamp == stamp);
}

static enum tc_code select_by_id(struct selection *self, struct memory_record **ret_records,
                                 size_t *ret_count, struct tc_error *err)
{
    size_t id_count = self->claim->id_count;
    struct memory_record **found = malloc(id_count * sizeof(struct memory_record *));
    size_t found_count = 0;
    size_t count = 0;

    if (!found)
        return tc_fail(err, TC_NO_MEMORY, "claim of %zu ids", id_count);
    for (size_t i = 0; i < id_count; i++) {
        struct memory_record *record = memory_find(self->store, &self->claim->ids[i]);

        if (record && is_asked_for(self, record))
            found[found_count++] = record;
    }
    qsort(found, found_count, sizeof(*found), compare_ready);
    for (size_t i = 0; i < found_count && count < self->claim->max; i++)
        if (i == 0 || found[i] != found[i - 1])
            ret_records[count++] = found[i];
    free(found);
    *ret_count = count;
    return TC_OK;
}

static bool make_room(struct selection *self)
{
    const struct tc_claim *claim = self->claim;
    size_t ring_count = self->store->ready.ring_count;
    size_t width = any_type(self) ? 1 : claim->type_count;
    size_t queue_max = claim->max * width < ring_count ? claim->max * width : ring_count;

    if (claim->queue_count > 0)
        queue_max = claim->queue_count;

    self->types = calloc(width, sizeof(struct memory_type *));
    self->queues = calloc(queue_max + 1, sizeof(struct memory_queue *));
    return self->types && self->queues;
}

static bool make_streams(struct selection *self)
{
    size_t count = self->queue_count + 1;

    self->streams = calloc(count * (streams_per_queue(self) + 1), sizeof(*self->streams));
    self->stream_counts = calloc(count, sizeof(*self->stream_counts));
    return self->streams && self->stream_counts;
}

enum tc_code memory_select(struct memory_store *store, const struct tc_claim *claim,
                           struct memory_record **ret_records, size_t *ret_count,
                           struct tc_error *err)
{
    struct selection self = { .store = store, .claim = claim };
    enum tc_code code = TC_NO_MEMORY;

    *ret_count = 0;
    if (store->ready.ring_count == 0)
        return TC_OK;
    store->ready.stamp++;
    if (make_room(&self)) {
        find_types(&self);
        choose_queues(&self);
        if (claim->id_count > 0) {
            code = select_by_id(&self, ret_records, ret_count, err);
        } else if (make_streams(&self)) {
            *ret_count = select_any(&self, ret_records);
            code = TC_OK;
        }
    }
    free(self.types);
    free(self.queues);
    free(self.streams);
    free(self.stream_counts);
    return code == TC_NO_MEMORY ? tc_fail(err, code, "a claim of %zu tasks", claim->max) : code;
}
