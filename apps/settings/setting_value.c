#include "apps/settings/setting_value.h"

#include <inttypes.h>
#include <string.h>

static void *value_of(const struct setting *row, void *values)
{
    return (char *)values + row->offset;
}

/* A plain decimal number; no sign but '-', no blanks, no overflow. */
static bool parse_number(const char *text, size_t len, int64_t *ret_number)
{
    bool negative = len > 0 && text[0] == '-';
    int64_t number = 0;

    if (len - negative < 1 || len - negative > 18)
        return false;
    for (size_t i = negative; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = number * 10 + (text[i] - '0');
    }
    *ret_number = negative ? -number : number;
    return true;
}

static bool parse_range(const char *text, struct setting_range *ret_range)
{
    const char *dash = strchr(text, '-');
    size_t low_len = dash ? (size_t)(dash - text) : strlen(text);
    struct setting_range range;

    if (!parse_number(text, low_len, &range.low))
        return false;
    range.high = range.low;
    if (dash && !parse_number(dash + 1, strlen(dash + 1), &range.high))
        return false;
    *ret_range = range;
    return true;
}

static int find_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (int index = 0; *choices; index++) {
        size_t word_len = strcspn(choices, "|");

        if (word_len == len && strncmp(choices, text, len) == 0)
            return index;
        choices += word_len + (choices[word_len] == '|');
    }
    return -1;
}

void setting_describe(const struct setting *row, char *ret_text, size_t size)
{
    switch (row->kind) {
    case SETTING_NUMBER:
        snprintf(ret_text, size, "%" PRId64 "..%" PRId64, row->min, row->max);
        break;
    case SETTING_RANGE:
        snprintf(ret_text, size, "N or LOW-HIGH, %" PRId64 "..%" PRId64, row->min, row->max);
        break;
    case SETTING_CHOICE:
        snprintf(ret_text, size, "%s", row->choices);
        break;
    case SETTING_TEXT:
        snprintf(ret_text, size, "%s", row->rule ? row->rule : "text");
        break;
    case SETTING_FAMILY:
        snprintf(ret_text, size, "text, up to %d of them", SETTING_OPTIONS_MAX);
        break;
    }
}

/* What may be shown of a value. */
static void show(const struct setting *row, const char *value, char *ret_text, size_t size)
{
    if (!row->secret || !value[0])
        snprintf(ret_text, size, "%s", value);
    else if (row->mask)
        row->mask(value, ret_text, size);
    else
        snprintf(ret_text, size, "***");
}

static enum tc_code refuse(const struct setting *row, const char *text, struct tc_error *err)
{
    char shown[SETTING_TEXT_SIZE];
    char rule[128];

    show(row, text, shown, sizeof(shown));
    setting_describe(row, rule, sizeof(rule));
    return tc_fail(err, TC_INVALID, "%s='%.80s': must be %s", row->name, shown, rule);
}

static bool parse_text(const struct setting *row, const char *text, void *values)
{
    size_t len = strlen(text);

    if (len >= SETTING_TEXT_SIZE || (text[0] && row->is_valid && !row->is_valid(text)))
        return false;
    memcpy(value_of(row, values), text, len + 1);
    return true;
}

static bool parse(const struct setting *row, const char *text, void *values)
{
    struct setting_range range;
    int64_t number;
    int choice;

    switch (row->kind) {
    case SETTING_NUMBER:
        if (!parse_number(text, strlen(text), &number) || number < row->min ||
            number > row->max)
            return false;
        memcpy(value_of(row, values), &number, sizeof(number));
        return true;
    case SETTING_RANGE:
        if (!parse_range(text, &range) || range.low > range.high || range.low < row->min ||
            range.high > row->max)
            return false;
        memcpy(value_of(row, values), &range, sizeof(range));
        return true;
    case SETTING_CHOICE:
        choice = find_choice(row->choices, text);
        if (choice < 0)
            return false;
        memcpy(value_of(row, values), &choice, sizeof(choice));
        return true;
    case SETTING_TEXT:
        return parse_text(row, text, values);
    case SETTING_FAMILY:
        break;
    }
    return false;
}

enum tc_code setting_parse(const struct setting *row, const char *text, void *values,
                           struct tc_error *err)
{
    return parse(row, text, values) ? TC_OK : refuse(row, text, err);
}

static void format_choice(const char *choices, int index, char *ret_text, size_t size)
{
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    snprintf(ret_text, size, "%.*s", (int)strcspn(choices, "|"), choices);
}

void setting_format(const struct setting *row, const void *values, char *ret_text, size_t size)
{
    const char *value = (const char *)values + row->offset;
    struct setting_range range;
    int64_t number;
    int choice;

    switch (row->kind) {
    case SETTING_NUMBER:
        memcpy(&number, value, sizeof(number));
        snprintf(ret_text, size, "%" PRId64, number);
        break;
    case SETTING_RANGE:
        memcpy(&range, value, sizeof(range));
        if (range.low == range.high)
            snprintf(ret_text, size, "%" PRId64, range.low);
        else
            snprintf(ret_text, size, "%" PRId64 "-%" PRId64, range.low, range.high);
        break;
    case SETTING_CHOICE:
        memcpy(&choice, value, sizeof(choice));
        format_choice(row->choices, choice, ret_text, size);
        break;
    case SETTING_TEXT:
        show(row, value, ret_text, size);
        break;
    case SETTING_FAMILY:
        ret_text[0] = '\0';
        break;
    }
}

enum tc_code setting_read_file(const char *name, const char *path, char *ret_text, size_t size,
                               struct tc_error *err)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(ret_text, 1, size, file) : 0;

    if (file)
        fclose(file);
    if (len == size)
        return tc_fail(err, TC_INVALID, "%s: '%.80s' is longer than %zu bytes", name, path,
                       size - 1);
    while (len > 0 && (ret_text[len - 1] == '\n' || ret_text[len - 1] == '\r'))
        len--;
    ret_text[len] = '\0';
    if (len == 0 || strlen(ret_text) != len)
        return tc_fail(err, TC_INVALID, "%s: cannot read '%.80s'", name, path);
    return TC_OK;
}
