#ifndef TASKCORE_ADAPTERS_KAFKA_CLIENT_H
#define TASKCORE_ADAPTERS_KAFKA_CLIENT_H

/**
 * @file kafka_client.h
 * One handle of the library, a producer or a consumer, counted. It is replaced by a new one
 * after an error that the library calls fatal, or when the cluster has become another one.
 *
 * The last kafka_client_unref() hands it to a thread that closes it: in the library's release
 * 2.0.2 that may take long, or for ever when partitions or coordinators have gone. A consumer
 * whose broker is away is left behind, and lives as long as the process.
 */

#include "adapters/kafka/kafka_link.h"
#include "adapters/kafka/kafka_settings.h"

/**
 * Whose turn it is among the partitions. A few hints go round one by one, so that slow tasks
 * are shared evenly; many in a row keep to a partition for a while, because a broker works by
 * the request (measured at 20,000/s, 12 partitions: a third of its time).
 */
struct kafka_turns {
    _Atomic uint32_t count;    /**< messages so far */
    _Atomic uint32_t stride;   /**< how many in a row get one partition */
    _Atomic int64_t since_ms;  /**< when this window began */
    _Atomic uint32_t recently; /**< messages in it */
};

struct kafka_client {
    rd_kafka_t *rk;
    struct kafka_link *link;               /* counted */
    rd_kafka_topic_t *topics[KAFKA_BANDS]; /* of a producer */
    struct kafka_turns turns;              /* of a producer */
    _Atomic bool fatal;                    /* only a new client helps */
    unsigned era;                          /* the cluster's, when this one was made */
    bool consumes;
    bool joined; /* a group; set by its user */
    atomic_uint refs;
};

/**
 * Make a producer with its topics, or the consumer of `band`. Does not wait for a broker.
 * @return TC_OK; TC_INVALID: the library refuses an option, or several together; TC_NO_MEMORY;
 *         TC_UNAVAILABLE: no thread or socket for it now.
 */
enum tc_code kafka_client_produce(const struct kafka_settings *settings,
                                  struct kafka_link *link, struct kafka_client **ret_client,
                                  struct tc_error *err) TC_MUST_CHECK;
enum tc_code kafka_client_consume(const struct kafka_settings *settings,
                                  struct kafka_link *link, enum kafka_band band,
                                  struct kafka_client **ret_client,
                                  struct tc_error *err) TC_MUST_CHECK;

struct kafka_client *kafka_client_ref(struct kafka_client *client);

/** `count` messages are about to be sent. */
void kafka_client_count(struct kafka_client *client, size_t count);

/** NULL is fine. Waits for nothing: see kafka_link_await_burials(). */
void kafka_client_unref(struct kafka_client *client);

/** Delivery reports of a producer: kafka_ticket.c. */
void kafka_ticket_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);

#endif
