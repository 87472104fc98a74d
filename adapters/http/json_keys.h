#ifndef TASKCORE_ADAPTERS_HTTP_JSON_KEYS_H
#define TASKCORE_ADAPTERS_HTTP_JSON_KEYS_H

/**
 * @file json_keys.h
 * The keys of the JSON objects that are open, to find two that are the same.
 *
 * A stack: an object's keys lie on top of those of the objects around it. 12 bytes a key,
 * and up to 16 bytes a key more while an object with many keys is being compared. The
 * comparison is linear; its hash is keyed at random, so that nobody can choose keys that
 * collide.
 */

#include "core/domain/content.h"

#include <stdint.h>

/** Zero to start. */
struct json_keys {
    struct json_key {
        uint32_t at; /* in `text` of the caller, or in `plain` */
        uint32_t len;
        bool is_plain; /* it had escapes: its value lies in `plain` */
    } * items;
    size_t count;
    size_t size;
    char *plain;
    size_t plain_len;
    size_t plain_size;
    uint32_t *slots; /* hash table of indices + 1; 0: free */
    size_t slots_size;
    uint64_t seed[2]; /* zero until the first large object */
};

void json_keys_release(struct json_keys *keys);

/** Add the key between the quotes at text[at..at+len). @return false: no memory. */
bool json_keys_push(struct json_keys *keys, const unsigned char *text, struct json_key key,
                    bool has_escapes);

enum json_keys_verdict {
    JSON_KEYS_DISTINCT,
    JSON_KEYS_DUPLICATE,
    JSON_KEYS_NO_MEMORY,
};

/** Compare all keys from the `first`th on: those of the innermost object. */
enum json_keys_verdict json_keys_compare(struct json_keys *keys, const unsigned char *text,
                                         size_t first);

/** Forget all keys from the `first`th on. */
void json_keys_pop(struct json_keys *keys, size_t first);

#endif
