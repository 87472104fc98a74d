#include "adapters/memory/memory_internal.h"

#include <string.h>

static struct memory_store *self_of(struct tc_lease_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct memory_store, lease_repo);
}

/* --- taking tasks: chosen, copied, and only then changed, since copying may fail --- */

struct grip {
    struct memory_record **records; /* room for as many as are wanted */
    size_t count;
    struct memory_lease *lease;
};

static bool grip_init(struct grip *grip, size_t max, const char *owner, int64_t lease_ms,
                      bool rescue)
{
    *grip = (struct grip){
        .records = malloc(max * sizeof(struct memory_record *)),
        .lease = calloc(1, sizeof(*grip->lease)),
    };
    if (!grip->records || !grip->lease)
        return false;
    grip->lease->duration_ms = lease_ms;
    grip->lease->rescue = rescue;
    memcpy(grip->lease->owner, owner, strlen(owner));
    return true;
}

static void grip_release(struct grip *grip)
{
    free(grip->lease);
    free(grip->records);
}

static void begin_run(struct memory_record *record, int64_t now_ms)
{
    record->attempt++;
    record->started_at_ms = now_ms;
    free(record->progress);
    record->progress = NULL;
}

/* The run that ended with its worker is no attempt but a crash; a rescuer that was lost had
 * not begun to run it. */
static void count_crash(struct memory_record *record)
{
    if (record->lease->rescue)
        return;
    record->attempt--;
    record->crashes++;
}

static void take(struct memory_store *store, struct memory_record *record,
                 struct memory_lease *lease, int64_t now_ms)
{
    if (lease->rescue)
        count_crash(record);
    else
        begin_run(record, now_ms);
    record->epoch++;
    record->updated_at_ms = now_ms;
    record->last_outcome = 0;
    memory_grant(store, record, lease, now_ms + lease->duration_ms);
}

static enum tc_code take_all(struct memory_store *store, struct grip *grip, int64_t now_ms,
                             struct tc_task *ret_tasks, struct tc_error *err)
{
    for (size_t i = 0; i < grip->count; i++) {
        enum tc_code code = memory_copy_out(grip->records[i], &ret_tasks[i], err);

        if (code == TC_OK)
            continue;
        while (i > 0)
            tc_task_release(&ret_tasks[--i]);
        return code;
    }
    for (size_t i = 0; i < grip->count; i++) {
        take(store, grip->records[i], grip->lease, now_ms);
        memory_refresh(grip->records[i], &ret_tasks[i]);
    }
    if (grip->count > 0)
        grip->lease = NULL; /* it is the tasks' now, and goes with the last of them */
    return TC_OK;
}

static enum tc_code memory_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                                 struct tc_task *ret_tasks, size_t *ret_count,
                                 struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct grip grip;
    enum tc_code code;

    if (grip_init(&grip, claim->max, claim->owner, claim->lease_ms, false)) {
        memory_lock(self);
        code = memory_select(self, claim, grip.records, &grip.count, err);
        if (code == TC_OK)
            code = take_all(self, &grip, tc_clock_now_ms(self->clock), ret_tasks, err);
        memory_unlock(self);
    } else {
        code = tc_fail(err, TC_NO_MEMORY, "a claim of %zu tasks", claim->max);
    }
    if (code == TC_OK)
        *ret_count = grip.count;
    grip_release(&grip);
    return code;
}

static struct memory_record *record_of(struct memory_heap_item *due)
{
    return TC_CONTAINER_OF(due, struct memory_record, due);
}

/* Each out of the heap, to see the next one, and all back again: nothing has happened yet. */
static void choose_ended(struct memory_store *store, struct grip *grip, size_t max,
                         int64_t now_ms)
{
    struct memory_heap_item *top = memory_heap_top(&store->leases);

    while (top && top->at <= now_ms && grip->count < max) {
        memory_heap_remove(&store->leases, top);
        grip->records[grip->count++] = record_of(top);
        top = memory_heap_top(&store->leases);
    }
    for (size_t i = 0; i < grip->count; i++)
        memory_heap_push(&store->leases, &grip->records[i]->due);
}

static enum tc_code memory_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                                      int64_t lease_ms, struct tc_task *ret_tasks,
                                      size_t *ret_count, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct grip grip;
    enum tc_code code;

    if (grip_init(&grip, max, owner, lease_ms, true)) {
        memory_lock(self);

        int64_t now_ms = tc_clock_now_ms(self->clock);

        choose_ended(self, &grip, max, now_ms);
        code = take_all(self, &grip, now_ms, ret_tasks, err);
        memory_unlock(self);
    } else {
        code = tc_fail(err, TC_NO_MEMORY, "a rescue of %zu tasks", max);
    }
    if (code == TC_OK)
        *ret_count = grip.count;
    grip_release(&grip);
    return code;
}

static enum tc_code memory_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                                int64_t *ret_next_ms, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct memory_heap_item *top;
    size_t count = 0;

    (void)err;
    memory_lock(self);

    int64_t now_ms = tc_clock_now_ms(self->clock);

    while ((top = memory_heap_top(&self->scheduled)) && top->at <= now_ms && count < max) {
        memory_move(self, record_of(top), TC_STATUS_NEW, now_ms);
        memory_check_now(self, record_of(top), now_ms); /* nobody tells the queue */
        count++;
    }
    *ret_next_ms = -1;
    if (top)
        *ret_next_ms = top->at > now_ms ? top->at - now_ms : 0;
    memory_unlock(self);
    *ret_count = count;
    return TC_OK;
}

const struct tc_lease_repo_ops memory_lease_repo_ops = {
    .name = "memory",
    .claim = memory_claim,
    .extend = memory_extend,
    .finish = memory_finish,
    .take_ended = memory_take_ended,
    .wake = memory_wake,
};
