/* [L1]..[L3]: who gets which task, in which order, until when. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool is_same_id(const struct tc_id *a, const struct tc_id *b)
{
    return tc_id_compare(a, b) == 0;
}

/* The claim brings exactly these, in this order. */
static void assert_claims(const struct tc_claim *claim, const struct tc_id *ids, size_t count)
{
    struct store_group group;

    store_claim(claim, &group);
    ck_assert_uint_eq(group.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert(is_same_id(&group.tasks[i].id, &ids[i]));
    store_group_release(&group);
}

START_TEST(l1_a_claimed_task_is_returned_complete)
{
    struct tc_task expected = store_make((struct store_wish){ .tag = "tagged" });

    store_put(&expected, 1);
    store_advance(5);

    struct tc_task claimed = store_claim_one();

    expected.status = TC_STATUS_PROCESSING;
    expected.attempt = 1;
    expected.epoch = 1;
    expected.started_at_ms = expected.updated_at_ms = store_now_ms();
    expected.lease =
        (struct tc_lease){ "worker-1", store_now_ms() + STORE_LEASE_MS, STORE_LEASE_MS };
    store_assert_same(&claimed, &expected);
    store_assert_stored(&claimed);
    tc_task_release(&claimed);
}
END_TEST

START_TEST(l1_a_claimed_task_is_not_claimed_again)
{
    store_create_many(store_plain, 3, NULL);
    ck_assert_uint_eq(store_claim_count(2), 2);
    ck_assert_uint_eq(store_claim_count(2), 1);
    ck_assert_uint_eq(store_claim_count(2), 0);
}
END_TEST

START_TEST(l1_each_claim_raises_epoch_and_attempt_and_clears_progress)
{
    struct tc_id id = store_create(store_plain);
    const struct tc_renewal renewal = { .id = id,
                                        .epoch = store_claim_id(&id),
                                        .progress = tc_bytes_of("{\"percent\":1}") };
    struct tc_renewed renewed;

    ck_assert_int_eq(store.leases->ops->extend(store.leases, &renewal, 1, &renewed, &store.err),
                     TC_OK);
    store_apply(store_again(&id, 1, 0));
    store_advance(10);

    struct tc_task second = store_claim_one();

    ck_assert_int_eq(second.epoch, 2);
    ck_assert_int_eq(second.attempt, 2);
    ck_assert_int_eq(second.started_at_ms, store_now_ms());
    ck_assert_uint_eq(second.progress.len, 0);
    store_assert_stored(&second);
    tc_task_release(&second);
}
END_TEST

START_TEST(l1_a_claim_of_nothing_is_empty)
{
    ck_assert_uint_eq(store_claim_count(TC_LEASE_GROUP_MAX), 0);
}
END_TEST

START_TEST(l1_a_claim_brings_up_to_1000)
{
    struct tc_id ids[TC_CREATION_TASKS_MAX];
    const struct tc_claim claim = store_any(TC_LEASE_GROUP_MAX);

    store_create_many(store_plain, TC_CREATION_TASKS_MAX, ids);
    assert_claims(&claim, ids, TC_LEASE_GROUP_MAX);
}
END_TEST

START_TEST(l2_higher_priority_goes_first)
{
    struct tc_id ids[TC_PRIORITY_MAX + 1];
    const struct tc_claim claim = store_any(COUNT_OF(ids));
    static const int order[] = { 3, 10, 0, 7, 1, 9, 2, 8, 4, 6, 5 };

    for (size_t i = 0; i < COUNT_OF(order); i++)
        ids[TC_PRIORITY_MAX - order[i]] =
            store_create((struct store_wish){ .priority = order[i] });
    assert_claims(&claim, ids, COUNT_OF(ids));
}
END_TEST

START_TEST(l2_of_one_priority_the_oldest_goes_first)
{
    struct tc_id ids[6];
    const struct tc_claim claim = store_any(3);

    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = store_create(store_plain);
    assert_claims(&claim, &ids[0], 3);
    assert_claims(&claim, &ids[3], 3);
}
END_TEST

START_TEST(l2_the_oldest_goes_first_whatever_its_type)
{
    static const char *const types[] = { "b", "a", "c", "a", "b", "c" };
    struct tc_id ids[COUNT_OF(types)];
    struct tc_claim claim = store_any(COUNT_OF(types));

    for (size_t i = 0; i < COUNT_OF(types); i++)
        ids[i] = store_create((struct store_wish){ .type = types[i] });
    claim.types = types;
    claim.type_count = COUNT_OF(types); /* some are named twice, too */
    assert_claims(&claim, ids, COUNT_OF(types));
}
END_TEST

START_TEST(l2_priority_counts_more_than_age_across_types)
{
    struct tc_id low = store_create((struct store_wish){ .type = "a" });
    struct tc_id high = store_create((struct store_wish){ .type = "b", .priority = 1 });
    const struct tc_id ids[] = { high, low };
    const struct tc_claim claim = store_any(2);

    assert_claims(&claim, ids, 2);
}
END_TEST

START_TEST(l2_only_the_types_asked_for_are_claimed)
{
    static const char *const types[] = { "mine", "nobody-has-this" };
    struct tc_claim claim = store_any(10);

    claim.types = types;
    claim.type_count = COUNT_OF(types);
    store_create((struct store_wish){ .type = "other", .priority = 10 });

    struct tc_id mine = store_create((struct store_wish){ .type = "mine" });

    assert_claims(&claim, &mine, 1);
    assert_claims(&claim, NULL, 0);
}
END_TEST

START_TEST(l2_only_the_queues_asked_for_are_claimed)
{
    static const char *const queues[] = { "mine", "nobody-has-this", "mine" };
    struct tc_claim claim = store_any(10);

    claim.queues = queues;
    claim.queue_count = COUNT_OF(queues);
    store_create((struct store_wish){ .queue = "other", .priority = 10 });

    struct tc_id mine = store_create((struct store_wish){ .queue = "mine" });

    assert_claims(&claim, &mine, 1);
    assert_claims(&claim, NULL, 0);
}
END_TEST

START_TEST(l2_queue_and_type_must_both_fit)
{
    static const char *const queue = "q1";
    static const char *const type = "t1";
    struct tc_claim claim = store_any(10);

    claim.queues = &queue, claim.queue_count = 1;
    claim.types = &type, claim.type_count = 1;
    store_create((struct store_wish){ .queue = "q1", .type = "t2" });
    store_create((struct store_wish){ .queue = "q2", .type = "t1" });

    struct tc_id fits = store_create((struct store_wish){ .queue = "q1", .type = "t1" });

    assert_claims(&claim, &fits, 1);
}
END_TEST

START_TEST(l2_only_the_ids_asked_for_are_claimed)
{
    struct tc_id ids[4];
    struct tc_claim claim = store_any(10);

    store_create_many(store_plain, 4, ids);

    const struct tc_id wanted[] = { ids[1], ids[3], ids[1] };

    claim.ids = wanted;
    claim.id_count = COUNT_OF(wanted);

    const struct tc_id expected[] = { ids[1], ids[3] };

    assert_claims(&claim, expected, 2);
    ck_assert_int_eq(store_status_of(&ids[0]), TC_STATUS_NEW);
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

START_TEST(l2_ids_that_cannot_be_claimed_are_left_out)
{
    struct tc_id ids[6];
    struct tc_claim claim = store_any(10);

    store_create_many(store_plain, 4, ids);
    ids[4] = store_create((struct store_wish){ .delay_ms = 1000 });
    ids[5] = store_next_id(); /* unknown */
    store_claim_id(&ids[0]);  /* leased */
    store_apply(store_done(&ids[1], store_claim_id(&ids[1]), NULL));
    store_cancel(&ids[2]);
    claim.ids = ids;
    claim.id_count = COUNT_OF(ids);
    assert_claims(&claim, &ids[3], 1);
}
END_TEST

START_TEST(l2_ids_are_held_against_queue_and_type)
{
    static const char *const queue = "q1";
    static const char *const type = "t1";
    struct tc_claim claim = store_any(10);
    struct tc_id ids[] = {
        store_create((struct store_wish){ .queue = "q2", .type = "t1" }),
        store_create((struct store_wish){ .queue = "q1", .type = "t2" }),
        store_create((struct store_wish){ .queue = "q1", .type = "t1" }),
    };

    claim.queues = &queue, claim.queue_count = 1;
    claim.types = &type, claim.type_count = 1;
    claim.ids = ids, claim.id_count = COUNT_OF(ids);
    assert_claims(&claim, &ids[2], 1);
}
END_TEST

START_TEST(l2_of_more_ids_than_asked_for_the_first_in_order_are_claimed)
{
    struct tc_id ids[3];
    struct tc_claim claim = store_any(2);

    ids[2] = store_create(store_plain);
    ids[1] = store_create((struct store_wish){ .priority = 5 });
    ids[0] = store_create((struct store_wish){ .priority = 9 });
    claim.ids = ids, claim.id_count = COUNT_OF(ids);
    assert_claims(&claim, ids, 2);
    ck_assert_int_eq(store_status_of(&ids[2]), TC_STATUS_NEW);
}
END_TEST

START_TEST(l2_tasks_that_left_the_middle_of_a_group_do_not_hold_up_the_rest)
{
    struct tc_id ids[10];
    const struct tc_claim claim = store_any(10);

    store_create_many(store_plain, 10, ids);
    store_cancel(&ids[0]);
    store_claim_id(&ids[4]);
    store_cancel(&ids[9]);

    const struct tc_id expected[] = { ids[1], ids[2], ids[3], ids[5], ids[6], ids[7], ids[8] };

    assert_claims(&claim, expected, COUNT_OF(expected));
}
END_TEST

/* How many of ten claims of ten went to each of three queues; a claim takes turns by itself
 * or over time. */
static void share(struct tc_claim claim, size_t shares[3])
{
    static const char *const queues[] = { "q0", "q1", "q2" };
    struct store_group group;

    for (size_t i = 0; i < 10; i++) {
        store_claim(&claim, &group);
        ck_assert_uint_eq(group.count, claim.max);
        for (size_t task = 0; task < group.count; task++)
            for (size_t queue = 0; queue < 3; queue++)
                shares[queue] += strcmp(group.tasks[task].queue, queues[queue]) == 0;
        store_group_release(&group);
    }
}

START_TEST(l2_several_queues_share_fairly) /* loop: ten a claim, one a claim; all, named */
{
    static const char *const queues[] = { "q0", "q1", "q2" };
    struct tc_claim claim = store_any(_i % 2 ? 9 : 1);
    size_t shares[3] = { 0 };

    if (_i >= 2)
        claim.queues = queues, claim.queue_count = 3;
    store_create_many((struct store_wish){ .queue = "q0" }, 100, NULL);
    store_create_many((struct store_wish){ .queue = "q1", .priority = 10 }, 100, NULL);
    store_create_many((struct store_wish){ .queue = "q2", .type = "other" }, 100, NULL);
    share(claim, shares);
    for (size_t i = 0; i < 3; i++) /* a third each; strict enough that none starves */
        ck_assert_uint_ge(shares[i], claim.max * 10 / 6);
}
END_TEST

START_TEST(l2_a_queue_that_nobody_runs_does_not_hold_up_the_others)
{
    static const char *const type = "mine";
    struct tc_claim claim = store_any(5);

    store_create_many((struct store_wish){ .queue = "a", .type = "x" }, 50, NULL);
    store_create_many((struct store_wish){ .queue = "b", .type = "mine" }, 5, NULL);
    claim.types = &type, claim.type_count = 1;

    struct store_group group;

    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, 5);
    store_group_release(&group);
}
END_TEST

START_TEST(l3_a_lease_ends_by_the_stores_clock)
{
    struct store_group group;

    store_create(store_plain);
    store_claim_count(1);
    store_advance(STORE_LEASE_MS - 1);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 0);
    store_advance(1);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 1);
    store_group_release(&group);
}
END_TEST

