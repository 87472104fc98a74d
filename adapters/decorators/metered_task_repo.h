#ifndef TASKCORE_ADAPTERS_DECORATORS_METERED_TASK_REPO_H
#define TASKCORE_ADAPTERS_DECORATORS_METERED_TASK_REPO_H

/**
 * @file metered_task_repo.h
 * Measures every call to the inner repository and changes nothing.
 *
 * | metric | what |
 * |---|---|
 * | `taskcore_store_seconds{op,code}`  | how long each call took (CLOCK_MONOTONIC) |
 * | `taskcore_commit_seconds`          | the same, for the writes that were applied |
 * | `taskcore_group_size{op}`          | tasks per insert |
 * | `taskcore_tasks_created_total`     | tasks stored anew |
 * | `taskcore_tasks_replayed_total`    | creations that were there before (same key) |
 * | `taskcore_tasks_changed_total{to}` | tasks cancelled, or run anew by a user |
 * | `taskcore_create_seconds`          | from the making of an id to its commit, the wait for a
 *                                        group included (the clock's milliseconds) |
 *
 * Put it between the coalescing decorator and the store to see commits and groups.
 */

#include "ports/task_repo.h"

struct tc_clock;
struct tc_metrics;

/** Everything is borrowed until close; `metrics` NULL keeps nothing.
 *  @return TC_OK or TC_NO_MEMORY. */
enum tc_code metered_task_repo_open(struct tc_task_repo *inner, struct tc_metrics *metrics,
                                    struct tc_clock *clock, struct tc_task_repo **ret_repo,
                                    struct tc_error *err) TC_MUST_CHECK;

/** The inner repository stays open. NULL is fine. */
void metered_task_repo_close(struct tc_task_repo *repo);

#endif
