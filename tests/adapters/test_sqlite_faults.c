/* The disk fails at the n-th write, sync or read of a method, for every n until it passes
 * untouched. Whatever was answered must be true, at once, after the next write, and after a
 * restart; and the store must go on when the cause is gone. */

#include "adapters/sqlite/sqlite_internal.h"
#include "tests/adapters/fault_vfs.h"
#include "tests/adapters/sqlite_folder.h"
#include "tests/support/run_suite.h"

#include <stdio.h>

#define GROUP 3
#define N_MAX 400 /* a method makes far fewer calls */

static const enum fault faults[] = { FAULT_FULL, FAULT_WRITE, FAULT_SYNC, FAULT_READ };
#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static void setup(void)
{
    fault_vfs_install();
    sqlite_folder_setup();
    sqlite_open_again();
}

/* What a failed write may be answered with. */
static void assert_honest_code(enum tc_code code, enum fault fault)
{
    if (fault == FAULT_FULL || fault == FAULT_READ)
        ck_assert_msg(code == TC_OK || code == TC_UNAVAILABLE, "%s: %s", tc_code_name(code),
                      store.err.message);
    else
        ck_assert_msg(code == TC_OK || code == TC_UNAVAILABLE || code == TC_UNKNOWN, "%s: %s",
                      tc_code_name(code), store.err.message);
}

/* --- insert --- */

static size_t count_stored(const struct tc_task *tasks)
{
    size_t count = 0;

    for (size_t i = 0; i < GROUP; i++) {
        struct tc_task task;
        enum tc_code code = store.tasks->ops->get(store.tasks, &tasks[i].id, &task, &store.err);

        ck_assert_msg(code == TC_OK || code == TC_NOT_FOUND, "%s", store.err.message);
        if (code != TC_OK)
            continue;
        tc_task_release(&task);
        count++;
    }
    return count;
}

static void assert_stored_as_told(const struct tc_task *tasks, enum tc_code code)
{
    size_t count = count_stored(tasks);

    if (code == TC_UNKNOWN)
        ck_assert(count == 0 || count == GROUP);
    else
        ck_assert_uint_eq(count, code == TC_OK ? GROUP : 0);
}

static enum tc_code insert(const struct tc_creation *creation, enum tc_insert_verdict *verdict)
{
    struct tc_inserted inserted;
    enum tc_code code =
        store.tasks->ops->insert(store.tasks, creation, 1, &inserted, &store.err);

    if (code == TC_OK) {
        *verdict = inserted.verdict;
        tc_inserted_release(&inserted);
    }
    return code;
}

/* @return false when nothing failed any more. */
static bool insert_with_fault(enum fault fault, int nth)
{
    enum tc_insert_verdict verdict = TC_INSERT_MISMATCH;
    struct tc_task tasks[GROUP];
    const struct tc_creation creation = { .tasks = tasks, .task_count = GROUP, .key = NULL };
    enum tc_code code;

    for (size_t i = 0; i < GROUP; i++)
        tasks[i] = store_make((struct store_wish){ .delay_ms = i == 1 ? 5000 : 0 });
    fault_vfs_arm(fault, nth, false);
    code = insert(&creation, &verdict);

    bool fired = fault_vfs_disarm() > 0;

    assert_honest_code(code, fault);
    assert_stored_as_told(tasks, code);
    if (nth % 2 == 0)
        sqlite_open_again();
    assert_stored_as_told(tasks, code);
    ck_assert_msg(insert(&creation, &verdict) == TC_OK, "%s", store.err.message);
    if (code != TC_UNKNOWN)
        ck_assert_int_eq(verdict, code == TC_OK ? TC_INSERT_EXISTING : TC_INSERT_CREATED);
    ck_assert_uint_eq(count_stored(tasks), GROUP);
    return fired;
}

