/* [T9]..[T11]: counting, checking, forgetting. */

#include "tests/conformance/store_tcases.h"

#include <stdlib.h>
#include <string.h>

static void assert_count(const char *queue, int64_t waiting, int64_t processing,
                         int64_t scheduled, int64_t failed)
{
    struct tc_queue_count count = store_count_of(queue);

    ck_assert_int_eq(count.waiting, waiting);
    ck_assert_int_eq(count.processing, processing);
    ck_assert_int_eq(count.scheduled, scheduled);
    ck_assert_int_eq(count.failed, failed);
}

START_TEST(t9_an_empty_store_has_no_counts)
{
    struct tc_queue_count *counts = (struct tc_queue_count[1]){ { .queue = "?" } };
    size_t count = 77;

    ck_assert_int_eq(store.tasks->ops->counts(store.tasks, &counts, &count, &store.err), TC_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(counts);
}
END_TEST

START_TEST(t9_queues_come_by_name)
{
    static const char *const queues[] = { "b", "a", "c.2", "c-1", "c_3" };
    static const char *const sorted[] = { "a", "b", "c-1", "c.2", "c_3" };
    struct tc_queue_count *counts;
    size_t count;

    for (size_t i = 0; i < 5; i++)
        store_create((struct store_wish){ .queue = queues[i] });
    ck_assert_int_eq(store.tasks->ops->counts(store.tasks, &counts, &count, &store.err), TC_OK);
    ck_assert_uint_eq(count, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(counts[i].queue, sorted[i]);
    free(counts);
}
END_TEST

START_TEST(t9_each_status_is_counted_in_its_column)
{
    struct tc_id ids[4];
    struct tc_task task;

    store_create_many((struct store_wish){ .queue = "a" }, 4, ids);
    store_create((struct store_wish){ .queue = "a", .delay_ms = 1000 });
    assert_count("a", 4, 0, 1, 0);
    store_claim_id(&ids[0]);
    store_apply(store_failed(&ids[1], store_claim_id(&ids[1]), "no"));
    ck_assert_int_eq(store_change(&ids[2], TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE, &task), TC_OK);
    tc_task_release(&task);
    assert_count("a", 2, 1, 1, 1);
    assert_count("b", 0, 0, 0, 0);
}
END_TEST

START_TEST(t9_counts_follow_a_task_through_its_life)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    assert_count("default", 0, 1, 0, 0);
    store_apply(store_again(&id, 1, 1000));
    assert_count("default", 0, 0, 1, 0);
    store_advance(1000);
    store_wake(1, &(int64_t){ 0 });
    assert_count("default", 1, 0, 0, 0);
    store_apply(store_failed(&id, store_claim_id(&id), "no"));
    assert_count("default", 0, 0, 0, 1);
    store_retry(&id);
    assert_count("default", 1, 0, 0, 0);
    store_claim_id(&id);
    store_cancel(&id);
    assert_count("default", 0, 0, 0, 0);
}
END_TEST

START_TEST(t9_a_queue_without_anything_to_count_has_no_row)
{
    struct tc_id ids[2];
    struct tc_queue_count *counts;
    size_t count;

    store_create_many(store_plain, 2, ids);
    store_apply(store_done(&ids[0], store_claim_id(&ids[0]), NULL));
    store_cancel(&ids[1]);
    ck_assert_int_eq(store.tasks->ops->counts(store.tasks, &counts, &count, &store.err), TC_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_ptr_null(counts);
}
END_TEST

START_TEST(t9_the_oldest_waiting_is_known_whatever_its_priority)
{
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, 0);

    struct tc_id first = store_create((struct store_wish){ .priority = 1 });

    store_advance(100);
    store_create((struct store_wish){ .priority = 9 });
    store_advance(100);
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, STORE_START_MS);
    store_claim_id(&first);
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, STORE_START_MS + 100);
    store_claim_count(10);
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, 0);
}
END_TEST

START_TEST(t9_a_task_begins_to_wait_anew_when_it_is_due_again)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });

    store_advance(1000);
    store_wake(1, &(int64_t){ 0 });
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, STORE_START_MS + 1000);
    store_advance(500);
    store_apply(store_again(&id, store_claim_id(&id), 0));
    ck_assert_int_eq(store_count_of("default").oldest_waiting_ms, STORE_START_MS + 1500);
}
END_TEST

START_TEST(t10_a_healthy_store_passes_its_check)
{
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    store_create(store_plain);
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
}
END_TEST

