/* [T1], [T2], [T4]: what is stored, and that it is stored once. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

static enum tc_code insert(const struct tc_creation *creations, size_t count,
                           struct tc_inserted *ret_inserted)
{
    return store.tasks->ops->insert(store.tasks, creations, count, ret_inserted, &store.err);
}

/* One creation of one task with a key; `hash` fills the request's hash. */
static struct tc_creation with_key(const struct tc_task *task, const char *key,
                                   unsigned char hash, const char *answer)
{
    struct tc_creation creation = {
        .tasks = task,
        .task_count = 1,
        .key = key,
        .answer = tc_bytes_of(answer),
    };

    memset(creation.request_hash, hash, sizeof(creation.request_hash));
    return creation;
}

static void assert_created(const struct tc_inserted *inserted, const struct tc_task *task)
{
    ck_assert_int_eq(inserted->verdict, TC_INSERT_CREATED);
    ck_assert_int_eq(tc_id_compare(&inserted->first_id, &task->id), 0);
}

static void assert_existing(const struct tc_inserted *inserted, const struct tc_task *task,
                            const char *answer)
{
    ck_assert_int_eq(inserted->verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(tc_id_compare(&inserted->first_id, &task->id), 0);
    ck_assert_uint_eq(inserted->answer_len, strlen(answer));
    if (inserted->answer_len > 0)
        ck_assert_mem_eq(inserted->answer, answer, inserted->answer_len);
}

/* Insert one creation, which must give this verdict; its answer is thrown away. */
static void insert_expecting(struct tc_creation creation, enum tc_insert_verdict verdict)
{
    struct tc_inserted inserted;

    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    ck_assert_int_eq(inserted.verdict, verdict);
    tc_inserted_release(&inserted);
}

static size_t stored_count(void)
{
    const struct tc_task_filter filter = {
        .statuses = TC_STATUS_SET_ALL,
        .created_after_ms = -1,
        .created_before_ms = -1,
        .limit = TC_PAGE_LIMIT_MAX,
        .large = SIZE_MAX,
    };
    struct tc_task_page page;

    ck_assert_int_eq(store.tasks->ops->list(store.tasks, &filter, &page, &store.err), TC_OK);

    size_t count = page.count;

    tc_task_page_release(&page);
    return count;
}

START_TEST(t1_a_created_task_can_be_read_back)
{
    struct tc_task task = store_make(store_plain);

    store_put(&task, 1);
    store_assert_stored(&task);
}
END_TEST

START_TEST(t1_a_call_without_creations_is_fine)
{
    ck_assert_int_eq(insert(NULL, 0, NULL), TC_OK);
    ck_assert_uint_eq(stored_count(), 0);
}
END_TEST

START_TEST(t1_a_batch_of_1000_is_stored_whole)
{
    struct tc_id ids[TC_CREATION_TASKS_MAX];

    store_create_many(store_plain, TC_CREATION_TASKS_MAX, ids);
    for (size_t i = 0; i < TC_CREATION_TASKS_MAX; i++)
        ck_assert_int_eq(store_status_of(&ids[i]), TC_STATUS_NEW);
}
END_TEST

START_TEST(t1_creations_of_one_call_are_all_stored)
{
    struct tc_task tasks[5];
    struct tc_creation creations[] = {
        { .tasks = &tasks[0], .task_count = 1 },
        { .tasks = &tasks[1], .task_count = 3 },
        { .tasks = &tasks[4], .task_count = 1 },
    };
    struct tc_inserted inserted[3];

    for (size_t i = 0; i < 5; i++)
        tasks[i] = store_make((struct store_wish){ .priority = (int)i });
    ck_assert_int_eq(insert(creations, 3, inserted), TC_OK);
    for (size_t i = 0; i < 3; i++)
        assert_created(&inserted[i], creations[i].tasks);
    for (size_t i = 0; i < 5; i++)
        store_assert_stored(&tasks[i]);
}
END_TEST

START_TEST(t1_creations_whose_ids_are_interleaved_are_all_stored)
{
    struct tc_task tasks[4];
    struct tc_task second[2];
    struct tc_task first[2];
    struct tc_creation creations[] = {
        { .tasks = second, .task_count = 2 },
        { .tasks = first, .task_count = 2 },
    };
    struct tc_inserted inserted[2];

    for (size_t i = 0; i < 4; i++)
        tasks[i] = store_make(store_plain);
    first[0] = tasks[0], second[0] = tasks[1], first[1] = tasks[2], second[1] = tasks[3];
    ck_assert_int_eq(insert(creations, 2, inserted), TC_OK);
    for (size_t i = 0; i < 4; i++)
        store_assert_stored(&tasks[i]);
}
END_TEST

START_TEST(t2_the_same_key_and_hash_gives_the_first_answer_and_id)
{
    struct tc_task first = store_make(store_plain);
    struct tc_task second = store_make(store_plain);
    struct tc_creation again = with_key(&second, "key", 1, "another answer");
    struct tc_inserted inserted;

    insert_expecting(with_key(&first, "key", 1, "the answer"), TC_INSERT_CREATED);
    ck_assert_int_eq(insert(&again, 1, &inserted), TC_OK);
    assert_existing(&inserted, &first, "the answer");
    tc_inserted_release(&inserted);
    store_assert_absent(&second.id);
}
END_TEST

START_TEST(t2_the_same_key_with_another_hash_is_a_mismatch_and_stores_nothing)
{
    struct tc_task first = store_make(store_plain);
    struct tc_task second = store_make(store_plain);

    insert_expecting(with_key(&first, "key", 1, "a"), TC_INSERT_CREATED);
    insert_expecting(with_key(&second, "key", 2, "b"), TC_INSERT_MISMATCH);
    store_assert_absent(&second.id);
    insert_expecting(with_key(&second, "key", 1, "b"), TC_INSERT_EXISTING);
}
END_TEST

START_TEST(t2_hashes_are_compared_to_their_last_byte)
{
    struct tc_task first = store_make(store_plain);
    struct tc_task second = store_make(store_plain);
    struct tc_creation other = with_key(&second, "key", 1, "a");

    other.request_hash[TC_REQUEST_HASH_SIZE - 1] ^= 1;
    insert_expecting(with_key(&first, "key", 1, "a"), TC_INSERT_CREATED);
    insert_expecting(other, TC_INSERT_MISMATCH);
}
END_TEST

START_TEST(t2_known_keys_do_not_harm_the_others_of_their_group)
{
    struct tc_task known = store_make(store_plain);
    struct tc_task tasks[4];

    insert_expecting(with_key(&known, "known", 1, "known"), TC_INSERT_CREATED);
    for (size_t i = 0; i < 4; i++)
        tasks[i] = store_make(store_plain);

    struct tc_creation creations[] = {
        { .tasks = &tasks[0], .task_count = 1 },
        with_key(&tasks[1], "known", 1, "x"),
        with_key(&tasks[2], "known", 2, "x"),
        with_key(&tasks[3], "fresh", 1, "fresh"),
    };
    struct tc_inserted inserted[4];

    ck_assert_int_eq(insert(creations, 4, inserted), TC_OK);
    assert_created(&inserted[0], &tasks[0]);
    assert_existing(&inserted[1], &known, "known");
    ck_assert_int_eq(inserted[2].verdict, TC_INSERT_MISMATCH);
    assert_created(&inserted[3], &tasks[3]);
    tc_inserted_release(&inserted[1]);
    ck_assert_uint_eq(stored_count(), 3);
}
END_TEST

START_TEST(t2_of_twins_in_one_group_the_first_is_created)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creations[] = {
        with_key(&tasks[0], "key", 1, "first"),
        with_key(&tasks[1], "key", 1, "second"),
    };
    struct tc_inserted inserted[2];

    ck_assert_int_eq(insert(creations, 2, inserted), TC_OK);
    assert_created(&inserted[0], &tasks[0]);
    assert_existing(&inserted[1], &tasks[0], "first");
    tc_inserted_release(&inserted[1]);
    store_assert_absent(&tasks[1].id);
}
END_TEST

