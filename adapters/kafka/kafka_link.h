#ifndef TASKCORE_ADAPTERS_KAFKA_LINK_H
#define TASKCORE_ADAPTERS_KAFKA_LINK_H

/**
 * @file kafka_link.h
 * What is known of the broker, and the adapter's voice: shared by all clients of one queue.
 *
 * Counted, since the library's threads may outlive the queue when a client does not end in
 * time; from kafka_link_mute() on they reach no logger. Any thread.
 */

#include "adapters/kafka/kafka_wait.h"
#include "ports/logger.h"

#include <stdatomic.h>

enum kafka_link_state {
    KAFKA_LINK_NEW, /**< nobody has answered so far, nor failed to */
    KAFKA_LINK_HERE,
    KAFKA_LINK_AWAY,
};

struct kafka_link {
    _Atomic int state;
    _Atomic int64_t good_ms;      /**< when a broker last answered, monotonic */
    _Atomic uint64_t dropped;     /**< hints that no broker has acknowledged */
    _Atomic uint64_t unread;      /**< messages that are no hints of ours */
    _Atomic unsigned era;         /**< one more whenever the cluster is another one */
    _Atomic unsigned topics_made; /**< 0: none known; one more when some were created */
    _Atomic bool topics_missing;  /**< somebody has met an unknown topic */
    atomic_uint refs;

    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t buried;
    size_t burials; /* clients that are being closed */
    struct tc_logger *logger;
    int64_t away_ms;         /* since when, monotonic */
    uint64_t dropped_before; /* `dropped` when that began */
    int64_t told_ms;         /* when dropped hints were last spoken of; 0: not */
    int64_t window_ms;       /* of lines that others cause */
    unsigned lines;          /* in that window */
    unsigned left_out;
};

/** @return NULL: no memory, mutex or condition. */
struct kafka_link *kafka_link_new(struct tc_logger *logger);
struct kafka_link *kafka_link_ref(struct kafka_link *link);
void kafka_link_unref(struct kafka_link *link);

/** The logger may go. */
void kafka_link_mute(struct kafka_link *link);

/** One line. */
void kafka_link_log(struct kafka_link *link, enum tc_log_level level, const char *fmt, ...)
    TC_PRINTF(3, 4);

/** As above, for what the library or foreign messages cause: 10 lines in 10 s at most. */
void kafka_link_log_some(struct kafka_link *link, enum tc_log_level level, const char *fmt, ...)
    TC_PRINTF(3, 4);

/** A broker has answered; says so once when it was away. */
void kafka_link_good(struct kafka_link *link);

/** No broker answers, because of `why`; says so once. */
void kafka_link_away(struct kafka_link *link, const char *why);

/** A hint was not acknowledged, because of `why`; says so once an outage, or a minute. */
void kafka_link_drop(struct kafka_link *link, const char *why);

/** Count a client that is being closed, or one that has been. */
void kafka_link_bury(struct kafka_link *link);
void kafka_link_buried(struct kafka_link *link);

/** Wait until none is being closed, up to `end_ms`. @return whether that is so. */
bool kafka_link_await_burials(struct kafka_link *link, int64_t end_ms);

#endif
