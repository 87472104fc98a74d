#ifndef TASKCORE_ADAPTERS_POSTGRES_TASKS_H
#define TASKCORE_ADAPTERS_POSTGRES_TASKS_H

/** @file postgres_tasks.h What the files of the task_repo half share. */

#include "adapters/postgres/postgres_internal.h"

/* --- postgres_rows.c */

#define POSTGRES_TAG_SIZE  (2 + 4 * TC_TAG_MAX) /* one tag as it is stored */
#define POSTGRES_TAGS_SIZE (TC_TAG_COUNT_MAX * POSTGRES_TAG_SIZE)

/** @return how many bytes were written, at most POSTGRES_TAG_SIZE or POSTGRES_TAGS_SIZE. */
size_t postgres_tag_write(struct tc_bytes tag, unsigned char *ret_bytes);
size_t postgres_tags_write(const struct tc_task *task, unsigned char *ret_bytes);

/* --- postgres_read.c */

/** get() on a connection, within a transaction or without. */
enum tc_code postgres_load(struct postgres_connection *connection, const struct tc_id *id,
                           struct tc_task *ret_task, struct tc_error *err) TC_MUST_CHECK;

/* --- postgres_batch.c: statements that store tasks */

struct postgres_batch {
    const struct tc_task **tasks; /**< borrowed, in the order in which they came */
    size_t count;
};

/** Whether one statement takes them all: else the caller needs a transaction. */
bool postgres_batch_is_small(const struct postgres_batch *batch);

/** Store the tasks and their ready rows. @return as postgres_run(); TC_CONFLICT: some id is
 *  taken, and nothing of the batch's present statement was stored. */
enum tc_code postgres_batch_insert(struct postgres_store *store,
                                   struct postgres_connection *connection,
                                   const struct postgres_batch *batch,
                                   struct tc_error *err) TC_MUST_CHECK;

/* --- postgres_keys.c: idempotency keys */

/** One call of insert(). */
struct postgres_insertion {
    const struct tc_creation *creations;
    size_t count;
    struct tc_inserted *inserted; /**< owned by the caller of postgres_insert() in the end */
    bool *exists;                 /**< the first id is there: nothing to store */
    const struct tc_task **tasks; /**< room for all */
};

/**
 * In the open transaction, keep the keys that are new and give their verdict to the creations
 * whose key was there before (or is in the same call twice).
 *
 * @return as postgres_run(); TC_CONFLICT: a key was forgotten in between, begin anew.
 */
enum tc_code postgres_settle_keys(struct postgres_store *store,
                                  struct postgres_connection *connection,
                                  struct postgres_insertion *insertion,
                                  struct tc_error *err) TC_MUST_CHECK;

#endif
