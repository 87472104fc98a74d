#include "core/domain/task_spec.h"

#include <string.h>

#define TITLE_TYPE "demo.parity" /* the handler of model D, whose creators send titles */

void tc_task_spec_init(struct tc_task_spec *spec)
{
    *spec = (struct tc_task_spec){
        .priority = TC_UNSET,
        .run_at_ms = TC_UNSET,
        .delay_ms = TC_UNSET,
        .max_attempts = TC_UNSET,
        .max_crashes = TC_UNSET,
        .timeout_ms = TC_UNSET,
    };
}

static bool is_made_of(struct tc_bytes text, size_t max, const char *extra)
{
    const char *at = text.data;

    if (text.len < 1 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        bool plain = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= '0' && at[i] <= '9');

        if (!plain && (at[i] == '\0' || !strchr(extra, at[i])))
            return false;
    }
    return true;
}

bool tc_name_is_valid(struct tc_bytes name)
{
    return is_made_of(name, TC_NAME_MAX, "._-");
}

bool tc_owner_is_valid(struct tc_bytes owner)
{
    return is_made_of(owner, TC_OWNER_MAX, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._:@-");
}

bool tc_key_is_valid(struct tc_bytes key)
{
    const char *at = key.data;

    if (key.len < 1 || key.len > 255)
        return false;
    for (size_t i = 0; i < key.len; i++)
        if (at[i] < '!' || at[i] > '~')
            return false;
    return true;
}

/* Text that comes back as it is: well-formed, no NUL (adapters keep it as C text). */
static bool is_text(struct tc_bytes text, size_t max_chars)
{
    return text.len > 0 && !memchr(text.data, '\0', text.len) && tc_utf8_is_valid(text) &&
           tc_utf8_count(text) <= max_chars;
}

static void check_payload(const struct tc_task_spec *spec, const struct tc_policy *policy,
                          const char *at, struct tc_violations *violations)
{
    const struct tc_bytes *payload = &spec->payload.bytes;
    bool given = spec->payload.kind != TC_CONTENT_NONE;

    if (!given && !spec->title.data) {
        tc_violations_add(violations, at, "payload", "one of payload and title is required");
        return;
    }
    if (given && spec->title.data) {
        tc_violations_add(violations, at, "title", "must not come together with payload");
        return;
    }
    if (!given) {
        if (!is_text(spec->title, TC_TITLE_MAX))
            tc_violations_add(violations, at, "title", "must have 1..%d characters",
                              TC_TITLE_MAX);
        payload = &spec->title_json;
    }
    if (payload->len > policy->payload_max)
        tc_violations_add(violations, at, given ? "payload" : "title",
                          "must not be over %zu bytes", policy->payload_max);
    if (given && (payload->len == 0 || (spec->payload.kind == TC_CONTENT_JSON &&
                                        tc_bytes_equals(*payload, tc_bytes_of("\"\"")))))
        tc_violations_add(violations, at, "payload", "must not be an empty string");
}

static void check_range(int64_t value, int64_t min, int64_t max, const char *field,
                        const char *at, struct tc_violations *violations)
{
    if (value != TC_UNSET && (value < min || value > max))
        tc_violations_add(violations, at, field, "must be %lld..%lld", (long long)min,
                          (long long)max);
}

/* Told apart from the numbers: it is written as a date. An offset may lead out of the years
 * that can be written. */
static void check_run_at(int64_t run_at_ms, const char *at, struct tc_violations *violations)
{
    if (run_at_ms != TC_UNSET && (run_at_ms < TC_TIME_MIN_MS || run_at_ms > TC_TIME_MAX_MS))
        tc_violations_add(violations, at, "run_at", "must lie in the years 0 to 9999, UTC");
}

static void check_tags(const struct tc_task_spec *spec, const char *at,
                       struct tc_violations *violations)
{
    if (spec->tag_count > TC_TAG_COUNT_MAX) {
        tc_violations_add(violations, at, "tags", "must be at most %d strings",
                          TC_TAG_COUNT_MAX);
        return;
    }
    for (size_t i = 0; i < spec->tag_count; i++)
        if (!is_text(spec->tags[i], TC_TAG_MAX)) {
            tc_violations_add(violations, at, "tags", "each must have 1..%d characters",
                              TC_TAG_MAX);
            return;
        }
}

void tc_task_spec_validate(const struct tc_task_spec *spec, const struct tc_policy *policy,
                           const char *at, struct tc_violations *violations)
{
    static const char name_rule[] = "must be 1..64 of a-z, 0-9, '.', '_' and '-'";

    check_payload(spec, policy, at, violations);
    if (spec->type.data && !tc_name_is_valid(spec->type))
        tc_violations_add(violations, at, "type", "%s", name_rule);
    if (spec->queue.data && !tc_name_is_valid(spec->queue))
        tc_violations_add(violations, at, "queue", "%s", name_rule);
    if (spec->run_at_ms != TC_UNSET && spec->delay_ms != TC_UNSET)
        tc_violations_add(violations, at, "delay_ms", "must not come together with run_at");
    check_range(spec->priority, 0, TC_PRIORITY_MAX, "priority", at, violations);
    check_run_at(spec->run_at_ms, at, violations);
    check_range(spec->delay_ms, 0, TC_DELAY_MAX_MS, "delay_ms", at, violations);
    check_range(spec->max_attempts, 1, TC_MAX_ATTEMPTS_MAX, "max_attempts", at, violations);
    check_range(spec->max_crashes, 0, TC_MAX_CRASHES_MAX, "max_crashes", at, violations);
    check_range(spec->timeout_ms, 1, TC_TIMEOUT_MAX_MS, "timeout_ms", at, violations);
    check_tags(spec, at, violations);
}

static void copy_name(char *dst, struct tc_bytes given, const char *fallback)
{
    struct tc_bytes name = given.data ? given : tc_bytes_of(fallback);

    memcpy(dst, name.data, name.len);
    dst[name.len] = '\0';
}

static int64_t value_or(int64_t value, int64_t fallback)
{
    return value == TC_UNSET ? fallback : value;
}

static void take_payload(struct tc_task *task, const struct tc_task_spec *spec)
{
    task->titled = spec->title.data != NULL;
    task->payload = spec->payload;
    if (task->titled)
        task->payload = (struct tc_content){ TC_CONTENT_JSON, spec->title_json };
}

struct tc_task tc_task_from_spec(const struct tc_task_spec *spec,
                                 const struct tc_policy *policy, struct tc_id id)
{
    int64_t now_ms = tc_id_ms(&id);
    struct tc_task task = {
        .id = id,
        .created_at_ms = now_ms,
        .updated_at_ms = now_ms,
        .run_at_ms = value_or(spec->run_at_ms, now_ms + value_or(spec->delay_ms, 0)),
        .tag_count = spec->tag_count,
    };

    take_payload(&task, spec);
    copy_name(task.type, spec->type, task.titled ? TITLE_TYPE : policy->default_type);
    copy_name(task.queue, spec->queue, TC_DEFAULT_QUEUE);

    const struct tc_policy its = tc_policy_for_type(policy, task.type);

    task.priority = (int)value_or(spec->priority, its.default_priority);
    task.max_attempts = (int)value_or(spec->max_attempts, its.default_max_attempts);
    task.max_crashes = (int)value_or(spec->max_crashes, its.default_max_crashes);
    task.timeout_ms = value_or(spec->timeout_ms, its.default_timeout_ms);
    memcpy(task.tags, spec->tags, sizeof(task.tags));
    memcpy(task.traceparent, spec->traceparent, sizeof(task.traceparent));
    task.status = task.run_at_ms > now_ms ? TC_STATUS_SCHEDULED : TC_STATUS_NEW;
    return task;
}
