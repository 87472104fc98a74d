#ifndef TASKCORE_ADAPTERS_MEMORY_MEMORY_INTERNAL_H
#define TASKCORE_ADAPTERS_MEMORY_MEMORY_INTERNAL_H

/**
 * @file memory_internal.h
 * How the memory store keeps its tasks. Private to adapters/memory/.
 *
 * A task is one `memory_record`, found by id through a hash and in key order through a sorted
 * array. By its status it stands in one more place: waiting ones in first-in-first-out lists,
 * scheduled ones in a heap by due time, leased ones in a heap by the lease's end. Room in the
 * heaps is made when a task is inserted, so that no later step can fail for want of it.
 *
 * Every function here expects the caller to hold the store's mutex, unless it says otherwise.
 */

#include "adapters/memory/memory_store.h"

#include "core/domain/container_of.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Want of memory must be answered, not end the program: an element that could not be added
 * has hh.tbl NULL. */
#define HASH_NONFATAL_OOM                 1
#define HASH_FUNCTION(key, len, ret_hash) ((ret_hash) = memory_hash(key, len))

#define MEMORY_HASH_FACTOR UINT64_C(0x9E3779B97F4A7C15) /* 2^64 by the golden ratio */

/** Multiply and fold. A product carries nothing downwards and the table takes the low bits, so
 *  the high half is folded in after each step and is what is returned in the end. */
static inline unsigned memory_hash(const void *key, size_t len)
{
    const unsigned char *at = key;
    uint64_t hash = len;

    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        at += sizeof(word);
        hash = (hash ^ word) * MEMORY_HASH_FACTOR;
        hash ^= hash >> 32;
    }
    for (; len > 0; len--) {
        hash = (hash ^ *at++) * MEMORY_HASH_FACTOR;
        hash ^= hash >> 32;
    }
    return (unsigned)(hash * MEMORY_HASH_FACTOR >> 32);
}

#include <uthash.h>

#define MEMORY_RANKS (TC_PRIORITY_MAX + 1) /* rank = 10 - priority: smaller goes first */

/* --- heap: smallest `at` first, then smallest `order` --- */

struct memory_heap_item {
    int64_t at;
    uint64_t order;
    size_t index;
};

struct memory_heap {
    struct memory_heap_item **items;
    size_t count;
    size_t capacity;
};

/** @return false when there is no memory; the heap is as before. */
bool memory_heap_reserve(struct memory_heap *heap, size_t capacity);
void memory_heap_push(struct memory_heap *heap, struct memory_heap_item *item);
void memory_heap_remove(struct memory_heap *heap, struct memory_heap_item *item);
/** After `item->at` has been changed. */
void memory_heap_update(struct memory_heap *heap, struct memory_heap_item *item);
/** The first, or NULL. */
struct memory_heap_item *memory_heap_top(const struct memory_heap *heap);

/* --- records --- */

/** Bytes that change as a whole: a result, a progress, an error's message. */
struct memory_blob {
    size_t len;
    unsigned char bytes[];
};

/** One claim's lease, shared by its tasks; each task has its own end. */
struct memory_lease {
    size_t members;
    int64_t duration_ms;
    bool rescue; /* by take_ended: the attempt is not counted */
    char owner[TC_OWNER_MAX + 1];
};

struct memory_queue;
struct memory_type;
struct memory_lane;
struct memory_store;

struct memory_record {
    UT_hash_handle hh;
    struct tc_id id;
    struct memory_lane *lane;                      /* its queue and type */
    struct memory_record *lane_prev, *lane_next;   /* while waiting */
    struct memory_record *queue_prev, *queue_next; /* while waiting */
    uint64_t seq;                                  /* while waiting: the order of arrival */
    int64_t waiting_since_ms;                      /* while waiting */
    struct memory_heap_item check; /* while waiting: when a publisher looks after it */
    int64_t taken;                 /* while waiting: the publisher's group; 0: none */
    int announced;                 /* while waiting: how often */
    struct memory_heap_item due;   /* scheduled: run_at; processing: the lease's end */
    struct memory_lease *lease;    /* while processing */
    struct memory_blob *result;
    struct memory_blob *progress;
    struct memory_blob *error_message;
    int64_t epoch;
    int64_t created_at_ms;
    int64_t updated_at_ms;
    int64_t run_at_ms;
    int64_t timeout_ms;
    int64_t started_at_ms;
    int64_t finished_at_ms;
    int64_t error_at_ms;
    int attempt;
    int max_attempts;
    int crashes;
    int max_crashes;
    int error_attempt;
    enum tc_status status;
    enum tc_reason error_reason;
    enum tc_content_kind payload_kind;
    enum tc_content_kind result_kind;
    enum tc_outcome_kind last_outcome; /* applied at this epoch; 0: none */
    int priority;
    bool titled;
    unsigned char tag_count;
    unsigned char traceparent_len;
    uint16_t tag_lens[TC_TAG_COUNT_MAX];
    size_t payload_len;
    unsigned char given[]; /* payload, tags, traceparent: what never changes */
};

