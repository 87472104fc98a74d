#include "apps/handlers/handler_value.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 12 /* no product with a unit overflows */

struct unit {
    const char *name;
    int64_t factor;
};

/* The digits at the beginning of `text`; NULL: none, or too many. */
static const char *parse_digits(const char *text, int64_t *ret_number)
{
    int64_t number = 0;
    int count = 0;

    for (; text[count] >= '0' && text[count] <= '9'; count++) {
        if (count == DIGITS_MAX)
            return NULL;
        number = number * 10 + (text[count] - '0');
    }
    *ret_number = number;
    return count > 0 ? text + count : NULL;
}

static bool parse_with_unit(const char *text, const struct unit *units, int64_t *ret_number)
{
    int64_t number;
    const char *unit = parse_digits(text, &number);

    if (!unit)
        return false;
    for (; units->name; units++)
        if (strcmp(unit, units->name) == 0) {
            *ret_number = number * units->factor;
            return true;
        }
    return false;
}

bool handler_duration_parse(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = {
        { "ms", 1 },      { "s", 1000 },     { "min", 60000 },
        { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
    };

    return parse_with_unit(text, units, ret_ms);
}

bool handler_size_parse(const char *text, int64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1 << 30 }, { NULL, 0 },
    };

    return parse_with_unit(text, units, ret_bytes);
}

bool handler_count_parse(const char *text, int64_t *ret_count)
{
    static const struct unit none[] = { { "", 1 }, { NULL, 0 } };

    return parse_with_unit(text, none, ret_count);
}

/* --- words */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Copy one word to `to` without its quotes and end it. NULL: a quote does not end. */
static const char *copy_word(const char *at, char **to)
{
    while (*at && !is_blank(*at)) {
        if (*at != '"' && *at != '\'') {
            *(*to)++ = *at++;
            continue;
        }

        const char *end = strchr(at + 1, *at);

        if (!end)
            return NULL;
        memcpy(*to, at + 1, (size_t)(end - at - 1));
        *to += end - at - 1;
        at = end + 1;
    }
    *(*to)++ = '\0';
    return at;
}

enum tc_code handler_words_split(const char *text, struct handler_words *ret_words)
{
    size_t len = strlen(text);
    struct handler_words words = { .text = malloc(len + 2),
                                   .items = calloc(len / 2 + 2, sizeof(char *)) };
    char *to = words.text;

    if (!words.text || !words.items) {
        handler_words_release(&words);
        return TC_NO_MEMORY;
    }
    for (;;) {
        while (is_blank(*text))
            text++;
        if (!*text)
            break;
        words.items[words.count++] = to;
        text = copy_word(text, &to);
        if (!text)
            break;
    }
    if (!text || words.count == 0) {
        handler_words_release(&words);
        return TC_INVALID;
    }
    *ret_words = words;
    return TC_OK;
}

/* All words move into a new text, one behind the other. */
enum tc_code handler_words_add(struct handler_words *words, const char *word)
{
    size_t size = strlen(word) + 1;
    struct handler_words more = { .count = words->count + 1 };

    for (size_t i = 0; i < words->count; i++)
        size += strlen(words->items[i]) + 1;
    more.text = malloc(size);
    more.items = calloc(more.count + 1, sizeof(char *));
    if (!more.text || !more.items) {
        handler_words_release(&more);
        return TC_NO_MEMORY;
    }

    char *to = more.text;

    for (size_t i = 0; i < more.count; i++) {
        const char *from = i < words->count ? words->items[i] : word;
        size_t len = strlen(from) + 1;

        more.items[i] = memcpy(to, from, len);
        to += len;
    }
    handler_words_release(words);
    *words = more;
    return TC_OK;
}

void handler_words_release(struct handler_words *words)
{
    free(words->text);
    free(words->items);
    *words = (struct handler_words){ 0 };
}
