#include "adapters/http/task_input.h"

#include "adapters/http/json_check.h"
#include "adapters/http/json_pointer.h"
#include "adapters/http/json_scan.h"
#include "adapters/http/rfc3339.h"
#include "ports/task_repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One reading of one body. */
struct reading {
    const struct task_input_request *request;
    struct task_input *input;
    struct json_reader reader;
    struct tc_violations *violations;
    char at[32]; /* pointer of the task being read: "", "/tasks/3" */
    bool is_too_large;
};

enum field_kind {
    FIELD_PAYLOAD,
    FIELD_TITLE,
    FIELD_TEXT,
    FIELD_INTEGER,
    FIELD_TIME,
    FIELD_TAGS,
};

static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset; /* in struct tc_task_spec: of the bytes or the integer */
} fields[] = {
    { "payload", FIELD_PAYLOAD, 0 },
    { "title", FIELD_TITLE, 0 },
    { "type", FIELD_TEXT, offsetof(struct tc_task_spec, type) },
    { "queue", FIELD_TEXT, offsetof(struct tc_task_spec, queue) },
    { "priority", FIELD_INTEGER, offsetof(struct tc_task_spec, priority) },
    { "run_at", FIELD_TIME, offsetof(struct tc_task_spec, run_at_ms) },
    { "delay_ms", FIELD_INTEGER, offsetof(struct tc_task_spec, delay_ms) },
    { "max_attempts", FIELD_INTEGER, offsetof(struct tc_task_spec, max_attempts) },
    { "max_crashes", FIELD_INTEGER, offsetof(struct tc_task_spec, max_crashes) },
    { "timeout_ms", FIELD_INTEGER, offsetof(struct tc_task_spec, timeout_ms) },
    { "tags", FIELD_TAGS, 0 },
};

static void refuse(struct reading *reading, const char *field, const char *detail)
{
    tc_violations_add(reading->violations, reading->at, field, "%s", detail);
}

/* Stops the reader, and with it every loop below. */
static void give_up(struct reading *reading)
{
    reading->reader.problem = "no memory to read it";
    reading->reader.no_memory = true;
}

/* The value of a string, without quotes. All unescaped strings together are shorter than
 * the body, so one block serves them; most requests need none. */
static struct tc_bytes text_of(struct reading *reading, const struct json_value *value)
{
    struct task_input *input = reading->input;
    const char *data = value->text.data;
    struct tc_bytes text = value->text;

    if (text.len >= 2 && data[0] == '"')
        text = (struct tc_bytes){ data + 1, text.len - 2 };
    if (!value->has_escapes)
        return text;
    if (!input->arena)
        input->arena = malloc(reading->request->body.len);
    if (!input->arena) {
        give_up(reading);
        return (struct tc_bytes){ "", 0 };
    }

    char *out = input->arena + input->arena_len;
    size_t len = json_unescape(text, out);

    input->arena_len += len;
    return (struct tc_bytes){ out, len };
}

static void read_title(struct reading *reading, const struct json_value *value,
                       struct tc_task_spec *spec)
{
    if (value->kind != JSON_STRING) {
        refuse(reading, "title", "must be a string");
        /* It is there: the rule that asks for a payload or a title shall not speak too. */
        spec->title = tc_bytes_of("-");
        return;
    }
    spec->title = text_of(reading, value);
    spec->title_json = value->text;
}

static void read_text(struct reading *reading, const struct json_value *value, const char *name,
                      struct tc_bytes *ret_text)
{
    if (value->kind == JSON_STRING)
        *ret_text = text_of(reading, value);
    else
        refuse(reading, name, "must be a string");
}

static void read_integer(struct reading *reading, const struct json_value *value,
                         const char *name, int64_t *ret_value)
{
    if (value->kind == JSON_NUMBER && value->is_integer)
        *ret_value = json_integer(value->text);
    else
        refuse(reading, name, "must be an integer, written as one");
}

