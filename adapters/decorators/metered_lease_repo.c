#include "adapters/decorators/metered_lease_repo.h"

#include "adapters/decorators/monotonic.h"
#include "adapters/decorators/store_metrics.h"
#include "core/domain/container_of.h"
#include "ports/clock.h"

#include <stdlib.h>

struct metered_lease_repo {
    struct tc_lease_repo base;
    struct tc_lease_repo *inner;
    struct tc_metrics *metrics;
    struct tc_clock *clock;
};

static const struct tc_metric claimed_total = {
    .name = "taskcore_tasks_claimed_total",
    .help = "Tasks leased to a worker",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric finished_total = {
    .name = "taskcore_tasks_finished_total",
    .help = "Runs that ended, by what followed",
    .kind = TC_METRIC_COUNTER,
    .labels = { "outcome" },
};

static const struct tc_metric retried_total = {
    .name = "taskcore_tasks_retried_total",
    .help = "Attempts that failed and are made again",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric rescued_total = {
    .name = "taskcore_tasks_rescued_total",
    .help = "Tasks taken over from leases that ended",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric woken_total = {
    .name = "taskcore_tasks_woken_total",
    .help = "Scheduled tasks that became due",
    .kind = TC_METRIC_COUNTER,
};

static const struct tc_metric stale_total = {
    .name = "taskcore_stale_verdicts_total",
    .help = "Reports and heartbeats of epochs that no longer held their task",
    .kind = TC_METRIC_COUNTER,
    .labels = { "reason" },
};

static const struct tc_metric wait_seconds = {
    .name = "taskcore_wait_seconds",
    .help = "How long tasks waited, from due to claimed",
    .kind = TC_METRIC_HISTOGRAM,
    .buckets = store_metrics_second_buckets,
    .bucket_count = STORE_METRICS_SECOND_BUCKETS,
};

static struct metered_lease_repo *self_of(struct tc_lease_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct metered_lease_repo, base);
}

static void count(struct metered_lease_repo *self, const struct tc_metric *metric,
                  const char *label, size_t number)
{
    if (number > 0)
        tc_metrics_record(self->metrics, metric, label, NULL, (double)number);
}

static enum tc_code metered_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                                  struct tc_task *ret_tasks, size_t *ret_count,
                                  struct tc_error *err)
{
    struct metered_lease_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->claim(self->inner, claim, ret_tasks, ret_count, err);
    size_t claimed = code == TC_OK ? *ret_count : 0;

    store_metrics_call(self->metrics, "claim", start, code, claimed > 0);
    if (claimed == 0)
        return code;

    int64_t now_ms = tc_clock_now_ms(self->clock);

    store_metrics_group(self->metrics, "claim", claimed);
    count(self, &claimed_total, NULL, claimed);
    for (size_t i = 0; i < claimed; i++)
        tc_metrics_record(self->metrics, &wait_seconds, NULL, NULL,
                          store_metrics_seconds_between(ret_tasks[i].run_at_ms, now_ms));
    return code;
}

static enum tc_code metered_extend(struct tc_lease_repo *repo,
                                   const struct tc_renewal *renewals, size_t number,
                                   struct tc_renewed *ret_renewed, struct tc_error *err)
{
    struct metered_lease_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code =
        self->inner->ops->extend(self->inner, renewals, number, ret_renewed, err);

    store_metrics_call(self->metrics, "extend", start, code, number > 0);
    store_metrics_group(self->metrics, "extend", number);
    for (size_t i = 0; code == TC_OK && i < number; i++)
        if (ret_renewed[i].stale != TC_STALE_NONE)
            count(self, &stale_total, tc_stale_reason_name(ret_renewed[i].stale), 1);
    return code;
}

/* Added up first: one record per kind and group, not one per task. */
static void count_outcomes(struct metered_lease_repo *self, const struct tc_outcome *outcomes,
                           const struct tc_verdict *verdicts, size_t number)
{
    static const char *const names[] = { "unknown", "done", "again", "failed", "released" };
    size_t ended[sizeof(names) / sizeof(names[0])] = { 0 };
    size_t retried = 0;

    for (size_t i = 0; i < number; i++) {
        enum tc_outcome_kind kind = outcomes[i].kind;

        if (verdicts[i].kind == TC_VERDICT_STALE)
            count(self, &stale_total, tc_stale_reason_name(verdicts[i].stale), 1);
        if (verdicts[i].kind != TC_VERDICT_APPLIED)
            continue;
        ended[kind <= TC_OUTCOME_RELEASED ? kind : 0]++;
        if (kind == TC_OUTCOME_AGAIN && outcomes[i].error.reason != TC_REASON_WORKER_LOST)
            retried++;
    }
    for (size_t kind = 0; kind < sizeof(names) / sizeof(names[0]); kind++)
        count(self, &finished_total, names[kind], ended[kind]);
    count(self, &retried_total, NULL, retried);
}

static enum tc_code metered_finish(struct tc_lease_repo *repo,
                                   const struct tc_outcome *outcomes, size_t number,
                                   struct tc_verdict *ret_verdicts, struct tc_error *err)
{
    struct metered_lease_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code =
        self->inner->ops->finish(self->inner, outcomes, number, ret_verdicts, err);

    store_metrics_call(self->metrics, "finish", start, code, number > 0);
    store_metrics_group(self->metrics, "finish", number);
    if (code == TC_OK)
        count_outcomes(self, outcomes, ret_verdicts, number);
    return code;
}

static enum tc_code metered_take_ended(struct tc_lease_repo *repo, const char *owner,
                                       size_t max, int64_t lease_ms, struct tc_task *ret_tasks,
                                       size_t *ret_count, struct tc_error *err)
{
    struct metered_lease_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->take_ended(self->inner, owner, max, lease_ms,
                                                     ret_tasks, ret_count, err);

    store_metrics_call(self->metrics, "take_ended", start, code,
                       code == TC_OK && *ret_count > 0);
    if (code == TC_OK)
        count(self, &rescued_total, NULL, *ret_count);
    return code;
}

static enum tc_code metered_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                                 int64_t *ret_next_ms, struct tc_error *err)
{
    struct metered_lease_repo *self = self_of(repo);
    double start = monotonic_seconds();
    enum tc_code code = self->inner->ops->wake(self->inner, max, ret_count, ret_next_ms, err);

    store_metrics_call(self->metrics, "wake", start, code, code == TC_OK && *ret_count > 0);
    if (code == TC_OK)
        count(self, &woken_total, NULL, *ret_count);
    return code;
}

static const struct tc_lease_repo_ops metered_lease_repo_ops = {
    .name = "metered",
    .claim = metered_claim,
    .extend = metered_extend,
    .finish = metered_finish,
    .take_ended = metered_take_ended,
    .wake = metered_wake,
};

enum tc_code metered_lease_repo_open(struct tc_lease_repo *inner, struct tc_metrics *metrics,
                                     struct tc_clock *clock, struct tc_lease_repo **ret_repo,
                                     struct tc_error *err)
{
    struct metered_lease_repo *self = malloc(sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the metered lease repository");
    *self = (struct metered_lease_repo){ { &metered_lease_repo_ops }, inner, metrics, clock };
    *ret_repo = &self->base;
    return TC_OK;
}

void metered_lease_repo_close(struct tc_lease_repo *repo)
{
    if (repo)
        free(self_of(repo));
}
