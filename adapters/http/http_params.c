#include "adapters/http/http_params.h"

#include "adapters/http/json_pointer.h"
#include "core/domain/attributes.h"

#include <stdlib.h>
#include <string.h>

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Decode `text` in place ('+' is a space, as forms write it); NUL-terminate. */
static bool decode(char *text, size_t len, struct tc_bytes *ret_text)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        int byte = text[i] == '+' ? ' ' : (unsigned char)text[i];

        if (text[i] == '%') {
            int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
            int low = len - i > 2 ? hex_value(text[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            byte = high * 16 + low;
            i += 2;
        }
        if (byte == 0)
            return false;
        text[out++] = (char)byte;
    }
    text[out] = '\0';
    *ret_text = (struct tc_bytes){ text, out };
    return tc_utf8_is_valid(*ret_text);
}

static const char *find_known(const char *const *known, struct tc_bytes name)
{
    for (; *known; known++)
        if (strlen(*known) == name.len && memcmp(*known, name.data, name.len) == 0)
            return *known;
    return NULL;
}

static void refuse(struct tc_violations *violations, struct tc_bytes name, const char *detail)
{
    char token[JSON_POINTER_TOKEN_SIZE];

    json_pointer_token(name, token);
    tc_violations_add(violations, "", token, "%s", detail);
}

/* One "name=value" of `len` bytes, which are ours to change; text[len] too. */
static void read_pair(char *text, size_t len, const char *const *known,
                      struct http_params *params, struct tc_violations *violations)
{
    char *sign = memchr(text, '=', len);
    size_t name_len = sign ? (size_t)(sign - text) : len;
    struct tc_bytes name = { text, name_len };
    struct tc_bytes value = { 0 };

    if (sign && !decode(sign + 1, len - name_len - 1, &value)) {
        refuse(violations, name, "is badly encoded");
        return;
    }
    if (!decode(text, name_len, &name)) {
        refuse(violations, (struct tc_bytes){ 0 }, "a parameter's name is badly encoded");
        return;
    }

    const char *known_name = find_known(known, name);

    if (!known_name) {
        refuse(violations, name, "is not a query parameter of this path");
    } else if (http_params_find(params, known_name)) {
        refuse(violations, name, "must not be repeated");
    } else if (value.len == 0) {
        refuse(violations, name, "must not be empty");
    } else {
        params->items[params->count++] = (struct http_param){ known_name, value };
    }
}

bool http_params_parse(const char *query, const char *const *known,
                       struct http_params *ret_params, struct tc_violations *violations)
{
    size_t len = query ? strlen(query) : 0;
    char *at;

    ret_params->count = 0;
    ret_params->storage = NULL;
    if (len == 0)
        return true;
    ret_params->storage = malloc(len + 1);
    if (!ret_params->storage)
        return false;
    memcpy(ret_params->storage, query, len + 1);
    at = ret_params->storage;
    for (;;) {
        char *end = strchr(at, '&');
        size_t pair_len = end ? (size_t)(end - at) : strlen(at);

        read_pair(at, pair_len, known, ret_params, violations);
        if (!end)
            return true;
        at = end + 1;
    }
}

void http_params_release(struct http_params *params)
{
    free(params->storage);
    params->storage = NULL;
    params->count = 0;
}

const struct tc_bytes *http_params_find(const struct http_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0)
            return &params->items[i].value;
    return NULL;
}

static bool read_digits(const struct tc_bytes *text, int64_t *ret_value)
{
    const char *at = text->data;
    int64_t value = 0;

    if (text->len > 18 || (text->len > 1 && at[0] == '0'))
        return false;
    for (size_t i = 0; i < text->len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (at[i] - '0');
    }
    *ret_value = value;
    return true;
}

void http_params_int(const struct http_params *params, const char *name, int64_t min,
                     int64_t max, int64_t *value, struct tc_violations *violations)
{
    const struct tc_bytes *text = http_params_find(params, name);
    int64_t given;

    if (!text)
        return;
    if (!read_digits(text, &given) || given < min || given > max)
        tc_violations_add(violations, "", name, "must be an integer %lld..%lld", (long long)min,
                          (long long)max);
    else
        *value = given;
}
