#include "adapters/memory/memory_internal.h"

#include <string.h>

static struct memory_store *self_of(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct memory_store, task_repo);
}

/* Inserting: everything is copied before the mutex is taken, and undone as a whole when
 * memory runs out half-way. */

/* One creation's tasks and key; what the store takes over is NULL here afterwards. */
struct draft {
    struct memory_record **records;
    size_t count;
    struct memory_key *key;
    struct tc_inserted inserted; /* handed out only when all of the call succeeded */
};

struct drafts {
    struct draft *items;
    struct memory_record **records; /* of all items */
    size_t count;
    size_t record_count;
};

static void drafts_release(struct drafts *drafts)
{
    for (size_t i = 0; drafts->records && i < drafts->record_count; i++)
        memory_record_free(drafts->records[i]);
    for (size_t i = 0; drafts->items && i < drafts->count; i++)
        memory_key_free(drafts->items[i].key);
    free(drafts->records);
    free(drafts->items);
}

static bool draft_fill(struct draft *draft, const struct tc_creation *creation)
{
    for (size_t i = 0; i < draft->count; i++) {
        draft->records[i] = memory_record_new(&creation->tasks[i]);
        if (!draft->records[i])
            return false;
    }
    if (creation->key)
        draft->key = memory_key_new(creation);
    return !creation->key || draft->key;
}

static bool drafts_fill(struct drafts *drafts, const struct tc_creation *creations)
{
    size_t at = 0;

    for (size_t i = 0; i < drafts->count; i++)
        drafts->record_count += creations[i].task_count;
    drafts->items = calloc(drafts->count, sizeof(*drafts->items));
    drafts->records = calloc(drafts->record_count, sizeof(struct memory_record *));
    if (!drafts->items || !drafts->records)
        return false;
    for (size_t i = 0; i < drafts->count; i++) {
        drafts->items[i].records = &drafts->records[at];
        drafts->items[i].count = creations[i].task_count;
        at += creations[i].task_count;
        if (!draft_fill(&drafts->items[i], &creations[i]))
            return false;
    }
    return true;
}

static enum tc_code existing_by_key(const struct memory_key *key,
                                    const struct tc_creation *creation,
                                    struct tc_inserted *ret_inserted, struct tc_error *err)
{
    struct tc_bytes answer = memory_blob_bytes(key->answer);

    if (memcmp(key->request_hash, creation->request_hash, sizeof(key->request_hash)) != 0) {
        *ret_inserted = (struct tc_inserted){ .verdict = TC_INSERT_MISMATCH };
        return TC_OK;
    }

    char *copy = malloc(answer.len + 1);

    if (!copy)
        return tc_fail(err, TC_NO_MEMORY, "an answer of %zu bytes", answer.len);
    memcpy(copy, answer.data, answer.len);
    copy[answer.len] = '\0';
    *ret_inserted = (struct tc_inserted){
        .verdict = TC_INSERT_EXISTING,
        .first_id = key->first_id,
        .answer = copy,
        .answer_len = answer.len,
    };
    return TC_OK;
}

static enum tc_code add_record(struct memory_store *store, struct memory_record *record,
                               const struct tc_task *task, struct tc_error *err)
{
    if (memory_find(store, &record->id))
        return tc_fail(err, TC_INTERNAL, "the id of a new task is taken");
    record->lane = memory_lane_intern(&store->ready, task->queue, task->type);
    if (!record->lane || !memory_add(store, record))
        return tc_fail(err, TC_NO_MEMORY, "room for a task");
    return TC_OK;
}

static void undo(struct memory_store *store, struct draft *draft, size_t added)
{
    for (size_t i = 0; i < added; i++)
        memory_remove(store, draft->records[i]);
}

static enum tc_code add_draft(struct memory_store *store, struct draft *draft,
                              const struct tc_creation *creation, struct tc_error *err)
{
    enum tc_code code = TC_OK;
    size_t added = 0;

    while (code == TC_OK && added < draft->count) {
        code = add_record(store, draft->records[added], &creation->tasks[added], err);
        added += code == TC_OK;
    }
    if (code == TC_OK && draft->key &&
        !memory_key_add(store, draft->key, tc_clock_now_ms(store->clock)))
        code = tc_fail(err, TC_NO_MEMORY, "room for a key");
    if (code != TC_OK)
        undo(store, draft, added);
    return code;
}

static enum tc_code settle(struct memory_store *store, struct draft *draft,
                           const struct tc_creation *creation, struct tc_error *err)
{
    const struct memory_key *known =
        creation->key ? memory_key_find(store, creation->key) : NULL;
    enum tc_insert_verdict verdict = TC_INSERT_EXISTING;

    if (known)
        return existing_by_key(known, creation, &draft->inserted, err);
    if (!memory_find(store, &creation->tasks[0].id)) {
        enum tc_code code = add_draft(store, draft, creation, err);

        if (code != TC_OK)
            return code;
        verdict = TC_INSERT_CREATED;
    }
    draft->inserted = (struct tc_inserted){
        .verdict = verdict,
        .first_id = creation->tasks[0].id,
    };
    return TC_OK;
}

static void undo_created(struct memory_store *store, struct drafts *drafts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct draft *draft = &drafts->items[i];

        if (draft->inserted.verdict == TC_INSERT_CREATED) {
            undo(store, draft, draft->count);
            if (draft->key)
                memory_key_remove(store, draft->key);
        }
        tc_inserted_release(&draft->inserted);
    }
}

/* The store keeps what was created. */
static void hand_over(struct drafts *drafts, struct tc_inserted *ret_inserted)
{
    for (size_t i = 0; i < drafts->count; i++) {
        struct draft *draft = &drafts->items[i];

        ret_inserted[i] = draft->inserted;
        if (draft->inserted.verdict != TC_INSERT_CREATED)
            continue;
        memset(draft->records, 0, draft->count * sizeof(struct memory_record *));
        draft->key = NULL;
    }
}

static enum tc_code add_drafts(struct memory_store *store, struct drafts *drafts,
                               const struct tc_creation *creations,
                               struct tc_inserted *ret_inserted, struct tc_error *err)
{
    enum tc_code code = TC_OK;
    size_t settled = 0;

    if (!memory_reserve(store, drafts->record_count))
        return tc_fail(err, TC_NO_MEMORY, "room for %zu tasks", drafts->record_count);
    while (code == TC_OK && settled < drafts->count) {
        code = settle(store, &drafts->items[settled], &creations[settled], err);
        settled += code == TC_OK;
    }
    if (code == TC_OK)
        hand_over(drafts, ret_inserted);
    else
        undo_created(store, drafts, settled);
    return code;
}

enum tc_code memory_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                           size_t count, struct tc_inserted *ret_inserted, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct drafts drafts = { .count = count };
    enum tc_code code;

    if (count == 0)
        return TC_OK;
    if (drafts_fill(&drafts, creations)) {
        memory_lock(self);
        code = add_drafts(self, &drafts, creations, ret_inserted, err);
        memory_unlock(self);
    } else {
        code = tc_fail(err, TC_NO_MEMORY, "a copy of %zu tasks", drafts.record_count);
    }
    drafts_release(&drafts);
    return code;
}
