#ifndef TASKCORE_ADAPTERS_KAFKA_TOPICS_H
#define TASKCORE_ADAPTERS_KAFKA_TOPICS_H

/**
 * @file kafka_topics.h
 * Creates the topics that are missing, without waiting. The broker's answer also says that it
 * is there: this is how the adapter finds out when a broker has come back. One thread.
 */

#include "adapters/kafka/kafka_client.h"

struct kafka_topics {
    struct kafka_client *client; /**< whose broker is asked; counted */
    rd_kafka_queue_t *answers;
    int64_t asked_ms; /**< 0: no answer is awaited */
};

/** Ask the broker of `client` (counted) from now on; forget what was asked before. */
void kafka_topics_use(struct kafka_topics *topics, struct kafka_client *client);

/** Release what kafka_topics_use() took. */
void kafka_topics_release(struct kafka_topics *topics);

/** Ask for all topics, unless an answer is still awaited. */
void kafka_topics_ask(struct kafka_topics *topics, const struct kafka_settings *settings);

/**
 * Take in the answer if it is there, and wait up to 2 s until new topics can be used. No answer
 * in time: the link is told that the broker is away.
 * @return true: a broker has answered.
 */
bool kafka_topics_hear(struct kafka_topics *topics);

/** Have the client look anew at its cluster and topics; waits for half a second at most. */
void kafka_topics_refresh(struct kafka_topics *topics);

#endif
