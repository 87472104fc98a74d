#ifndef TASKCORE_CORE_DOMAIN_STATUS_H
#define TASKCORE_CORE_DOMAIN_STATUS_H

/**
 * @file status.h
 * The statuses of a task and the ONE table of legal moves between them.
 *
 * Use cases ask this table, docs/task-lifecycle.md is compared with it by a test, and no
 * other place lists moves.
 */

#include <stdbool.h>
#include <stddef.h>

/** The values are stored by adapters: never renumber. */
enum tc_status {
    TC_STATUS_SCHEDULED = 0,  /**< not due before run_at */
    TC_STATUS_NEW = 1,        /**< due, waiting */
    TC_STATUS_PENDING = 2,    /**< waiting, announced to the queue by a publisher */
    TC_STATUS_PROCESSING = 3, /**< leased to a worker */
    TC_STATUS_DONE = 4,       /**< finished well; terminal */
    TC_STATUS_FAILED = 5,     /**< given up: the dead letters; terminal */
    TC_STATUS_CANCELLED = 6,  /**< terminal */
    TC_STATUS_COUNT,          /* not a status; keep last */
};

/** A set of statuses, one bit each. */
#define TC_STATUS_BIT(status) (1u << (unsigned)(status))
#define TC_STATUS_SET_WAITING (TC_STATUS_BIT(TC_STATUS_NEW) | TC_STATUS_BIT(TC_STATUS_PENDING))
#define TC_STATUS_SET_ALL     (TC_STATUS_BIT(TC_STATUS_COUNT) - 1u)

/** What makes a task move. */
enum tc_cause {
    TC_CAUSE_WAKE,     /**< run_at has come */
    TC_CAUSE_ANNOUNCE, /**< a publisher told the queue */
    TC_CAUSE_CLAIM,    /**< a worker took it */
    TC_CAUSE_RESCUE,   /**< its lease ended and another took it over */
    TC_CAUSE_FINISH,   /**< the holder of the epoch said how it ended */
    TC_CAUSE_CANCEL,   /**< a user cancelled it */
    TC_CAUSE_RETRY,    /**< a user wants it run anew */
    TC_CAUSE_COUNT,    /* not a cause; keep last */
};

struct tc_move {
    enum tc_status from;
    enum tc_status to;
    enum tc_cause cause;
};

/** The table itself, for tests and docs. */
const struct tc_move *tc_moves(size_t *ret_count);

/** True when the table has the row (from, to, cause). */
bool tc_status_can_move(enum tc_status from, enum tc_status to, enum tc_cause cause);

/** The set of statuses from which `cause` leads to `to`: what a store's condition needs. */
unsigned tc_status_sources(enum tc_status to, enum tc_cause cause);

/** done, failed or cancelled. False for anything that is no status. */
bool tc_status_is_terminal(enum tc_status status);

/** "done", …; "unknown" for anything that is no status. */
const char *tc_status_name(enum tc_status status);

/** "claim", …; "unknown" for anything that is no cause. */
const char *tc_cause_name(enum tc_cause cause);

/**
 * The set of statuses that a filter word stands for: our own names and the models' words
 * (queued, running, success, …) in any case. `len` bytes of `text`. 0 when unknown.
 */
unsigned tc_status_set_of(const char *text, size_t len);

#endif
