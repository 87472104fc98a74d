#include "core/domain/task.h"

#include <stdlib.h>
#include <string.h>

static const char *const reason_names[TC_REASON_COUNT] = {
    [TC_REASON_NONE] = "none",
    [TC_REASON_HANDLER] = "handler",
    [TC_REASON_TIMEOUT] = "timeout",
    [TC_REASON_WORKER_LOST] = "worker_lost",
    [TC_REASON_NOT_RETRYABLE] = "not_retryable",
};

const char *tc_reason_name(enum tc_reason reason)
{
    return (unsigned)reason < TC_REASON_COUNT ? reason_names[reason] : "none";
}

/* The runs of bytes that a task points at, in one place so that copying forgets none. */
#define RUN_MAX (4 + TC_TAG_COUNT_MAX)

static size_t collect_runs(struct tc_task *task, struct tc_bytes *runs[RUN_MAX])
{
    size_t count = 0;

    runs[count++] = &task->payload.bytes;
    runs[count++] = &task->result.bytes;
    runs[count++] = &task->progress;
    runs[count++] = &task->error.message;
    for (size_t i = 0; i < task->tag_count; i++)
        runs[count++] = &task->tags[i];
    return count;
}

enum tc_code tc_task_copy(struct tc_task *ret_task, const struct tc_task *src,
                          struct tc_error *err)
{
    struct tc_task task = *src;
    struct tc_bytes *runs[RUN_MAX];
    size_t count = collect_runs(&task, runs);
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += runs[i]->len;
    task.storage = total > 0 ? malloc(total) : NULL;
    if (total > 0 && !task.storage)
        return tc_fail(err, TC_NO_MEMORY, "task of %zu bytes", total);

    char *at = task.storage;

    for (size_t i = 0; i < count; i++) {
        if (runs[i]->len == 0) {
            runs[i]->data = NULL;
            continue;
        }
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): total > 0, so not NULL */
        memcpy(at, runs[i]->data, runs[i]->len);
        runs[i]->data = at;
        at += runs[i]->len;
    }
    *ret_task = task;
    return TC_OK;
}

void tc_task_release(struct tc_task *task)
{
    if (!task)
        return;
    free(task->storage);
    *task = (struct tc_task){ 0 };
}
