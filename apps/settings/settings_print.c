#include "apps/settings/setting_value.h"

#include <ctype.h>
#include <string.h>

void settings_print(const struct settings *settings, const void *values, FILE *out)
{
    char text[SETTING_TEXT_SIZE];

    for (const struct setting *row = settings->rows; row->name; row++) {
        setting_format(row, values, text, sizeof(text));
        fprintf(out, "%s=%s\n", row->name, text);
    }
}

/* TASK_LEASE_MS to --lease-ms. */
static void make_flag(const struct setting *row, char *ret_flag, size_t size)
{
    snprintf(ret_flag, size, "--%s", row->name + sizeof("TASK_") - 1);
    for (char *at = ret_flag; *at; at++)
        *at = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
}

void settings_print_help(const struct settings *settings, FILE *out)
{
    char flag[128];
    char rule[128];

    fprintf(out,
            "usage: %s [--NAME VALUE]... [--config FILE]\n"
            "       %s --help | --version | --print-config | --print-config-docs\n\n"
            "A setting comes from its flag, else its environment variable, else the file\n"
            "(name = value), else its default.\n\n",
            settings->program, settings->program);
    for (const struct setting *row = settings->rows; row->name; row++) {
        make_flag(row, flag, sizeof(flag));
        setting_describe(row, rule, sizeof(rule));
        fprintf(out, "  %s, %s\n      %s\n      %s; default: %s\n", flag, row->name, row->help,
                rule, row->fallback[0] ? row->fallback : "none");
    }
}

void settings_print_docs(const struct settings *settings, FILE *out)
{
    char flag[128];
    char rule[128];

    fprintf(out, "| variable | flag | values | default | meaning |\n|---|---|---|---|---|\n");
    for (const struct setting *row = settings->rows; row->name; row++) {
        make_flag(row, flag, sizeof(flag));
        setting_describe(row, rule, sizeof(rule));
        for (char *at = rule; *at; at++)
            if (*at == '|')
                *at = '/'; /* a bar would end the cell */
        fprintf(out, "| `%s` | `%s` | %s | %s%s%s | %s |\n", row->name, flag, rule,
                row->fallback[0] ? "`" : "", row->fallback[0] ? row->fallback : "none",
                row->fallback[0] ? "`" : "", row->help);
    }
}
