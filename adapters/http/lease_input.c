#include "adapters/http/lease_input.h"

#include "adapters/http/json_check.h"
#include "adapters/http/json_scan.h"
#include "adapters/http/media_type.h"
#include "core/domain/lease.h"
#include "core/domain/task_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_MS        20000
#define RETRY_AFTER_MAX_MS INT64_C(604800000) /* 7 days */
#define PERCENT_MAX        100

#define COUNT_OF(array)     (sizeof(array) / sizeof((array)[0]))
#define PLACE(type, member) .offset = offsetof(struct type, member)
#define FORM(name, type)                                                                       \
    static const struct body_form name##_form = { name##_fields, COUNT_OF(name##_fields),      \
                                                  sizeof(struct type) }

static const char name_rule[] = "must be 1..64 of a-z, 0-9, '.', '_' and '-'";
static const char worker_rule[] = "must be 1..128 of A-Z, a-z, 0-9 and '._:@-'";

static const struct body_field wish_fields[] = {
    { "worker", BODY_TEXT, true, PLACE(lease_wish, worker), .is_valid = tc_owner_is_valid,
      .rule = worker_rule },
    { "queues", BODY_NAMES, false, PLACE(lease_wish, queues), 1, LEASE_QUEUES_MAX,
      tc_name_is_valid, name_rule },
    { "types", BODY_NAMES, false, PLACE(lease_wish, types), 1, LEASE_TYPES_MAX,
      tc_name_is_valid, name_rule },
    { "max", BODY_INTEGER, false, PLACE(lease_wish, max), 1, LEASE_TASKS_MAX },
    { "lease_ms", BODY_INTEGER, false, PLACE(lease_wish, lease_ms), TC_LEASE_MIN_MS,
      TC_LEASE_MAX_MS },
    { "wait_ms", BODY_INTEGER, false, PLACE(lease_wish, wait_ms), 0, WAIT_MAX_MS },
};

static const struct body_field beat_fields[] = {
    { "epoch", BODY_INTEGER, true, PLACE(lease_beat, epoch), 1, INT64_MAX },
    { "lease_ms", BODY_INTEGER, false, PLACE(lease_beat, lease_ms), TC_LEASE_MIN_MS,
      TC_LEASE_MAX_MS },
    { "progress", BODY_OBJECT, false, PLACE(lease_beat, progress), 0, TC_PROGRESS_MAX },
};

static const struct body_field named_fields[] = {
    { "id", BODY_ID, true, PLACE(lease_named, id) },
    { "epoch", BODY_INTEGER, true, PLACE(lease_named, epoch), 1, INT64_MAX },
};
FORM(named, lease_named);

static const struct body_field beats_fields[] = {
    { "worker", BODY_TEXT, true, PLACE(lease_beats, worker), .is_valid = tc_owner_is_valid,
      .rule = worker_rule },
    { "leases", BODY_ITEMS, true, PLACE(lease_beats, leases), 1, LEASE_HEARTBEATS_MAX,
      .items = &named_form },
    { "lease_ms", BODY_INTEGER, false, PLACE(lease_beats, lease_ms), TC_LEASE_MIN_MS,
      TC_LEASE_MAX_MS },
};

static const struct body_field complete_fields[] = {
    { "epoch", BODY_INTEGER, true, PLACE(lease_report, epoch), 1, INT64_MAX },
    { "result", BODY_ANY, false, PLACE(lease_report, result) },
};

static const struct body_field fail_fields[] = {
    { "epoch", BODY_INTEGER, true, PLACE(lease_report, epoch), 1, INT64_MAX },
    { "error", BODY_TEXT, true, PLACE(lease_report, error), 1, TC_ERROR_TEXT_MAX },
    { "retryable", BODY_FLAG, false, PLACE(lease_report, is_retryable) },
    { "retry_after_ms", BODY_INTEGER, false, PLACE(lease_report, delay_ms), 0,
      RETRY_AFTER_MAX_MS },
};

static const struct body_field release_fields[] = {
    { "epoch", BODY_INTEGER, true, PLACE(lease_report, epoch), 1, INT64_MAX },
    { "delay_ms", BODY_INTEGER, false, PLACE(lease_report, delay_ms), 0, TC_DELAY_MAX_MS },
};

FORM(wish, lease_wish);
FORM(beat, lease_beat);
FORM(beats, lease_beats);
FORM(complete, lease_report);
FORM(fail, lease_report);
FORM(release, lease_report);

/* True when the body was JSON within its limits; the rules it breaks are in the violations. */
static bool read_body(struct http_call *call, const struct body_form *form, void *target,
                      struct body_input *ret_input)
{
    size_t result_max = call->services->policy->result_max;
    char detail[128];

