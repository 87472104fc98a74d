/* What holds when several threads use one store at once. Outcomes are compared after the
 * threads have ended; nothing depends on who is faster. */

#include "tests/conformance/store_tcases.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define TASKS 100  /* where each costs a commit */
#define MANY  2000 /* where several share one; enough for claims to meet */

static struct tc_id ids[MANY];
static _Atomic int won[MANY]; /* how often a task's race was won */
static _Atomic size_t total;

static void prepare(struct store_wish wish)
{
    store_create_many(wish, TASKS, ids);
}

static void prepare_many(void)
{
    for (size_t i = 0; i < MANY; i += TC_CREATION_TASKS_MAX)
        store_create_many(store_plain, TC_CREATION_TASKS_MAX, &ids[i]);
}

static int compare_ids(const void *a, const void *b)
{
    return tc_id_compare(a, b);
}

static size_t index_of(const struct tc_id *id, size_t count)
{
    const struct tc_id *found = bsearch(id, ids, count, sizeof(*ids), compare_ids);

    ck_assert_msg(found != NULL, "a task that nobody created");
    return (size_t)(found - ids);
}

/* Wait until all threads are here for the `round`th time, so that what follows meets. */
static void meet(size_t round)
{
    static _Atomic size_t arrived;

    arrived++;
    while (arrived < (round + 1) * STORE_THREADS)
        sched_yield();
}

static void assert_each_won_once(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(won[i], 1);
}

/* --- [T2] --- */

#define KEYS 50

static _Atomic int created[KEYS];
static _Atomic int existing[KEYS];

static struct tc_creation twin_of(const struct tc_task *task, const char *key)
{
    return (struct tc_creation){
        .tasks = task, .task_count = 1, .key = key, .answer = tc_bytes_of("answer")
    };
}

static void insert_twins(size_t number)
{
    (void)number;
    for (size_t i = 0; i < KEYS; i++) {
        const char key[] = { 'k', (char)('!' + i), '\0' };
        struct tc_task task = store_make(store_plain);
        struct tc_creation creation = twin_of(&task, key);
        struct tc_inserted inserted;

        meet(i);
        if (store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, NULL) != TC_OK)
            continue;
        created[i] += inserted.verdict == TC_INSERT_CREATED;
        existing[i] += inserted.verdict == TC_INSERT_EXISTING && inserted.answer_len == 6;
        tc_inserted_release(&inserted);
    }
}

START_TEST(t2_of_concurrent_twins_exactly_one_is_created)
{
    store_run_threads(insert_twins);
    for (size_t i = 0; i < KEYS; i++) {
        ck_assert_int_eq(created[i], 1);
        ck_assert_int_eq(existing[i], STORE_THREADS - 1);
    }
    ck_assert_uint_eq(store_claim_count(TC_LEASE_GROUP_MAX), KEYS);
}
END_TEST

/* --- [T5] --- */

static void run_one_task(void)
{
    for (int64_t epoch = 1; epoch <= TASKS; epoch++) {
        store_claim_id(&ids[0]);
        store_apply(store_again(&ids[0], epoch, 0));
    }
    total = 1;
}

static void read_one_task(void)
{
    while (!total) {
        struct tc_task task = store_get(&ids[0]);
        bool leased = task.status == TC_STATUS_PROCESSING;

        if (leased != (strcmp(task.lease.owner, "worker-1") == 0) ||
            leased != (task.lease.expires_at_ms != 0) ||
            (leased ? task.attempt != task.epoch : task.lease.owner[0] != '\0'))
            won[0]++;
        tc_task_release(&task);
    }
}

static void read_while_running(size_t number)
{
    if (number == 0)
        run_one_task();
    else
        read_one_task();
}

START_TEST(t5_a_reader_sees_status_and_lease_of_one_moment)
{
    ids[0] = store_create(store_plain);
    store_run_threads(read_while_running);
    ck_assert_int_eq(won[0], 0);
}
END_TEST

/* --- [T6] --- */

static size_t read_page(struct tc_task_filter *filter, size_t seen, bool *ret_has_more)
{
    struct tc_task_page page;

    ck_assert_int_eq(store.tasks->ops->list(store.tasks, filter, &page, NULL), TC_OK);
    for (size_t i = 0; i < page.count && seen < TASKS; i++) {
        if (tc_id_compare(&page.tasks[i].id, &ids[TASKS - 1 - seen]) == 0)
            seen++;
        else if (seen > 0)
            won[0]++; /* something between the old ones, or one of them twice */
    }
    filter->has_position = true;
    filter->position = page.position;
    *ret_has_more = page.has_more;
    tc_task_page_release(&page);
    return seen;
}

