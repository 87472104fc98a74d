#ifndef TASKCORE_ADAPTERS_KAFKA_PRODUCER_H
#define TASKCORE_ADAPTERS_KAFKA_PRODUCER_H

/**
 * @file kafka_producer.h
 * Sends hints. Any thread sends; the keeper (kafka_keeper.h) takes in the reports, and puts
 * a new client in the place of one that is of no use any more.
 */

#include "adapters/kafka/kafka_client.h"
#include "adapters/kafka/kafka_ticket.h"
#include "ports/task_queue.h"

struct kafka_producer {
    const struct kafka_settings *settings;
    struct kafka_link *link;
    pthread_mutex_t mutex; /* for the pointer */
    struct kafka_client *client;
};

/** @return as kafka_client_produce(). Strings and link are borrowed until close. */
enum tc_code kafka_producer_open(struct kafka_producer *producer,
                                 const struct kafka_settings *settings, struct kafka_link *link,
                                 struct tc_error *err) TC_MUST_CHECK;
void kafka_producer_close(struct kafka_producer *producer);

/** The client of the moment; give it back with kafka_client_unref(). */
struct kafka_client *kafka_producer_client(struct kafka_producer *producer);

/** Use another one from now on; takes `client`. What the old one has not sent is dropped. */
void kafka_producer_replace(struct kafka_producer *producer, struct kafka_client *client);

/**
 * Hand `count` hints to the library; each carries `ticket` when that is not NULL.
 * @return TC_OK; TC_UNAVAILABLE: its queue is full, or no broker answers; those before are on
 *         their way.
 */
enum tc_code kafka_producer_send(struct kafka_producer *producer, const struct tc_hint *hints,
                                 size_t count, struct kafka_ticket *ticket,
                                 struct tc_error *err) TC_MUST_CHECK;

#endif
