#include "tests/support/faults.h"

#include "core/domain/container_of.h"

#include <stdlib.h>

static bool is_hit(struct fault_plan *plan)
{
    int call = plan->calls++;
    int times = plan->times ? plan->times : 1;

    if (call < plan->nth || call >= plan->nth + times)
        return false;
    plan->fired++;
    return true;
}

static enum tc_code fail(const struct fault_plan *plan, struct tc_error *err)
{
    return tc_fail(err, plan->code, "injected at call %d", plan->calls - 1);
}

static struct fault_task_repo *tasks_of(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct fault_task_repo, base);
}

static struct fault_lease_repo *leases_of(struct tc_lease_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct fault_lease_repo, base);
}

/* Each method: pass through; or fail before; or apply, drop what came back, and fail. */

static enum tc_code fault_insert(struct tc_task_repo *repo, const struct tc_creation *creations,
                                 size_t count, struct tc_inserted *ret_inserted,
                                 struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);
    struct tc_task_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->insert(inner, creations, count, ret_inserted, err);
    if (self->plan.kind == FAULT_AFTER && count > 0) {
        struct tc_inserted *lost = calloc(count, sizeof(*lost));

        if (lost && inner->ops->insert(inner, creations, count, lost, NULL) == TC_OK)
            for (size_t i = 0; i < count; i++)
                tc_inserted_release(&lost[i]);
        free(lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_get(struct tc_task_repo *repo, const struct tc_id *id,
                              struct tc_task *ret_task, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);

    if (!is_hit(&self->plan))
        return self->inner->ops->get(self->inner, id, ret_task, err);
    return fail(&self->plan, err);
}

static enum tc_code fault_list(struct tc_task_repo *repo, const struct tc_task_filter *filter,
                               struct tc_task_page *ret_page, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);

    if (!is_hit(&self->plan))
        return self->inner->ops->list(self->inner, filter, ret_page, err);
    return fail(&self->plan, err);
}

static enum tc_code fault_change(struct tc_task_repo *repo, const struct tc_change *change,
                                 struct tc_task *ret_task, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);
    struct tc_task_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->change(inner, change, ret_task, err);
    if (self->plan.kind == FAULT_AFTER) {
        struct tc_task lost = { 0 };

        (void)!inner->ops->change(inner, change, &lost, NULL);
        tc_task_release(&lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_counts(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                                 size_t *ret_count, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);

    if (!is_hit(&self->plan))
        return self->inner->ops->counts(self->inner, ret_counts, ret_count, err);
    return fail(&self->plan, err);
}

static enum tc_code fault_check(struct tc_task_repo *repo, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);

    if (!is_hit(&self->plan))
        return self->inner->ops->check(self->inner, err);
    return fail(&self->plan, err);
}

static enum tc_code fault_forget_keys(struct tc_task_repo *repo, int64_t before_ms, size_t max,
                                      size_t *ret_count, struct tc_error *err)
{
    struct fault_task_repo *self = tasks_of(repo);
    size_t lost;

    if (!is_hit(&self->plan))
        return self->inner->ops->forget_keys(self->inner, before_ms, max, ret_count, err);
    if (self->plan.kind == FAULT_AFTER)
        (void)!self->inner->ops->forget_keys(self->inner, before_ms, max, &lost, NULL);
    return fail(&self->plan, err);
}

void fault_task_repo_init(struct fault_task_repo *repo, struct tc_task_repo *inner,
                          struct fault_plan plan)
{
    static const struct tc_task_repo_ops ops = {
        .name = "fault",
        .insert = fault_insert,
        .get = fault_get,
        .list = fault_list,
        .change = fault_change,
        .counts = fault_counts,
        .check = fault_check,
        .forget_keys = fault_forget_keys,
    };

    *repo = (struct fault_task_repo){ .base.ops = &ops, .inner = inner, .plan = plan };
}

static void release_all(struct tc_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tc_task_release(&tasks[i]);
}

