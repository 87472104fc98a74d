/* [T1] and [L8] for stores that outlive their process: closed and opened again. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const unsigned char all_bytes[] = { 0, 1, 127, 128, 255, '\n', '"', '\\', 0 };

START_TEST(t1_created_tasks_are_there_after_a_restart)
{
    struct tc_task tasks[3];

    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        tasks[i] = store_make((struct store_wish){
            .priority = (int)i,
            .delay_ms = i == 1 ? 5000 : 0,
            .tag = "tagged",
            .payload = { TC_CONTENT_BYTES, { all_bytes, sizeof(all_bytes) - i } },
        });
    store_put(tasks, COUNT_OF(tasks));
    store_reopen();
    for (size_t i = 0; i < COUNT_OF(tasks); i++)
        store_assert_stored(&tasks[i]);
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

START_TEST(t1_waiting_tasks_keep_their_order_over_a_restart)
{
    struct tc_id ids[4];

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = store_create(store_plain);
    store_reopen();
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct tc_task claimed = store_claim_one();

        ck_assert_int_eq(tc_id_compare(&claimed.id, &ids[i]), 0);
        tc_task_release(&claimed);
    }
}
END_TEST

START_TEST(t1_what_became_of_a_task_is_there_after_a_restart)
{
    struct tc_id ids[4];
    struct tc_task before[4];

    store_create_many(store_plain, COUNT_OF(ids), ids);
    store_apply(store_done(&ids[0], store_claim_id(&ids[0]), "{\"a\": 1}"));
    store_apply(store_failed(&ids[1], store_claim_id(&ids[1]), "it broke"));
    store_apply(store_again(&ids[2], store_claim_id(&ids[2]), 1000));
    store_cancel(&ids[3]);
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        before[i] = store_get(&ids[i]);
    store_reopen();
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        store_assert_stored(&before[i]);
        tc_task_release(&before[i]);
    }
}
END_TEST

START_TEST(t1_scheduled_tasks_are_woken_after_a_restart)
{
    struct tc_id id = store_create((struct store_wish){ .delay_ms = 1000 });
    int64_t next_ms;

    store_reopen();
    ck_assert_uint_eq(store_wake(10, &next_ms), 0);
    ck_assert_int_eq(next_ms, 1000);
    store_advance(1000);
    ck_assert_uint_eq(store_wake(10, &next_ms), 1);
    store_claim_id(&id);
}
END_TEST

START_TEST(t2_keys_are_known_after_a_restart)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creation = {
        .tasks = &tasks[0], .task_count = 1, .key = "key", .answer = tc_bytes_of("answer")
    };
    struct tc_inserted inserted;

    ck_assert_int_eq(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, NULL),
                     TC_OK);
    tc_inserted_release(&inserted);
    store_reopen();
    creation.tasks = &tasks[1];
    ck_assert_int_eq(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, NULL),
                     TC_OK);
    ck_assert_int_eq(inserted.verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(tc_id_compare(&inserted.first_id, &tasks[0].id), 0);
    ck_assert_uint_eq(inserted.answer_len, 6);
    ck_assert_mem_eq(inserted.answer, "answer", 6);
    tc_inserted_release(&inserted);
}
END_TEST

START_TEST(t9_counts_agree_after_a_restart)
{
    struct tc_id ids[5];

    store_create_many(store_plain, COUNT_OF(ids), ids);
    store_create((struct store_wish){ .delay_ms = 1000 });
    store_claim_id(&ids[0]);
    store_apply(store_failed(&ids[1], store_claim_id(&ids[1]), "no"));

    struct tc_queue_count before = store_count_of("default");

    store_reopen();

    struct tc_queue_count after = store_count_of("default");

    ck_assert_int_eq(after.waiting, before.waiting);
    ck_assert_int_eq(after.processing, before.processing);
    ck_assert_int_eq(after.scheduled, before.scheduled);
    ck_assert_int_eq(after.failed, before.failed);
    ck_assert_int_eq(after.oldest_waiting_ms, before.oldest_waiting_ms);
}
END_TEST

static struct tc_id claim_of_process(bool of_process)
{
    struct tc_id id = store_create(store_plain);
    struct tc_claim claim = store_any(1);
    struct store_group group;

    claim.of_process = of_process;
    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, 1);
    store_group_release(&group);
    return id;
}

static size_t take_ended_count(void)
{
    struct store_group group;

    store_take_ended(100, &group);

    size_t count = group.count;

    store_group_release(&group);
    return count;
}

/* A store that cannot tell at open looks once, takes nothing, and believes it after a while. */
static void notice_deaths(void)
{
    if (store.driver->death_ms == 0)
        return;
    ck_assert_uint_eq(take_ended_count(), 0);
    store_advance(store.driver->death_ms - 1);
    ck_assert_uint_eq(take_ended_count(), 0);
    store_advance(1);
}

