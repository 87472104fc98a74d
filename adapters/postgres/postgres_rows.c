/* A row of taskcore.task as a task, and the tags of one as bytes. */

#include "adapters/postgres/postgres_internal.h"
#include "adapters/postgres/postgres_tasks.h"

#include <string.h>

/* In the order of POSTGRES_TASK_COLUMNS. */
enum column {
    ID,
    STATUS,
    QUEUE,
    TYPE,
    PRIORITY,
    ATTEMPT,
    MAX_ATTEMPTS,
    CRASHES,
    MAX_CRASHES,
    EPOCH,
    UPDATED_AT,
    RUN_AT,
    TIMEOUT_MS,
    STARTED_AT,
    FINISHED_AT,
    TITLED,
    TRACEPARENT,
    PAYLOAD_KIND,
    PAYLOAD,
    RESULT_KIND,
    RESULT,
    PROGRESS,
    TAGS,
    ERROR_REASON,
    ERROR_ATTEMPT,
    ERROR_AT,
    ERROR,
    LEASE_OWNER,
    LEASE_DUE_AT,
    LEASE_DURATION_MS,
    COLUMN_COUNT,
};

_Static_assert(COLUMN_COUNT == POSTGRES_TASK_COLUMN_COUNT, "a column is missing");

/* --- tags: per tag two bytes of length, the low one first, and the text */

size_t postgres_tags_write(const struct tc_task *task, unsigned char *ret_bytes)
{
    unsigned char *at = ret_bytes;

    for (size_t i = 0; i < task->tag_count; i++)
        at += postgres_tag_write(task->tags[i], at);
    return (size_t)(at - ret_bytes);
}

size_t postgres_tag_write(struct tc_bytes tag, unsigned char *ret_bytes)
{
    ret_bytes[0] = (unsigned char)tag.len;
    ret_bytes[1] = (unsigned char)(tag.len >> 8);
    if (tag.len > 0)
        memcpy(ret_bytes + 2, tag.data, tag.len);
    return 2 + tag.len;
}

static bool read_tags(struct tc_bytes bytes, struct tc_task *task)
{
    const unsigned char *at = bytes.data;
    size_t left = bytes.len;

    while (left > 0) {
        size_t len = left >= 2 ? (size_t)at[0] | (size_t)at[1] << 8 : left;

        if (left < 2 || len > left - 2 || task->tag_count == TC_TAG_COUNT_MAX)
            return false;
        task->tags[task->tag_count++] = (struct tc_bytes){ at + 2, len };
        at += 2 + len;
        left -= 2 + len;
    }
    return true;
}

/* --- a task */

struct source {
    const PGresult *result;
    int row;
    int first;
};

static int64_t number(const struct source *from, enum column column)
{
    return postgres_get_int(from->result, from->row, from->first + (int)column);
}

static void text(const struct source *from, enum column column, char *ret_text, size_t size)
{
    postgres_get_text(from->result, from->row, from->first + (int)column, ret_text, size);
}

static struct tc_bytes bytes(const struct source *from, enum column column)
{
    return postgres_get_bytes(from->result, from->row, from->first + (int)column);
}

static struct tc_content content(const struct source *from, enum column kind,
                                 enum column column)
{
    return (struct tc_content){ (enum tc_content_kind)number(from, kind), bytes(from, column) };
}

static void read_numbers(const struct source *from, struct tc_task *task)
{
    task->id = postgres_get_id(from->result, from->row, from->first + ID);
    task->status = (enum tc_status)number(from, STATUS);
    task->priority = (int)number(from, PRIORITY);
    task->attempt = (int)number(from, ATTEMPT);
    task->max_attempts = (int)number(from, MAX_ATTEMPTS);
    task->crashes = (int)number(from, CRASHES);
    task->max_crashes = (int)number(from, MAX_CRASHES);
    task->epoch = number(from, EPOCH);
    task->created_at_ms = tc_id_ms(&task->id);
    task->updated_at_ms = number(from, UPDATED_AT);
    task->run_at_ms = number(from, RUN_AT);
    task->timeout_ms = number(from, TIMEOUT_MS);
    task->started_at_ms = number(from, STARTED_AT);
    task->finished_at_ms = number(from, FINISHED_AT);
    task->titled = postgres_get_bool(from->result, from->row, from->first + TITLED);
}

static void read_words(const struct source *from, struct tc_task *task)
{
    text(from, QUEUE, task->queue, sizeof(task->queue));
    text(from, TYPE, task->type, sizeof(task->type));
    text(from, TRACEPARENT, task->traceparent, sizeof(task->traceparent));
    task->payload = content(from, PAYLOAD_KIND, PAYLOAD);
    task->result = content(from, RESULT_KIND, RESULT);
    task->progress = bytes(from, PROGRESS);
    task->error = (struct tc_failure){
        .reason = (enum tc_reason)number(from, ERROR_REASON),
        .attempt = (int)number(from, ERROR_ATTEMPT),
        .at_ms = number(from, ERROR_AT),
        .message = bytes(from, ERROR),
    };
    text(from, LEASE_OWNER, task->lease.owner, sizeof(task->lease.owner));
    task->lease.expires_at_ms = number(from, LEASE_DUE_AT);
    task->lease.duration_ms = number(from, LEASE_DURATION_MS);
}

enum tc_code postgres_read_task(const PGresult *result, int row, int first_column,
                                struct tc_task *ret_task, struct tc_error *err)
{
    const struct source from = { result, row, first_column };
    struct tc_task borrowed = { .status = TC_STATUS_SCHEDULED };

    read_numbers(&from, &borrowed);
    read_words(&from, &borrowed);
    if (!read_tags(bytes(&from, TAGS), &borrowed))
        return tc_fail(err, TC_INTERNAL, "postgres: the tags of a task are malformed");
    return tc_task_copy(ret_task, &borrowed, err);
}