static enum tc_code fault_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                                struct tc_task *ret_tasks, size_t *ret_count,
                                struct tc_error *err)
{
    struct fault_lease_repo *self = leases_of(repo);
    struct tc_lease_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->claim(inner, claim, ret_tasks, ret_count, err);
    if (self->plan.kind == FAULT_AFTER) {
        struct tc_task *lost = calloc(claim->max, sizeof(*lost));
        size_t count = 0;

        if (lost && inner->ops->claim(inner, claim, lost, &count, NULL) == TC_OK)
            release_all(lost, count);
        free(lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                                 size_t count, struct tc_renewed *ret_renewed,
                                 struct tc_error *err)
{
    struct fault_lease_repo *self = leases_of(repo);
    struct tc_lease_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->extend(inner, renewals, count, ret_renewed, err);
    if (self->plan.kind == FAULT_AFTER && count > 0) {
        struct tc_renewed *lost = calloc(count, sizeof(*lost));

        if (lost)
            (void)!inner->ops->extend(inner, renewals, count, lost, NULL);
        free(lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                                 size_t count, struct tc_verdict *ret_verdicts,
                                 struct tc_error *err)
{
    struct fault_lease_repo *self = leases_of(repo);
    struct tc_lease_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->finish(inner, outcomes, count, ret_verdicts, err);
    if (self->plan.kind == FAULT_AFTER && count > 0) {
        struct tc_verdict *lost = calloc(count, sizeof(*lost));

        if (lost)
            (void)!inner->ops->finish(inner, outcomes, count, lost, NULL);
        free(lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                                     int64_t lease_ms, struct tc_task *ret_tasks,
                                     size_t *ret_count, struct tc_error *err)
{
    struct fault_lease_repo *self = leases_of(repo);
    struct tc_lease_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->take_ended(inner, owner, max, lease_ms, ret_tasks, ret_count, err);
    if (self->plan.kind == FAULT_AFTER) {
        struct tc_task *lost = calloc(max, sizeof(*lost));
        size_t count = 0;

        if (lost &&
            inner->ops->take_ended(inner, owner, max, lease_ms, lost, &count, NULL) == TC_OK)
            release_all(lost, count);
        free(lost);
    }
    return fail(&self->plan, err);
}

static enum tc_code fault_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                               int64_t *ret_next_ms, struct tc_error *err)
{
    struct fault_lease_repo *self = leases_of(repo);
    int64_t lost_ms;
    size_t lost;

    if (!is_hit(&self->plan))
        return self->inner->ops->wake(self->inner, max, ret_count, ret_next_ms, err);
    if (self->plan.kind == FAULT_AFTER)
        (void)!self->inner->ops->wake(self->inner, max, &lost, &lost_ms, NULL);
    return fail(&self->plan, err);
}

void fault_lease_repo_init(struct fault_lease_repo *repo, struct tc_lease_repo *inner,
                           struct fault_plan plan)
{
    static const struct tc_lease_repo_ops ops = {
        .name = "fault",
        .claim = fault_claim,
        .extend = fault_extend,
        .finish = fault_finish,
        .take_ended = fault_take_ended,
        .wake = fault_wake,
    };

    *repo = (struct fault_lease_repo){ .base.ops = &ops, .inner = inner, .plan = plan };
}

static struct fault_announcement_repo *announcements_of(struct tc_announcement_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct fault_announcement_repo, base);
}

static enum tc_code fault_take(struct tc_announcement_repo *repo, size_t max, int64_t hold_ms,
                               struct tc_announcement *ret_groups, size_t *ret_count,
                               int64_t *ret_next_ms, struct tc_error *err)
{
    struct fault_announcement_repo *self = announcements_of(repo);
    struct tc_announcement_repo *inner = self->inner;
    struct tc_announcement lost[TC_ANNOUNCEMENT_GROUPS_MAX];
    size_t count = 0;
    int64_t lost_ms;

    if (!is_hit(&self->plan))
        return inner->ops->take(inner, max, hold_ms, ret_groups, ret_count, ret_next_ms, err);
    if (self->plan.kind == FAULT_AFTER)
        (void)!inner->ops->take(inner, max, hold_ms, lost, &count, &lost_ms, NULL);
    for (size_t i = 0; i < count; i++)
        tc_announcement_release(&lost[i]);
    return fail(&self->plan, err);
}

static enum tc_code fault_announced(struct tc_announcement_repo *repo,
                                    const struct tc_announcement *groups, size_t count,
                                    bool pending, struct tc_error *err)
{
    struct fault_announcement_repo *self = announcements_of(repo);
    struct tc_announcement_repo *inner = self->inner;

    if (!is_hit(&self->plan))
        return inner->ops->announced(inner, groups, count, pending, err);
    if (self->plan.kind == FAULT_AFTER)
        (void)!inner->ops->announced(inner, groups, count, pending, NULL);
    return fail(&self->plan, err);
}

void fault_announcement_repo_init(struct fault_announcement_repo *repo,
                                  struct tc_announcement_repo *inner, struct fault_plan plan)
{
    static const struct tc_announcement_repo_ops ops = {
        .name = "fault",
        .take = fault_take,
        .announced = fault_announced,
    };

    *repo = (struct fault_announcement_repo){ .base.ops = &ops, .inner = inner, .plan = plan };
}
