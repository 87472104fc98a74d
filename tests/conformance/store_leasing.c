/* The fixture's half about leases, outcomes and changes. */

#include "tests/conformance/store_fixture.h"

#include <string.h>

struct tc_claim store_any(size_t max)
{
    return (struct tc_claim){ .owner = "worker-1", .max = max, .lease_ms = STORE_LEASE_MS };
}

void store_claim(const struct tc_claim *claim, struct store_group *ret_group)
{
    struct tc_error err;

    ck_assert_msg(store.leases->ops->claim(store.leases, claim, ret_group->tasks,
                                           &ret_group->count, &err) == TC_OK,
                  "claim: %s", err.message);
    ck_assert_uint_le(ret_group->count, claim->max);
}

void store_group_release(struct store_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        tc_task_release(&group->tasks[i]);
    group->count = 0;
}

struct tc_task store_claim_one(void)
{
    const struct tc_claim claim = store_any(1);
    struct store_group group;

    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, 1);
    return group.tasks[0];
}

int64_t store_claim_id(const struct tc_id *id)
{
    struct tc_claim claim = store_any(1);
    struct store_group group;

    claim.ids = id;
    claim.id_count = 1;
    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, 1);
    ck_assert_int_eq(tc_id_compare(&group.tasks[0].id, id), 0);

    int64_t epoch = group.tasks[0].epoch;

    store_group_release(&group);
    return epoch;
}

size_t store_claim_count(size_t max)
{
    const struct tc_claim claim = store_any(max);
    static _Thread_local struct store_group group; /* large */

    store_claim(&claim, &group);

    size_t count = group.count;

    store_group_release(&group);
    return count;
}

void store_take_ended(size_t max, struct store_group *ret_group)
{
    struct tc_error err;

    ck_assert_msg(store.leases->ops->take_ended(store.leases, "rescuer", max, STORE_LEASE_MS,
                                                ret_group->tasks, &ret_group->count,
                                                &err) == TC_OK,
                  "take_ended: %s", err.message);
    ck_assert_uint_le(ret_group->count, max);
}

size_t store_wake(size_t max, int64_t *ret_next_ms)
{
    size_t count;

    ck_assert_msg(store.leases->ops->wake(store.leases, max, &count, ret_next_ms, &store.err) ==
                      TC_OK,
                  "wake: %s", store.err.message);
    return count;
}

struct tc_outcome store_done(const struct tc_id *id, int64_t epoch, const char *result)
{
    struct tc_outcome outcome = {
        .id = *id,
        .epoch = epoch,
        .kind = TC_OUTCOME_DONE,
        .next = TC_STATUS_DONE,
    };

    if (result)
        outcome.result = (struct tc_content){ TC_CONTENT_JSON, tc_bytes_of(result) };
    return outcome;
}

static struct tc_failure failure_of(const char *message)
{
    return (struct tc_failure){ TC_REASON_HANDLER, 1, store_now_ms(), tc_bytes_of(message) };
}

static enum tc_status status_after(int64_t delay_ms)
{
    return delay_ms > 0 ? TC_STATUS_SCHEDULED : TC_STATUS_NEW;
}

struct tc_outcome store_again(const struct tc_id *id, int64_t epoch, int64_t delay_ms)
{
    return (struct tc_outcome){
        .id = *id,
        .epoch = epoch,
        .kind = TC_OUTCOME_AGAIN,
        .next = status_after(delay_ms),
        .run_at_ms = store_now_ms() + delay_ms,
        .error = failure_of("try again"),
    };
}

struct tc_outcome store_failed(const struct tc_id *id, int64_t epoch, const char *message)
{
    return (struct tc_outcome){
        .id = *id,
        .epoch = epoch,
        .kind = TC_OUTCOME_FAILED,
        .next = TC_STATUS_FAILED,
        .error = failure_of(message),
    };
}

struct tc_outcome store_released(const struct tc_id *id, int64_t epoch, int64_t delay_ms)
{
    return (struct tc_outcome){
        .id = *id,
        .epoch = epoch,
        .kind = TC_OUTCOME_RELEASED,
        .next = status_after(delay_ms),
        .run_at_ms = store_now_ms() + delay_ms,
    };
}

struct tc_outcome store_outcome(int kind, const struct tc_id *id, int64_t epoch)
{
    switch (kind) {
    case TC_OUTCOME_DONE:
        return store_done(id, epoch, "{\"well\": true}");
    case TC_OUTCOME_AGAIN:
        return store_again(id, epoch, 1000);
    case TC_OUTCOME_FAILED:
        return store_failed(id, epoch, "it broke");
    default:
        return store_released(id, epoch, 1000);
    }
}

struct tc_verdict store_finish(struct tc_outcome outcome)
{
    struct tc_verdict verdict;
    struct tc_error err;

    ck_assert_msg(store.leases->ops->finish(store.leases, &outcome, 1, &verdict, &err) == TC_OK,
                  "finish: %s", err.message);
    return verdict;
}

void store_apply(struct tc_outcome outcome)
{
    ck_assert_int_eq(store_finish(outcome).kind, TC_VERDICT_APPLIED);
}

struct tc_renewed store_extend(const struct tc_id *id, int64_t epoch, int64_t lease_ms)
{
    const struct tc_renewal renewal = { .id = *id, .epoch = epoch, .lease_ms = lease_ms };
    struct tc_renewed renewed;
    struct tc_error err;

    ck_assert_msg(store.leases->ops->extend(store.leases, &renewal, 1, &renewed, &err) == TC_OK,
                  "extend: %s", err.message);
    return renewed;
}

enum tc_code store_change(const struct tc_id *id, enum tc_status to, enum tc_cause cause,
                          struct tc_task *ret_task)
{
    const struct tc_change change = {
        .id = *id,
        .from = tc_status_sources(to, cause),
        .to = to,
        .start_over = cause == TC_CAUSE_RETRY,
    };
    struct tc_error err;

    return store.tasks->ops->change(store.tasks, &change, ret_task, &err);
}

static void must_change(const struct tc_id *id, enum tc_status to, enum tc_cause cause)
{
    struct tc_task task;

    ck_assert_int_eq(store_change(id, to, cause, &task), TC_OK);
    ck_assert_int_eq(task.status, to);
    tc_task_release(&task);
}

void store_cancel(const struct tc_id *id)
{
    must_change(id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL);
}

void store_retry(const struct tc_id *id)
{
    must_change(id, TC_STATUS_NEW, TC_CAUSE_RETRY);
}