static void page_through(void)
{
    struct tc_task_filter filter = {
        .statuses = TC_STATUS_SET_ALL,
        .created_after_ms = -1,
        .created_before_ms = -1,
        .limit = 7,
        .large = 100,
    };
    size_t seen = 0;
    bool has_more = true;

    while (has_more)
        seen = read_page(&filter, seen, &has_more);
    if (seen != TASKS)
        won[0]++;
}

static void page_while_inserting(size_t number)
{
    if (number > 0) {
        while (total < 1)
            store_create_many(store_plain, 3, NULL);
        return;
    }
    for (size_t i = 0; i < 5; i++)
        page_through();
    total = 1;
}

START_TEST(t6_paging_while_others_insert_sees_every_old_task_once)
{
    prepare(store_plain);
    store_run_threads(page_while_inserting);
    ck_assert_int_eq(won[0], 0);
}
END_TEST

/* --- [T7] --- */

static void cancel_all(size_t number)
{
    (void)number;
    for (size_t i = 0; i < TASKS; i++) {
        struct tc_task task;

        meet(i);

        enum tc_code code = store_change(&ids[i], TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &task);

        if (code == TC_OK)
            won[i]++;
        if (code == TC_OK || code == TC_CONFLICT)
            tc_task_release(&task);
    }
}

START_TEST(t7_of_concurrent_changes_exactly_one_applies)
{
    prepare(store_plain);
    store_run_threads(cancel_all);
    assert_each_won_once(TASKS);
}
END_TEST

static void finish_all_claimed(void)
{
    for (size_t i = 0; i < TASKS; i++) {
        meet(i);
        won[i] += store_finish(store_done(&ids[i], 1, "1")).kind == TC_VERDICT_APPLIED;
    }
}

static void cancel_or_finish(size_t number)
{
    if (number % 2)
        cancel_all(number);
    else
        finish_all_claimed();
}

START_TEST(t7_a_cancel_and_a_finish_never_both_apply)
{
    prepare(store_plain);
    ck_assert_uint_eq(store_claim_count(TASKS), TASKS);
    store_run_threads(cancel_or_finish);
    assert_each_won_once(TASKS);
    ck_assert_int_eq(store_count_of("default").processing, 0);
}
END_TEST

static void cancel_or_claim(size_t number)
{
    if (number % 2)
        cancel_all(number);
    else
        for (size_t i = 0; i < TASKS; i++) {
            meet(i);
            store_claim_count(1);
        }
}

START_TEST(t7_every_cancelled_task_stays_cancelled_while_others_claim)
{
    prepare(store_plain);
    store_run_threads(cancel_or_claim);
    assert_each_won_once(TASKS);
    for (size_t i = 0; i < TASKS; i++)
        ck_assert_int_eq(store_status_of(&ids[i]), TC_STATUS_CANCELLED);
    ck_assert_uint_eq(store_claim_count(TASKS), 0);
}
END_TEST

/* --- [L1] --- */

static struct store_group groups[STORE_THREADS];

static void note_group(struct store_group *group, size_t count, int64_t epoch)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->tasks[i].epoch == epoch)
            won[index_of(&group->tasks[i].id, count)]++;
    store_group_release(group);
}

static void claim_until_nothing_waits(size_t number)
{
    const struct tc_claim claim = store_any(1 + number);
    struct store_group *group = &groups[number];

    for (size_t round = 0; round < MANY / 10; round++) { /* 1 + 2 + 3 + 4 a round */
        meet(round);
        store_claim(&claim, group);
        note_group(group, MANY, 1);
    }
}

/* Who finds others at the same tasks for long may come back with fewer than it asked for: that
 * is left to a store. What stays behind is there for the next one. */
static void claim_the_rest(void)
{
    const struct tc_claim claim = store_any(20);
    size_t count;

    do {
        store_claim(&claim, &groups[0]);
        count = groups[0].count;
        note_group(&groups[0], MANY, 1);
    } while (count > 0);
}

START_TEST(l1_concurrent_claims_never_overlap)
{
    prepare_many();
    store_run_threads(claim_until_nothing_waits);
    claim_the_rest();
    assert_each_won_once(MANY);
}
END_TEST

/* Every thread has got every hint, as when a queue delivers twice. */
static void claim_every_hint(size_t number)
{
    struct tc_claim claim = store_any(20);
    struct store_group *group = &groups[number];

    claim.id_count = 20;
    for (size_t round = 0; round < MANY / claim.id_count; round++) {
        claim.ids = &ids[round * claim.id_count];
        meet(round);
        store_claim(&claim, group);
        note_group(group, MANY, 1);
    }
}

