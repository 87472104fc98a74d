#include "core/domain/id.h"

#include <string.h>

struct tc_id tc_id_floor(int64_t ms)
{
    struct tc_id id = { { 0 } };
    uint64_t time = ms < 0 ? 0 : (uint64_t)ms;

    for (int i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(time >> (40 - 8 * i));
    return id;
}

struct tc_id tc_id_make(int64_t ms, unsigned bucket, uint64_t tail)
{
    struct tc_id id = tc_id_floor(ms);

    id.bytes[6] = (uint8_t)(0x70 | ((bucket >> 8) & 0x0F)); /* version 7 */
    id.bytes[7] = (uint8_t)bucket;
    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(tail >> (56 - 8 * i));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3F)); /* variant of RFC 9562 */
    return id;
}

int64_t tc_id_ms(const struct tc_id *id)
{
    int64_t ms = 0;

    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}

int tc_id_compare(const struct tc_id *a, const struct tc_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static bool is_dash_place(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

bool tc_id_parse(const char *text, size_t len, struct tc_id *ret_id)
{
    struct tc_id id = { { 0 } };
    size_t digits = 0;

    if (len != TC_ID_TEXT_LEN)
        return false;
    for (size_t at = 0; at < len; at++) {
        if (is_dash_place(at)) {
            if (text[at] != '-')
                return false;
            continue;
        }

        int value = digit_value(text[at]);

        if (value < 0)
            return false;
        id.bytes[digits / 2] = (uint8_t)(id.bytes[digits / 2] << 4 | value);
        digits++;
    }
    *ret_id = id;
    return true;
}

void tc_id_format(const struct tc_id *id, char ret_text[TC_ID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        if (is_dash_place(at))
            ret_text[at++] = '-';
        ret_text[at++] = hex[id->bytes[i] >> 4];
        ret_text[at++] = hex[id->bytes[i] & 0x0F];
    }
    ret_text[at] = '\0';
}
