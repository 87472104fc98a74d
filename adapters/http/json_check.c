#include "adapters/http/json_check.h"

#include "adapters/http/json_scan.h"

#include <string.h>

static bool fail(struct json_reader *reader, const char *problem)
{
    if (!reader->problem)
        reader->problem = problem;
    return false;
}

void json_reader_init(struct json_reader *reader, struct tc_bytes text)
{
    *reader = (struct json_reader){
        .text = text.data,
        .len = text.len,
        .limit = JSON_DEPTH_MAX,
    };
    if (text.len > INT32_MAX)
        fail(reader, "the text is too long");
}

void json_reader_release(struct json_reader *reader)
{
    json_keys_release(&reader->keys);
}

/* The next byte that is no space; -1 at the end and after a failure. */
static int look(struct json_reader *reader)
{
    if (reader->problem)
        return -1;
    while (reader->at < reader->len) {
        unsigned char byte = reader->text[reader->at];

        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return byte;
        reader->at++;
    }
    return -1;
}

static enum json_kind kind_of(int byte)
{
    switch (byte) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        return byte == '-' || (byte >= '0' && byte <= '9') ? JSON_NUMBER : JSON_NONE;
    }
}

enum json_kind json_peek(struct json_reader *reader)
{
    return kind_of(look(reader));
}

bool json_enter(struct json_reader *reader)
{
    bool is_object = json_peek(reader) == JSON_OBJECT;

    if (reader->problem)
        return false;
    if (reader->depth >= reader->limit)
        return fail(reader, "it is nested too deeply");
    reader->at++;
    reader->is_object[reader->depth] = is_object;
    reader->first_key[reader->depth] = reader->keys.count;
    reader->depth++;
    reader->is_first = true;
    return true;
}

static bool leave(struct json_reader *reader)
{
    size_t first = reader->first_key[reader->depth - 1];
    enum json_keys_verdict verdict = reader->is_object[reader->depth - 1]
                                         ? json_keys_compare(&reader->keys, reader->text, first)
                                         : JSON_KEYS_DISTINCT;

    json_keys_pop(&reader->keys, first);
    reader->no_memory = verdict == JSON_KEYS_NO_MEMORY;
    if (reader->no_memory)
        return fail(reader, "no memory to compare its keys");
    if (verdict == JSON_KEYS_DUPLICATE)
        return fail(reader, "an object has a key twice");
    reader->at++;
    reader->depth--;
    reader->is_first = false;
    return true;
}

/* True: something follows in the innermost container. False: it was left, or a failure. */
static bool next(struct json_reader *reader, char closer)
{
    int byte = look(reader);

    if (reader->problem)
        return false;
    if (byte == closer) {
        leave(reader);
        return false;
    }
    if (byte < 0)
        return fail(reader, "it ends too early");
    if (!reader->is_first) {
        if (byte != ',')
            return fail(reader, "a comma or a closing bracket is missing");
        reader->at++;
    }
    reader->is_first = false;
    return true;
}

bool json_next_element(struct json_reader *reader)
{
    return next(reader, ']');
}

static bool read_string(struct json_reader *reader, struct json_value *ret_value)
{
    size_t start = reader->at;
    const char *problem =
        json_scan_string(reader->text, reader->len, &reader->at, &ret_value->has_escapes);

    if (problem)
        return fail(reader, problem);
    ret_value->kind = JSON_STRING;
    ret_value->text = (struct tc_bytes){ reader->text + start, reader->at - start };
    return true;
}

bool json_next_member(struct json_reader *reader, struct json_value *ret_key)
{
    struct json_value key = { .kind = JSON_STRING };

    if (!next(reader, '}'))
        return false;
    if (look(reader) != '"')
        return fail(reader, "a key is missing");
    if (!read_string(reader, &key))
        return false;
    key.text.data = (const unsigned char *)key.text.data + 1;
    key.text.len -= 2;

    const struct json_key range = {
        .at = (uint32_t)((const unsigned char *)key.text.data - reader->text),
        .len = (uint32_t)key.text.len,
    };

    if (!json_keys_push(&reader->keys, reader->text, range, key.has_escapes)) {
        reader->no_memory = true;
        return fail(reader, "no memory for its keys");
    }
    if (look(reader) != ':')
        return fail(reader, "a colon is missing");
    reader->at++;
    *ret_key = key;
    return true;
}

static bool read_word(struct json_reader *reader, const char *word)
{
    size_t len = strlen(word);

    if (reader->len - reader->at < len || memcmp(reader->text + reader->at, word, len) != 0)
        return fail(reader, "a value is missing");
    reader->at += len;
    return true;
}

/* Take the scalar, or step into the container, that begins here. */
static bool begin_value(struct json_reader *reader, struct json_value *value)
{
    const char *problem;

    switch (json_peek(reader)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return json_enter(reader);
    case JSON_STRING:
        return read_string(reader, value);
    case JSON_NUMBER:
        problem = json_scan_number(reader->text, reader->len, &reader->at, &value->is_integer);
        return problem ? fail(reader, problem) : true;
    case JSON_TRUE:
        return read_word(reader, "true");
    case JSON_FALSE:
        return read_word(reader, "false");
    case JSON_NULL:
        return read_word(reader, "null");
    case JSON_NONE:
    default:
        return fail(reader, "a value is missing");
    }
}

/* Go on within containers deeper than `base` until another value is due (true), or all of
 * them have been left (false). */
static bool next_below(struct json_reader *reader, unsigned base)
{
    struct json_value key;

    while (reader->depth > base && !reader->problem) {
        bool is_due = reader->is_object[reader->depth - 1] ? json_next_member(reader, &key)
                                                           : json_next_element(reader);

        if (is_due)
            return true;
    }
    return false;
}

bool json_take(struct json_reader *reader, struct json_value *ret_value)
{
    struct json_value value = { .kind = json_peek(reader) };
    struct json_value inner = { 0 };
    size_t start = reader->at;
    unsigned base = reader->depth;

    if (!begin_value(reader, &value))
        return false;
    while (next_below(reader, base))
        if (!begin_value(reader, &inner))
            return false;
    if (reader->problem)
        return false;
    value.text = (struct tc_bytes){ reader->text + start, reader->at - start };
    *ret_value = value;
    return true;
}

bool json_take_payload(struct json_reader *reader, struct json_value *ret_value)
{
    unsigned limit = reader->limit;

    reader->limit = reader->depth + JSON_DEPTH_MAX;

    bool ok = json_take(reader, ret_value);

    reader->limit = limit;
    return ok;
}

bool json_finish(struct json_reader *reader)
{
    if (look(reader) >= 0)
        return fail(reader, "something follows the value");
    return reader->problem == NULL;
}

const char *json_check(struct tc_bytes text)
{
    struct json_reader reader;
    struct json_value value;

    json_reader_init(&reader, text);
    if (json_take(&reader, &value))
        json_finish(&reader);
    json_reader_release(&reader);
    return reader.problem;
}
