#include "adapters/http/task_json.h"

/* Names, numbers, times and ids of a task take about 600 bytes. */
#define FIXED_SIZE 900

size_t task_json_size(const struct tc_task *task)
{
    return FIXED_SIZE + task->payload.bytes.len * (task->titled ? 2 : 1) +
           task->result.bytes.len + task->progress.len + task->error.message.len;
}

/* JSON as it is; text as a string; what JSON cannot say as null beside `name`_b64. */
static void write_content(struct json_writer *writer, const char *name, const char *name_b64,
                          const struct tc_content *content)
{
    json_key(writer, name);
    switch (content->kind) {
    case TC_CONTENT_JSON:
        json_raw(writer, content->bytes);
        break;
    case TC_CONTENT_TEXT:
        json_string(writer, content->bytes);
        break;
    case TC_CONTENT_BYTES:
        json_null(writer);
        json_key(writer, name_b64);
        json_base64(writer, content->bytes);
        break;
    case TC_CONTENT_NONE:
    case TC_CONTENT_COUNT:
    default:
        json_null(writer);
        break;
    }
}

static void write_time(struct json_writer *writer, const char *name, int64_t ms)
{
    json_key(writer, name);
    if (ms == 0)
        json_null(writer);
    else
        json_time(writer, ms);
}

static void write_tags(struct json_writer *writer, const struct tc_task *task)
{
    json_key(writer, "tags");
    json_open_array(writer);
    for (size_t i = 0; i < task->tag_count; i++)
        json_string(writer, task->tags[i]);
    json_close_array(writer);
}

static void write_error(struct json_writer *writer, const struct tc_failure *error)
{
    json_key(writer, "error");
    if (error->reason == TC_REASON_NONE) {
        json_null(writer);
        return;
    }
    json_open_object(writer);
    json_key(writer, "message");
    json_string(writer, error->message);
    json_member(writer, "reason", tc_reason_name(error->reason));
    json_member_int(writer, "attempt", error->attempt);
    write_time(writer, "at", error->at_ms);
    json_close_object(writer);
}

static void write_lease(struct json_writer *writer, const struct tc_task *task)
{
    json_key(writer, "lease");
    if (task->lease.owner[0] == '\0') {
        json_null(writer);
        return;
    }
    json_open_object(writer);
    json_member(writer, "owner", task->lease.owner);
    json_member_int(writer, "epoch", task->epoch);
    write_time(writer, "expires_at", task->lease.expires_at_ms);
    json_close_object(writer);
}

static void write_omitted(struct json_writer *writer, const struct task_json_options *options)
{
    if (!options->omit_payload && !options->omit_result)
        return;
    json_key(writer, "omitted");
    json_open_array(writer);
    if (options->omit_payload)
        json_string(writer, tc_bytes_of("payload"));
    if (options->omit_result)
        json_string(writer, tc_bytes_of("result"));
    json_close_array(writer);
}

static void write_what(struct json_writer *writer, const struct tc_task *task,
                       const struct task_json_options *options)
{
    char id[TC_ID_TEXT_SIZE];

    tc_id_format(&task->id, id);
    json_member(writer, "id", id);
    if (options->with_task_id)
        json_member(writer, "task_id", id);
    json_member(writer, "queue", task->queue);
    json_member(writer, "type", task->type);
    if (!options->omit_payload)
        write_content(writer, "payload", "payload_b64", &task->payload);
    if (task->titled && !options->omit_payload) {
        json_key(writer, "title");
        json_raw(writer, task->payload.bytes);
    }
    json_member(writer, "status", tc_status_name(task->status));
}

static void write_numbers(struct json_writer *writer, const struct tc_task *task)
{
    json_member_int(writer, "priority", task->priority);
    json_member_int(writer, "attempt", task->attempt);
    json_member_int(writer, "max_attempts", task->max_attempts);
    json_member_int(writer, "crashes", task->crashes);
    json_member_int(writer, "max_crashes", task->max_crashes);
    json_member_int(writer, "epoch", task->epoch);
    json_key(writer, "run_at");
    json_time(writer, task->run_at_ms);
    json_member_int(writer, "timeout_ms", task->timeout_ms);
}

void task_json_write(struct json_writer *writer, const struct tc_task *task,
                     const struct task_json_options *options)
{
    json_open_object(writer);
    write_what(writer, task, options);
    write_numbers(writer, task);
    write_tags(writer, task);
    if (!options->omit_result)
        write_content(writer, "result", "result_b64", &task->result);
    write_error(writer, &task->error);
    json_key(writer, "progress");
    if (task->progress.len > 0)
        json_raw(writer, task->progress);
    else
        json_null(writer);
    write_lease(writer, task);
    json_key(writer, "created_at");
    json_time(writer, task->created_at_ms);
    json_key(writer, "updated_at");
    json_time(writer, task->updated_at_ms);
    write_time(writer, "started_at", task->started_at_ms);
    write_time(writer, "finished_at", task->finished_at_ms);
    write_omitted(writer, options);
    json_close_object(writer);
}
