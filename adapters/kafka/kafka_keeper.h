#ifndef TASKCORE_ADAPTERS_KAFKA_KEEPER_H
#define TASKCORE_ADAPTERS_KAFKA_KEEPER_H

/**
 * @file kafka_keeper.h
 * A thread, with every signal blocked, that takes in the producer's reports, creates missing
 * topics, asks for a broker that is away, and replaces a producer that is of no use any more.
 * It wakes up once a second when there is nothing to do.
 */

#include "adapters/kafka/kafka_producer.h"
#include "adapters/kafka/kafka_topics.h"

struct kafka_keeper {
    struct kafka_producer *producer;
    int wake_fd; /* of the receiver: rung when topics were found */
    pthread_t thread;
    bool runs;
    _Atomic bool stop;

    /* the thread's own */
    struct kafka_client *client;
    struct kafka_topics topics;
    int64_t asked_ms;    /* when topics were last asked for; 0: never */
    int64_t answered_ms; /* since when nothing, or something with answers, is on its way */
    int64_t cluster_ms;  /* when the cluster's id was last looked at */
    char *cluster;       /* its id; the library's */
    unsigned made;       /* link->topics_made, as told to the receiver */
};

/** @return TC_OK; TC_UNAVAILABLE: no thread. The producer is borrowed until close. */
enum tc_code kafka_keeper_open(struct kafka_keeper *keeper, struct kafka_producer *producer,
                               int wake_fd, struct tc_error *err) TC_MUST_CHECK;

/** End the thread, which takes a second at most. */
void kafka_keeper_close(struct kafka_keeper *keeper);

#endif