/** A record of `task`, outside the store as yet. No mutex needed. NULL: no memory. */
struct memory_record *memory_record_new(const struct tc_task *task);

/** NULL is fine. */
void memory_record_free(struct memory_record *record);

/** The task that a record is; it borrows the record's bytes. */
void memory_record_view(const struct memory_record *record, struct tc_task *ret_view);

/** A copy of `bytes`; NULL: no memory. No mutex needed. */
struct memory_blob *memory_blob_new(struct tc_bytes bytes);

/** The bytes of a blob, borrowed; NULL is empty. */
struct tc_bytes memory_blob_bytes(const struct memory_blob *blob);

/** Put `*blob` into `*place` and the former one into `*blob`, which the caller frees. */
void memory_blob_swap(struct memory_blob **place, struct memory_blob **blob);

/* --- where tasks wait --- */

struct memory_queue {
    UT_hash_handle hh;
    char name[TC_NAME_MAX + 1];
    struct memory_record *waiting[MEMORY_RANKS]; /* of any type, in order of arrival */
    struct memory_queue *prev, *next; /* the ring of queues in which something waits */
    uint64_t served; /* when a claim last took from it: the least recent goes first */
    uint64_t stamp;  /* the claim that last asked for it */
    struct tc_queue_count count; /* but for name and oldest_waiting_ms */
};

struct memory_type {
    UT_hash_handle hh;
    char name[TC_NAME_MAX + 1];
    struct memory_lane *lanes; /* the ring of its lanes in which something waits */
    uint64_t stamp;
};

/** The tasks of one queue and one type. */
struct memory_lane {
    UT_hash_handle hh;
    struct memory_lane_key {
        struct memory_queue *queue;
        struct memory_type *type;
    } key;
    struct memory_record *waiting[MEMORY_RANKS];
    size_t waiting_count;
    struct memory_lane *prev, *next;
    uint64_t stamp;
};

struct memory_ready {
    struct memory_queue *queues; /* hash by name */
    struct memory_type *types;   /* hash by name */
    struct memory_lane *lanes;   /* hash by key */
    struct memory_queue *ring;   /* queues in which something waits */
    size_t ring_count;
    uint64_t seq;
    uint64_t stamp;
    uint64_t served;
};

/** The lane of these names, made when missing. NULL: no memory. */
struct memory_lane *memory_lane_intern(struct memory_ready *ready, const char *queue,
                                       const char *type);
/** The lane, or NULL. */
struct memory_lane *memory_lane_find(const struct memory_ready *ready,
                                     struct memory_queue *queue, struct memory_type *type);
void memory_ready_add(struct memory_ready *ready, struct memory_record *record);
void memory_ready_remove(struct memory_ready *ready, struct memory_record *record);
/** The first of all ranks, or NULL. */
struct memory_record *memory_ready_head(struct memory_record *const waiting[MEMORY_RANKS]);
/** The one behind `record` in its lane (`any_type`: in its queue), or NULL. */
struct memory_record *memory_ready_next(const struct memory_record *record, bool any_type);
/** By priority, then by arrival. */
bool memory_ready_is_before(const struct memory_record *a, const struct memory_record *b);
/** Since when the oldest has been waiting; 0: nothing waits. */
int64_t memory_queue_oldest_ms(const struct memory_queue *queue);
void memory_ready_free(struct memory_ready *ready);

/* --- what a publisher looks after --- */

/** A record that has begun to wait; there is room for it. */
void memory_check_add(struct memory_store *store, struct memory_record *record);
/** A record that waits: look after it at once. */
void memory_check_now(struct memory_store *store, struct memory_record *record, int64_t now_ms);
/** A record that waits no more. */
void memory_check_remove(struct memory_store *store, struct memory_record *record);