START_TEST(t2_an_answer_comes_back_byte_for_byte)
{
    char answer[256];
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation first = with_key(&tasks[0], "key", 1, NULL);
    struct tc_creation again = with_key(&tasks[1], "key", 1, "other");
    struct tc_inserted inserted;

    for (size_t i = 0; i < sizeof(answer); i++)
        answer[i] = (char)i;
    first.answer = (struct tc_bytes){ answer, sizeof(answer) };
    insert_expecting(first, TC_INSERT_CREATED);
    ck_assert_int_eq(insert(&again, 1, &inserted), TC_OK);
    ck_assert_uint_eq(inserted.answer_len, sizeof(answer));
    ck_assert_mem_eq(inserted.answer, answer, sizeof(answer));
    tc_inserted_release(&inserted);
}
END_TEST

START_TEST(t2_keys_are_told_apart_by_every_character)
{
    static const char *const keys[] = { "key", "KEY", "key1", "ke", "key ", "k%y", "k_y" };
    struct tc_task task;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        task = store_make(store_plain);
        insert_expecting(with_key(&task, keys[i], 1, keys[i]), TC_INSERT_CREATED);
    }
}
END_TEST

START_TEST(t2_a_key_of_255_characters_is_kept_whole)
{
    char key[TC_KEY_MAX + 1];
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain),
                               store_make(store_plain) };

    memset(key, 'k', TC_KEY_MAX);
    key[TC_KEY_MAX] = '\0';
    insert_expecting(with_key(&tasks[0], key, 1, "a"), TC_INSERT_CREATED);
    insert_expecting(with_key(&tasks[1], key, 1, "a"), TC_INSERT_EXISTING);
    key[TC_KEY_MAX - 1] = 'x';
    insert_expecting(with_key(&tasks[2], key, 1, "a"), TC_INSERT_CREATED);
}
END_TEST

