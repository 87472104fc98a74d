#include "adapters/memory/memory_internal.h"

#include <string.h>

static struct memory_store *self_of(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct memory_store, task_repo);
}

static enum tc_code not_found(const struct tc_id *id, struct tc_error *err)
{
    char text[TC_ID_TEXT_SIZE];

    tc_id_format(id, text);
    return tc_fail(err, TC_NOT_FOUND, "no task '%s'", text);
}

static enum tc_code memory_get(struct tc_task_repo *repo, const struct tc_id *id,
                               struct tc_task *ret_task, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);

    memory_lock(self);

    const struct memory_record *record = memory_find(self, id);
    enum tc_code code = record ? memory_copy_out(record, ret_task, err) : not_found(id, err);

    memory_unlock(self);
    return code;
}

static void start_over(struct memory_record *record, int64_t now_ms)
{
    record->attempt = 0;
    record->crashes = 0;
    record->run_at_ms = now_ms;
    record->error_reason = TC_REASON_NONE;
    record->error_attempt = 0;
    record->error_at_ms = 0;
    record->result_kind = TC_CONTENT_NONE;
    free(record->result);
    free(record->progress);
    free(record->error_message);
    record->result = record->progress = record->error_message = NULL;
    record->last_outcome = 0;
}

static enum tc_code apply(struct memory_store *store, struct memory_record *record,
                          const struct tc_change *change, struct tc_task *ret_task,
                          struct tc_error *err)
{
    int64_t now_ms = tc_clock_now_ms(store->clock);
    struct tc_task copy;
    enum tc_code code;

    if (change->to == TC_STATUS_PROCESSING)
        return tc_fail(err, TC_INTERNAL, "only a claim leases a task");
    code = memory_copy_out(record, &copy, err);
    if (code != TC_OK)
        return code;
    if ((TC_STATUS_BIT(record->status) & change->from) == 0) {
        code = tc_fail(err, TC_CONFLICT, "the task is %s", tc_status_name(record->status));
    } else {
        if (change->start_over)
            start_over(record, now_ms);
        memory_move(store, record, change->to, now_ms);
        memory_refresh(record, &copy);
    }
    *ret_task = copy;
    return code;
}

static enum tc_code memory_change(struct tc_task_repo *repo, const struct tc_change *change,
                                  struct tc_task *ret_task, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);

    memory_lock(self);

    struct memory_record *record = memory_find(self, &change->id);
    enum tc_code code =
        record ? apply(self, record, change, ret_task, err) : not_found(&change->id, err);

    memory_unlock(self);
    return code;
}

static bool is_worth_a_row(const struct tc_queue_count *count)
{
    return count->waiting > 0 || count->processing > 0 || count->scheduled > 0 ||
           count->failed > 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct tc_queue_count *first = a;
    const struct tc_queue_count *second = b;

    return strcmp(first->queue, second->queue);
}

static size_t count_queues(const struct memory_store *store, struct tc_queue_count *ret_counts)
{
    size_t count = 0;

    for (const struct memory_queue *queue = store->ready.queues; queue;
         queue = queue->hh.next) {
        if (!is_worth_a_row(&queue->count))
            continue;
        ret_counts[count] = queue->count;
        memcpy(ret_counts[count].queue, queue->name, sizeof(queue->name));
        ret_counts[count].oldest_waiting_ms = memory_queue_oldest_ms(queue);
        count++;
    }
    return count;
}

static enum tc_code memory_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                                  size_t *ret_count, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    size_t count = 0;

    memory_lock(self);

    size_t queue_count = HASH_COUNT(self->ready.queues);
    struct tc_queue_count *counts = malloc((queue_count + 1) * sizeof(*counts));

    if (counts)
        count = count_queues(self, counts);
    memory_unlock(self);
    if (!counts)
        return tc_fail(err, TC_NO_MEMORY, "counts of %zu queues", queue_count);
    qsort(counts, count, sizeof(*counts), compare_names);
    if (count == 0) {
        free(counts);
        counts = NULL;
    }
    *ret_counts = counts;
    *ret_count = count;
    return TC_OK;
}

/* There is nothing that could refuse a write but a lost mutex, which would hang here. */
static enum tc_code memory_check(struct tc_task_repo *repo, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);

    (void)err;
    memory_lock(self);
    memory_unlock(self);
    return TC_OK;
}

static enum tc_code memory_forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                       size_t *ret_count, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    size_t count = 0;

    (void)err;
    memory_lock(self);
    while (count < max) {
        struct memory_heap_item *oldest = memory_heap_top(&self->key_ages);

        if (!oldest || oldest->at >= before_ms)
            break;

        struct memory_key *key = TC_CONTAINER_OF(oldest, struct memory_key, made);

        memory_key_remove(self, key);
        memory_key_free(key);
        count++;
    }
    memory_unlock(self);
    *ret_count = count;
    return TC_OK;
}

const struct tc_task_repo_ops memory_task_repo_ops = {
    .name = "memory",
    .insert = memory_insert,
    .get = memory_get,
    .list = memory_list,
    .change = memory_change,
    .counts = memory_counts,
    .check = memory_check,
    .forget_keys = memory_forget_keys,
};
