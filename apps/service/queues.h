#ifndef TASKCORE_APPS_SERVICE_QUEUES_H
#define TASKCORE_APPS_SERVICE_QUEUES_H

/**
 * @file queues.h
 * Which broker carries hints, by the scheme of TASK_QUEUE_URL. Programs link queues.c; the C
 * library links queues_none.c, which knows no broker and so needs no library of one.
 */

#include "apps/service/service.h"

/** An open broker. Zeroed it is closed. */
struct broker {
    struct tc_task_queue *queue;
    const char *kind; /**< "kafka" */
    void (*close)(struct tc_task_queue *queue);
};

bool broker_knows_url(const char *url);

/** @return TC_OK, whether or not it answers; TC_INVALID; TC_NO_MEMORY; TC_INTERNAL. */
enum tc_code broker_open(const struct service_config *config, struct broker *ret_broker,
                         struct tc_error *err) TC_MUST_CHECK;
void broker_close(struct broker *broker);

#endif
