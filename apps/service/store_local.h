#ifndef TASKCORE_APPS_SERVICE_STORE_LOCAL_H
#define TASKCORE_APPS_SERVICE_STORE_LOCAL_H

/** @file store_local.h What stores of one process share: queue and events within it. */

#include "apps/service/stores.h"

struct local_signals {
    struct tc_task_queue *queue;
    struct tc_task_events *events;
};

/** @return TC_OK; TC_NO_MEMORY, TC_INTERNAL: nothing is open. */
enum tc_code local_signals_open(struct local_signals *ret_signals,
                                struct tc_error *err) TC_MUST_CHECK;
void local_signals_close(struct local_signals *signals);

#endif
