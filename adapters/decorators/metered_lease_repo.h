#ifndef TASKCORE_ADAPTERS_DECORATORS_METERED_LEASE_REPO_H
#define TASKCORE_ADAPTERS_DECORATORS_METERED_LEASE_REPO_H

/**
 * @file metered_lease_repo.h
 * Measures every call to the inner repository and changes nothing.
 *
 * | metric | what |
 * |---|---|
 * | `taskcore_store_seconds{op,code}`          | how long each call took (CLOCK_MONOTONIC) |
 * | `taskcore_commit_seconds`                  | the same, for the writes that were applied |
 * | `taskcore_group_size{op}`                  | tasks per claim, extend and finish |
 * | `taskcore_tasks_claimed_total`             | tasks leased |
 * | `taskcore_tasks_finished_total{outcome}`   | runs that ended: done, again, failed, released
 * | | `taskcore_tasks_retried_total`             | of these, attempts that failed and come
 * again | | `taskcore_tasks_rescued_total`             | tasks taken over from ended leases |
 * | `taskcore_tasks_woken_total`               | scheduled tasks that became due |
 * | `taskcore_stale_verdicts_total{reason}`    | words that came too late: finish, heartbeat |
 * | `taskcore_wait_seconds`                    | from due to claimed |
 */

#include "ports/lease_repo.h"

struct tc_clock;
struct tc_metrics;

/** Everything is borrowed until close; `metrics` NULL keeps nothing.
 *  @return TC_OK or TC_NO_MEMORY. */
enum tc_code metered_lease_repo_open(struct tc_lease_repo *inner, struct tc_metrics *metrics,
                                     struct tc_clock *clock, struct tc_lease_repo **ret_repo,
                                     struct tc_error *err) TC_MUST_CHECK;

/** The inner repository stays open. NULL is fine. */
void metered_lease_repo_close(struct tc_lease_repo *repo);

#endif
