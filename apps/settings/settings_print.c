#include "apps/settings/setting_family.h"
#include "apps/settings/setting_value.h"
#include "apps/settings/settings_table.h"

#include <ctype.h>
#include <string.h>

void settings_print(const struct settings *settings, const void *values, FILE *out)
{
    struct settings_place place = { .group = NULL };
    char text[SETTING_TEXT_SIZE];

    while (settings_next(settings, &place)) {
        const void *at = (const char *)values + place.group->offset;

        if (place.row->kind == SETTING_FAMILY) {
            setting_family_print(place.row, at, out);
            continue;
        }
        setting_format(place.row, at, text, sizeof(text));
        fprintf(out, "%s=%s\n", place.row->name, text);
    }
}

/* How a row is told of. */
struct told {
    char name[SETTING_NAME_SIZE]; /* TASK_LEASE_MS, TASK_KAFKA_NAME */
    char flag[SETTING_NAME_SIZE]; /* --lease-ms, --kafka-NAME */
    char rule[128];
    const char *fallback;
};

static void tell(const struct setting *row, struct told *ret_told)
{
    const char *rest = row->kind == SETTING_FAMILY ? "NAME" : "";
    char lower[SETTING_NAME_SIZE];

    snprintf(lower, sizeof(lower), "%s", row->name + SETTINGS_PREFIX_LEN);
    for (char *at = lower; *at; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    snprintf(ret_told->name, sizeof(ret_told->name), "%s%s", row->name, rest);
    snprintf(ret_told->flag, sizeof(ret_told->flag), "--%.100s%s", lower, rest);
    setting_describe(row, ret_told->rule, sizeof(ret_told->rule));
    ret_told->fallback = row->fallback && row->fallback[0] ? row->fallback : NULL;
}

void settings_print_help(const struct settings *settings, FILE *out)
{
    struct settings_place place = { .group = NULL };
    struct told told = { .fallback = NULL };

    fprintf(out, "A setting comes from its flag, else its environment variable, else the file\n"
                 "that --config names (name = value), else its default.\n\n");
    while (settings_next(settings, &place)) {
        tell(place.row, &told);
        fprintf(out, "  %s, %s%s\n      %s\n      %s; default: %s\n", told.flag, told.name,
                place.row->secret ? ", also ..._FILE" : "", place.row->help, told.rule,
                told.fallback ? told.fallback : "none");
    }
}

static bool has_row(const struct settings *settings, const struct setting *row)
{
    struct settings_place place = { .group = NULL };

    while (settings_next(settings, &place))
        if (place.row == row)
            return true;
    return false;
}

/* The programs without their common "task": "api, worker". */
static void print_programs(const struct settings *const *programs, const struct setting *row,
                           FILE *out)
{
    const char *between = "";

    for (; *programs; programs++)
        if (has_row(*programs, row)) {
            fprintf(out, "%s%s", between, (*programs)->program + strlen("task"));
            between = ", ";
        }
}

static void print_docs_row(const struct settings *const *programs, const struct setting *row,
                           FILE *out)
{
    struct told told = { .fallback = NULL };

    tell(row, &told);
    for (char *at = told.rule; *at; at++)
        if (*at == '|')
            *at = '/'; /* a bar would end the cell */
    fprintf(out, "| `%s` | `%s` | %s | %s%s%s | ", told.name, told.flag, told.rule,
            told.fallback ? "`" : "", told.fallback ? told.fallback : "none",
            told.fallback ? "`" : "");
    print_programs(programs, row, out);
    fprintf(out, " | %s |\n", row->help);
}

void settings_print_docs(const struct settings *const *programs, FILE *out)
{
    fprintf(out, "| variable | flag | values | default | of | meaning |\n"
                 "|---|---|---|---|---|---|\n");
    for (size_t i = 0; programs[i]; i++) {
        struct settings_place place = { .group = NULL };

        while (settings_next(programs[i], &place)) {
            bool was_told = false;

            for (size_t before = 0; before < i; before++)
                was_told = was_told || has_row(programs[before], place.row);
            if (!was_told)
                print_docs_row(programs, place.row, out);
        }
    }
}