START_TEST(l1_concurrent_claims_by_hints_never_overlap)
{
    prepare_many();
    store_run_threads(claim_every_hint);
    assert_each_won_once(MANY);
}
END_TEST

static void create_or_claim(size_t number)
{
    struct store_group *group = &groups[number];
    const struct tc_claim claim = store_any(16);

    for (size_t i = 0; number < 2 && i < TASKS / 2; i++)
        store_put(&(struct tc_task[]){ store_make(store_plain) }[0], 1);
    while (number >= 2 && total < TASKS) {
        store_claim(&claim, group);
        total += group->count;
        for (size_t i = 0; i < group->count; i++)
            if (group->tasks[i].epoch != 1 ||
                store_finish(store_done(&group->tasks[i].id, 1, NULL)).kind !=
                    TC_VERDICT_APPLIED)
                won[0]++;
        store_group_release(group);
    }
}

START_TEST(l1_tasks_created_while_others_claim_are_each_run_once)
{
    store_run_threads(create_or_claim);
    ck_assert_uint_eq(total, TASKS);
    ck_assert_int_eq(won[0], 0);
    ck_assert_uint_eq(store_claim_count(TASKS), 0);
    ck_assert_int_eq(store_count_of("default").processing, 0);
}
END_TEST

/* --- [L1b], [L4] --- */

static void take_until_nothing_ended(size_t number)
{
    struct store_group *group = &groups[number];

    for (size_t round = 0; round < TASKS; round++) {
        meet(round);
        store_take_ended(1, group);
        note_group(group, TASKS, 2);
    }
}

START_TEST(l1b_concurrent_takeovers_never_overlap)
{
    prepare(store_plain);
    ck_assert_uint_eq(store_claim_count(TASKS), TASKS);
    store_advance(STORE_LEASE_MS);
    store_run_threads(take_until_nothing_ended);
    assert_each_won_once(TASKS);
}
END_TEST

static void finish_or_take_over(size_t number)
{
    if (number % 2)
        take_until_nothing_ended(number);
    else
        finish_all_claimed();
}

START_TEST(l4_a_holder_and_a_rescuer_never_both_win)
{
    prepare(store_plain);
    ck_assert_uint_eq(store_claim_count(TASKS), TASKS);
    store_advance(STORE_LEASE_MS);
    store_run_threads(finish_or_take_over);
    assert_each_won_once(TASKS);
}
END_TEST

static void wake_until_nothing_is_due(size_t number)
{
    (void)number;
    for (size_t round = 0; round < TASKS / STORE_THREADS; round++) {
        int64_t next_ms;
        size_t count = 0;

        meet(round);
        if (store.leases->ops->wake(store.leases, 1, &count, &next_ms, NULL) == TC_OK)
            total += count;
    }
}

START_TEST(l9_concurrent_wakes_wake_each_task_once)
{
    prepare((struct store_wish){ .delay_ms = 1000 });
    store_advance(1000);
    store_run_threads(wake_until_nothing_is_due);
    ck_assert_uint_eq(total, TASKS);
    ck_assert_uint_eq(store_claim_count(TASKS), TASKS);
}
END_TEST

TCase *task_repo_races_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "races");

    tcase_add_test(tcase, t2_of_concurrent_twins_exactly_one_is_created);
    tcase_add_test(tcase, t5_a_reader_sees_status_and_lease_of_one_moment);
    tcase_add_test(tcase, t6_paging_while_others_insert_sees_every_old_task_once);
    tcase_add_test(tcase, t7_of_concurrent_changes_exactly_one_applies);
    tcase_add_test(tcase, t7_a_cancel_and_a_finish_never_both_apply);
    tcase_add_test(tcase, t7_every_cancelled_task_stays_cancelled_while_others_claim);
    return tcase;
}

TCase *lease_repo_races_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "races");

    tcase_add_test(tcase, l1_concurrent_claims_never_overlap);
    tcase_add_test(tcase, l1_concurrent_claims_by_hints_never_overlap);
    tcase_add_test(tcase, l1_tasks_created_while_others_claim_are_each_run_once);
    tcase_add_test(tcase, l1b_concurrent_takeovers_never_overlap);
    tcase_add_test(tcase, l4_a_holder_and_a_rescuer_never_both_win);
    tcase_add_test(tcase, l9_concurrent_wakes_wake_each_task_once);
    return tcase;
}