START_TEST(t2_a_batch_under_a_key_is_existing_as_a_whole)
{
    struct tc_task first[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_task second[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creation = with_key(first, "key", 1, "batch");
    struct tc_creation again = with_key(second, "key", 1, "again");
    struct tc_inserted inserted;

    creation.task_count = again.task_count = 2;
    insert_expecting(creation, TC_INSERT_CREATED);
    ck_assert_int_eq(insert(&again, 1, &inserted), TC_OK);
    assert_existing(&inserted, &first[0], "batch");
    tc_inserted_release(&inserted);
    ck_assert_uint_eq(stored_count(), 2);
}
END_TEST

START_TEST(t4_the_same_ids_again_are_existing)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creation = { .tasks = tasks, .task_count = 2 };
    struct tc_inserted inserted;

    store_put(tasks, 2);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    assert_existing(&inserted, &tasks[0], "");
    tc_inserted_release(&inserted);
    ck_assert_uint_eq(stored_count(), 2);
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

START_TEST(t4_the_same_ids_again_with_their_key_give_the_answer)
{
    struct tc_task task = store_make(store_plain);
    struct tc_creation creation = with_key(&task, "key", 1, "answer");
    struct tc_inserted inserted;

    insert_expecting(creation, TC_INSERT_CREATED);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    assert_existing(&inserted, &task, "answer");
    tc_inserted_release(&inserted);
    ck_assert_uint_eq(stored_count(), 1);
}
END_TEST

START_TEST(t4_the_same_ids_again_do_not_undo_what_became_of_the_task)
{
    struct tc_task task = store_make(store_plain);
    struct tc_creation creation = { .tasks = &task, .task_count = 1 };

    store_put(&task, 1);
    store_apply(store_done(&task.id, store_claim_id(&task.id), "1"));
    insert_expecting(creation, TC_INSERT_EXISTING);
    ck_assert_int_eq(store_status_of(&task.id), TC_STATUS_DONE);
    ck_assert_uint_eq(store_claim_count(1), 0);
}
END_TEST

START_TEST(t4_a_group_given_twice_stores_only_what_is_new)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creations[] = {
        { .tasks = &tasks[0], .task_count = 1 },
        { .tasks = &tasks[1], .task_count = 1 },
    };
    struct tc_inserted inserted[2];

    store_put(&tasks[0], 1);
    ck_assert_int_eq(insert(creations, 2, inserted), TC_OK);
    ck_assert_int_eq(inserted[0].verdict, TC_INSERT_EXISTING);
    assert_created(&inserted[1], &tasks[1]);
    tc_inserted_release(&inserted[0]);
    ck_assert_uint_eq(stored_count(), 2);
}
END_TEST

TCase *task_repo_insert_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "insert");

    tcase_add_test(tcase, t1_a_created_task_can_be_read_back);
    tcase_add_test(tcase, t1_a_call_without_creations_is_fine);
    tcase_add_test(tcase, t1_a_batch_of_1000_is_stored_whole);
    tcase_add_test(tcase, t1_creations_of_one_call_are_all_stored);
    tcase_add_test(tcase, t1_creations_whose_ids_are_interleaved_are_all_stored);
    tcase_add_test(tcase, t2_the_same_key_and_hash_gives_the_first_answer_and_id);
    tcase_add_test(tcase, t2_the_same_key_with_another_hash_is_a_mismatch_and_stores_nothing);
    tcase_add_test(tcase, t2_hashes_are_compared_to_their_last_byte);
    tcase_add_test(tcase, t2_known_keys_do_not_harm_the_others_of_their_group);
    tcase_add_test(tcase, t2_of_twins_in_one_group_the_first_is_created);
    tcase_add_test(tcase, t2_an_answer_comes_back_byte_for_byte);
    tcase_add_test(tcase, t2_keys_are_told_apart_by_every_character);
    tcase_add_test(tcase, t2_a_key_of_255_characters_is_kept_whole);
    tcase_add_test(tcase, t2_a_batch_under_a_key_is_existing_as_a_whole);
    tcase_add_test(tcase, t4_the_same_ids_again_are_existing);
    tcase_add_test(tcase, t4_the_same_ids_again_with_their_key_give_the_answer);
    tcase_add_test(tcase, t4_the_same_ids_again_do_not_undo_what_became_of_the_task);
    tcase_add_test(tcase, t4_a_group_given_twice_stores_only_what_is_new);
    return tcase;
}
