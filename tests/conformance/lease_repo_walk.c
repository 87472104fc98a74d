/*
 * A random walk over all operations of both ports, held against a simple model. The model
 * knows statuses, epochs and counters, not how a store finds things: so it shows what a
 * store's indexes forget or invent ([T7], [T9], [L1]..[L10] together).
 */

#include "tests/conformance/store_tcases.h"

#include <stdlib.h>
#include <string.h>

#define STEPS     500
#define TASKS_MAX (STEPS * 3)
#define QUEUES    3
#define TYPES     2
#define MAX       4

static const char *const queues[QUEUES] = { "q0", "q1", "q2" };
static const char *const types[TYPES] = { "t0", "t1" };

/* What a task ought to be. */
struct expected {
    struct tc_id id;
    size_t queue;
    size_t type;
    int priority;
    enum tc_status status;
    int attempt;
    int crashes;
    int64_t epoch;
    int64_t run_at_ms;
    int64_t lease_end_ms;
    bool rescue; /* leased by take_ended */
};

static struct expected model[TASKS_MAX];
static size_t count;
static uint64_t state;

static size_t draw(size_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % below);
}

static struct expected *draw_task(void)
{
    return &model[draw(count)];
}

/* Most words come from somebody who was right a moment ago. */
static struct expected *draw_leased(void)
{
    struct expected *task = draw_task();

    for (size_t tries = 0; tries < 20 && task->status != TC_STATUS_PROCESSING; tries++)
        task = draw_task();
    return task;
}

static int64_t draw_epoch(const struct expected *task)
{
    return draw(8) == 0 ? task->epoch - 1 + 2 * (int64_t)draw(2) : task->epoch;
}

static bool is_waiting(const struct expected *task)
{
    return (TC_STATUS_BIT(task->status) & TC_STATUS_SET_WAITING) != 0;
}

static struct expected *find(const struct tc_id *id)
{
    for (size_t i = 0; i < count; i++)
        if (tc_id_compare(&model[i].id, id) == 0)
            return &model[i];
    ck_abort_msg("a task that nobody created");
    return NULL;
}

/* --- the steps --- */

static void step_create(void)
{
    struct tc_task tasks[3];
    size_t made = 1 + draw(3);

    for (size_t i = 0; i < made; i++) {
        struct expected *task = &model[count++];
        int64_t delay_ms = draw(3) == 0 ? (int64_t)draw(20000) : 0;

        *task = (struct expected){ .queue = draw(QUEUES),
                                   .type = draw(TYPES),
                                   .priority = (int)draw(3) };
        tasks[i] = store_make((struct store_wish){ .queue = queues[task->queue],
                                                   .type = types[task->type],
                                                   .priority = task->priority,
                                                   .delay_ms = delay_ms });
        task->id = tasks[i].id;
        task->status = tasks[i].status;
        task->run_at_ms = tasks[i].run_at_ms;
    }
    store_put(tasks, made);
}

static bool fits(const struct expected *task, const struct tc_claim *claim)
{
    bool queue_fits = claim->queue_count == 0;
    bool type_fits = claim->type_count == 0;

    for (size_t i = 0; i < claim->queue_count; i++)
        queue_fits |= strcmp(claim->queues[i], queues[task->queue]) == 0;
    for (size_t i = 0; i < claim->type_count; i++)
        type_fits |= strcmp(claim->types[i], types[task->type]) == 0;
    return queue_fits && type_fits && is_waiting(task);
}

static void begin_run(const struct tc_task *claimed, int64_t lease_ms)
{
    struct expected *task = find(&claimed->id);

    task->status = TC_STATUS_PROCESSING;
    task->attempt++;
    task->epoch++;
    task->rescue = false;
    task->lease_end_ms = store_now_ms() + lease_ms;
    ck_assert_int_eq(claimed->epoch, task->epoch);
    ck_assert_int_eq(claimed->attempt, task->attempt);
    ck_assert_int_eq(claimed->crashes, task->crashes);
}

/* Nothing of higher priority was passed over in the same queue. */
static void assert_order(const struct store_group *group, const struct tc_claim *claim)
{
    for (size_t i = 0; i < group->count; i++) {
        const struct expected *taken = find(&group->tasks[i].id);

        for (size_t at = 0; at < count; at++)
            ck_assert(!fits(&model[at], claim) || model[at].queue != taken->queue ||
                      model[at].priority <= taken->priority);
    }
}

