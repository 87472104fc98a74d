#include "core/usecases/store_status.h"

#include "ports/clock.h"

#define FORGET_MAX 1000 /* a short transaction */

struct tc_store_health tc_check_store(struct tc_task_repo *repo, struct tc_clock *clock,
                                      struct tc_error *err)
{
    int64_t start_ms = tc_clock_tick_ms(clock);
    bool up = repo->ops->check(repo, err) == TC_OK;

    return (struct tc_store_health){ up, tc_clock_tick_ms(clock) - start_ms };
}

enum tc_code tc_count_tasks(struct tc_task_repo *repo, struct tc_queue_count **ret_counts,
                            size_t *ret_count, struct tc_error *err)
{
    return repo->ops->counts(repo, ret_counts, ret_count, err);
}

enum tc_code tc_forget_old_keys(struct tc_task_repo *repo, struct tc_clock *clock,
                                const struct tc_policy *policy, size_t *ret_count,
                                struct tc_error *err)
{
    int64_t before_ms = tc_clock_now_ms(clock) - policy->key_lifetime_ms;

    return repo->ops->forget_keys(repo, before_ms, FORGET_MAX, ret_count, err);
}
