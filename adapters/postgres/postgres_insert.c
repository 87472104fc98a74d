/* What is created. Without keys one statement stores all and commits by itself: that is the
 * way of nearly every call. Only when it meets an id that is there already, which is the
 * repetition of a call whose answer was lost, a transaction looks what there is first. */

#include "adapters/postgres/postgres_lanes.h"
#include "adapters/postgres/postgres_tasks.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 5 /* at a transaction that others keep overtaking */

static const struct postgres_statement find_ids_statement = {
    .name = "find_ids",
    .sql = "SELECT id FROM taskcore.task WHERE id = ANY ($1::uuid[])",
    .writes = false,
};

/* --- what there is */

static void mark(struct postgres_insertion *insertion, const struct tc_id *id)
{
    for (size_t i = 0; i < insertion->count; i++)
        if (tc_id_compare(&insertion->creations[i].tasks[0].id, id) == 0) {
            insertion->exists[i] = true;
            insertion->inserted[i].verdict = TC_INSERT_EXISTING;
        }
}

static enum tc_code mark_existing(struct postgres_connection *connection,
                                  struct postgres_insertion *insertion, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, 64 + insertion->count * (4 + sizeof(struct tc_id)));
    postgres_array_begin(&params, POSTGRES_UUID);
    for (size_t i = 0; i < insertion->count; i++)
        postgres_push_id(&params, &insertion->creations[i].tasks[0].id);
    postgres_array_end(&params);
    code = postgres_run(connection, &find_ids_statement, &params, &result, err);
    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++) {
        struct tc_id id = postgres_get_id(result, row, 0);

        mark(insertion, &id);
    }
    return code;
}

/* --- attempts */

static void begin_anew(struct postgres_insertion *insertion)
{
    for (size_t i = 0; i < insertion->count; i++) {
        tc_inserted_release(&insertion->inserted[i]);
        insertion->inserted[i].first_id = insertion->creations[i].tasks[0].id;
        insertion->exists[i] = false;
    }
}

static struct postgres_batch batch_of(const struct postgres_insertion *insertion)
{
    struct postgres_batch batch = { .tasks = insertion->tasks };

    for (size_t i = 0; i < insertion->count; i++) {
        const struct tc_creation *creation = &insertion->creations[i];

        if (insertion->inserted[i].verdict != TC_INSERT_CREATED)
            continue;
        for (size_t j = 0; j < creation->task_count; j++)
            insertion->tasks[batch.count++] = &creation->tasks[j];
    }
    return batch;
}

static bool has_keys(const struct postgres_insertion *insertion)
{
    for (size_t i = 0; i < insertion->count; i++)
        if (insertion->creations[i].key)
            return true;
    return false;
}

static enum tc_code insert_within(struct postgres_store *store,
                                  struct postgres_connection *connection,
                                  struct postgres_insertion *insertion, bool careful,
                                  struct tc_error *err)
{
    enum tc_code code = careful ? mark_existing(connection, insertion, err) : TC_OK;

    if (code == TC_OK && has_keys(insertion))
        code = postgres_settle_keys(store, connection, insertion, err);
    if (code != TC_OK)
        return code;

    struct postgres_batch batch = batch_of(insertion);

    return batch.count > 0 ? postgres_batch_insert(store, connection, &batch, err) : TC_OK;
}

static enum tc_code insert_in_transaction(struct postgres_store *store,
                                          struct postgres_connection *connection,
                                          struct postgres_insertion *insertion, bool careful,
                                          struct tc_error *err)
{
    enum tc_code code;

    begin_anew(insertion);
    postgres_begin(connection);
    code = insert_within(store, connection, insertion, careful, err);
    if (code == TC_OK)
        return postgres_commit(connection, err);
    postgres_rollback(connection);
    return code;
}

/* The first try believes that all of it is new. */
static enum tc_code try_insert(struct postgres_store *store,
                               struct postgres_connection *connection,
                               struct postgres_insertion *insertion, struct tc_error *err)
{
    if (!has_keys(insertion)) {
        begin_anew(insertion);

        struct postgres_batch batch = batch_of(insertion);

        if (postgres_batch_is_small(&batch))
            return postgres_batch_insert(store, connection, &batch, err);
    }
    return insert_in_transaction(store, connection, insertion, false, err);
}

static enum tc_code insert_work(struct postgres_store *store,
                                struct postgres_connection *connection, void *ctx,
                                struct tc_error *err)
{
    enum tc_code code = try_insert(store, connection, ctx, err);

    for (int i = 0; i < TRIES && code == TC_CONFLICT; i++)
        code = insert_in_transaction(store, connection, ctx, true, err);
    return code == TC_CONFLICT
               ? tc_fail(err, TC_INTERNAL, "postgres: the id of a new task is taken")
               : code;
}

/* --- the call */

static bool insertion_init(struct postgres_insertion *insertion,
                           const struct tc_creation *creations, size_t count)
{
    size_t task_count = 0;

    for (size_t i = 0; i < count; i++)
        task_count += creations[i].task_count;
    *insertion = (struct postgres_insertion){
        .creations = creations,
        .count = count,
        .inserted = calloc(count, sizeof(*insertion->inserted)),
        .exists = calloc(count, sizeof(*insertion->exists)),
        .tasks = malloc(task_count * sizeof(*insertion->tasks)),
    };
    return insertion->inserted && insertion->exists && insertion->tasks;
}

static void insertion_release(struct postgres_insertion *insertion)
{
    for (size_t i = 0; insertion->inserted && i < insertion->count; i++)
        tc_inserted_release(&insertion->inserted[i]);
    free(insertion->inserted);
    free(insertion->exists);
    free(insertion->tasks);
}

enum tc_code postgres_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                             size_t count, struct tc_inserted *ret_inserted,
                             struct tc_error *err)
{
    struct postgres_insertion insertion;
    enum tc_code code;

    if (count == 0)
        return TC_OK;
    if (insertion_init(&insertion, creations, count))
        code = postgres_do(POSTGRES_SELF(repo, task_repo), insert_work, &insertion, err);
    else
        code = tc_fail(err, TC_NO_MEMORY, "postgres: verdicts on %zu creations", count);
    postgres_lanes_touch(POSTGRES_SELF(repo, task_repo)->lanes);
    if (code == TC_OK) {
        memcpy(ret_inserted, insertion.inserted, count * sizeof(*ret_inserted));
        memset(insertion.inserted, 0, count * sizeof(*insertion.inserted)); /* moved */
    }
    insertion_release(&insertion);
    return code;
}