START_TEST(l3_each_claim_has_its_own_length)
{
    struct tc_claim claim = store_any(1);
    struct tc_id ids[2];
    struct store_group group;

    store_create_many(store_plain, 2, ids);
    claim.lease_ms = 60000;
    store_claim(&claim, &group);
    store_group_release(&group);
    claim.lease_ms = 1;
    store_claim(&claim, &group);
    store_group_release(&group);
    store_advance(1);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 1);
    ck_assert(is_same_id(&group.tasks[0].id, &ids[1]));
    store_group_release(&group);
}
END_TEST

TCase *lease_repo_claim_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "claim");

    tcase_add_test(tcase, l1_a_claimed_task_is_returned_complete);
    tcase_add_test(tcase, l1_a_claimed_task_is_not_claimed_again);
    tcase_add_test(tcase, l1_each_claim_raises_epoch_and_attempt_and_clears_progress);
    tcase_add_test(tcase, l1_a_claim_of_nothing_is_empty);
    tcase_add_test(tcase, l1_a_claim_brings_up_to_1000);
    tcase_add_test(tcase, l2_higher_priority_goes_first);
    tcase_add_test(tcase, l2_of_one_priority_the_oldest_goes_first);
    tcase_add_test(tcase, l2_the_oldest_goes_first_whatever_its_type);
    tcase_add_test(tcase, l2_priority_counts_more_than_age_across_types);
    tcase_add_test(tcase, l2_only_the_types_asked_for_are_claimed);
    tcase_add_test(tcase, l2_only_the_queues_asked_for_are_claimed);
    tcase_add_test(tcase, l2_queue_and_type_must_both_fit);
    tcase_add_test(tcase, l2_only_the_ids_asked_for_are_claimed);
    tcase_add_test(tcase, l2_ids_that_cannot_be_claimed_are_left_out);
    tcase_add_test(tcase, l2_ids_are_held_against_queue_and_type);
    tcase_add_test(tcase, l2_of_more_ids_than_asked_for_the_first_in_order_are_claimed);
    tcase_add_test(tcase, l2_tasks_that_left_the_middle_of_a_group_do_not_hold_up_the_rest);
    tcase_add_loop_test(tcase, l2_several_queues_share_fairly, 0, 4);
    tcase_add_test(tcase, l2_a_queue_that_nobody_runs_does_not_hold_up_the_others);
    tcase_add_test(tcase, l3_a_lease_ends_by_the_stores_clock);
    tcase_add_test(tcase, l3_each_claim_has_its_own_length);
    return tcase;
}
