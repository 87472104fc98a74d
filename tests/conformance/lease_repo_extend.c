/* [L7]: words of life. */

#include "tests/conformance/store_tcases.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void extend_all(const struct tc_renewal *renewals, size_t count,
                       struct tc_renewed *ret_renewed)
{
    ck_assert_int_eq(
        store.leases->ops->extend(store.leases, renewals, count, ret_renewed, &store.err),
        TC_OK);
}

static void assert_expires_at(const struct tc_id *id, int64_t expires_at_ms)
{
    struct tc_task task = store_get(id);

    ck_assert_int_eq(task.lease.expires_at_ms, expires_at_ms);
    tc_task_release(&task);
}

static void assert_taken_over(const struct tc_id *ids, size_t count)
{
    struct store_group group;

    store_take_ended(TC_LEASE_GROUP_MAX, &group);
    ck_assert_uint_eq(group.count, count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t at = 0; at < group.count; at++)
            found |= tc_id_compare(&group.tasks[at].id, &ids[i]) == 0;
        ck_assert(found);
    }
    store_group_release(&group);
}

START_TEST(l7_a_renewed_lease_ends_later)
{
    struct tc_id id = store_create(store_plain);
    struct tc_renewed renewed;

    store_claim_id(&id);
    store_advance(10000);
    renewed = store_extend(&id, 1, 60000);
    ck_assert_int_eq(renewed.stale, TC_STALE_NONE);
    ck_assert_int_eq(renewed.expires_at_ms, store_now_ms() + 60000);
    assert_expires_at(&id, store_now_ms() + 60000);
    store_advance(59999);
    assert_taken_over(NULL, 0);
    store_advance(1);
    assert_taken_over(&id, 1);
}
END_TEST

START_TEST(l7_without_a_length_a_lease_is_renewed_as_it_was_leased)
{
    struct tc_id id = store_create(store_plain);
    struct tc_claim claim = store_any(1);
    struct store_group group;

    claim.lease_ms = 12345;
    store_claim(&claim, &group);
    store_group_release(&group);
    store_advance(5000);
    ck_assert_int_eq(store_extend(&id, 1, 0).expires_at_ms, store_now_ms() + 12345);
    assert_expires_at(&id, store_now_ms() + 12345);
}
END_TEST

START_TEST(l7_another_length_holds_for_this_once)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_extend(&id, 1, 1000);
    ck_assert_int_eq(store_extend(&id, 1, 0).expires_at_ms, store_now_ms() + STORE_LEASE_MS);
}
END_TEST

START_TEST(l7_only_the_named_tasks_of_a_group_are_renewed)
{
    struct tc_id ids[5];

    store_create_many(store_plain, COUNT_OF(ids), ids);
    ck_assert_uint_eq(store_claim_count(COUNT_OF(ids)), COUNT_OF(ids));
    store_advance(20000);
    store_extend(&ids[1], 1, 0);
    store_extend(&ids[3], 1, 5000);
    assert_expires_at(&ids[1], store_now_ms() + STORE_LEASE_MS);
    assert_expires_at(&ids[0], STORE_START_MS + STORE_LEASE_MS);
    store_advance(10000);
    assert_taken_over((const struct tc_id[]){ ids[0], ids[2], ids[3], ids[4] }, 4);
    store_advance(20000);
    assert_taken_over(&ids[1], 1);
}
END_TEST

START_TEST(l7_a_shortened_lease_ends_earlier)
{
    struct tc_id ids[2];

    store_create_many(store_plain, 2, ids);
    ck_assert_uint_eq(store_claim_count(2), 2);
    store_extend(&ids[1], 1, 1000);
    store_advance(1000);
    assert_taken_over(&ids[1], 1);
}
END_TEST

START_TEST(l7_each_member_of_a_group_has_its_answer)
{
    struct tc_id ids[6];
    struct tc_id unknown = store_next_id();
    struct tc_renewed renewed[7];

    store_create_many(store_plain, COUNT_OF(ids), ids);
    ck_assert_uint_eq(store_claim_count(5), 5);
    store_cancel(&ids[1]);
    store_apply(store_done(&ids[2], 1, NULL));
    store_apply(store_released(&ids[3], 1, 1000));
    store_apply(store_again(&ids[4], 1, 0));
    store_claim_id(&ids[4]);

    const struct tc_renewal renewals[] = {
        { .id = ids[0], .epoch = 1 },  { .id = ids[1], .epoch = 1 },
        { .id = ids[2], .epoch = 1 },  { .id = ids[3], .epoch = 1 },
        { .id = ids[4], .epoch = 1 },  { .id = ids[5], .epoch = 1 },
        { .id = unknown, .epoch = 1 },
    };
    static const enum tc_stale_reason expected[] = {
        TC_STALE_NONE,       TC_STALE_CANCELLED,  TC_STALE_FINISHED,  TC_STALE_RELEASED,
        TC_STALE_SUPERSEDED, TC_STALE_NOT_LEASED, TC_STALE_NOT_FOUND,
    };

    extend_all(renewals, COUNT_OF(renewals), renewed);
    for (size_t i = 0; i < COUNT_OF(renewals); i++)
        ck_assert_int_eq(renewed[i].stale, expected[i]);
}
END_TEST

