#include "apps/settings/setting_family.h"

#include "apps/settings/setting_value.h"

#include <ctype.h>
#include <string.h>

extern char **environ;

static bool is_file(const char *name, size_t len)
{
    return len > 5 && strncmp(name + len - 5, "_FILE", 5) == 0;
}

static bool begins(const struct setting *row, const char *name)
{
    size_t len = strlen(row->name);

    return strncmp(name, row->name, len) == 0 && name[len] != '\0' && name[len] != '=';
}

bool setting_family_has(const struct setting *row, const char *name)
{
    return begins(row, name) && !is_file(name, strlen(name));
}

/* TASK_KAFKA_SASL_USERNAME to sasl.username. */
static bool make_option(const char *name, char *ret_option)
{
    size_t len = strlen(name);

    if (len == 0 || len >= SETTING_OPTION_SIZE)
        return false;
    for (size_t i = 0; i <= len; i++) {
        char c = name[i] == '_' ? '.' : (char)tolower((unsigned char)name[i]);

        if (c != '\0' && c != '.' && !islower((unsigned char)c) && !isdigit((unsigned char)c))
            return false;
        ret_option[i] = c;
    }
    return true;
}

static bool is_secret(const char *option)
{
    static const char *const words[] = { "password", "secret", "token", "key.pem",
                                         "oauthbearer" };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strstr(option, words[i]))
            return true;
    return false;
}

/* The option of this name, or a free place; NULL when there is none. */
static struct setting_option *find_place(struct setting_family *family, const char *name)
{
    for (size_t i = 0; i < family->count; i++)
        if (strcmp(family->options[i].name, name) == 0)
            return &family->options[i];
    return family->count < SETTING_OPTIONS_MAX ? &family->options[family->count++] : NULL;
}

enum tc_code setting_family_put(const struct setting *row, const char *name, const char *text,
                                void *values, struct tc_error *err)
{
    struct setting_family *family = (void *)((char *)values + row->offset);
    char option[SETTING_OPTION_SIZE];
    size_t len = strlen(text);

    if (!make_option(name + strlen(row->name), option))
        return tc_fail(err, TC_INVALID, "%.80s: is no name of an option", name);
    if (len >= SETTING_TEXT_SIZE)
        return tc_fail(err, TC_INVALID, "%s: must be shorter than %d characters", name,
                       SETTING_TEXT_SIZE);

    struct setting_option *place = find_place(family, option);

    if (!place)
        return tc_fail(err, TC_INVALID, "%s: only %d options are taken", name,
                       SETTING_OPTIONS_MAX);
    memcpy(place->name, option, strlen(option) + 1);
    memcpy(place->value, text, len + 1);
    return TC_OK;
}

/* NAME=value of the environment; `entry` begins as the family does. */
static enum tc_code take_entry(const struct setting *row, const char *entry, bool files,
                               void *values, struct tc_error *err)
{
    char name[SETTING_NAME_SIZE];
    char text[SETTING_TEXT_SIZE];
    const char *value = strchr(entry, '=');
    size_t len = value ? (size_t)(value - entry) : sizeof(name);

    if (!value || !value[1] || is_file(entry, len) != files)
        return TC_OK;
    value++;
    if (len >= sizeof(name))
        return tc_fail(err, TC_INVALID, "%.80s: is no name of an option", entry);
    memcpy(name, entry, len);
    name[len] = '\0';
    if (files) {
        enum tc_code code = setting_read_file(name, value, text, sizeof(text), err);

        if (code != TC_OK)
            return code;
        name[len - 5] = '\0';
        value = text;
    }
    return setting_family_put(row, name, value, values, err);
}

enum tc_code setting_family_load(const struct setting *row, void *values, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    for (int pass = 0; pass < 2; pass++) /* files first: a value given beats its file */
        for (char **entry = environ; *entry && code == TC_OK; entry++)
            if (begins(row, *entry))
                code = take_entry(row, *entry, pass == 0, values, err);
    return code;
}

void setting_family_print(const struct setting *row, const void *values, FILE *out)
{
    const struct setting_family *family = (const void *)((const char *)values + row->offset);

    for (size_t i = 0; i < family->count; i++) {
        const struct setting_option *option = &family->options[i];

        fputs(row->name, out);
        for (const char *at = option->name; *at; at++)
            fputc(*at == '.' ? '_' : toupper((unsigned char)*at), out);
        fprintf(out, "=%s\n", is_secret(option->name) ? "***" : option->value);
    }
}
