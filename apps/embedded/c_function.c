#include "apps/embedded/c_function.h"

#include "core/domain/container_of.h"

#include <stdlib.h>
#include <string.h>

/* One call: what tc_run_…() works on. */
struct taskcore_run {
    struct tc_run *run;
    struct tc_report *report;
    char id[TC_ID_TEXT_SIZE];
    char *error; /* owned */
};

const char *tc_run_id(const struct taskcore_run *run)
{
    return run->id;
}

const char *tc_run_type(const struct taskcore_run *run)
{
    return run->run->task->type;
}

const void *tc_run_payload(const struct taskcore_run *run, size_t *ret_len)
{
    *ret_len = run->run->task->payload.bytes.len;
    return run->run->task->payload.bytes.data;
}

int tc_run_attempt(const struct taskcore_run *run)
{
    return run->run->task->attempt;
}

int64_t tc_run_epoch(const struct taskcore_run *run)
{
    return run->run->task->epoch;
}

int tc_run_should_stop(struct taskcore_run *run)
{
    return run->run->ops->should_stop(run->run) != TC_STOP_NONE;
}

void tc_run_sleep_ms(struct taskcore_run *run, int64_t ms)
{
    run->run->ops->sleep_ms(run->run, ms);
}

int tc_run_set_result(struct taskcore_run *run, const void *data, size_t len)
{
    struct tc_bytes bytes = { data, len };
    enum tc_content_kind kind = tc_utf8_is_valid(bytes) ? TC_CONTENT_TEXT : TC_CONTENT_BYTES;

    return (int)tc_report_set_result(run->report, kind, bytes, NULL);
}

void tc_run_set_error(struct taskcore_run *run, const char *message)
{
    free(run->error);
    run->error = strdup(message);
}

/* The failure keeps the result that was set before, as a failed task may carry one. */
static void report_failure(struct taskcore_run *run, bool retryable)
{
    struct tc_report failed =
        tc_report_failed(TC_REASON_HANDLER, retryable, tc_bytes_of(run->error));

    failed.result = run->report->result;
    failed.result_storage = run->report->result_storage;
    *run->report = failed;
}

static void c_function_run(struct tc_handler *handler, struct tc_run *run,
                           struct tc_report *ret_report)
{
    struct c_function *self = TC_CONTAINER_OF(handler, struct c_function, base);
    struct taskcore_run view = { .run = run, .report = ret_report };

    tc_id_format(&run->task->id, view.id);

    enum taskcore_end end = self->function(&view, self->ctx);

    if (end != TASKCORE_RUN_DONE)
        report_failure(&view, end == TASKCORE_RUN_RETRY);
    free(view.error);
}

void c_function_init(struct c_function *ret_function, const char *type,
                     taskcore_function *function, void *ctx)
{
    static const struct tc_handler_ops ops = { .run = c_function_run };

    *ret_function = (struct c_function){ .base.ops = &ops, .function = function, .ctx = ctx };
    memcpy(ret_function->type, type, strlen(type) + 1);
}
