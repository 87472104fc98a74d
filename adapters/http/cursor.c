#include "adapters/http/cursor.h"

#include <string.h>

#define VERSION   1
#define ID_SIZE   sizeof(((struct tc_id *)NULL)->bytes)
#define SUM_SIZE  4
#define PLAIN_LEN (1 + ID_SIZE + SUM_SIZE) /* 21: whole groups of three, no padding */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* FNV-1a. */
static uint32_t sum_of(const uint8_t *data, size_t len)
{
    uint32_t sum = 2166136261U;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ data[i]) * 16777619U;
    return sum;
}

static void seal(const struct tc_id *position, uint8_t plain[PLAIN_LEN])
{
    plain[0] = VERSION;
    memcpy(plain + 1, position->bytes, ID_SIZE);

    uint32_t sum = sum_of(plain, 1 + ID_SIZE);

    for (size_t i = 0; i < SUM_SIZE; i++)
        plain[1 + ID_SIZE + i] = (uint8_t)(sum >> (24 - 8 * i));
}

void cursor_format(const struct tc_id *position, char ret_text[CURSOR_SIZE])
{
    uint8_t plain[PLAIN_LEN];
    char *out = ret_text;

    seal(position, plain);
    for (size_t i = 0; i < PLAIN_LEN; i += 3) {
        uint32_t group = (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];

        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = digits[group >> shift & 63];
    }
    *out = '\0';
}

bool cursor_parse(const char *text, size_t len, struct tc_id *ret_position)
{
    uint8_t plain[PLAIN_LEN];
    uint8_t expected[PLAIN_LEN];
    struct tc_id position;

    if (len != CURSOR_LEN)
        return false;
    for (size_t i = 0; i < CURSOR_LEN; i += 4) {
        uint32_t group = 0;

        for (size_t j = 0; j < 4; j++) {
            const char *digit = text[i + j] ? strchr(digits, text[i + j]) : NULL;

            if (!digit)
                return false;
            group = group << 6 | (uint32_t)(digit - digits);
        }
        plain[i / 4 * 3] = (uint8_t)(group >> 16);
        plain[i / 4 * 3 + 1] = (uint8_t)(group >> 8);
        plain[i / 4 * 3 + 2] = (uint8_t)group;
    }
    memcpy(position.bytes, plain + 1, ID_SIZE);
    seal(&position, expected);
    if (memcmp(plain, expected, PLAIN_LEN) != 0)
        return false;
    *ret_position = position;
    return true;
}
