#include "adapters/kafka/kafka_hint.h"

#include "core/domain/task_spec.h"

#include <stdio.h>
#include <string.h>

#define VERSION "1"

size_t kafka_hint_format(const struct tc_hint *hint, char ret_text[KAFKA_HINT_SIZE])
{
    char id[TC_ID_TEXT_SIZE];

    tc_id_format(&hint->id, id);

    int len = snprintf(ret_text, KAFKA_HINT_SIZE, VERSION " %s %s %s %d", id, hint->queue,
                       hint->type, hint->priority);

    return len < KAFKA_HINT_SIZE ? (size_t)len : KAFKA_HINT_SIZE - 1;
}

/* The bytes up to the next space or the end; what is left begins after that space. A space at
 * the very end leaves an empty word, which nothing accepts. */
static struct tc_bytes next_word(struct tc_bytes *rest)
{
    const char *start = rest->data;
    const char *space = rest->len > 0 ? memchr(start, ' ', rest->len) : NULL;
    struct tc_bytes word = { start, space ? (size_t)(space - start) : rest->len };

    if (space)
        *rest = (struct tc_bytes){ space + 1, rest->len - word.len - 1 };
    else
        *rest = (struct tc_bytes){ NULL, 0 };
    return word;
}

static bool is_number(struct tc_bytes word)
{
    const char *at = word.data;

    for (size_t i = 0; i < word.len; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return word.len >= 1 && word.len <= 9 && at[0] != '0';
}

static bool read_name(struct tc_bytes word, char ret_name[TC_NAME_MAX + 1])
{
    if (!word.data || !tc_name_is_valid(word))
        return false;
    memcpy(ret_name, word.data, word.len);
    ret_name[word.len] = '\0';
    return true;
}

static bool read_priority(struct tc_bytes word, int *ret_priority)
{
    const char *at = word.data;
    int value = 0;

    if (word.len < 1 || word.len > 2 || (word.len == 2 && at[0] == '0'))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (at[i] - '0');
    }
    *ret_priority = value;
    return value <= TC_PRIORITY_MAX;
}

enum kafka_hint_kind kafka_hint_parse(const char *text, size_t len, struct tc_hint *ret_hint)
{
    struct tc_bytes rest = { text, len };
    struct tc_hint hint = { .priority = 0 };
    struct tc_bytes word;

    if (len == 0 || !memchr(text, ' ', len))
        return KAFKA_HINT_FOREIGN;
    word = next_word(&rest);
    if (!is_number(word))
        return KAFKA_HINT_FOREIGN;
    if (word.len != strlen(VERSION) || memcmp(word.data, VERSION, word.len) != 0)
        return KAFKA_HINT_VERSION;
    word = next_word(&rest);
    if (word.len != TC_ID_TEXT_LEN || !tc_id_parse(word.data, word.len, &hint.id))
        return KAFKA_HINT_FOREIGN;
    if (!read_name(next_word(&rest), hint.queue) || !read_name(next_word(&rest), hint.type) ||
        !read_priority(next_word(&rest), &hint.priority) || rest.data)
        return KAFKA_HINT_FOREIGN;
    *ret_hint = hint;
    return KAFKA_HINT_GOOD;
}