    *ret_input = (struct body_input){ 0 };
    if (!media_type_is_json(call->request)) {
        http_call_refuse(call, HTTP_UNSUPPORTED_MEDIA_TYPE,
                         "the body must be application/json in UTF-8");
        return false;
    }
    switch (body_form_read(form, call->request->body, result_max, target, ret_input,
                           &call->violations)) {
    case BODY_NO_MEMORY:
        http_call_refuse(call, HTTP_UNAVAILABLE, "the service is out of memory");
        return false;
    case BODY_MALFORMED:
        snprintf(detail, sizeof(detail), "the body is not acceptable JSON: %s, at byte %zu",
                 ret_input->problem, ret_input->problem_at);
        http_call_refuse(call, HTTP_MALFORMED_JSON, detail);
        return false;
    case BODY_TOO_LARGE:
        snprintf(detail, sizeof(detail), "the result is over %zu bytes", result_max);
        http_call_refuse(call, HTTP_PAYLOAD_TOO_LARGE, detail);
        return false;
    case BODY_READ:
    default:
        return true;
    }
}

/* Two lists that mean the same become the same, and no store sees a name twice. */
static void sort_names(struct body_names *names)
{
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        size_t at = count;

        while (at > 0 && strcmp(names->items[at - 1], name) > 0)
            at--;
        if (at > 0 && strcmp(names->items[at - 1], name) == 0)
            continue;
        memmove(&names->items[at + 1], &names->items[at], (count - at) * sizeof(name));
        names->items[at] = name;
        count++;
    }
    names->count = count;
}

bool lease_input_wish(struct http_call *call, struct lease_wish *ret_wish,
                      struct body_input *ret_input)
{
    *ret_wish = (struct lease_wish){ .queues = { { TC_DEFAULT_QUEUE }, 1 }, .max = 1 };
    if (!read_body(call, &wish_form, ret_wish, ret_input) || http_call_is_invalid(call))
        return false;
    sort_names(&ret_wish->queues);
    sort_names(&ret_wish->types);
    return true;
}

/* A number is followed by more of its object, so that strtod() ends within it. */
static bool is_percent(const struct json_value *value)
{
    double percent = value->kind == JSON_NUMBER ? strtod(value->text.data, NULL) : -1;

    return value->kind == JSON_NULL || (percent >= 0 && percent <= PERCENT_MAX);
}

static bool is_named_percent(const struct json_value *key)
{
    static const char name[] = "percent";
    char text[(sizeof(name) - 1) * 6]; /* every letter escaped */
    size_t len;

    if (key->text.len > sizeof(text))
        return false;
    len = json_unescape(key->text, text);
    return len == sizeof(name) - 1 && memcmp(text, name, len) == 0;
}

/* `progress` is known to be an object. @return false: no memory to read it. */
static bool check_progress(struct tc_bytes progress, struct tc_violations *violations)
{
    struct json_reader reader;
    struct json_value key;
    struct json_value value;
    bool is_read;

    json_reader_init(&reader, progress);
    is_read = json_enter(&reader);
    while (json_next_member(&reader, &key) && json_take(&reader, &value))
        if (is_named_percent(&key) && !is_percent(&value))
            tc_violations_add(violations, "/progress", "percent", "must be a number 0..%d",
                              PERCENT_MAX);
    is_read = is_read && !reader.problem;
    json_reader_release(&reader);
    return is_read;
}

bool lease_input_beat(struct http_call *call, struct lease_beat *ret_beat,
                      struct body_input *ret_input)
{
    *ret_beat = (struct lease_beat){ 0 };
    if (!read_body(call, &beat_form, ret_beat, ret_input))
        return false;
    if (ret_beat->progress.data && !check_progress(ret_beat->progress, &call->violations)) {
        http_call_refuse(call, HTTP_UNAVAILABLE, "the service is out of memory");
        return false;
    }
    return !http_call_is_invalid(call);
}

bool lease_input_beats(struct http_call *call, struct lease_beats *ret_beats,
                       struct body_input *ret_input)
{
    *ret_beats = (struct lease_beats){ 0 };
    return read_body(call, &beats_form, ret_beats, ret_input) && !http_call_is_invalid(call);
}

static bool read_report(struct http_call *call, const struct body_form *form,
                        struct lease_report *ret_report, struct body_input *ret_input)
{
    *ret_report = (struct lease_report){ .is_retryable = true, .delay_ms = TC_UNSET };
    return read_body(call, form, ret_report, ret_input) && !http_call_is_invalid(call);
}

bool lease_input_complete(struct http_call *call, struct lease_report *ret_report,
                          struct body_input *ret_input)
{
    return read_report(call, &complete_form, ret_report, ret_input);
}

bool lease_input_fail(struct http_call *call, struct lease_report *ret_report,
                      struct body_input *ret_input)
{
    return read_report(call, &fail_form, ret_report, ret_input);
}

bool lease_input_release(struct http_call *call, struct lease_report *ret_report,
                         struct body_input *ret_input)
{
    return read_report(call, &release_form, ret_report, ret_input);
}
