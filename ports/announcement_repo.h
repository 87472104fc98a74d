#ifndef TASKCORE_PORTS_ANNOUNCEMENT_REPO_H
#define TASKCORE_PORTS_ANNOUNCEMENT_REPO_H

/**
 * @file announcement_repo.h
 * Port: waiting tasks as a publisher sees them, that is what the queue has to be told, and
 * told again when nobody came.
 *
 * Only stores that work with a broker implement it (postgres; memory, for tests). Tasks wait
 * in groups of one queue, type and priority, and each group has a time at which somebody has
 * to look after it: at once where a publisher announces what was created, some seconds later
 * where the creator has told the queue itself. Tasks that were woken are looked after at once
 * in any case, because nobody knows which they are but the store. The numbered promises are
 * tests of tests/conformance/announcement_repo_suite.c.
 *
 * Threads, blocking, errors, lifetime: as in task_repo.h.
 */

#include "core/domain/task.h"

#define TC_ANNOUNCEMENT_GROUPS_MAX 64
#define TC_ANNOUNCEMENT_IDS_MAX    256

struct tc_announcement_repo;

/** A group of waiting tasks. Release with tc_announcement_release(). */
struct tc_announcement {
    char queue[TC_NAME_MAX + 1];
    char type[TC_NAME_MAX + 1];
    int priority;
    int64_t place;     /**< the store's own name for the group; give it back as it came */
    int times;         /**< how often it has been announced before */
    struct tc_id *ids; /**< 1..TC_ANNOUNCEMENT_IDS_MAX tasks that wait; owned */
    size_t count;
    int64_t wait_ms; /**< to be filled before announced(): when to look after it again */
};

void tc_announcement_release(struct tc_announcement *announcement);

struct tc_announcement_repo_ops {
    const char *name;

    /**
     * Take up to `max` (1..TC_ANNOUNCEMENT_GROUPS_MAX) groups that are due, the longest due
     * first, for `hold_ms`. On TC_OK `ret_groups[0..*ret_count)` are the caller's to release;
     * `*ret_next_ms`: how long until the next group is due (0: now; -1: none is).
     *
     * [A1] Every waiting task is in some group until it has been claimed or has ended, so
     *      that losing the whole queue loses no task. Ids that do not wait any more are
     *      dropped from the group, and a group without ids is gone.
     * [A2] Two takers do not get the same group at the same time; a group that was taken and
     *      not announced is due again after `hold_ms`.
     */
    enum tc_code (*take)(struct tc_announcement_repo *repo, size_t max, int64_t hold_ms,
                         struct tc_announcement *ret_groups, size_t *ret_count,
                         int64_t *ret_next_ms, struct tc_error *err);

    /**
     * The queue has `count` taken groups: look after each again in its `wait_ms`, and count
     * one announcement.
     *
     * [A3] With `pending` its tasks that are NEW become PENDING; nothing else of a task
     *      changes. A group that was claimed in the meantime is left out without error.
     */
    enum tc_code (*announced)(struct tc_announcement_repo *repo,
                              const struct tc_announcement *groups, size_t count, bool pending,
                              struct tc_error *err);
};

struct tc_announcement_repo {
    const struct tc_announcement_repo_ops *ops;
};

/** @return TC_OK, or TC_INTERNAL when an adapter left a method out. */
enum tc_code tc_announcement_repo_validate(const struct tc_announcement_repo *repo,
                                           struct tc_error *err) TC_MUST_CHECK;

#endif
