#ifndef TESTS_ADAPTERS_PUBLISHER_SITE_H
#define TESTS_ADAPTERS_PUBLISHER_SITE_H

/**
 * @file publisher_site.h
 * A store in memory, whose clock stands still, a queue that keeps what it was told, and a bell:
 * where the tests of the publisher run it. What must happen is waited for as long as it takes:
 * it shows as the test's timeout when it does not.
 */

#include "adapters/publisher/publisher.h"
#include "ports/announcement_repo.h"
#include "ports/task_queue.h"
#include "tests/support/fakes.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#define SITE_TASKS_MAX 4000

/** Remembers what it was told, can be away, and can take its time. */
struct publisher_queue {
    struct tc_task_queue base;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned told[SITE_TASKS_MAX]; /* by the number of the task */
    size_t distinct;
    size_t calls;
    enum tc_code answer;
    bool shut;          /* deliver() waits until it is not */
    bool hears_signals; /* the thread that called it does */
};

/** The store's, which can be away. */
struct publisher_repo {
    struct tc_announcement_repo base;
    struct tc_announcement_repo *inner;
    _Atomic size_t takes;
    _Atomic bool away;
};

extern struct publisher_site {
    struct publisher_queue queue;
    struct publisher_repo announcements;
    struct fake_clock wall;
    struct tc_task_queue *bell;
    struct publisher *publisher; /* closed with the site */
    _Atomic size_t warnings;     /* lines logged */
    _Atomic size_t infos;
    _Atomic size_t announced_total; /* the metrics */
    _Atomic size_t failures_total;
} site;

/** Fixture. */
void publisher_site_open(void);
void publisher_site_close(void);

/** A publisher of the site. The other bells: one is out of order, one waits a thousand times
 *  as long as it should. */
struct publisher *site_publisher(struct tc_task_queue *bell, bool pending);
extern struct tc_task_queue site_failing_bell;
extern struct tc_task_queue site_endless_bell;

/** `count` tasks of a kind, which is their type. @return the first. */
struct tc_id site_create(size_t count, int kind);
enum tc_status site_status(const struct tc_id *id);
void site_ring(void);

/** What deliver() answers from now on, and whether it does. */
void site_set_queue(enum tc_code answer, bool shut);
size_t site_calls(void);

/** Wait until so many different tasks were told, deliver() or take() was called so often, a
 *  task has this status. */
void site_await_told(size_t distinct);
void site_await_calls(size_t calls);
void site_await_takes(size_t takes);
void site_await_status(const struct tc_id *id, enum tc_status status);

void site_sleep_ms(long ms);
int64_t site_tick_ms(void);

#endif
