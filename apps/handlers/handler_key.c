#include "apps/handlers/handler_key.h"

#include "apps/handlers/handler_value.h"
#include "core/domain/task_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY  (~0U)
#define EXEC (1U << HANDLER_EXEC)
#define PULL (1U << HANDLER_PULL)

#define ENV_PREFIX     "env."
#define ENV_PREFIX_LEN (sizeof(ENV_PREFIX) - 1)
#define MIB            INT64_C(1048576)
#define GIB            (1024 * MIB)

enum form {
    FORM_KIND,
    FORM_DURATION,
    FORM_SIZE,
    FORM_COUNT,
    FORM_COMMAND,
    FORM_FOLDER,
};

struct handler_key {
    const char *name;
    unsigned kinds; /* whose key it is */
    enum form form;
    size_t offset; /* in the section */
    int64_t min;
    int64_t max;
    const char *rule;
};

#define AT(field) offsetof(struct handler_section, field)

static const struct handler_key keys[] = {
    { "kind", ANY, FORM_KIND, AT(kind), 0, 0, "exec or pull" },
    { "priority", ANY, FORM_COUNT, AT(policy.priority), 0, 10, "0..10" },
    { "timeout", ANY, FORM_DURATION, AT(policy.timeout_ms), 1, TC_TIMEOUT_MAX_MS,
      "a time such as 500ms, 30s, 5min, 2h, 1d; at most 7d" },
    { "max_attempts", ANY, FORM_COUNT, AT(policy.max_attempts), 1, TC_MAX_ATTEMPTS_MAX,
      "1..100" },
    { "retry_min", ANY, FORM_DURATION, AT(policy.retry_min_ms), 1, TC_DELAY_MAX_MS,
      "a time such as 500ms, 30s, 5min" },
    { "retry_max", ANY, FORM_DURATION, AT(policy.retry_max_ms), 1, TC_DELAY_MAX_MS,
      "a time such as 500ms, 30s, 5min" },
    { "command", EXEC, FORM_COMMAND, AT(command), 0, 0,
      "the absolute path of a program and its arguments" },
    { "dir", EXEC, FORM_FOLDER, AT(dir), 0, 0, "an absolute path" },
    { "grace", EXEC, FORM_DURATION, AT(grace_ms), 1, 3600000,
      "a time such as 500ms, 5s; at most 1h" },
    { "output_max", EXEC, FORM_SIZE, AT(output_max), 1, 15 * MIB,
      "a size such as 64KiB, 1MiB; at most 15MiB" },
    { "memory_max", EXEC, FORM_SIZE, AT(memory_max), MIB, 1024 * GIB,
      "a size such as 64MiB, 2GiB; at least 1MiB" },
    { "file_size_max", EXEC, FORM_SIZE, AT(file_size_max), 1, 1024 * GIB,
      "a size such as 64MiB, 2GiB" },
    { "cpu_max", EXEC, FORM_DURATION, AT(cpu_ms), 1000, TC_TIMEOUT_MAX_MS,
      "a time such as 30s, 5min; at least 1s" },
    { "open_files_max", EXEC, FORM_COUNT, AT(open_files_max), 5, 1000000, "5..1000000" },
    { "processes_max", EXEC, FORM_COUNT, AT(processes_max), 1, 1000000, "1..1000000" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

_Static_assert(KEY_COUNT <= 32, "a section's `given` has a bit for each key");

static const char *const kinds[] = { [HANDLER_EXEC] = "exec", [HANDLER_PULL] = "pull" };

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *handler_kind_name(int64_t kind)
{
    return kind > 0 && kind < (int64_t)KIND_COUNT ? kinds[kind] : "unknown";
}

static bool parse_kind(const char *text, int64_t *ret_kind)
{
    for (int64_t kind = 1; kind < (int64_t)KIND_COUNT; kind++)
        if (strcmp(kinds[kind], text) == 0) {
            *ret_kind = kind;
            return true;
        }
    return false;
}

static bool parse_number(const struct handler_key *key, const char *text, int64_t *ret_number)
{
    switch (key->form) {
    case FORM_KIND:
        return parse_kind(text, ret_number);
    case FORM_DURATION:
        if (!handler_duration_parse(text, ret_number))
            return false;
        break;
    case FORM_SIZE:
        if (!handler_size_parse(text, ret_number))
            return false;
        break;
    default:
        if (!handler_count_parse(text, ret_number))
            return false;
        break;
    }
    return *ret_number >= key->min && *ret_number <= key->max;
}

static enum tc_code refuse(const struct handler_key *key, const char *value,
                           struct tc_error *err)
{
    return tc_fail(err, TC_INVALID, "%s = %.80s: must be %s", key->name, value, key->rule);
}

static enum tc_code add_words(const struct handler_key *key, struct handler_words *words,
                              const char *value, struct tc_error *err)
{
    struct handler_words more = { 0 };
    enum tc_code code = handler_words_split(value, &more);

    for (size_t i = 0; code == TC_OK && i < more.count; i++)
        code = handler_words_add(words, more.items[i]);
    handler_words_release(&more);
    if (code == TC_INVALID || (code == TC_OK && words->items[0][0] != '/'))
        return refuse(key, value, err);
    return code == TC_OK ? TC_OK : tc_fail(err, code, "the words of %s", key->name);
}

/* A path may hold blanks: it is one word as it stands. */
static enum tc_code set_folder(const struct handler_key *key, struct handler_words *words,
                               const char *value, struct tc_error *err)
{
    if (value[0] != '/')
        return refuse(key, value, err);
    return handler_words_add(words, value) == TC_OK
               ? TC_OK
               : tc_fail(err, TC_NO_MEMORY, "the path of %s", key->name);
}

static enum tc_code set(const struct handler_key *key, struct handler_section *section,
                        const char *value, struct tc_error *err)
{
    void *at = (char *)section + key->offset;
    int64_t number;

    if (key->form == FORM_COMMAND)
        return add_words(key, at, value, err);
    if (key->form == FORM_FOLDER)
        return set_folder(key, at, value, err);
    if (!parse_number(key, value, &number))
        return refuse(key, value, err);
    memcpy(at, &number, sizeof(number));
    return TC_OK;
}

/* --- env.NAME = VALUE */

static bool is_env_name(const char *name)
{
    static const char others[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    return name[0] != '\0' && !(name[0] >= '0' && name[0] <= '9') &&
           name[strspn(name, others)] == '\0';
}

static bool has_env(const struct handler_section *section, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < section->env.count; i++)
        if (strncmp(section->env.items[i], name, len) == 0 && section->env.items[i][len] == '=')
            return true;
    return false;
}

static enum tc_code set_env(struct handler_section *section, const char *name,
                            const char *value, struct tc_error *err)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *pair;

    if (!is_env_name(name) || strncmp(name, "TASK_", 5) == 0 ||
        strcmp(name, "TRACEPARENT") == 0)
        return tc_fail(err, TC_INVALID,
                       "env.%s: must be letters, digits and _, not TASK_... nor TRACEPARENT, "
                       "which every program is given",
                       name);
    if (has_env(section, name))
        return tc_fail(err, TC_INVALID, "env.%s comes twice", name);
    if (section->env.count == HANDLER_ENV_MAX)
        return tc_fail(err, TC_INVALID, "more than %d variables", HANDLER_ENV_MAX);
    pair = malloc(size);
    if (!pair)
        return tc_fail(err, TC_NO_MEMORY, "env.%s", name);
    snprintf(pair, size, "%s=%s", name, value);

    enum tc_code code = handler_words_add(&section->env, pair);

    free(pair);
    return code == TC_OK ? TC_OK : tc_fail(err, code, "env.%s", name);
}

/* --- the section */

static const struct handler_key *find(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

enum tc_code handler_key_set(struct handler_section *section, const char *key,
                             const char *value, bool continues, struct tc_error *err)
{
    const struct handler_key *known = find(key);

    if (continues && !(known && known->form == FORM_COMMAND))
        return tc_fail(err, TC_INVALID, "an indented line goes on with %s, which has one value",
                       key);
    if (!known && strncmp(key, ENV_PREFIX, ENV_PREFIX_LEN) == 0)
        return set_env(section, key + ENV_PREFIX_LEN, value, err);
    if (!known)
        return tc_fail(err, TC_INVALID, "there is no key '%.80s'", key);

    uint32_t bit = UINT32_C(1) << (known - keys);

    if ((section->given & bit) && !continues)
        return tc_fail(err, TC_INVALID, "%s comes twice", key);
    section->given |= bit;
    return set(known, section, value, err);
}

static enum tc_code check_kinds(const struct handler_section *section, struct tc_error *err)
{
    unsigned kind = 1U << section->kind;

    for (size_t i = 0; i < KEY_COUNT; i++)
        if ((section->given & (UINT32_C(1) << i)) && !(keys[i].kinds & kind))
            return tc_fail(err, TC_INVALID, "%s is not for kind = %s", keys[i].name,
                           handler_kind_name(section->kind));
    if (section->env.count > 0 && section->kind != HANDLER_EXEC)
        return tc_fail(err, TC_INVALID, "env.NAME is not for kind = %s",
                       handler_kind_name(section->kind));
    return TC_OK;
}

enum tc_code handler_section_check(const struct handler_section *section, struct tc_error *err)
{
    const struct tc_type_policy *policy = &section->policy;

    if (section->kind == 0)
        return tc_fail(err, TC_INVALID, "kind is missing");
    if (section->kind == HANDLER_EXEC && section->command.count == 0)
        return tc_fail(err, TC_INVALID, "command is missing");
    if (policy->retry_min_ms != TC_UNSET && policy->retry_max_ms != TC_UNSET &&
        policy->retry_min_ms > policy->retry_max_ms)
        return tc_fail(err, TC_INVALID, "retry_max must not be below retry_min");
    return check_kinds(section, err);
}
