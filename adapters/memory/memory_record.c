#include "adapters/memory/memory_internal.h"

#include <string.h>

static size_t given_len(const struct tc_task *task)
{
    size_t len = task->payload.bytes.len + strlen(task->traceparent);

    for (size_t i = 0; i < task->tag_count; i++)
        len += task->tags[i].len;
    return len;
}

static unsigned char *append(unsigned char *at, struct tc_bytes bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

static void copy_given(struct memory_record *record, const struct tc_task *task)
{
    struct tc_bytes traceparent = tc_bytes_of(task->traceparent);
    unsigned char *at = append(record->given, task->payload.bytes);

    record->payload_len = task->payload.bytes.len;
    record->payload_kind = task->payload.kind;
    record->tag_count = (unsigned char)task->tag_count;
    for (size_t i = 0; i < task->tag_count; i++) {
        record->tag_lens[i] = (uint16_t)task->tags[i].len;
        at = append(at, task->tags[i]);
    }
    record->traceparent_len = (unsigned char)traceparent.len;
    append(at, traceparent);
}

struct memory_record *memory_record_new(const struct tc_task *task)
{
    struct memory_record *record = malloc(sizeof(*record) + given_len(task));

    if (!record)
        return NULL;
    *record = (struct memory_record){
        .id = task->id,
        .epoch = task->epoch,
        .created_at_ms = task->created_at_ms,
        .updated_at_ms = task->updated_at_ms,
        .run_at_ms = task->run_at_ms,
        .timeout_ms = task->timeout_ms,
        .attempt = task->attempt,
        .max_attempts = task->max_attempts,
        .crashes = task->crashes,
        .max_crashes = task->max_crashes,
        .status = task->status,
        .priority = task->priority,
        .titled = task->titled,
    };
    copy_given(record, task);
    return record;
}

void memory_record_free(struct memory_record *record)
{
    if (!record)
        return;
    free(record->result);
    free(record->progress);
    free(record->error_message);
    free(record);
}

static void view_given(const struct memory_record *record, struct tc_task *view)
{
    const unsigned char *at = record->given;

    view->payload = (struct tc_content){ record->payload_kind, { at, record->payload_len } };
    at += record->payload_len;
    view->tag_count = record->tag_count;
    for (size_t i = 0; i < view->tag_count; i++) {
        view->tags[i] = (struct tc_bytes){ at, record->tag_lens[i] };
        at += record->tag_lens[i];
    }
    memcpy(view->traceparent, at, record->traceparent_len);
}

static void view_lease(const struct memory_record *record, struct tc_lease *view)
{
    if (!record->lease)
        return;
    memcpy(view->owner, record->lease->owner, sizeof(view->owner));
    view->expires_at_ms = record->due.at;
    view->duration_ms = record->lease->duration_ms;
}

void memory_record_view(const struct memory_record *record, struct tc_task *ret_view)
{
    *ret_view = (struct tc_task){
        .id = record->id,
        .status = record->status,
        .priority = record->priority,
        .attempt = record->attempt,
        .max_attempts = record->max_attempts,
        .crashes = record->crashes,
        .max_crashes = record->max_crashes,
        .epoch = record->epoch,
        .created_at_ms = record->created_at_ms,
        .updated_at_ms = record->updated_at_ms,
        .run_at_ms = record->run_at_ms,
        .timeout_ms = record->timeout_ms,
        .started_at_ms = record->started_at_ms,
        .finished_at_ms = record->finished_at_ms,
        .titled = record->titled,
        .result = { record->result_kind, memory_blob_bytes(record->result) },
        .progress = memory_blob_bytes(record->progress),
        .error = { record->error_reason, record->error_attempt, record->error_at_ms,
                   memory_blob_bytes(record->error_message) },
    };
    memcpy(ret_view->queue, record->lane->key.queue->name, sizeof(ret_view->queue));
    memcpy(ret_view->type, record->lane->key.type->name, sizeof(ret_view->type));
    view_given(record, ret_view);
    view_lease(record, &ret_view->lease);
}

enum tc_code memory_copy_out(const struct memory_record *record, struct tc_task *ret_task,
                             struct tc_error *err)
{
    struct tc_task view;

    memory_record_view(record, &view);
    return tc_task_copy(ret_task, &view, err);
}

void memory_refresh(const struct memory_record *record, struct tc_task *copy)
{
    struct tc_task view;

    memory_record_view(record, &view);
    view.storage = copy->storage;
    view.payload = copy->payload;
    memcpy(view.tags, copy->tags, sizeof(view.tags));
    if (record->result)
        view.result = copy->result;
    if (record->progress)
        view.progress = copy->progress;
    if (record->error_message)
        view.error.message = copy->error.message;
    *copy = view;
}

struct memory_blob *memory_blob_new(struct tc_bytes bytes)
{
    struct memory_blob *blob = malloc(sizeof(*blob) + bytes.len);

    if (!blob)
        return NULL;
    blob->len = bytes.len;
    append(blob->bytes, bytes);
    return blob;
}

struct tc_bytes memory_blob_bytes(const struct memory_blob *blob)
{
    return blob ? (struct tc_bytes){ blob->bytes, blob->len } : (struct tc_bytes){ 0 };
}

void memory_blob_swap(struct memory_blob **place, struct memory_blob **blob)
{
    struct memory_blob *former = *place;

    *place = *blob;
    *blob = former;
}
