#include "adapters/decorators/metered_task_repo.h"

#include "adapters/decorators/monotonic.h"
#include "adapters/decorators/store_metrics.h"
#include "core/domain/container_of.h"
#include "ports/clock.h"

#include <stdlib.h>

struct metered_task_repo {
    struct tc_task_repo base;
    struct tc_task_repo *inner;
    struct tc_metrics *metrics;
    struct tc_clock *clock;
};

static const struct tc_metric created_total = {
    .name = "taskcore_tasks_created_total",
    .help = "Tasks stored",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric replayed_total = {
    .name = "taskcore_tasks_replayed_total",
    .help = "Creations that had been stored before, told by their idempotency key",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric changed_total = {
    .name = "taskcore_tasks_changed_total",
    .help = "Tasks cancelled, or run anew by a user",
    .kind = TC_METRIC_COUNTER,
    .labels = { "to" },
};

static const struct tc_metric create_seconds = {
    .name = "taskcore_create_seconds",
    .help = "From the making of a task's id to its commit",
    .kind = TC_METRIC_HISTOGRAM,
    .buckets = store_metrics_second_buckets,
    .bucket_count = STORE_METRICS_SECOND_BUCKETS,
};

static struct metered_task_repo *self_of(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct metered_task_repo, base);
}

static void count_inserted(struct metered_task_repo *self, const struct tc_creation *creations,
                           size_t count, const struct tc_inserted *inserted)
{
    int64_t now_ms = tc_clock_now_ms(self->clock);
    size_t created = 0;
    size_t replayed = 0;

    for (size_t i = 0; i < count; i++) {
        if (inserted[i].verdict == TC_INSERT_EXISTING)
            replayed++;
        if (inserted[i].verdict != TC_INSERT_CREATED)
            continue;
        created += creations[i].task_count;
        tc_metrics_record(
            self->metrics, &create_seconds, NULL, NULL,
            store_metrics_seconds_between(tc_id_ms(&creations[i].tasks[0].id), now_ms));
    }
    if (created > 0)
        tc_metrics_record(self->metrics, &created_total, NULL, NULL, (double)created);
    if (replayed > 0)
        tc_metrics_record(self->metrics, &replayed_total, NULL, NULL, (double)replayed);
}

static size_t tasks_in(const struct tc_creation *creations, size_t count)
{
    size_t tasks = 0;

    for (size_t i = 0; i < count; i++)
        tasks += creations[i].task_count;
    return tasks;
}

static enum tc_code metered_insert(struct tc_task_repo *repo,
                                   const struct tc_creation *creations, size_t count,
                                   struct tc_inserted *ret_inserted, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code =
        self->inner->ops->insert(self->inner, creations, count, ret_inserted, err);

    store_metrics_call(self->metrics, "insert", start, code, count > 0);
    store_metrics_group(self->metrics, "insert", tasks_in(creations, count));
    if (code == TC_OK)
        count_inserted(self, creations, count, ret_inserted);
    return code;
}

static enum tc_code metered_get(struct tc_task_repo *repo, const struct tc_id *id,
                                struct tc_task *ret_task, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->get(self->inner, id, ret_task, err);

    store_metrics_call(self->metrics, "get", start, code, false);
    return code;
}

static enum tc_code metered_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                                 struct tc_task_page *ret_page, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->list(self->inner, filter, ret_page, err);

    store_metrics_call(self->metrics, "list", start, code, false);
    return code;
}

static enum tc_code metered_change(struct tc_task_repo *repo, const struct tc_change *change,
                                   struct tc_task *ret_task, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->change(self->inner, change, ret_task, err);

    store_metrics_call(self->metrics, "change", start, code, true);
    if (code == TC_OK)
        tc_metrics_record(self->metrics, &changed_total, tc_status_name(change->to), NULL, 1);
    return code;
}

static enum tc_code metered_counts(struct tc_task_repo *repo,
                                   struct tc_queue_count **ret_counts, size_t *ret_count,
                                   struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->counts(self->inner, ret_counts, ret_count, err);

    store_metrics_call(self->metrics, "counts", start, code, false);
    return code;
}

static enum tc_code metered_check(struct tc_task_repo *repo, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->check(self->inner, err);

    store_metrics_call(self->metrics, "check", start, code, true);
    return code;
}

static enum tc_code metered_forget_keys(struct tc_task_repo *repo, int64_t before_ms,
                                        size_t max, size_t *ret_count, struct tc_error *err)
{
    struct metered_task_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code =
        self->inner->ops->forget_keys(self->inner, before_ms, max, ret_count, err);

    store_metrics_call(self->metrics, "forget_keys", start, code,
                       code == TC_OK && *ret_count > 0);
    return code;
}

static const struct tc_task_repo_ops metered_task_repo_ops = {
    .name = "metered",
    .insert = metered_insert,
    .get = metered_get,
    .list = metered_list,
    .change = metered_change,
    .counts = metered_counts,
    .check = metered_check,
    .forget_keys = metered_forget_keys,
};

enum tc_code metered_task_repo_open(struct tc_task_repo *inner, struct tc_metrics *metrics,
                                    struct tc_clock *clock, struct tc_task_repo **ret_repo,
                                    struct tc_error *err)
{
    struct metered_task_repo *self = malloc(sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the metered task repository");
    *self = (struct metered_task_repo){ { &metered_task_repo_ops }, inner, metrics, clock };
    *ret_repo = &self->base;
    return TC_OK;
}

void metered_task_repo_close(struct tc_task_repo *repo)
{
    if (repo)
        free(self_of(repo));
}