static void read_time(struct reading *reading, const struct json_value *value, const char *name,
                      int64_t *ret_ms)
{
    struct tc_bytes text = { 0 };

    if (value->kind == JSON_STRING)
        text = text_of(reading, value);
    if (!text.data || !rfc3339_parse(text.data, text.len, ret_ms, NULL))
        refuse(reading, name, "must be an RFC 3339 time with offset");
}

static void read_tags(struct reading *reading, struct tc_task_spec *spec)
{
    struct json_reader *reader = &reading->reader;
    struct json_value value;
    bool are_strings = true;

    if (!json_enter(reader))
        return;
    while (json_next_element(reader)) {
        if (!json_take(reader, &value))
            return;
        if (value.kind != JSON_STRING)
            are_strings = false;
        else if (spec->tag_count < TC_TAG_COUNT_MAX)
            spec->tags[spec->tag_count] = text_of(reading, &value);
        spec->tag_count++;
    }
    if (are_strings)
        return;
    refuse(reading, "tags", "must be strings");
    spec->tag_count = 0;
}

static void read_payload(struct reading *reading, struct tc_task_spec *spec)
{
    struct json_value value;

    if (!json_take_payload(&reading->reader, &value))
        return;
    spec->payload = (struct tc_content){ TC_CONTENT_JSON, value.text };
    if (value.text.len > reading->request->policy->payload_max)
        reading->is_too_large = true;
}

static void read_field(struct reading *reading, const struct field *field,
                       struct tc_task_spec *spec)
{
    void *target = (char *)spec + field->offset;
    struct json_value value;

    if (field->kind == FIELD_PAYLOAD) {
        read_payload(reading, spec);
        return;
    }
    if (field->kind == FIELD_TAGS && json_peek(&reading->reader) == JSON_ARRAY) {
        read_tags(reading, spec);
        return;
    }
    if (!json_take(&reading->reader, &value) || value.kind == JSON_NULL)
        return;
    if (field->kind == FIELD_TITLE)
        read_title(reading, &value, spec);
    else if (field->kind == FIELD_TEXT)
        read_text(reading, &value, field->name, target);
    else if (field->kind == FIELD_INTEGER)
        read_integer(reading, &value, field->name, target);
    else if (field->kind == FIELD_TIME)
        read_time(reading, &value, field->name, target);
    else
        refuse(reading, "tags", "must be an array of strings");
}

static bool is_name(struct tc_bytes key, const char *name)
{
    return strlen(name) == key.len && memcmp(name, key.data, key.len) == 0;
}

static const struct field *find_field(struct tc_bytes key)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (is_name(key, fields[i].name))
            return &fields[i];
    return NULL;
}

/* The members of the object that begins here. */
static void read_task(struct reading *reading, struct tc_task_spec *spec)
{
    struct json_reader *reader = &reading->reader;
    struct json_value key;
    struct json_value ignored;

    if (!json_enter(reader))
        return;
    while (json_next_member(reader, &key)) {
        struct tc_bytes name = text_of(reading, &key);
        const struct field *field = find_field(name);

        if (field) {
            read_field(reading, field, spec);
        } else {
            json_pointer_refuse(reading->violations, reading->at, name);
            if (!json_take(reader, &ignored))
                return;
        }
    }
}

static void start_spec(const struct reading *reading, struct tc_task_spec *spec)
{
    tc_task_spec_init(spec);
    memcpy(spec->traceparent, reading->request->traceparent, TC_TRACEPARENT_LEN + 1);
}

/* Read the value that begins here as one task. */
static void read_element(struct reading *reading, struct tc_task_spec *spec)
{
    struct json_value ignored;

    start_spec(reading, spec);
    if (json_peek(&reading->reader) != JSON_OBJECT) {
        if (json_take(&reading->reader, &ignored))
            refuse(reading, "", "must be an object");
        return;
    }
    read_task(reading, spec);
    if (!reading->reader.problem)
        tc_task_spec_validate(spec, reading->request->policy, reading->at, reading->violations);
}