/* --- idempotency keys --- */

struct memory_key {
    UT_hash_handle hh;
    struct memory_heap_item made;
    struct tc_id first_id;
    unsigned char request_hash[TC_REQUEST_HASH_SIZE];
    struct memory_blob *answer;
    char text[TC_KEY_MAX + 1];
};

/** The key that a creation brings. No mutex needed. NULL: no memory. */
struct memory_key *memory_key_new(const struct tc_creation *creation);
/** NULL is fine. */
void memory_key_free(struct memory_key *key);
/** The key with this text, or NULL. */
struct memory_key *memory_key_find(const struct memory_store *store, const char *text);
/** @return false when there is no memory; then nothing has changed. */
bool memory_key_add(struct memory_store *store, struct memory_key *key, int64_t now_ms);
/** Take a key out of the store; the caller frees it. */
void memory_key_remove(struct memory_store *store, struct memory_key *key);

/* --- the store --- */

struct memory_store {
    struct tc_task_repo task_repo;
    struct tc_lease_repo lease_repo;
    struct tc_announcement_repo announcement_repo;
    struct tc_clock *clock;
    pthread_mutex_t mutex;
    struct memory_record *by_id;   /* hash */
    struct memory_record **sorted; /* by id */
    size_t count;
    size_t capacity; /* of `sorted` and of the heaps */
    struct memory_heap scheduled;
    struct memory_heap leases;
    struct memory_heap checks; /* of what waits; empty unless `checking` */
    bool checking;
    int64_t announce_after_ms;
    uint64_t takings; /* groups that publishers have taken */
    struct memory_ready ready;
    struct memory_key *keys; /* hash */
    struct memory_heap key_ages;
};

extern const struct tc_task_repo_ops memory_task_repo_ops;
extern const struct tc_lease_repo_ops memory_lease_repo_ops;
extern const struct tc_announcement_repo_ops memory_announcement_repo_ops;

void memory_lock(struct memory_store *store);
void memory_unlock(struct memory_store *store);

/** Room for `extra` more records in every place. @return false: no memory. */
bool memory_reserve(struct memory_store *store, size_t extra);

/** The record with this id, or NULL. */
struct memory_record *memory_find(struct memory_store *store, const struct tc_id *id);

/** The first place in `sorted` whose id is not below (`after`: is above) `id`. */
size_t memory_lower_bound(const struct memory_store *store, const struct tc_id *id, bool after);

/** Put a record into a store that has reserved room for it. @return false: no memory. */
bool memory_add(struct memory_store *store, struct memory_record *record);

/** Take a record out of the store; the caller frees it. */
void memory_remove(struct memory_store *store, struct memory_record *record);

/** Move to `next`, which is not PROCESSING, and to the place that belongs to it. */
void memory_move(struct memory_store *store, struct memory_record *record, enum tc_status next,
                 int64_t now_ms);

/** Give the record, which may be leased, to `lease` until `expires_at_ms`. */
void memory_grant(struct memory_store *store, struct memory_record *record,
                  struct memory_lease *lease, int64_t expires_at_ms);

/** Deep copy of the task that a record is. @return TC_OK or TC_NO_MEMORY. */
enum tc_code memory_copy_out(const struct memory_record *record, struct tc_task *ret_task,
                             struct tc_error *err);

/** Bring a copy made by memory_copy_out() up to date after a step that kept or cleared its
 *  bytes, so that steps are taken when nothing can fail any more. */
void memory_refresh(const struct memory_record *record, struct tc_task *copy);

/* Methods with a file of their own. */
enum tc_code memory_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted,
                           struct tc_error *err);
enum tc_code memory_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                         struct tc_task_page *ret_page, struct tc_error *err);

enum tc_code memory_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                           size_t count, struct tc_renewed *ret_renewed, struct tc_error *err);
enum tc_code memory_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                           size_t count, struct tc_verdict *ret_verdicts, struct tc_error *err);

/**
 * Choose waiting tasks for a claim, without moving them: `ret_records` has room for
 * `claim->max`. @return TC_OK or TC_NO_MEMORY.
 */
enum tc_code memory_select(struct memory_store *store, const struct tc_claim *claim,
                           struct memory_record **ret_records, size_t *ret_count,
                           struct tc_error *err);

#endif
