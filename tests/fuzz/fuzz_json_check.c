/*
 * The JSON reader. Whatever it takes, a lenient reader (cJSON) must take too; what it says
 * must not depend on how it is asked; and strings must survive being read and written.
 */

#include "adapters/http/json_check.h"
#include "adapters/http/json_scan.h"
#include "adapters/http/json_writer.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void demand(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* cJSON cuts numbers after 63 characters. */
static bool has_long_number(const unsigned char *data, size_t size)
{
    size_t run = 0;

    for (size_t i = 0; i < size; i++) {
        bool is_part = isdigit(data[i]) || (data[i] && strchr("+-.eE", data[i]));

        run = is_part ? run + 1 : 0;
        if (run > 60)
            return true;
    }
    return false;
}

static void compare_with_lenient(const unsigned char *data, size_t size)
{
    const char *end = NULL;
    cJSON *tree;

    if (has_long_number(data, size))
        return;
    tree = cJSON_ParseWithLengthOpts((const char *)data, size, &end, false);
    demand(tree != NULL, "taken, but cJSON refuses it");
    cJSON_Delete(tree);
    for (const char *at = end; at < (const char *)data + size; at++)
        demand(strchr(" \t\r\n", *at) != NULL, "taken, but cJSON sees something behind it");
}

/* The document with a byte before and one behind it. */
static const char *check_between(char before, const unsigned char *data, size_t size,
                                 char behind)
{
    char *text = malloc(size + 2);
    const char *problem;

    demand(text != NULL, "no memory");
    text[0] = before;
    memcpy(text + 1, data, size);
    text[size + 1] = behind;
    problem = json_check((struct tc_bytes){ text, size + 2 });
    free(text);
    return problem;
}

static void round_trip(struct tc_bytes string)
{
    char *text = malloc(string.len);
    char *again = malloc(string.len + 2);
    struct http_buffer out = { 0 };
    struct json_writer writer = { .out = &out };

    demand(text && again, "no memory");

    size_t len = json_unescape(string, text);

    demand(len <= string.len, "an unescaped string has grown");
    demand(tc_utf8_is_valid((struct tc_bytes){ text, len }), "a string is no UTF-8");
    demand(memchr(text, '\0', len) == NULL, "a string holds NUL");
    json_string(&writer, (struct tc_bytes){ text, len });
    demand(json_check((struct tc_bytes){ out.data, out.len }) == NULL, "written badly");
    again = realloc(again, out.len);
    demand(again != NULL, "no memory");
    demand(json_unescape((struct tc_bytes){ out.data, out.len }, again) == len &&
               memcmp(again, text, len) == 0,
           "a string has changed");
    http_buffer_release(&out);
    free(text);
    free(again);
}

/* Step through the members instead of taking the whole. @return the same verdict. */
static bool walk(const unsigned char *data, size_t size)
{
    struct json_reader reader;
    struct json_value key;
    struct json_value value;

    json_reader_init(&reader, (struct tc_bytes){ data, size });
    if (json_peek(&reader) == JSON_OBJECT && json_enter(&reader)) {
        while (json_next_member(&reader, &key) && json_take(&reader, &value)) {
            round_trip(key.text);
            demand(json_check(value.text) == NULL, "a part is no JSON");
            if (value.kind == JSON_STRING)
                round_trip(value.text);
        }
    } else {
        json_take(&reader, &value);
    }

    bool ok = json_finish(&reader);

    json_reader_release(&reader);
    return ok;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char *problem = json_check((struct tc_bytes){ data, size });

    demand(walk(data, size) == (problem == NULL), "stepping and taking differ");
    if (problem)
        return 0;
    compare_with_lenient(data, size);
    demand(check_between(' ', data, size, '\n') == NULL, "space around it is refused");
    demand(check_between(' ', data, size, '}') != NULL, "a bracket behind it is taken");
    demand(check_between(' ', data, size, ',') != NULL, "a comma behind it is taken");
    demand(check_between('[', data, size, ' ') != NULL, "an open bracket is taken");
    return 0;
}
