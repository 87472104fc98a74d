#include "adapters/http/http_routes.h"
#include "adapters/http/task_json.h"
#include "core/usecases/change_task.h"
#include "core/usecases/get_task.h"

#define WAIT_MAX_MS 20000

typedef enum tc_code change_fn(const struct tc_change_task_ports *ports, const struct tc_id *id,
                               struct tc_task *ret_task, struct tc_error *err);

static void answer_task(struct http_call *call, const struct tc_task *task)
{
    static const struct task_json_options whole = { 0 };
    struct json_writer writer = http_call_json(call, 200, task_json_size(task));

    task_json_write(&writer, task, &whole);
}

static bool load(struct http_call *call, int64_t wait_ms, struct tc_task *ret_task)
{
    const struct http_services *services = call->services;
    const struct tc_get_task_ports ports = {
        .repo = services->repo,
        .events = services->events,
        .clock = services->clock,
    };
    struct tc_error err = { 0 };
    enum tc_code code = tc_get_task(&ports, &call->id, wait_ms, ret_task, &err);

    if (code != TC_OK)
        http_call_fail(call, code, &err, "the store's answer was lost");
    return code == TC_OK;
}

/* A wait holds a thread, so there are not enough for everybody; and a process that is being
 * stopped keeps nobody waiting. */
static int64_t allowed_wait_ms(const struct http_call *call, int64_t asked_ms)
{
    bool draining = atomic_load_explicit(&call->services->draining, memory_order_relaxed);

    return call->request->may_wait && !draining ? asked_ms : 0;
}

void http_get_task(struct http_call *call)
{
    struct tc_task task;
    int64_t wait_ms = 0;

    http_params_int(&call->params, "wait_ms", 0, WAIT_MAX_MS, &wait_ms, &call->violations);
    if (http_call_is_invalid(call) || http_call_lacks_task(call) ||
        !load(call, allowed_wait_ms(call, wait_ms), &task))
        return;
    answer_task(call, &task);
    tc_task_release(&task);
}

void http_get_task_status(struct http_call *call)
{
    struct tc_task task;
    char id[TC_ID_TEXT_SIZE];

    if (http_call_is_invalid(call) || http_call_lacks_task(call) || !load(call, 0, &task))
        return;
    tc_id_format(&task.id, id);

    struct json_writer writer = http_call_json(call, 200, 128);

    json_open_object(&writer);
    json_member(&writer, "id", id);
    json_member(&writer, "status", tc_status_name(task.status));
    json_close_object(&writer);
    tc_task_release(&task);
}

static void change(struct http_call *call, change_fn *fn, const char *unknown)
{
    const struct http_services *services = call->services;
    const struct tc_change_task_ports ports = {
        .repo = services->repo,
        .events = services->events,
        .queue = services->queue,
    };
    struct tc_error err = { 0 };
    struct tc_task task;

    if (http_call_is_invalid(call) || http_call_lacks_task(call))
        return;

    enum tc_code code = fn(&ports, &call->id, &task, &err);

    if (code != TC_OK) {
        http_call_fail(call, code, &err, unknown);
        return;
    }
    answer_task(call, &task);
    tc_task_release(&task);
}

void http_cancel_task(struct http_call *call)
{
    change(call, tc_cancel_task,
           "the store's answer was lost: the task may be cancelled; cancelling again is safe");
}

void http_retry_task(struct http_call *call)
{
    change(call, tc_retry_task,
           "the store's answer was lost: the task may wait again; look before a new retry");
}
