#ifndef TASKCORE_ADAPTERS_HTTP_TASK_JSON_H
#define TASKCORE_ADAPTERS_HTTP_TASK_JSON_H

/** @file task_json.h A task as clients see it (http-api §2). */

#include "adapters/http/json_writer.h"
#include "core/domain/task.h"

struct task_json_options {
    bool with_task_id; /**< repeat the id as `task_id`, which model A's clients read */
    bool omit_payload; /**< too large for a page: leave it out and name it in `omitted` */
    bool omit_result;  /**< likewise */
};

/** More bytes than the text of `task` usually has. */
size_t task_json_size(const struct tc_task *task);

/** One object. */
void task_json_write(struct json_writer *writer, const struct tc_task *task,
                     const struct task_json_options *options);

#endif
