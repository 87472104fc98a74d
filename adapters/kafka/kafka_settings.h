#ifndef TASKCORE_ADAPTERS_KAFKA_SETTINGS_H
#define TASKCORE_ADAPTERS_KAFKA_SETTINGS_H

/**
 * @file kafka_settings.h
 * The adapter's own copy of its configuration, and what it makes of it for the library.
 */

#include "adapters/kafka/kafka_task_queue.h"

#include <librdkafka/rdkafka.h>

/** Bands of priorities, each with a topic and a group of its own; higher ones first. */
enum kafka_band {
    KAFKA_HIGH,
    KAFKA_NORMAL,
    KAFKA_LOW,
    KAFKA_BANDS,
};

enum kafka_band kafka_band_of(int priority);

struct kafka_settings {
    char *brokers;
    char *topics[KAFKA_BANDS]; /**< PREFIX.BAND; the group has the same name */
    int partitions;
    int replication;
    int64_t message_ms;
    struct kafka_option *options; /**< their names and values lie in `option_texts` */
    size_t option_count;
    char *option_texts;
};

/**
 * Copy and check. Release with kafka_settings_release(), also after a failure.
 * @return TC_OK; TC_INVALID: no or bad address, bad prefix or number, an option that would
 *         break a promise; TC_NO_MEMORY.
 */
enum tc_code kafka_settings_init(struct kafka_settings *settings,
                                 const struct kafka_task_queue_config *config,
                                 struct tc_error *err) TC_MUST_CHECK;
void kafka_settings_release(struct kafka_settings *settings);

/**
 * What the library is told for a producer, or for the consumer of one band. The caller owns it.
 * @return TC_OK; TC_INVALID: the library refuses an option; TC_NO_MEMORY.
 */
enum tc_code kafka_settings_producer(const struct kafka_settings *settings,
                                     rd_kafka_conf_t **ret_conf,
                                     struct tc_error *err) TC_MUST_CHECK;
enum tc_code kafka_settings_consumer(const struct kafka_settings *settings,
                                     enum kafka_band band, rd_kafka_conf_t **ret_conf,
                                     struct tc_error *err) TC_MUST_CHECK;

#endif
