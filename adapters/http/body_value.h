#ifndef TASKCORE_ADAPTERS_HTTP_BODY_VALUE_H
#define TASKCORE_ADAPTERS_HTTP_BODY_VALUE_H

/** @file body_value.h The single values of body_form.h. Private to it. */

#include "adapters/http/body_form.h"
#include "adapters/http/json_check.h"
#include "core/domain/id.h"

/** One reading of one body. */
struct body_reading {
    struct json_reader reader;
    struct body_input *input;
    struct tc_violations *violations;
    size_t body_len;
    size_t any_max;
    char at[32]; /**< pointer of the object being read: "", "/leases/3" */
    bool is_too_large;
};

void body_refuse(struct body_reading *reading, const struct body_field *field,
                 const char *detail);

/** No memory: stops the reader, and with it every loop over it. */
void body_give_up(struct body_reading *reading);

/** The value of a string, with a NUL behind it; "" when there is no memory. */
const char *body_text_of(struct body_reading *reading, const struct json_value *value);

bool body_is_in_range(const struct body_field *field, int64_t value);

/* Each takes a value into its place, or notes which rule it breaks. */
void body_read_integer(struct body_reading *reading, const struct body_field *field,
                       const struct json_value *value, int64_t *ret_value);
void body_read_flag(struct body_reading *reading, const struct body_field *field,
                    const struct json_value *value, bool *ret_flag);
void body_read_text(struct body_reading *reading, const struct body_field *field,
                    const struct json_value *value, const char **ret_text);
void body_read_id(struct body_reading *reading, const struct body_field *field,
                  const struct json_value *value, struct tc_id *ret_id);
void body_read_object(struct body_reading *reading, const struct body_field *field,
                      const struct json_value *value, struct tc_bytes *ret_text);

#endif