START_TEST(t10_a_check_leaves_no_trace)
{
    store_create(store_plain);

    struct tc_task before = store_claim_one();

    store_advance(10);
    ck_assert_int_eq(store.tasks->ops->check(store.tasks, &store.err), TC_OK);
    store_assert_stored(&before);
    assert_count("default", 0, 1, 0, 0);
    tc_task_release(&before);
}
END_TEST

/* @return CREATED or EXISTING. */
static enum tc_insert_verdict insert_with_key(const char *key, struct tc_id *ret_id)
{
    struct tc_task task = store_make(store_plain);
    struct tc_creation creation = { .tasks = &task, .task_count = 1, .key = key };
    struct tc_inserted inserted;

    ck_assert_int_eq(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &store.err),
                     TC_OK);

    enum tc_insert_verdict verdict = inserted.verdict;

    *ret_id = inserted.first_id;
    tc_inserted_release(&inserted);
    return verdict;
}

static size_t forget(int64_t before_ms, size_t max)
{
    size_t count = 77;

    ck_assert_int_eq(
        store.tasks->ops->forget_keys(store.tasks, before_ms, max, &count, &store.err), TC_OK);
    return count;
}

START_TEST(t11_keys_made_before_a_time_are_forgotten_and_their_tasks_stay)
{
    struct tc_id first;
    struct tc_id second;

    insert_with_key("key", &first);
    ck_assert_uint_eq(forget(STORE_START_MS, 10), 0);
    ck_assert_int_eq(insert_with_key("key", &second), TC_INSERT_EXISTING);
    ck_assert_uint_eq(forget(STORE_START_MS + 1, 10), 1);
    ck_assert_int_eq(insert_with_key("key", &second), TC_INSERT_CREATED);
    ck_assert_int_eq(store_status_of(&first), TC_STATUS_NEW);
    ck_assert_int_eq(store_status_of(&second), TC_STATUS_NEW);
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

START_TEST(t11_younger_keys_are_kept)
{
    struct tc_id id;

    insert_with_key("old", &id);
    store_advance(100);
    insert_with_key("young", &id);
    ck_assert_uint_eq(forget(STORE_START_MS + 100, 10), 1);
    ck_assert_int_eq(insert_with_key("young", &id), TC_INSERT_EXISTING);
    ck_assert_int_eq(insert_with_key("old", &id), TC_INSERT_CREATED);
}
END_TEST

START_TEST(t11_at_most_max_keys_are_forgotten_at_once)
{
    static const char *const keys[] = { "a", "b", "c", "d", "e" };
    struct tc_id id;

    for (size_t i = 0; i < 5; i++)
        insert_with_key(keys[i], &id);
    ck_assert_uint_eq(forget(STORE_START_MS + 1, 2), 2);
    ck_assert_uint_eq(forget(STORE_START_MS + 1, 10), 3);
    ck_assert_uint_eq(forget(STORE_START_MS + 1, 10), 0);
}
END_TEST

START_TEST(t11_a_key_found_again_does_not_grow_younger)
{
    struct tc_id id;

    insert_with_key("key", &id);
    store_advance(100);
    ck_assert_int_eq(insert_with_key("key", &id), TC_INSERT_EXISTING);
    ck_assert_uint_eq(forget(STORE_START_MS + 1, 10), 1);
}
END_TEST

TCase *task_repo_counts_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "counts");

    tcase_add_test(tcase, t9_an_empty_store_has_no_counts);
    tcase_add_test(tcase, t9_queues_come_by_name);
    tcase_add_test(tcase, t9_each_status_is_counted_in_its_column);
    tcase_add_test(tcase, t9_counts_follow_a_task_through_its_life);
    tcase_add_test(tcase, t9_a_queue_without_anything_to_count_has_no_row);
    tcase_add_test(tcase, t9_the_oldest_waiting_is_known_whatever_its_priority);
    tcase_add_test(tcase, t9_a_task_begins_to_wait_anew_when_it_is_due_again);
    tcase_add_test(tcase, t10_a_healthy_store_passes_its_check);
    tcase_add_test(tcase, t10_a_check_leaves_no_trace);
    tcase_add_test(tcase, t11_keys_made_before_a_time_are_forgotten_and_their_tasks_stay);
    tcase_add_test(tcase, t11_younger_keys_are_kept);
    tcase_add_test(tcase, t11_at_most_max_keys_are_forgotten_at_once);
    tcase_add_test(tcase, t11_a_key_found_again_does_not_grow_younger);
    return tcase;
}
