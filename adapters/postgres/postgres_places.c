#include "adapters/postgres/postgres_places.h"

#include <pthread.h>
#include <stdlib.h>

#define SLOTS 8192 /* a power of two */

struct place {
    struct tc_id id;
    int64_t lease;
};

struct postgres_places {
    pthread_mutex_t mutex;
    struct place slots[SLOTS];
};

struct postgres_places *postgres_places_new(void)
{
    struct postgres_places *places = calloc(1, sizeof(*places));

    if (places)
        pthread_mutex_init(&places->mutex, NULL);
    return places;
}

void postgres_places_free(struct postgres_places *places)
{
    if (!places)
        return;
    pthread_mutex_destroy(&places->mutex);
    free(places);
}

/* Ids of one group count up in their last bits; those of different groups differ before. */
static struct place *slot_of(struct postgres_places *places, const struct tc_id *id)
{
    const uint8_t *bytes = id->bytes;
    unsigned tail = (unsigned)bytes[14] << 8 | bytes[15];
    unsigned rest = (unsigned)bytes[11] << 8 | bytes[12];

    return &places->slots[(tail + rest * 64u + bytes[13]) % SLOTS];
}

void postgres_places_put(struct postgres_places *places, const struct tc_id *id, int64_t lease)
{
    struct place *slot = slot_of(places, id);

    pthread_mutex_lock(&places->mutex);
    *slot = (struct place){ *id, lease };
    pthread_mutex_unlock(&places->mutex);
}

int64_t postgres_places_get(struct postgres_places *places, const struct tc_id *id)
{
    const struct place *slot = slot_of(places, id);

    pthread_mutex_lock(&places->mutex);

    int64_t lease = tc_id_compare(&slot->id, id) == 0 ? slot->lease : 0;

    pthread_mutex_unlock(&places->mutex);
    return lease;
}
