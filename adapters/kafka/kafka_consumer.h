#ifndef TASKCORE_ADAPTERS_KAFKA_CONSUMER_H
#define TASKCORE_ADAPTERS_KAFKA_CONSUMER_H

/**
 * @file kafka_consumer.h
 * The consumer of one band: hints out of messages, offsets back. The receiver's thread alone.
 *
 * It joins its group when the topics are known to be there, and is replaced by a new one when
 * the library gives it up or the cluster has become another one. A rebalance is the library's
 * own affair: a callback would make the whole group wait for a worker that does not poll.
 */

#include "adapters/kafka/kafka_client.h"
#include "adapters/kafka/kafka_receipts.h"

struct kafka_consumer {
    const struct kafka_settings *settings;
    struct kafka_link *link;
    enum kafka_band band;
    int wake_fd; /* rung when messages have come */
    struct kafka_client *client;
    unsigned number;  /* one more with each client */
    unsigned made;    /* link->topics_made, when it last joined */
    int64_t retry_ms; /* of a replacement that failed */
    int64_t *handed;  /* by partition: the last offset handed out, -1: none */
    int32_t handed_count;
};

/** What poll() found. */
enum kafka_found {
    KAFKA_FOUND_NOTHING,
    KAFKA_FOUND_HINT,
    KAFKA_FOUND_OTHER, /**< a message that is no hint of ours; its place counts */
};

/** @return as kafka_client_consume(). Close it also after a failure. */
enum tc_code kafka_consumer_open(struct kafka_consumer *consumer,
                                 const struct kafka_settings *settings, struct kafka_link *link,
                                 enum kafka_band band, int wake_fd,
                                 struct tc_error *err) TC_MUST_CHECK;

/** Does not wait for the group: see kafka_link_await_burials(). */
void kafka_consumer_close(struct kafka_consumer *consumer);

/** Join the group, or replace the client, when it is time. */
void kafka_consumer_tend(struct kafka_consumer *consumer);

/** The next message, without waiting. */
enum kafka_found kafka_consumer_poll(struct kafka_consumer *consumer, struct tc_hint *ret_hint,
                                     struct kafka_place *ret_place);

/**
 * Store the offsets after those of `places` that are this band's, for the library to commit
 * shortly. Those that an earlier client handed out, and those that the partition has gone back
 * behind, are left out: such messages come again.
 */
void kafka_consumer_store(struct kafka_consumer *consumer, const struct kafka_place *places,
                          size_t count);

#endif