START_TEST(l8_leases_of_an_earlier_incarnation_end_at_the_restart)
{
    struct tc_id id = claim_of_process(true);
    struct store_group group;

    store_reopen();
    notice_deaths();
    ck_assert_int_eq(store_status_of(&id), TC_STATUS_PROCESSING);
    store_take_ended(100, &group);
    ck_assert_uint_eq(group.count, 1);
    ck_assert_int_eq(tc_id_compare(&group.tasks[0].id, &id), 0);
    ck_assert_int_eq(group.tasks[0].epoch, 2);
    ck_assert_int_eq(group.tasks[0].crashes, 1);
    ck_assert_int_eq(group.tasks[0].attempt, 0);
    store_group_release(&group);
}
END_TEST

START_TEST(l8_each_ended_lease_is_returned_once)
{
    for (size_t i = 0; i < 5; i++)
        claim_of_process(true);
    store_reopen();
    notice_deaths();

    struct store_group group;

    store_take_ended(3, &group);
    ck_assert_uint_eq(group.count, 3);
    store_group_release(&group);
    ck_assert_uint_eq(take_ended_count(), 2);
    ck_assert_uint_eq(take_ended_count(), 0);
}
END_TEST

START_TEST(l8_leases_that_are_not_of_the_process_go_on_over_a_restart)
{
    struct tc_id id = claim_of_process(false);

    store_reopen();
    notice_deaths();
    ck_assert_uint_eq(take_ended_count(), 0);
    ck_assert_int_eq(store_extend(&id, 1, 0).stale, TC_STALE_NONE);
    store_advance(STORE_LEASE_MS);
    ck_assert_uint_eq(take_ended_count(), 1);
}
END_TEST

START_TEST(l8_leases_of_this_incarnation_do_not_end_early)
{
    store_reopen();
    claim_of_process(true);
    notice_deaths();
    ck_assert_uint_eq(take_ended_count(), 0);
}
END_TEST

START_TEST(l8_a_rescuers_own_lease_ends_with_its_incarnation)
{
    struct store_group group;

    claim_of_process(true);
    store_reopen();
    notice_deaths();
    ck_assert_uint_eq(take_ended_count(), 1);
    store_reopen();
    notice_deaths();
    store_take_ended(100, &group);
    ck_assert_uint_eq(group.count, 1);
    ck_assert_int_eq(group.tasks[0].epoch, 3);
    ck_assert_int_eq(group.tasks[0].crashes, 1); /* the rescuer had not run it */
    ck_assert_int_eq(group.tasks[0].attempt, 0);
    store_group_release(&group);
}
END_TEST

START_TEST(l8_the_holder_of_an_ended_lease_counts_until_it_is_taken_over)
{
    struct tc_id id = claim_of_process(true);

    store_reopen();
    notice_deaths();
    store_apply(store_done(&id, 1, NULL));
    ck_assert_uint_eq(take_ended_count(), 0);
}
END_TEST

START_TEST(l5_a_repeated_outcome_is_known_after_a_restart)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_apply(store_again(&id, 1, 1000));
    store_reopen();
    ck_assert_int_eq(store_finish(store_again(&id, 1, 1000)).kind, TC_VERDICT_ALREADY);
}
END_TEST

TCase *task_repo_durable_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "durable");

    tcase_add_test(tcase, t1_created_tasks_are_there_after_a_restart);
    tcase_add_test(tcase, t1_waiting_tasks_keep_their_order_over_a_restart);
    tcase_add_test(tcase, t1_what_became_of_a_task_is_there_after_a_restart);
    tcase_add_test(tcase, t1_scheduled_tasks_are_woken_after_a_restart);
    tcase_add_test(tcase, t2_keys_are_known_after_a_restart);
    tcase_add_test(tcase, t9_counts_agree_after_a_restart);
    return tcase;
}

TCase *lease_repo_durable_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "incarnations");

    tcase_add_test(tcase, l8_leases_of_an_earlier_incarnation_end_at_the_restart);
    tcase_add_test(tcase, l8_each_ended_lease_is_returned_once);
    tcase_add_test(tcase, l8_leases_that_are_not_of_the_process_go_on_over_a_restart);
    tcase_add_test(tcase, l8_leases_of_this_incarnation_do_not_end_early);
    tcase_add_test(tcase, l8_a_rescuers_own_lease_ends_with_its_incarnation);
    tcase_add_test(tcase, l8_the_holder_of_an_ended_lease_counts_until_it_is_taken_over);
    tcase_add_test(tcase, l5_a_repeated_outcome_is_known_after_a_restart);
    return tcase;
}
