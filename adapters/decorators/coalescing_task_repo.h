#ifndef TASKCORE_ADAPTERS_DECORATORS_COALESCING_TASK_REPO_H
#define TASKCORE_ADAPTERS_DECORATORS_COALESCING_TASK_REPO_H

/**
 * @file coalescing_task_repo.h
 * Group commit: concurrent inserts reach the inner repository as one.
 *
 * There is no thread and no timer here. A caller that finds nothing in flight carries its
 * creation at once, in its own thread; while it is on its way the others form the next
 * group, and the first of them carries that one when the way is free. So an idle service
 * adds no wait, and a busy one shares each commit among all who wait for it.
 *
 * A group holds at most 256 creations, 1000 tasks and 4 MiB; a larger creation goes alone.
 * At most 128 groups wait: then insert() answers TC_UNAVAILABLE at once.
 *
 * Errors: TC_UNAVAILABLE and TC_UNKNOWN of the inner repository go to the whole group; after
 * any other error each caller's creations are inserted by themselves, so that one bad
 * creation answers alone. Every other method passes straight through.
 */

#include "ports/task_repo.h"

/** `inner` is borrowed until close. @return TC_OK or TC_NO_MEMORY. */
enum tc_code coalescing_task_repo_open(struct tc_task_repo *inner,
                                       struct tc_task_repo **ret_repo,
                                       struct tc_error *err) TC_MUST_CHECK;

/** No call may be in progress. The inner repository stays open. NULL is fine. */
void coalescing_task_repo_close(struct tc_task_repo *repo);

#endif
