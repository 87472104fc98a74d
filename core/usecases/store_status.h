#ifndef TASKCORE_CORE_USECASES_STORE_STATUS_H
#define TASKCORE_CORE_USECASES_STORE_STATUS_H

/** @file store_status.h Use cases of operators: how much waits, does storing work. */

#include "core/domain/policy.h"
#include "ports/task_repo.h"

struct tc_clock;

/** What `GET /health` says of the store. */
struct tc_store_health {
    bool up;
    int64_t latency_ms; /**< of one durable write */
};

/** Try a durable write. Blocks for it. */
struct tc_store_health tc_check_store(struct tc_task_repo *repo, struct tc_clock *clock,
                                      struct tc_error *err);

/** As task_repo.counts; the caller frees `*ret_counts`. */
enum tc_code tc_count_tasks(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                            size_t *ret_count, struct tc_error *err) TC_MUST_CHECK;

/** Forget idempotency keys older than the policy says, a bounded number. */
enum tc_code tc_forget_old_keys(struct tc_task_repo *repo, struct tc_clock *clock,
                                const struct tc_policy *policy, size_t *ret_count,
                                struct tc_error *err) TC_MUST_CHECK;

#endif
