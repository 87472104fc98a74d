/* Idempotency keys: by text, and by age so that the old ones can be forgotten. */

#include "adapters/memory/memory_internal.h"

#include <string.h>

struct memory_key *memory_key_new(const struct tc_creation *creation)
{
    struct memory_key *key = calloc(1, sizeof(*key));

    if (!key)
        return NULL;
    key->answer = memory_blob_new(creation->answer);
    if (!key->answer) {
        free(key);
        return NULL;
    }
    key->first_id = creation->tasks[0].id;
    memcpy(key->request_hash, creation->request_hash, sizeof(key->request_hash));
    memcpy(key->text, creation->key, strlen(creation->key));
    return key;
}

void memory_key_free(struct memory_key *key)
{
    if (!key)
        return;
    free(key->answer);
    free(key);
}

struct memory_key *memory_key_find(const struct memory_store *store, const char *text)
{
    struct memory_key *key;

    HASH_FIND_STR(store->keys, text, key);
    return key;
}

bool memory_key_add(struct memory_store *store, struct memory_key *key, int64_t now_ms)
{
    struct memory_heap *ages = &store->key_ages;

    if (ages->count == ages->capacity &&
        !memory_heap_reserve(ages, ages->capacity ? 2 * ages->capacity : 64))
        return false;
    HASH_ADD_STR(store->keys, text, key);
    if (!key->hh.tbl)
        return false;
    key->made.at = now_ms;
    memory_heap_push(ages, &key->made);
    return true;
}

void memory_key_remove(struct memory_store *store, struct memory_key *key)
{
    HASH_DEL(store->keys, key);
    memory_heap_remove(&store->key_ages, &key->made);
}
