#include "adapters/http/json_keys.h"

#include "adapters/http/json_scan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Up to here comparing each with each is faster than a table. */
#define FEW 12

void json_keys_release(struct json_keys *keys)
{
    free(keys->items);
    free(keys->plain);
    free(keys->slots);
    *keys = (struct json_keys){ 0 };
}

static bool grow(void **data, size_t *size, size_t wanted, size_t item_size)
{
    size_t new_size = *size > 0 ? *size * 2 : 16;

    if (wanted <= *size)
        return true;
    if (new_size < wanted)
        new_size = wanted;

    void *grown = realloc(*data, new_size * item_size);

    if (!grown)
        return false;
    *data = grown;
    *size = new_size;
    return true;
}

static bool store_plain(struct json_keys *keys, const unsigned char *text, struct json_key *key)
{
    void *plain = keys->plain;

    if (!grow(&plain, &keys->plain_size, keys->plain_len + key->len, 1))
        return false;
    keys->plain = plain;

    size_t len = json_unescape((struct tc_bytes){ text + key->at, key->len },
                               keys->plain + keys->plain_len);

    *key = (struct json_key){ (uint32_t)keys->plain_len, (uint32_t)len, true };
    keys->plain_len += len;
    return true;
}

bool json_keys_push(struct json_keys *keys, const unsigned char *text, struct json_key key,
                    bool has_escapes)
{
    void *items = keys->items;

    if (!grow(&items, &keys->size, keys->count + 1, sizeof(*keys->items)))
        return false;
    keys->items = items;
    if (has_escapes && !store_plain(keys, text, &key))
        return false;
    keys->items[keys->count++] = key;
    return true;
}

static const unsigned char *data_of(const struct json_keys *keys, const unsigned char *text,
                                    const struct json_key *key)
{
    return key->is_plain ? (const unsigned char *)keys->plain + key->at : text + key->at;
}

static bool is_same(const struct json_keys *keys, const unsigned char *text,
                    const struct json_key *a, const struct json_key *b)
{
    return a->len == b->len &&
           memcmp(data_of(keys, text, a), data_of(keys, text, b), a->len) == 0;
}

static enum json_keys_verdict compare_few(const struct json_keys *keys,
                                          const unsigned char *text, size_t first)
{
    for (size_t i = first; i < keys->count; i++)
        for (size_t j = first; j < i; j++)
            if (is_same(keys, text, &keys->items[i], &keys->items[j]))
                return JSON_KEYS_DUPLICATE;
    return JSON_KEYS_DISTINCT;
}

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (words in the machine's byte order: the value never leaves this process). */
static uint64_t hash(const uint64_t seed[2], const unsigned char *data, size_t len)
{
    uint64_t v[4] = { seed[0] ^ UINT64_C(0x736f6d6570736575),
                      seed[1] ^ UINT64_C(0x646f72616e646f6d),
                      seed[0] ^ UINT64_C(0x6c7967656e657261),
                      seed[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t last = (uint64_t)len << 56;
    uint64_t word;
    size_t at = 0;

    for (; len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, data + at, sizeof(word));
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t i = 0; at + i < len; i++)
        last |= (uint64_t)data[at + i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* At least twice as many slots as keys, all free. 0: no memory. */
static size_t clear_slots(struct json_keys *keys, size_t count)
{
    size_t wanted = 32;
    void *slots = keys->slots;

    while (wanted < count * 2)
        wanted *= 2;
    if (!grow(&slots, &keys->slots_size, wanted, sizeof(*keys->slots)))
        return 0;
    keys->slots = slots;
    memset(keys->slots, 0, wanted * sizeof(*keys->slots));
    return wanted;
}

static enum json_keys_verdict compare_many(struct json_keys *keys, const unsigned char *text,
                                           size_t first)
{
    size_t slots = clear_slots(keys, keys->count - first);

    if (slots == 0)
        return JSON_KEYS_NO_MEMORY;
    if (keys->seed[0] == 0 &&
        getrandom(keys->seed, sizeof(keys->seed), 0) != (ssize_t)sizeof(keys->seed))
        return JSON_KEYS_NO_MEMORY;
    for (size_t i = first; i < keys->count; i++) {
        const struct json_key *key = &keys->items[i];
        size_t slot = hash(keys->seed, data_of(keys, text, key), key->len) & (slots - 1);

        while (keys->slots[slot] != 0) {
            if (is_same(keys, text, key, &keys->items[keys->slots[slot] - 1]))
                return JSON_KEYS_DUPLICATE;
            slot = (slot + 1) & (slots - 1);
        }
        keys->slots[slot] = (uint32_t)(i + 1);
    }
    return JSON_KEYS_DISTINCT;
}

enum json_keys_verdict json_keys_compare(struct json_keys *keys, const unsigned char *text,
                                         size_t first)
{
    return keys->count - first <= FEW ? compare_few(keys, text, first)
                                      : compare_many(keys, text, first);
}

void json_keys_pop(struct json_keys *keys, size_t first)
{
    /* Values of escaped keys lie in the order of the keys: the first one popped that has
     * any says where the rest begins. */
    for (size_t i = first; i < keys->count; i++)
        if (keys->items[i].is_plain) {
            keys->plain_len = keys->items[i].at;
            break;
        }
    keys->count = first;
}