static void step_claim(void)
{
    struct tc_claim claim = store_any(1 + draw(MAX));
    static struct store_group group;
    size_t fitting = 0;

    claim.lease_ms = 1000 + (int64_t)draw(20000);
    claim.queues = &queues[draw(QUEUES)];
    claim.queue_count = draw(2);
    claim.types = &types[draw(TYPES)];
    claim.type_count = draw(2);
    for (size_t i = 0; i < count; i++)
        fitting += fits(&model[i], &claim);
    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, fitting < claim.max ? fitting : claim.max);
    for (size_t i = 0; i < group.count; i++)
        ck_assert(fits(find(&group.tasks[i].id), &claim));
    for (size_t i = 0; i < group.count; i++)
        begin_run(&group.tasks[i], claim.lease_ms);
    assert_order(&group, &claim);
    store_group_release(&group);
}

static struct tc_outcome draw_outcome(const struct expected *task)
{
    int64_t epoch = draw_epoch(task);
    int64_t delay_ms = (int64_t)draw(2) * (int64_t)draw(20000);

    switch (1 + draw(4)) {
    case TC_OUTCOME_DONE:
        return store_done(&task->id, epoch, "1");
    case TC_OUTCOME_AGAIN:
        return store_again(&task->id, epoch, delay_ms);
    case TC_OUTCOME_FAILED:
        return store_failed(&task->id, epoch, "no");
    default:
        return store_released(&task->id, epoch, delay_ms);
    }
}

static void step_finish(void)
{
    struct expected *task = draw_leased();
    struct tc_outcome outcome = draw_outcome(task);
    enum tc_stale_reason stale = tc_lease_judge(task->status, task->epoch, outcome.epoch);
    struct tc_verdict verdict = store_finish(outcome);

    if (stale != TC_STALE_NONE) {
        ck_assert_int_ne(verdict.kind, TC_VERDICT_APPLIED);
        ck_assert(verdict.kind == TC_VERDICT_ALREADY || verdict.stale == stale);
        return;
    }
    ck_assert_int_eq(verdict.kind, TC_VERDICT_APPLIED);
    task->status = outcome.next;
    if (outcome.kind == TC_OUTCOME_RELEASED && !task->rescue)
        task->attempt--;
    if (outcome.kind == TC_OUTCOME_AGAIN || outcome.kind == TC_OUTCOME_RELEASED)
        task->run_at_ms = outcome.run_at_ms;
}

static void step_extend(void)
{
    struct expected *task = draw_leased();
    int64_t epoch = draw_epoch(task);
    int64_t lease_ms = 1000 + (int64_t)draw(20000);
    struct tc_renewed renewed = store_extend(&task->id, epoch, lease_ms);

    ck_assert_int_eq(renewed.stale, tc_lease_judge(task->status, task->epoch, epoch));
    if (renewed.stale == TC_STALE_NONE)
        task->lease_end_ms = store_now_ms() + lease_ms;
}

static void step_change(void)
{
    static const struct {
        enum tc_status to;
        enum tc_cause cause;
    } changes[] = {
        { TC_STATUS_CANCELLED, TC_CAUSE_CANCEL },
        { TC_STATUS_NEW, TC_CAUSE_RETRY },
        { TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE },
    };
    size_t which = draw(3);
    struct expected *task = draw_task();
    bool applies = tc_status_can_move(task->status, changes[which].to, changes[which].cause);
    struct tc_task after;
    enum tc_code code =
        store_change(&task->id, changes[which].to, changes[which].cause, &after);

    ck_assert_int_eq(code, applies ? TC_OK : TC_CONFLICT);
    if (applies)
        task->status = changes[which].to;
    if (applies && changes[which].cause == TC_CAUSE_RETRY) {
        task->attempt = task->crashes = 0;
        task->run_at_ms = store_now_ms();
    }
    ck_assert_int_eq(after.status, task->status);
    ck_assert_int_eq(after.attempt, task->attempt);
    tc_task_release(&after);
}

static void take_over(const struct tc_task *taken)
{
    struct expected *task = find(&taken->id);

    ck_assert_int_eq(task->status, TC_STATUS_PROCESSING);
    ck_assert_int_le(task->lease_end_ms, store_now_ms());
    task->attempt -= !task->rescue;
    task->crashes += !task->rescue;
    task->epoch++;
    task->rescue = true;
    task->lease_end_ms = store_now_ms() + STORE_LEASE_MS;
    ck_assert_int_eq(taken->epoch, task->epoch);
    ck_assert_int_eq(taken->attempt, task->attempt);
    ck_assert_int_eq(taken->crashes, task->crashes);
}

static void step_take_ended(void)
{
    static struct store_group group;
    size_t max = 1 + draw(MAX);
    size_t ended = 0;

    for (size_t i = 0; i < count; i++)
        ended +=
            model[i].status == TC_STATUS_PROCESSING && model[i].lease_end_ms <= store_now_ms();
    store_take_ended(max, &group);
    ck_assert_uint_eq(group.count, ended < max ? ended : max);
    for (size_t i = 0; i < group.count; i++)
        take_over(&group.tasks[i]);
    store_group_release(&group);
}

