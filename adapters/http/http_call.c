#include "adapters/http/http_call.h"

#include "adapters/http/http_buffer.h"
#include "ports/logger.h"

void http_call_refuse(struct http_call *call, enum http_problem problem, const char *detail)
{
    http_problem_write(call->response, call->request, problem, detail);
}

bool http_call_is_invalid(struct http_call *call)
{
    if (call->violations.total == 0)
        return false;
    http_problem_write_violations(call->response, call->request, &call->violations);
    return true;
}

bool http_call_lacks_task(struct http_call *call)
{
    if (call->has_id)
        return false;
    http_call_refuse(call, HTTP_NOT_FOUND, "a task's id is a UUID");
    return true;
}

static void log_failure(struct http_call *call, enum tc_log_level level, enum tc_code code,
                        const char *message)
{
    const struct http_response *response = call->response;
    const struct tc_log_subject subject = {
        .request_id = call->request->request_id,
        .task_id = response->has_task_id ? &response->task_id : NULL,
    };

    tc_log(call->services->logger, level, &subject, "%s %s: %s: %s", call->request->method,
           response->route, tc_code_name(code), message);
}

void http_call_fail(struct http_call *call, enum tc_code code, const struct tc_error *err,
                    const char *unknown)
{
    switch (code) {
    case TC_NOT_FOUND:
        http_call_refuse(call, HTTP_NOT_FOUND, "no task has this id");
        return;
    case TC_CONFLICT:
        http_call_refuse(call, HTTP_INVALID_TRANSITION, err->message);
        return;
    case TC_UNAVAILABLE:
    case TC_NO_MEMORY:
        log_failure(call, TC_LOG_WARN, code, err->message);
        http_call_refuse(call, HTTP_UNAVAILABLE,
                         "the service cannot do this now; nothing was changed");
        return;
    case TC_UNKNOWN:
        log_failure(call, TC_LOG_WARN, code, err->message);
        http_call_refuse(call, HTTP_UNAVAILABLE, unknown);
        return;
    case TC_OK:
    case TC_INVALID:
    case TC_INTERNAL:
    default:
        log_failure(call, TC_LOG_ERROR, code, err->message);
        http_call_refuse(call, HTTP_INTERNAL, "an error of the service");
        return;
    }
}

struct json_writer http_call_json(struct http_call *call, int status, size_t size)
{
    struct http_response *response = call->response;

    response->status = status;
    response->content_type = "application/json";
    http_buffer_puts(&response->headers, "Cache-Control: no-store\r\n");
    if (size > 0)
        http_buffer_reserve(&response->body, size);
    return (struct json_writer){ .out = &response->body };
}

void http_call_set_task(struct http_call *call, const struct tc_id *id)
{
    call->response->has_task_id = true;
    call->response->task_id = *id;
}
