#include "adapters/http/http_routes.h"
#include "adapters/http/media_type.h"
#include "adapters/http/task_input.h"
#include "adapters/http/task_json.h"
#include "adapters/http/traceparent.h"
#include "core/usecases/create_tasks.h"

#include <openssl/sha.h>
#include <stdio.h>

_Static_assert(TC_REQUEST_HASH_SIZE == SHA256_DIGEST_LENGTH, "the request's hash is SHA-256");

static const char unknown_detail[] =
    "the store's answer was lost: the task may exist; a retry with the same Idempotency-Key "
    "is safe";

/* Hand the text over to the use case. */
static enum tc_code give(struct http_buffer *text, char **ret_answer, size_t *ret_len,
                         struct tc_error *err)
{
    if (text->failed) {
        http_buffer_release(text);
        return tc_fail(err, TC_NO_MEMORY, "no memory for an answer");
    }
    *ret_answer = text->data;
    *ret_len = text->len;
    return TC_OK;
}

static enum tc_code write_task(void *ctx, const struct tc_task *tasks, size_t count,
                               char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    const struct task_json_options options = { .with_task_id = true };
    struct http_buffer text = { 0 };
    struct json_writer writer = { .out = &text };

    (void)ctx;
    (void)count;
    http_buffer_reserve(&text, task_json_size(&tasks[0]));
    task_json_write(&writer, &tasks[0], &options);
    return give(&text, ret_answer, ret_len, err);
}

static enum tc_code write_ids(void *ctx, const struct tc_task *tasks, size_t count,
                              char **ret_answer, size_t *ret_len, struct tc_error *err)
{
    struct http_buffer text = { 0 };
    struct json_writer writer = { .out = &text };
    char id[TC_ID_TEXT_SIZE];

    (void)ctx;
    http_buffer_reserve(&text, 16 + count * (TC_ID_TEXT_LEN + 10));
    json_open_object(&writer);
    json_key(&writer, "items");
    json_open_array(&writer);
    for (size_t i = 0; i < count; i++) {
        tc_id_format(&tasks[i].id, id);
        json_open_object(&writer);
        json_member(&writer, "id", id);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    return give(&text, ret_answer, ret_len, err);
}

/* The key; NULL when there is none, or none that may be used. */
static const char *read_key(struct http_call *call)
{
    size_t count = 0;
    const char *key = http_request_header(call->request, "Idempotency-Key", &count);

    if (count == 0)
        return NULL;
    if (count == 1 && tc_key_is_valid(tc_bytes_of(key)))
        return key;
    tc_violations_add(&call->violations, "", "Idempotency-Key", "%s",
                      count > 1 ? "must not be repeated"
                                : "must be 1..255 visible ASCII characters");
    return NULL;
}

/* True when the specs may be stored; else the refusal has been written. */
static bool read_specs(struct http_call *call, bool is_batch, struct task_input *ret_input)
{
    struct task_input_request request = {
        .body = call->request->body,
        .is_batch = is_batch,
        .policy = call->services->policy,
    };
    char detail[128];

    traceparent_read(call->request, request.traceparent);
    switch (task_input_read(&request, ret_input, &call->violations)) {
    case TASK_INPUT_NO_MEMORY:
        http_call_refuse(call, HTTP_UNAVAILABLE, "the service is out of memory");
        return false;
    case TASK_INPUT_MALFORMED:
        snprintf(detail, sizeof(detail), "the body is not acceptable JSON: %s, at byte %zu",
                 ret_input->problem, ret_input->problem_at);
        http_call_refuse(call, HTTP_MALFORMED_JSON, detail);
        return false;
    case TASK_INPUT_TOO_LARGE:
        snprintf(detail, sizeof(detail), "a payload is over %zu bytes",
                 call->services->policy->payload_max);
        http_call_refuse(call, HTTP_PAYLOAD_TOO_LARGE, detail);
        return false;
    case TASK_INPUT_READ:
    default:
        return true;
    }
}

static void answer_stored(struct http_call *call, bool is_batch,
                          struct tc_create_tasks_result *result)
{
    bool is_replay = result->verdict == TC_INSERT_EXISTING;
    struct http_response *response = call->response;

    if (result->verdict == TC_INSERT_MISMATCH) {
        http_call_refuse(call, HTTP_IDEMPOTENCY_MISMATCH,
                         "this Idempotency-Key came before with another body");
        return;
    }
    http_call_set_task(call, &result->first_id);
    http_call_json(call, is_replay ? 200 : 201, 0);
    if (!is_batch) {
        char id[TC_ID_TEXT_SIZE];

        tc_id_format(&result->first_id, id);
        http_buffer_puts(&response->headers, "Location: /api/v1/tasks/");
        http_buffer_puts(&response->headers, id);
        http_buffer_puts(&response->headers, "\r\n");
    }
    if (is_replay) {
        http_buffer_puts(&response->headers, "Idempotent-Replayed: true\r\n");
        http_buffer_append(&response->body, result->answer, result->answer_len);
        return;
    }
    /* What was written for the store becomes the body: no copy. */
    response->body = (struct http_buffer){ .data = result->answer,
                                           .len = result->answer_len,
                                           .size = result->answer_len + 1 };
    result->answer = NULL;
}

static void store(struct http_call *call, bool is_batch, const struct task_input *specs,
                  const char *key)
{
    const struct http_services *services = call->services;
    const struct tc_create_tasks_ports ports = {
        .repo = services->repo,
        .queue = services->queue,
        .ids = services->ids,
        .policy = services->policy,
    };
    struct tc_create_tasks_input input = {
        .specs = specs->specs,
        .count = specs->count,
        .key = key,
        .write_answer = is_batch ? write_ids : write_task,
    };
    struct tc_create_tasks_result result = { 0 };
    struct tc_error err = { 0 };
    enum tc_code code;

    if (key)
        SHA256(call->request->body.data, call->request->body.len, input.request_hash);
    code = tc_create_tasks(&ports, &input, &result, &err);
    if (code == TC_OK)
        answer_stored(call, is_batch, &result);
    else
        http_call_fail(call, code, &err, unknown_detail);
    tc_create_tasks_result_release(&result);
}

static void create(struct http_call *call, bool is_batch)
{
    struct task_input input;
    const char *key;

    if (!media_type_is_json(call->request)) {
        http_call_refuse(call, HTTP_UNSUPPORTED_MEDIA_TYPE,
                         "the body must be application/json in UTF-8");
        return;
    }
    if (atomic_load_explicit(&call->services->draining, memory_order_relaxed)) {
        http_call_refuse(call, HTTP_UNAVAILABLE, "this process is being stopped");
        return;
    }
    if (read_specs(call, is_batch, &input)) {
        key = read_key(call);
        if (!http_call_is_invalid(call))
            store(call, is_batch, &input, key);
    }
    task_input_release(&input);
}

void http_post_task(struct http_call *call)
{
    create(call, false);
}

void http_post_batch(struct http_call *call)
{
    create(call, true);
}