/* Which of several that are due at one moment goes first is the store's choice. */
static void read_woken(void)
{
    for (size_t i = 0; i < count; i++) {
        if (model[i].status != TC_STATUS_SCHEDULED || model[i].run_at_ms > store_now_ms())
            continue;
        model[i].status = store_status_of(&model[i].id);
        ck_assert(model[i].status == TC_STATUS_NEW || model[i].status == TC_STATUS_SCHEDULED);
    }
}

static int64_t model_next_ms(void)
{
    int64_t next_ms = -1;

    for (size_t i = 0; i < count; i++) {
        int64_t wait_ms = model[i].run_at_ms - store_now_ms();

        if (model[i].status != TC_STATUS_SCHEDULED)
            continue;
        if (wait_ms < 0)
            wait_ms = 0;
        if (next_ms < 0 || wait_ms < next_ms)
            next_ms = wait_ms;
    }
    return next_ms;
}

static void step_wake(void)
{
    size_t max = 1 + draw(MAX);
    size_t due = 0;
    int64_t next_ms;

    for (size_t i = 0; i < count; i++)
        due += model[i].status == TC_STATUS_SCHEDULED && model[i].run_at_ms <= store_now_ms();
    ck_assert_uint_eq(store_wake(max, &next_ms), due < max ? due : max);
    read_woken();
    ck_assert_int_eq(next_ms, model_next_ms());
}

/* --- comparing --- */

static void assert_counts(void)
{
    for (size_t queue = 0; queue < QUEUES; queue++) {
        struct tc_queue_count found = store_count_of(queues[queue]);
        int64_t by_status[TC_STATUS_COUNT] = { 0 };

        for (size_t i = 0; i < count; i++)
            by_status[model[i].status] += model[i].queue == queue;
        ck_assert_int_eq(found.waiting,
                         by_status[TC_STATUS_NEW] + by_status[TC_STATUS_PENDING]);
        ck_assert_int_eq(found.processing, by_status[TC_STATUS_PROCESSING]);
        ck_assert_int_eq(found.scheduled, by_status[TC_STATUS_SCHEDULED]);
        ck_assert_int_eq(found.failed, by_status[TC_STATUS_FAILED]);
        ck_assert_int_eq(found.oldest_waiting_ms != 0, found.waiting != 0);
    }
}

static void assert_tasks(void)
{
    for (size_t i = 0; i < count; i++) {
        struct tc_task task = store_get(&model[i].id);
        bool leased = model[i].status == TC_STATUS_PROCESSING;

        ck_assert_int_eq(task.status, model[i].status);
        ck_assert_int_eq(task.epoch, model[i].epoch);
        ck_assert_int_eq(task.attempt, model[i].attempt);
        ck_assert_int_eq(task.crashes, model[i].crashes);
        ck_assert_int_eq(task.run_at_ms, model[i].run_at_ms);
        ck_assert_int_eq(task.lease.expires_at_ms, leased ? model[i].lease_end_ms : 0);
        ck_assert_int_eq(task.finished_at_ms != 0, tc_status_is_terminal(model[i].status));
        tc_task_release(&task);
    }
}

static size_t claim_the_rest(void)
{
    static struct store_group group;
    const struct tc_claim claim = store_any(TC_LEASE_GROUP_MAX);
    size_t claimed = 0;

    for (size_t claims = 0; claims < 100; claims++) {
        store_claim(&claim, &group);
        claimed += group.count;
        for (size_t i = 0; i < group.count; i++)
            ck_assert(is_waiting(find(&group.tasks[i].id)));
        if (group.count == 0)
            break;
        store_group_release(&group);
    }
    return claimed;
}

static void one_step(void)
{
    static void (*const steps[])(void) = {
        step_create, step_claim,  step_claim,      step_finish, step_finish,
        step_extend, step_change, step_take_ended, step_wake,
    };

    if (draw(3) == 0)
        store_advance((int64_t)draw(3000));
    steps[count == 0 ? 0 : draw(sizeof(steps) / sizeof(steps[0]))]();
}

START_TEST(a_random_walk_agrees_with_the_model) /* loop over seeds */
{
    size_t waiting = 0;

    state = UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)(_i + 1);
    for (size_t i = 0; i < STEPS; i++) {
        one_step();
        if (i % 25 == 0)
            assert_counts();
    }
    assert_counts();
    assert_tasks();
    for (size_t i = 0; i < count; i++)
        waiting += is_waiting(&model[i]);
    ck_assert_uint_eq(claim_the_rest(), waiting);
}
END_TEST

TCase *lease_repo_walk_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "walk");

    tcase_add_loop_test(tcase, a_random_walk_agrees_with_the_model, 0, 6);
    return tcase;
}
