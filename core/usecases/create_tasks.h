#ifndef TASKCORE_CORE_USECASES_CREATE_TASKS_H
#define TASKCORE_CORE_USECASES_CREATE_TASKS_H

/** @file create_tasks.h Use case: a client hands over work, one task or a batch. */

#include "core/domain/task_spec.h"
#include "ports/task_repo.h"

struct tc_ids;
struct tc_task_queue;

/** Ports this use case needs. Borrowed; all required. */
struct tc_create_tasks_ports {
    struct tc_task_repo *repo;
    struct tc_task_queue *queue;
    struct tc_ids *ids;
    const struct tc_policy *policy;
};

/**
 * Write the answer that the client will get, from the tasks as they are about to be stored.
 * Called once, before the insert. malloc'ed text into `ret_answer`; the use case takes it.
 */
typedef enum tc_code tc_write_answer_fn(void *ctx, const struct tc_task *tasks, size_t count,
                                        char **ret_answer, size_t *ret_len,
                                        struct tc_error *err);

struct tc_create_tasks_input {
    const struct tc_task_spec *specs; /**< already validated by tc_task_spec_validate() */
    size_t count;                     /**< 1..TC_CREATION_TASKS_MAX */
    const char *key;                  /**< idempotency key, tc_key_is_valid(); NULL: none */
    unsigned char request_hash[TC_REQUEST_HASH_SIZE];
    tc_write_answer_fn *write_answer; /**< NULL: no answer is wanted */
    void *write_answer_ctx;
};

/** Release with tc_create_tasks_result_release(). */
struct tc_create_tasks_result {
    enum tc_insert_verdict verdict; /**< CREATED; EXISTING: a replay; MISMATCH: the key is
                                         taken by another request, nothing else is filled */
    struct tc_id first_id;
    char *answer; /**< owned; CREATED: as written now, EXISTING: as written the first time */
    size_t answer_len;
};

void tc_create_tasks_result_release(struct tc_create_tasks_result *result);

/**
 * Store the tasks, all or nothing, then tell the queue.
 *
 * TC_OK means durable, whether or not the hint went through. A lost answer of the store is
 * settled by inserting the same ids again, twice at most.
 *
 * @return TC_OK; TC_UNAVAILABLE (nothing stored); TC_UNKNOWN (the tasks may exist);
 *         TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code tc_create_tasks(const struct tc_create_tasks_ports *ports,
                             const struct tc_create_tasks_input *input,
                             struct tc_create_tasks_result *ret_result,
                             struct tc_error *err) TC_MUST_CHECK;

#endif
