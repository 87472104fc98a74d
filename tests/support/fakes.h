#ifndef TESTS_SUPPORT_FAKES_H
#define TESTS_SUPPORT_FAKES_H

/**
 * @file fakes.h
 * Hand-written stand-ins for ports. A fake has working behaviour and records what it was
 * told; tests check outcomes first and recorded calls only where a call is the outcome.
 *
 * One thread, except the clock, which any thread may read and set. Nothing is allocated, so
 * nothing has to be released.
 */

#include "ports/clock.h"
#include "ports/ids.h"
#include "ports/logger.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <stdatomic.h>

/** Time stands still until a test moves it. */
struct fake_clock {
    struct tc_clock base;
    _Atomic int64_t now_ms;  /* wall clock, may be set back */
    _Atomic int64_t tick_ms; /* monotonic: only ever raise it */
};

/** `now_ms` is the wall clock; the monotonic one starts somewhere else on purpose. */
void fake_clock_init(struct fake_clock *clock, int64_t now_ms);

/** Let both clocks run on. */
void fake_clock_advance(struct fake_clock *clock, int64_t ms);

/** Ids that count up: bucket FAKE_IDS_BUCKET, the tail is the running number from 1. */
struct fake_ids {
    struct tc_ids base;
    struct tc_clock *clock;
    int64_t latest_ms;
    uint64_t made;          /* ids given so far */
    const uint64_t *script; /* what random() says in turn, over and over; borrowed */
    size_t script_len;      /* 0: random() says 0 */
    size_t drawn;           /* calls of random() */
};

#define FAKE_IDS_BUCKET 0x5A5u

void fake_ids_init(struct fake_ids *ids, struct tc_clock *clock);

#define FAKE_QUEUE_MAX 2048

/** Keeps every hint in order of arrival; receive() hands out what came since. */
struct fake_queue {
    struct tc_task_queue base;
    enum tc_code answer; /* what publish() returns; TC_OK: accept */
    struct tc_hint hints[FAKE_QUEUE_MAX];
    enum tc_code deliver_answer; /* what deliver() returns; TC_OK: as publish() */
    size_t deliveries;           /* calls of deliver() let through to publish() */
    size_t undelivered;          /* calls of deliver() answered with deliver_answer */
    int64_t deliver_ms;          /* what the last one was willing to wait */
    size_t count;    /* hints accepted; those over FAKE_QUEUE_MAX are counted only */
    size_t looks;    /* "look into the store" accepted */
    size_t refused;  /* calls of publish() that were answered with a failure */
    size_t taken;    /* hints handed out by receive() */
    size_t looked;   /* looks handed out by receive() */
    uint64_t commit; /* the last receipt committed */
};

void fake_queue_init(struct fake_queue *queue);

#define FAKE_EVENTS_MAX 2048

/**
 * Keeps every id notified. wait() returns at once when there was a notify since the ticket
 * (of any id: waking for nothing is legal); else it lets `wait_ms` pass on the fake clock.
 */
struct fake_events {
    struct tc_task_events base;
    struct fake_clock *clock; /* borrowed */
    struct tc_id notified[FAKE_EVENTS_MAX];
    size_t count;           /* ids notified */
    size_t watches;         /* calls of watch() */
    size_t waits;           /* calls of wait() */
    int64_t longest_ms;     /* the longest wait asked for */
    bool interrupted;       /* every wait returns at once */
    void (*during)(void *); /* what happens elsewhere during a wait; NULL: nothing */
    void *during_ctx;
};

void fake_events_init(struct fake_events *events, struct fake_clock *clock);

/** True when `id` was notified at least once. */
bool fake_events_saw(const struct fake_events *events, const struct tc_id *id);

/** Keeps the last line and counts them. */
struct fake_logger {
    struct tc_logger base;
    enum tc_log_level level;
    char message[1024];
    char request_id[129]; /* of the last line; empty: none */
    struct tc_id task_id; /* of the last line; zero: none */
    size_t count;
};

void fake_logger_init(struct fake_logger *logger, enum tc_log_level threshold);

#endif
