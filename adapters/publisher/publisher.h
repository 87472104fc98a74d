#ifndef TASKCORE_ADAPTERS_PUBLISHER_H
#define TASKCORE_ADAPTERS_PUBLISHER_H

/**
 * @file publisher.h
 * The publisher: announces waiting tasks to the queue, and again what nobody came for. Any
 * number of processes may run one; they share the work without a leader.
 *
 * One thread, with every signal blocked. It sleeps until the bell rings or the next group is
 * due, at most a second. While the store or the queue is away it tries again, from 100 ms up to
 * every 2 s, and logs the first failure and the end of the outage. Measured:
 * `taskcore_announced_total`, `taskcore_announce_failures_total`.
 */

#include "core/domain/error.h"

#include <stdbool.h>

struct tc_announcement_repo;
struct tc_logger;
struct tc_metrics;
struct tc_task_queue;
struct publisher;

/** Borrowed until publisher_close(). */
struct publisher_ports {
    struct tc_announcement_repo *announcements;
    struct tc_task_queue *queue; /**< is told */
    struct tc_task_queue *bell;  /**< says that there is something; this is its only receiver */
    struct tc_logger *logger;    /**< NULL: silent */
    struct tc_metrics *metrics;  /**< NULL: nothing is measured */
};

/** @param pending tasks become PENDING when the queue has them (model E).
 *  @return TC_OK; TC_NO_MEMORY; TC_UNAVAILABLE: no thread. */
enum tc_code publisher_open(const struct publisher_ports *ports, bool pending,
                            struct publisher **ret_publisher,
                            struct tc_error *err) TC_MUST_CHECK;

/** End the thread: at once, but for an announcement that is on its way, which takes as long as
 *  the store may (twice) and 5 s for the queue. What it had taken and could not announce comes
 *  back by itself. NULL is fine. */
void publisher_close(struct publisher *publisher);

#endif
