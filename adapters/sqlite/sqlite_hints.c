/* Where leased tasks stand: saves finish and extend the slow search by id. */

#include "adapters/sqlite/sqlite_internal.h"

#include <string.h>

/* Ids of one group differ in their last bits, ids of different groups in the random part. */
static size_t slot_of(const struct tc_id *id)
{
    uint64_t tail = 0;

    for (size_t i = 8; i < sizeof(id->bytes); i++)
        tail = tail << 8 | id->bytes[i];
    return (size_t)((tail ^ tail >> 32) & (SQLITE_HINT_COUNT - 1));
}

void sqlite_hint_put(struct sqlite_store *store, const struct tc_id *id, int64_t num,
                     int64_t place)
{
    store->hints[slot_of(id)] = (struct sqlite_hint){ .id = *id, .num = num, .place = place };
}

const struct sqlite_hint *sqlite_hint_get(const struct sqlite_store *store,
                                          const struct tc_id *id)
{
    const struct sqlite_hint *hint = &store->hints[slot_of(id)];

    return hint->num > 0 && memcmp(&hint->id, id, sizeof(*id)) == 0 ? hint : NULL;
}

enum tc_code sqlite_num_of(struct sqlite_store *store, const struct tc_id *id, int64_t *ret_num,
                           struct tc_error *err)
{
    const struct sqlite_hint *hint = sqlite_hint_get(store, id);

    if (hint) {
        *ret_num = hint->num;
        return TC_OK;
    }

    AUTO_QUERY query = sqlite_query(&store->writer, SQLITE_NUM_OF_ID_STATEMENT);

    query_bind_id(&query, 1, id);
    *ret_num = query_next(&query) ? query_int(&query, 0) : 0;
    return query_is_bad(&query) ? sqlite_fail(&store->writer, "find a task", err) : TC_OK;
}
