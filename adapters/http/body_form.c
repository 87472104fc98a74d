#include "adapters/http/body_form.h"

#include "adapters/http/body_value.h"
#include "adapters/http/json_pointer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool read_fn(struct body_reading *reading, const struct body_field *field,
                     void *target);

static void refuse_count(struct body_reading *reading, const struct body_field *field)
{
    tc_violations_add(reading->violations, reading->at, field->name,
                      "must have %" PRId64 "..%" PRId64 " items", field->min, field->max);
}

static void read_name(struct body_reading *reading, const struct body_field *field,
                      size_t number, struct body_names *names)
{
    struct json_value value;
    struct tc_bytes text = { "", 0 };
    char token[24];

    if (!json_take(&reading->reader, &value) || number >= (size_t)field->max)
        return;
    if (value.kind == JSON_STRING)
        text = tc_bytes_of(body_text_of(reading, &value));
    if (field->is_valid(text)) {
        names->items[names->count++] = text.data;
        return;
    }
    snprintf(token, sizeof(token), "%s/%zu", field->name, number);
    tc_violations_add(reading->violations, reading->at, token, "%s", field->rule);
}

static void read_names(struct body_reading *reading, const struct body_field *field,
                       struct body_names *names)
{
    size_t count = 0;

    names->count = 0;
    if (!json_enter(&reading->reader))
        return;
    while (json_next_element(&reading->reader))
        read_name(reading, field, count++, names);
    if (!reading->reader.problem && !body_is_in_range(field, (int64_t)count))
        refuse_count(reading, field);
}

/* A value that is taken whole. @return false: null, which is the same as not given. */
static bool read_value(struct body_reading *reading, const struct body_field *field,
                       void *target)
{
    struct json_value value;
    bool taken = field->kind == BODY_ANY ? json_take_payload(&reading->reader, &value)
                                         : json_take(&reading->reader, &value);

    if (!taken || value.kind == JSON_NULL)
        return false;
    switch (field->kind) {
    case BODY_INTEGER:
        body_read_integer(reading, field, &value, target);
        break;
    case BODY_FLAG:
        body_read_flag(reading, field, &value, target);
        break;
    case BODY_TEXT:
        body_read_text(reading, field, &value, target);
        break;
    case BODY_ID:
        body_read_id(reading, field, &value, target);
        break;
    case BODY_OBJECT:
        body_read_object(reading, field, &value, target);
        break;
    case BODY_ANY:
        *(struct tc_bytes *)target = value.text;
        reading->is_too_large |= value.text.len > reading->any_max;
        break;
    case BODY_NAMES:
    case BODY_ITEMS:
    default: /* an array would have been stepped into */
        body_refuse(reading, field,
                    field->kind == BODY_NAMES ? "must be an array of strings"
                                              : "must be an array of objects");
        break;
    }
    return true;
}

static const struct body_field *find_field(const struct body_form *form, const char *name)
{
    for (size_t i = 0; i < form->field_count; i++)
        if (strcmp(form->fields[i].name, name) == 0)
            return &form->fields[i];
    return NULL;
}

static void refuse_missing(struct body_reading *reading, const struct body_form *form,
                           uint32_t seen)
{
    for (size_t i = 0; i < form->field_count; i++)
        if (form->fields[i].is_required && !(seen & UINT32_C(1) << i))
            body_refuse(reading, &form->fields[i], "is required");
}

/* The members of the object that begins here; `read` is for one of them. @return false of
 * `read`: it was null. */
static void read_members(struct body_reading *reading, const struct body_form *form,
                         read_fn *read, void *target)
{
    struct json_value key;
    struct json_value ignored;
    uint32_t seen = 0;

    if (!json_enter(&reading->reader))
        return;
    while (json_next_member(&reading->reader, &key)) {
        const char *name = body_text_of(reading, &key);
        const struct body_field *field = find_field(form, name);

        if (field && read(reading, field, (char *)target + field->offset))
            seen |= UINT32_C(1) << (field - form->fields);
        if (field)
            continue;
        json_pointer_refuse(reading->violations, reading->at, tc_bytes_of(name));
        if (!json_take(&reading->reader, &ignored))
            return;
    }
    if (!reading->reader.problem)
        refuse_missing(reading, form, seen);
}

/* Room for one more item, all zeros; beyond the largest number one place serves the rest. */
static void *make_item(struct body_reading *reading, const struct body_field *field,
                       size_t number, size_t *room)
{
    size_t size = field->items->size;
    size_t place = number < (size_t)field->max ? number : (size_t)field->max;

    if (place >= *room) {
        size_t wanted = *room > 0 ? *room * 4 : 16;
        char *items = realloc(reading->input->items, wanted * size);

        if (!items) {
            body_give_up(reading);
            return NULL;
        }
        reading->input->items = items;
        *room = wanted;
    }
    return memset((char *)reading->input->items + place * size, 0, size);
}

static void read_item(struct body_reading *reading, const struct body_field *field,
                      size_t number, size_t *room)
{
    struct json_value ignored;
    void *item = make_item(reading, field, number, room);

    if (!item)
        return;
    snprintf(reading->at, sizeof(reading->at), "/%.16s/%zu", field->name, number);
    if (json_peek(&reading->reader) == JSON_OBJECT)
        read_members(reading, field->items, read_value, item);
    else if (json_take(&reading->reader, &ignored))
        tc_violations_add(reading->violations, reading->at, "", "must be an object");
    reading->at[0] = '\0';
}

static void read_items(struct body_reading *reading, const struct body_field *field,
                       struct body_items *items)
{
    size_t room = 0;
    size_t count = 0;

    if (!json_enter(&reading->reader))
        return;
    while (json_next_element(&reading->reader))
        read_item(reading, field, count++, &room);
    items->data = reading->input->items;
    items->count = count;
    if (!reading->reader.problem && !body_is_in_range(field, (int64_t)count))
        refuse_count(reading, field);
}

static bool read_field(struct body_reading *reading, const struct body_field *field,
                       void *target)
{
    bool is_array = json_peek(&reading->reader) == JSON_ARRAY;

    if (is_array && field->kind == BODY_NAMES)
        read_names(reading, field, target);
    else if (is_array && field->kind == BODY_ITEMS)
        read_items(reading, field, target);
    else
        return read_value(reading, field, target);
    return true;
}

static void read_body(struct body_reading *reading, const struct body_form *form, void *target)
{
    struct json_value ignored;

    if (json_peek(&reading->reader) == JSON_OBJECT)
        read_members(reading, form, read_field, target);
    else if (json_take(&reading->reader, &ignored))
        tc_violations_add(reading->violations, "", "", "the body must be an object");
    json_finish(&reading->reader);
}

enum body_verdict body_form_read(const struct body_form *form, struct tc_bytes body,
                                 size_t any_max, void *target, struct body_input *ret_input,
                                 struct tc_violations *violations)
{
    struct body_reading reading = {
        .input = ret_input, .violations = violations, .body_len = body.len, .any_max = any_max
    };

    *ret_input = (struct body_input){ 0 };
    json_reader_init(&reading.reader, body);
    read_body(&reading, form, target);
    ret_input->problem = reading.reader.problem;
    ret_input->problem_at = reading.reader.at;
    json_reader_release(&reading.reader);
    if (reading.reader.no_memory)
        return BODY_NO_MEMORY;
    if (ret_input->problem)
        return BODY_MALFORMED;
    return reading.is_too_large ? BODY_TOO_LARGE : BODY_READ;
}

void body_input_release(struct body_input *input)
{
    free(input->arena);
    free(input->items);
    *input = (struct body_input){ 0 };
}
