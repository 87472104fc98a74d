#include "tests/adapters/kafka_broker.h"
#include "tests/conformance/task_queue_suite.h"

#include <stdio.h>

/* --- the promises of every queue */

static char prefix[128];

static enum tc_code open_queue(struct tc_task_queue **ret_queue, struct tc_error *err)
{
    (void)err;
    snprintf(prefix, sizeof(prefix), "%s", kafka_broker_prefix());
    *ret_queue = kafka_broker_queue(kafka_broker_address(), prefix);
    return TC_OK;
}

static enum tc_code reopen_queue(struct tc_task_queue **queue, struct tc_error *err)
{
    (void)err;
    kafka_task_queue_close(*queue);
    *queue = kafka_broker_queue(kafka_broker_address(), prefix);
    return TC_OK;
}

int main(void)
{
    static const struct task_queue_driver driver = {
        .name = "task_queue: kafka",
        .carries_ids = true,
        .open = open_queue,
        .close = kafka_task_queue_close,
        .reopen = reopen_queue,
    };

    return kafka_broker_run(task_queue_suite(&driver));
}