START_TEST(an_insert_tells_the_truth_whatever_fails)
{
    int nth = 0;

    while (insert_with_fault(faults[_i], nth))
        ck_assert_int_lt(++nth, N_MAX);
    if (faults[_i] != FAULT_READ) /* which the cache may save */
        ck_assert_int_gt(nth, 0);
}
END_TEST

/* --- claim and finish --- */

static void assert_waiting_or_leased_as_told(const struct tc_id *id, enum tc_code code)
{
    struct tc_task task = store_get(id);

    if (code == TC_OK || code == TC_UNAVAILABLE)
        ck_assert_int_eq(task.status, code == TC_OK ? TC_STATUS_PROCESSING : TC_STATUS_NEW);
    ck_assert_int_eq(task.epoch, task.status == TC_STATUS_PROCESSING ? 1 : 0);
    tc_task_release(&task);
}

static enum tc_code claim_one(size_t *ret_count)
{
    static struct tc_task task;
    const struct tc_claim claim = store_any(1);
    enum tc_code code =
        store.leases->ops->claim(store.leases, &claim, &task, ret_count, &store.err);

    if (code == TC_OK && *ret_count > 0)
        tc_task_release(&task);
    return code;
}

static bool claim_with_fault(enum fault fault, int nth)
{
    struct tc_id id = store_create((struct store_wish){ 0 });
    size_t count = 0;

    fault_vfs_arm(fault, nth, false);

    enum tc_code code = claim_one(&count);
    bool fired = fault_vfs_disarm() > 0;

    assert_honest_code(code, fault);
    assert_waiting_or_leased_as_told(&id, code);
    if (nth % 2 == 0)
        sqlite_open_again();
    assert_waiting_or_leased_as_told(&id, code);
    if (store_status_of(&id) == TC_STATUS_NEW)
        ck_assert_uint_eq(store_claim_count(10), 1);
    store_apply(store_done(&id, 1, "true"));
    return fired;
}

START_TEST(a_claim_tells_the_truth_whatever_fails)
{
    int nth = 0;

    while (claim_with_fault(faults[_i], nth))
        ck_assert_int_lt(++nth, N_MAX);
    if (faults[_i] != FAULT_READ)
        ck_assert_int_gt(nth, 0);
}
END_TEST

static void assert_finished_as_told(const struct tc_id *id, enum tc_code code,
                                    enum tc_status next)
{
    enum tc_status status = store_status_of(id);

    if (code == TC_UNKNOWN)
        ck_assert(status == next || status == TC_STATUS_PROCESSING);
    else
        ck_assert_int_eq(status, code == TC_OK ? next : TC_STATUS_PROCESSING);
}

static bool finish_with_fault(enum fault fault, int nth)
{
    struct tc_id id = store_create((struct store_wish){ 0 });
    struct tc_outcome outcome =
        nth % 3 == 0 ? store_done(&id, 1, "\"fine\"") : store_failed(&id, 1, "it broke");
    struct tc_verdict verdict;

    ck_assert_int_eq(store_claim_id(&id), 1);
    fault_vfs_arm(fault, nth, false);

    enum tc_code code =
        store.leases->ops->finish(store.leases, &outcome, 1, &verdict, &store.err);
    bool fired = fault_vfs_disarm() > 0;

    assert_honest_code(code, fault);
    assert_finished_as_told(&id, code, outcome.next);
    if (nth % 2 == 0)
        sqlite_open_again();
    assert_finished_as_told(&id, code, outcome.next);
    verdict = store_finish(outcome); /* [L5] settles it */
    ck_assert_int_ne(verdict.kind, TC_VERDICT_STALE);
    ck_assert_int_eq(store_status_of(&id), outcome.next);
    return fired;
}

START_TEST(a_finish_tells_the_truth_whatever_fails)
{
    int nth = 0;

    while (finish_with_fault(faults[_i], nth))
        ck_assert_int_lt(++nth, N_MAX);
    if (faults[_i] != FAULT_READ)
        ck_assert_int_gt(nth, 0);
}
END_TEST

