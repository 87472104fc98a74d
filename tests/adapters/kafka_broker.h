#ifndef TESTS_ADAPTERS_KAFKA_BROKER_H
#define TESTS_ADAPTERS_KAFKA_BROKER_H

/**
 * @file kafka_broker.h
 * The broker that TC_TEST_KAFKA (host:port) names, and brokers of a test's own. Every queue
 * opened here has topics of its own, which are deleted when the program's tests have ended.
 */

#include "adapters/kafka/kafka_task_queue.h"

#include <check.h>

/**
 * Run the suite. @return the exit status. Without TC_TEST_KAFKA the suite is skipped, or fails
 * when TC_REQUIRE_BACKENDS is 1.
 */
int kafka_broker_run(Suite *suite);

/** host:port of the shared broker. */
const char *kafka_broker_address(void);

/** A prefix for topics that nobody else uses; the latest one stays in this buffer. */
const char *kafka_broker_prefix(void);

/** Open a queue that receives, wait until its broker is there. Must succeed. */
struct tc_task_queue *kafka_broker_queue(const char *address, const char *prefix);

/** Poll until publish(0) says so, for a minute at most: then the test fails. */
void kafka_broker_await(struct tc_task_queue *queue, enum tc_code code);

/** Monotonic. */
int64_t kafka_broker_ms(void);

/** The topic of a band: "PREFIX.normal". */
const char *kafka_broker_topic(const char *prefix, const char *band);

/** Send any bytes to a topic and wait for them. */
void kafka_broker_send(const char *address, const char *topic, const void *bytes, size_t len);

/** Delete a topic and wait for it. */
void kafka_broker_delete(const char *address, const char *topic);

/** Sum over the partitions: what a group has committed, what is in a topic. -1: unknown. */
int64_t kafka_broker_committed(const char *address, const char *topic, int partitions);
int64_t kafka_broker_stored(const char *address, const char *topic, int partitions);

/** A broker of the test's own, by deploy/dev/kafka. */
struct kafka_broker {
    char folder[64];
    char address[32];
    int pid;
};

/** Start, or start again on the same port; returns when it answers. */
void kafka_broker_start(struct kafka_broker *broker);
/** kill() the broker; with SIGKILL: wait for its end. */
void kafka_broker_kill(struct kafka_broker *broker, int signal_number);
/** Delete all its data; it must have been killed. */
void kafka_broker_wipe(struct kafka_broker *broker);
/** Kill it and delete the folder. Zeroed is fine. */
void kafka_broker_end(struct kafka_broker *broker);

#endif
