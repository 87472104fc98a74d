#include "adapters/postgres/postgres_claims.h"

enum tc_code postgres_catch_add(struct postgres_store *store, struct postgres_catch *caught,
                                const PGresult *result, int row, int place_column,
                                struct tc_error *err)
{
    struct tc_task *task = &caught->tasks[caught->count];
    enum tc_code code = postgres_read_task(result, row, place_column + 1, task, err);

    if (code != TC_OK)
        return code;
    postgres_places_put(postgres_lanes_places(store->lanes), &task->id,
                        postgres_get_int(result, row, place_column));
    caught->count++;
    return TC_OK;
}

void postgres_add_incarnation(struct postgres_params *params,
                              const struct postgres_store *store, bool of_process)
{
    int64_t incarnation = of_process ? postgres_session_incarnation(store->session) : 0;

    if (incarnation)
        postgres_add_int8(params, incarnation);
    else
        postgres_add_null(params);
}

void postgres_add_names(struct postgres_params *params, const char *const *names, size_t count)
{
    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < count; i++)
        postgres_push_text(params, names[i]);
    postgres_array_end(params);
}
