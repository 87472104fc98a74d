#include "adapters/http/http_routes.h"
#include "adapters/http/lease_input.h"
#include "adapters/http/task_json.h"
#include "core/usecases/finish_tasks.h"
#include "core/usecases/get_task.h"
#include "core/usecases/heartbeat_tasks.h"

static const char lost_report[] =
    "the store's answer was lost: the report may have been applied; sending the same again is "
    "safe";
static const char unread_task[] =
    "the report has been applied, but the task cannot be read now; sending the same again is "
    "safe";
static const char lost_beat[] =
    "the store's answer was lost: the lease may have been renewed; doing it again is safe";

static const char *detail_of(enum tc_stale_reason reason)
{
    switch (reason) {
    case TC_STALE_SUPERSEDED:
        return "the task has been taken since";
    case TC_STALE_NOT_LEASED:
        return "the task has not been leased under this epoch";
    case TC_STALE_CANCELLED:
        return "the task has been cancelled";
    case TC_STALE_FINISHED:
        return "the task has ended otherwise";
    case TC_STALE_RELEASED:
        return "the task waits again";
    case TC_STALE_NOT_FOUND:
    case TC_STALE_NONE:
    default:
        return "the lease does not hold";
    }
}

static void refuse_stale(struct http_call *call, enum tc_stale_reason reason)
{
    if (reason == TC_STALE_NOT_FOUND)
        http_call_refuse(call, HTTP_NOT_FOUND, "no task has this id");
    else
        http_problem_write_stale(call->response, call->request, tc_stale_reason_name(reason),
                                 detail_of(reason));
}

static enum tc_code load(struct http_call *call, struct tc_task *ret_task, struct tc_error *err)
{
    const struct http_services *services = call->services;
    const struct tc_get_task_ports ports = {
        .repo = services->repo,
        .events = services->events,
        .clock = services->clock,
    };

    return tc_get_task(&ports, &call->id, 0, ret_task, err);
}

static enum tc_code finish(struct http_call *call, const struct tc_finished_run *run,
                           struct tc_verdict *ret_verdict, struct tc_error *err)
{
    const struct http_services *services = call->services;
    const struct tc_finish_tasks_ports ports = {
        .leases = services->leases,
        .events = services->events,
        .queue = services->queue,
        .clock = services->clock,
        .ids = services->ids,
        .policy = services->policy,
    };

    return tc_finish_tasks(&ports, run, 1, ret_verdict, err);
}

/* The task as the report has left it. */
static void answer_task(struct http_call *call)
{
    static const struct task_json_options whole = { 0 };
    struct tc_error err = { 0 };
    struct tc_task task;

    /* Not "nothing was changed": the report is in the store. */
    if (load(call, &task, &err) != TC_OK) {
        http_call_fail(call, TC_UNKNOWN, &err, unread_task);
        return;
    }

    struct json_writer writer = http_call_json(call, 200, task_json_size(&task));

    task_json_write(&writer, &task, &whole);
    tc_task_release(&task);
}

/* The store compares the epoch of the run with that of the task at the moment of the finish. */
static void report_run(struct http_call *call, const struct tc_task *task,
                       const struct tc_report *report)
{
    const struct tc_finished_run run = { .task = task, .report = report };
    struct tc_verdict verdict;
    struct tc_error err = { 0 };
    enum tc_code code = finish(call, &run, &verdict, &err);

    if (code != TC_OK)
        http_call_fail(call, code, &err, lost_report);
    else if (verdict.kind == TC_VERDICT_STALE)
        refuse_stale(call, verdict.stale);
    else
        answer_task(call);
}

/*
 * What follows from a failure depends on the attempt, and whom a release is announced to on
 * the queue and type, so the task is read first. The numbers read are those of the run as long
 * as the epoch read is the one reported; a later one makes the report stale in the store as
 * well, whatever was read. An earlier one means that nobody had been given this epoch yet: then
 * the store is not asked, since it might be given just now, with other numbers.
 */
static void report_loaded(struct http_call *call, int64_t epoch, const struct tc_report *report)
{
    struct tc_error err = { 0 };
    struct tc_task task;
    enum tc_code code = load(call, &task, &err);

    if (code != TC_OK) {
        http_call_fail(call, code, &err, lost_report);
        return;
    }
    if (task.epoch < epoch) {
        refuse_stale(call, TC_STALE_NOT_LEASED);
    } else {
        task.epoch = epoch;
        report_run(call, &task, report);
    }
    tc_task_release(&task);
}

void http_complete_task(struct http_call *call)
{
    struct lease_report given;
    struct body_input input;

    if (lease_input_complete(call, &given, &input) && !http_call_lacks_task(call)) {
        /* A good end depends on nothing but the epoch: no need to read the task first. */
        const struct tc_task task = { .id = call->id, .epoch = given.epoch };
        struct tc_report report = tc_report_done();

        if (given.result.data)
            report.result = (struct tc_content){ TC_CONTENT_JSON, given.result };
        report_run(call, &task, &report);
    }
    body_input_release(&input);
}

void http_fail_task(struct http_call *call)
{
    struct lease_report given;
    struct body_input input;

    if (lease_input_fail(call, &given, &input) && !http_call_lacks_task(call)) {
        const struct tc_report report = {
            .kind = TC_REPORT_FAILED,
            .retryable = given.is_retryable,
            .reason = TC_REASON_HANDLER,
            .delay_ms = given.delay_ms,
            .message = tc_bytes_of(given.error),
        };

        report_loaded(call, given.epoch, &report);
    }
    body_input_release(&input);
}

void http_release_task(struct http_call *call)
{
    struct lease_report given;
    struct body_input input;

    if (lease_input_release(call, &given, &input) && !http_call_lacks_task(call)) {
        const struct tc_report report = { .kind = TC_REPORT_RELEASED,
                                          .delay_ms = given.delay_ms };

        report_loaded(call, given.epoch, &report);
    }
    body_input_release(&input);
}

static void renew(struct http_call *call, const struct lease_beat *beat)
{
    const struct tc_renewal renewal = {
        .id = call->id,
        .epoch = beat->epoch,
        .lease_ms = beat->lease_ms,
        .progress = beat->progress,
    };
    struct tc_renewed renewed;
    struct tc_error err = { 0 };
    enum tc_code code = tc_heartbeat_tasks(call->services->leases, &renewal, 1, &renewed, &err);

    if (code != TC_OK) {
        http_call_fail(call, code, &err, lost_beat);
        return;
    }
    if (renewed.stale != TC_STALE_NONE) {
        refuse_stale(call, renewed.stale);
        return;
    }

    struct json_writer writer = http_call_json(call, 200, 64);

    json_open_object(&writer);
    json_key(&writer, "lease_expires_at");
    json_time(&writer, renewed.expires_at_ms);
    json_close_object(&writer);
}

void http_heartbeat_task(struct http_call *call)
{
    struct lease_beat beat;
    struct body_input input;

    if (lease_input_beat(call, &beat, &input) && !http_call_lacks_task(call))
        renew(call, &beat);
    body_input_release(&input);
}
