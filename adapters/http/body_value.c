#include "adapters/http/body_value.h"

#include "adapters/http/json_scan.h"

#include <inttypes.h>
#include <stdlib.h>

void body_refuse(struct body_reading *reading, const struct body_field *field,
                 const char *detail)
{
    tc_violations_add(reading->violations, reading->at, field->name, "%s", detail);
}

/* Stops the reader, and with it every loop below. */
void body_give_up(struct body_reading *reading)
{
    reading->reader.problem = "no memory to read it";
    reading->reader.no_memory = true;
}

/* The value of a string, with a NUL behind it. Each takes less room than it does in the body,
 * where it stands in quotes; no string holds a NUL, since the reader refuses them. */
const char *body_text_of(struct body_reading *reading, const struct json_value *value)
{
    struct body_input *input = reading->input;

    if (!input->arena)
        input->arena = malloc(reading->body_len);
    if (!input->arena) {
        body_give_up(reading);
        return "";
    }

    char *text = input->arena + input->arena_len;
    size_t len = json_unescape(value->text, text);

    text[len] = '\0';
    input->arena_len += len + 1;
    return text;
}

bool body_is_in_range(const struct body_field *field, int64_t value)
{
    return value >= field->min && value <= field->max;
}

void body_read_integer(struct body_reading *reading, const struct body_field *field,
                       const struct json_value *value, int64_t *ret_value)
{
    if (value->kind != JSON_NUMBER || !value->is_integer) {
        body_refuse(reading, field, "must be an integer, written as one");
        return;
    }
    *ret_value = json_integer(value->text);
    if (body_is_in_range(field, *ret_value))
        return;
    if (field->max == INT64_MAX)
        tc_violations_add(reading->violations, reading->at, field->name,
                          "must be %" PRId64 " or more", field->min);
    else
        tc_violations_add(reading->violations, reading->at, field->name,
                          "must be %" PRId64 "..%" PRId64, field->min, field->max);
}

void body_read_flag(struct body_reading *reading, const struct body_field *field,
                    const struct json_value *value, bool *ret_flag)
{
    if (value->kind == JSON_TRUE || value->kind == JSON_FALSE)
        *ret_flag = value->kind == JSON_TRUE;
    else
        body_refuse(reading, field, "must be true or false");
}

void body_read_text(struct body_reading *reading, const struct body_field *field,
                    const struct json_value *value, const char **ret_text)
{
    if (value->kind != JSON_STRING) {
        body_refuse(reading, field, "must be a string");
        return;
    }
    *ret_text = body_text_of(reading, value);

    struct tc_bytes text = tc_bytes_of(*ret_text);

    if (field->is_valid && !field->is_valid(text))
        body_refuse(reading, field, field->rule);
    else if (!field->is_valid && !body_is_in_range(field, (int64_t)tc_utf8_count(text)))
        tc_violations_add(reading->violations, reading->at, field->name,
                          "must be %" PRId64 "..%" PRId64 " characters", field->min,
                          field->max);
}

void body_read_id(struct body_reading *reading, const struct body_field *field,
                  const struct json_value *value, struct tc_id *ret_id)
{
    struct tc_bytes text = { "", 0 };

    if (value->kind == JSON_STRING)
        text = tc_bytes_of(body_text_of(reading, value));
    if (!tc_id_parse(text.data, text.len, ret_id))
        body_refuse(reading, field, "must be the id of a task, a UUID");
}

void body_read_object(struct body_reading *reading, const struct body_field *field,
                      const struct json_value *value, struct tc_bytes *ret_text)
{
    if (value->kind != JSON_OBJECT)
        body_refuse(reading, field, "must be an object");
    else if (value->text.len > (size_t)field->max)
        tc_violations_add(reading->violations, reading->at, field->name,
                          "must not be over %" PRId64 " bytes", field->max);
    else
        *ret_text = value->text;
}