START_TEST(l7_a_lost_lease_changes_nothing)
{
    struct tc_id id = store_create(store_plain);
    struct tc_renewal renewal = { .id = id, .epoch = 2, .progress = tc_bytes_of("{\"a\":1}") };
    struct tc_renewed renewed;

    store_claim_id(&id);

    struct tc_task before = store_get(&id);

    store_advance(5);
    extend_all(&renewal, 1, &renewed);
    ck_assert_int_eq(renewed.stale, TC_STALE_NOT_LEASED);
    store_assert_stored(&before);
    tc_task_release(&before);
}
END_TEST

static void send_progress(const struct tc_id *id, struct tc_bytes progress)
{
    const struct tc_renewal renewal = { .id = *id, .epoch = 1, .progress = progress };
    struct tc_renewed renewed;

    extend_all(&renewal, 1, &renewed);
    ck_assert_int_eq(renewed.stale, TC_STALE_NONE);
}

static void assert_progress(const struct tc_id *id, struct tc_bytes expected)
{
    struct tc_task task = store_get(id);

    ck_assert(tc_bytes_equals(task.progress, expected));
    tc_task_release(&task);
}

START_TEST(l7_the_last_progress_is_kept)
{
    struct tc_id id = store_create(store_plain);
    char longest[TC_PROGRESS_MAX];

    memset(longest, ' ', sizeof(longest));
    longest[0] = '{';
    longest[sizeof(longest) - 1] = '}';
    store_claim_id(&id);
    assert_progress(&id, (struct tc_bytes){ 0 });
    send_progress(&id, tc_bytes_of("{\"percent\": 40}"));
    assert_progress(&id, tc_bytes_of("{\"percent\": 40}"));
    send_progress(&id, (struct tc_bytes){ longest, sizeof(longest) });
    assert_progress(&id, (struct tc_bytes){ longest, sizeof(longest) });
    send_progress(&id, (struct tc_bytes){ 0 });
    assert_progress(&id, (struct tc_bytes){ longest, sizeof(longest) });
}
END_TEST

START_TEST(l7_progress_stays_when_the_task_ends)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    send_progress(&id, tc_bytes_of("{\"percent\":99}"));
    store_apply(store_done(&id, 1, NULL));
    assert_progress(&id, tc_bytes_of("{\"percent\":99}"));
}
END_TEST

START_TEST(l7_a_lease_that_ran_out_can_be_renewed_until_it_is_taken_over)
{
    struct tc_id id = store_create(store_plain);

    store_claim_id(&id);
    store_advance(2 * STORE_LEASE_MS);
    ck_assert_int_eq(store_extend(&id, 1, 0).stale, TC_STALE_NONE);
    assert_taken_over(NULL, 0);
    store_advance(STORE_LEASE_MS);
    assert_taken_over(&id, 1);
    ck_assert_int_eq(store_extend(&id, 1, 0).stale, TC_STALE_SUPERSEDED);
    ck_assert_int_eq(store_extend(&id, 2, 0).stale, TC_STALE_NONE);
}
END_TEST

START_TEST(l7_renewing_twice_in_one_group_is_fine)
{
    struct tc_id id = store_create(store_plain);
    const struct tc_renewal renewals[] = {
        { .id = id, .epoch = 1, .lease_ms = 1000, .progress = tc_bytes_of("{\"a\":1}") },
        { .id = id, .epoch = 1, .lease_ms = 2000 },
    };
    struct tc_renewed renewed[2];

    store_claim_id(&id);
    extend_all(renewals, 2, renewed);
    ck_assert_int_eq(renewed[1].stale, TC_STALE_NONE);
    assert_expires_at(&id, store_now_ms() + 2000);
    assert_progress(&id, tc_bytes_of("{\"a\":1}"));
}
END_TEST

TCase *lease_repo_extend_tcase(const struct store_driver *driver)
{
    TCase *tcase = store_tcase(driver, "extend");

    tcase_add_test(tcase, l7_a_renewed_lease_ends_later);
    tcase_add_test(tcase, l7_without_a_length_a_lease_is_renewed_as_it_was_leased);
    tcase_add_test(tcase, l7_another_length_holds_for_this_once);
    tcase_add_test(tcase, l7_only_the_named_tasks_of_a_group_are_renewed);
    tcase_add_test(tcase, l7_a_shortened_lease_ends_earlier);
    tcase_add_test(tcase, l7_each_member_of_a_group_has_its_answer);
    tcase_add_test(tcase, l7_a_lost_lease_changes_nothing);
    tcase_add_test(tcase, l7_the_last_progress_is_kept);
    tcase_add_test(tcase, l7_progress_stays_when_the_task_ends);
    tcase_add_test(tcase, l7_a_lease_that_ran_out_can_be_renewed_until_it_is_taken_over);
    tcase_add_test(tcase, l7_renewing_twice_in_one_group_is_fine);
    return tcase;
}