/* Room for the spec at `index`; beyond the largest batch one scratch place serves all. */
static struct tc_task_spec *spec_at(struct reading *reading, size_t index, size_t *size)
{
    struct task_input *input = reading->input;

    if (index >= TC_CREATION_TASKS_MAX)
        return &input->one;
    if (index >= *size) {
        size_t wanted = *size > 0 ? *size * 4 : 16;
        struct tc_task_spec *specs = realloc(input->specs, wanted * sizeof(*specs));

        if (!specs) {
            give_up(reading);
            return NULL;
        }
        input->specs = specs;
        *size = wanted;
    }
    return &input->specs[index];
}

static void read_tasks(struct reading *reading)
{
    size_t size = 0;
    size_t count = 0;

    if (!json_enter(&reading->reader))
        return;
    while (json_next_element(&reading->reader)) {
        struct tc_task_spec *spec = spec_at(reading, count, &size);

        if (!spec)
            return;
        snprintf(reading->at, sizeof(reading->at), "/tasks/%zu", count);
        read_element(reading, spec);
        count++;
    }
    reading->at[0] = '\0';
    if (count < 1 || count > TC_CREATION_TASKS_MAX)
        tc_violations_add(reading->violations, "", "tasks", "must have 1..%d items",
                          TC_CREATION_TASKS_MAX);
    reading->input->count = count;
}

static void read_batch(struct reading *reading)
{
    struct json_reader *reader = &reading->reader;
    struct json_value key;
    struct json_value ignored;
    bool has_tasks = false;

    if (!json_enter(reader))
        return;
    while (json_next_member(reader, &key)) {
        struct tc_bytes name = text_of(reading, &key);
        bool is_tasks = is_name(name, "tasks");

        if (is_tasks && json_peek(reader) == JSON_ARRAY) {
            has_tasks = true;
            read_tasks(reading);
            continue;
        }
        if (!json_take(reader, &ignored))
            return;
        if (!is_tasks)
            json_pointer_refuse(reading->violations, reading->at, name);
    }
    if (!has_tasks)
        tc_violations_add(reading->violations, "", "tasks", "must be an array of 1..%d tasks",
                          TC_CREATION_TASKS_MAX);
}

static void read_body(struct reading *reading)
{
    struct task_input *input = reading->input;
    struct json_value ignored;

    if (json_peek(&reading->reader) != JSON_OBJECT) {
        if (json_take(&reading->reader, &ignored))
            refuse(reading, "", "the body must be an object");
    } else if (reading->request->is_batch) {
        read_batch(reading);
    } else {
        input->specs = &input->one;
        input->count = 1;
        read_element(reading, &input->one);
    }
    json_finish(&reading->reader);
}

enum task_input_verdict task_input_read(const struct task_input_request *request,
                                        struct task_input *ret_input,
                                        struct tc_violations *violations)
{
    struct reading reading = { .request = request,
                               .input = ret_input,
                               .violations = violations };

    ret_input->specs = NULL;
    ret_input->count = 0;
    ret_input->problem = NULL;
    ret_input->arena = NULL;
    ret_input->arena_len = 0;
    json_reader_init(&reading.reader, request->body);
    read_body(&reading);
    ret_input->problem = reading.reader.problem;
    ret_input->problem_at = reading.reader.at;
    json_reader_release(&reading.reader);
    if (reading.reader.no_memory)
        return TASK_INPUT_NO_MEMORY;
    if (ret_input->problem)
        return TASK_INPUT_MALFORMED;
    return reading.is_too_large ? TASK_INPUT_TOO_LARGE : TASK_INPUT_READ;
}

void task_input_release(struct task_input *input)
{
    if (input->specs != &input->one)
        free(input->specs);
    free(input->arena);
    input->specs = NULL;
    input->arena = NULL;
}