/* --- lasting faults --- */

START_TEST(a_full_disk_refuses_writes_until_there_is_room)
{
    struct tc_task task = store_make((struct store_wish){ 0 });
    struct tc_task refused = store_make((struct store_wish){ 0 });
    const struct tc_creation creation = { .tasks = &refused, .task_count = 1 };
    enum tc_insert_verdict verdict;

    store_put(&task, 1);
    fault_vfs_arm(FAULT_FULL, 0, true);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(insert(&creation, &verdict), TC_UNAVAILABLE);
        ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_UNAVAILABLE);
        store_assert_stored(&task);
        store_assert_absent(&refused.id);
    }
    fault_vfs_disarm();
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    store_put(&refused, 1);
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

START_TEST(want_of_room_makes_the_log_begin_anew)
{
    struct tc_task refused = store_make((struct store_wish){ 0 });
    const struct tc_creation creation = { .tasks = &refused, .task_count = 1 };
    enum tc_insert_verdict verdict;

    for (int i = 0; i < 20; i++)
        store_create((struct store_wish){ 0 });

    int pages = sqlite_now->writer.wal_pages;

    fault_vfs_arm(FAULT_FULL, 0, false);
    ck_assert_int_eq(insert(&creation, &verdict), TC_UNAVAILABLE);
    store_put(&refused, 1);
    ck_assert_int_lt(sqlite_now->writer.wal_pages, pages);
    ck_assert_uint_eq(store_claim_count(100), 21);
}
END_TEST

START_TEST(a_disk_that_cannot_sync_answers_nothing_well_until_it_can)
{
    struct tc_task task = store_make((struct store_wish){ 0 });
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    enum tc_insert_verdict verdict;

    fault_vfs_arm(FAULT_SYNC, 0, true);
    for (int i = 0; i < 3; i++) {
        enum tc_code code = insert(&creation, &verdict);

        ck_assert(code == TC_UNKNOWN || code == TC_UNAVAILABLE);
        ck_assert_int_ne(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    }
    fault_vfs_disarm();
    ck_assert_msg(insert(&creation, &verdict) == TC_OK, "%s", store.err.message);
    sqlite_open_again();
    store_assert_stored(&task);
    ck_assert_uint_eq(store_claim_count(10), 1);
}
END_TEST

START_TEST(a_log_that_cannot_be_copied_loses_nothing)
{
    static char bytes[500000];
    struct tc_id ids[60];

    fault_vfs_arm(FAULT_READ, 0, true); /* only copying the log reads here */
    for (size_t i = 0; i < 60; i++)
        ids[i] = store_create(
            (struct store_wish){ .payload = { TC_CONTENT_BYTES, { bytes, sizeof(bytes) } } });
    ck_assert_int_gt(fault_vfs_disarm(), 0);
    sqlite_open_again();
    for (size_t i = 0; i < 60; i++)
        ck_assert_int_eq(store_status_of(&ids[i]), TC_STATUS_NEW);
}
END_TEST

static Suite *sqlite_faults_suite(void)
{
    Suite *suite = suite_create("sqlite_faults");
    TCase *tcase = tcase_create("faults");

    tcase_add_checked_fixture(tcase, setup, sqlite_folder_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, an_insert_tells_the_truth_whatever_fails, 0, FAULT_COUNT);
    tcase_add_loop_test(tcase, a_claim_tells_the_truth_whatever_fails, 0, FAULT_COUNT);
    tcase_add_loop_test(tcase, a_finish_tells_the_truth_whatever_fails, 0, FAULT_COUNT);
    tcase_add_test(tcase, a_full_disk_refuses_writes_until_there_is_room);
    tcase_add_test(tcase, want_of_room_makes_the_log_begin_anew);
    tcase_add_test(tcase, a_disk_that_cannot_sync_answers_nothing_well_until_it_can);
    tcase_add_test(tcase, a_log_that_cannot_be_copied_loses_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(sqlite_faults_suite());
}
