/* What leases do only here: rows that stand for a group, processes that die, and several
 * sessions at one lease. */

#include "adapters/postgres/postgres_deaths.h"
#include "adapters/postgres/postgres_lanes.h"
#include "tests/adapters/postgres_holder.h"
#include "tests/adapters/postgres_site.h"
#include "tests/support/run_suite.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static void assert_number(const char *sql, int64_t number)
{
    int64_t actual = postgres_server_number(sql);

    ck_assert_msg(actual == number, "%lld, not %lld: %s", (long long)actual, (long long)number,
                  sql);
}

static void pause_ms(long ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&left, NULL);
}

static void teardown(void)
{
    postgres_holder_teardown();
    postgres_site_teardown();
    postgres_server_check();
}

/* --- heartbeats */

#define TASK_VERSIONS "SELECT coalesce(sum(xmin::text::bigint), 0) FROM taskcore.task"

static void extend_all(const struct tc_id *ids, size_t count, const char *progress)
{
    struct tc_renewal renewals[64];
    struct tc_renewed renewed[64];

    for (size_t i = 0; i < count; i++)
        renewals[i] =
            (struct tc_renewal){ .id = ids[i], .epoch = 1, .progress = tc_bytes_of(progress) };
    ck_assert_int_eq(
        store.leases->ops->extend(store.leases, renewals, count, renewed, &store.err), TC_OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(renewed[i].stale, TC_STALE_NONE);
}

START_TEST(a_heartbeat_for_a_whole_group_writes_no_task)
{
    struct tc_id ids[64];
    int64_t versions;

    store_create_many(store_plain, 64, ids);
    ck_assert_uint_eq(store_claim_count(64), 64);
    versions = postgres_server_number(TASK_VERSIONS);
    store_advance(1000);
    extend_all(ids, 64, NULL);
    assert_number(TASK_VERSIONS, versions);
    assert_number("SELECT count(*) FROM taskcore.lease", 1);
}
END_TEST

START_TEST(a_heartbeat_for_a_part_splits_the_lease_once)
{
    struct tc_id ids[10];

    store_create_many(store_plain, 10, ids);
    ck_assert_uint_eq(store_claim_count(10), 10);
    for (int i = 0; i < 3; i++)
        extend_all(ids, 4, i ? "{\"n\":1}" : NULL);
    assert_number("SELECT count(*) FROM taskcore.lease WHERE live IN (4, 6)", 2);
    store_advance(STORE_LEASE_MS - 1);
    extend_all(&ids[4], 6, NULL);
    assert_number("SELECT count(*) FROM taskcore.lease", 2);
}
END_TEST

START_TEST(what_is_finished_after_a_split_comes_off_the_right_lease)
{
    struct tc_id ids[4];

    store_create_many(store_plain, 4, ids);
    ck_assert_uint_eq(store_claim_count(4), 4);
    extend_all(&ids[1], 2, NULL);
    store_apply(store_done(&ids[1], 1, "1"));
    store_apply(store_again(&ids[2], 1, 0));
    assert_number("SELECT sum(live) FROM taskcore.lease", 2);
    store_apply(store_done(&ids[0], 1, "1"));
    store_cancel(&ids[3]);
    assert_number("SELECT count(*) FROM taskcore.lease", 0);
}
END_TEST

/* --- processes that die, in real time */

static struct postgres_store *open_other(void)
{
    struct postgres_store *other = NULL;

    ck_assert_int_eq(postgres_server_open(NULL, &other, &store.err), TC_OK);
    return other;
}

static int64_t tick_ms(void)
{
    return postgres_lanes_tick_us() / 1000;
}

/* As the keeper of a worker does. @return how many within `ms`. */
static size_t rescue(struct postgres_store *rescuer, size_t wanted, int64_t ms)
{
    struct tc_lease_repo *leases = postgres_store_lease_repo(rescuer);
    static struct store_group group;
    int64_t end_ms = tick_ms() + ms;
    size_t rescued = 0;

    while (rescued < wanted && tick_ms() < end_ms) {
        ck_assert_msg(leases->ops->take_ended(leases, "rescuer", 100, 30000, group.tasks,
                                              &group.count, &store.err) == TC_OK,
                      "%s", store.err.message);
        rescued += group.count;
        store_group_release(&group);
        pause_ms(100);
    }
    return rescued;
}

static void claim_of_process(struct postgres_store *by, size_t max)
{
    struct tc_lease_repo *leases = postgres_store_lease_repo(by);
    const struct tc_claim claim = {
        .owner = "worker", .of_process = true, .max = max, .lease_ms = 30000
    };
    static struct store_group group;

    ck_assert_int_eq(leases->ops->claim(leases, &claim, group.tasks, &group.count, &store.err),
                     TC_OK);
    ck_assert_uint_eq(group.count, max);
    store_group_release(&group);
}

START_TEST(a_dead_process_s_tasks_are_taken_over_within_three_seconds)
{
    struct postgres_store *rescuer = open_other();
    struct postgres_store *dying = open_other();
    int64_t died_ms;

    store_create_many(store_plain, 10, NULL);
    claim_of_process(dying, 10);
    ck_assert_uint_eq(rescue(rescuer, 1, 500), 0);
    postgres_store_close(dying);
    died_ms = tick_ms();
    ck_assert_uint_eq(rescue(rescuer, 10, 5000), 10);
    ck_assert_int_lt(tick_ms() - died_ms, 3000);
    ck_assert_int_ge(tick_ms() - died_ms, POSTGRES_DEATH_MS);
    postgres_store_close(rescuer);
}
END_TEST

#define CUT_OFF_ALL                                                                            \
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"                            \
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"

START_TEST(processes_that_were_all_cut_off_and_came_back_keep_their_tasks)
{
    struct postgres_store *one = open_other();
    struct postgres_store *two = open_other();

    store_create_many(store_plain, 4, NULL);
    claim_of_process(one, 2);
    claim_of_process(two, 2);
    ck_assert_uint_eq(rescue(one, 1, 300), 0);
    ck_assert_int_gt(postgres_server_number(CUT_OFF_ALL), 0);
    pause_ms(1000);
    ck_assert_uint_eq(rescue(one, 1, 2500), 0);
    postgres_store_close(one);
    postgres_store_close(two);
}
END_TEST

START_TEST(a_death_is_forgotten_when_the_rescuer_itself_was_cut_off)
{
    const int64_t missing[] = { 7, 8 };
    struct postgres_deaths *deaths = postgres_deaths_new();
    int64_t gone[POSTGRES_DEATHS_MAX];

    ck_assert_uint_eq(postgres_deaths_note(deaths, 1000, 1, missing, 2, gone), 0);
    ck_assert_uint_eq(postgres_deaths_note(deaths, 2499, 1, missing, 2, gone), 0);
    ck_assert_uint_eq(postgres_deaths_note(deaths, 2500, 1, missing, 2, gone), 2);
    ck_assert_uint_eq(postgres_deaths_note(deaths, 2600, 2, missing, 2, gone), 0);
    ck_assert_uint_eq(postgres_deaths_note(deaths, 3000, 2, &missing[1], 1, gone), 0);
    ck_assert_uint_eq(postgres_deaths_note(deaths, 4100, 2, missing, 2, gone), 1);
    ck_assert_int_eq(gone[0], 8); /* the other one had been there again */
    postgres_deaths_free(deaths);
}
END_TEST

/* --- several at one lease */

#define CROWD 400

static struct tc_id crowd[CROWD];
static _Atomic size_t next;

static void meddle(size_t number)
{
    unsigned seed = (unsigned)number + 1;
    static _Thread_local struct store_group group;

    for (size_t at = next++; at < CROWD; at = next++) {
        const struct tc_id *id = &crowd[at];
        struct tc_task task;

        switch (rand_r(&seed) % 5) {
        case 0:
            if (store_change(id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &task) == TC_OK)
                tc_task_release(&task);
            break;
        case 1:
            store_extend(id, 1, 1000 * (1 + rand_r(&seed) % 3));
            store_finish(store_done(id, 1, "1"));
            break;
        case 2:
            store_finish(store_again(id, 1, 0));
            break;
        case 3:
            store_take_ended(3, &group);
            store_group_release(&group);
            break;
        default:
            store_finish(store_done(id, 1, "1"));
        }
    }
}

START_TEST(a_lease_counts_its_tasks_whatever_several_do_at_once) /* loop: rounds */
{
    (void)_i;
    store_create_many(store_plain, CROWD, crowd);
    ck_assert_uint_eq(store_claim_count(CROWD), CROWD);
    store_advance(STORE_LEASE_MS);
    store_run_threads(meddle);
    assert_number("SELECT count(*) FROM taskcore.lease l WHERE l.live <>"
                  " (SELECT count(*) FROM taskcore.task t"
                  "  WHERE t.status = 3 AND t.place = l.id)",
                  0);
    assert_number("SELECT count(*) FROM taskcore.task t WHERE t.status = 3 AND NOT EXISTS"
                  " (SELECT FROM taskcore.lease l WHERE l.id = t.place AND t.id = ANY (l.ids))",
                  0);
}
END_TEST

START_TEST(a_task_in_somebody_s_hand_is_not_taken_over_meanwhile)
{
    static struct store_group group;

    store_create_many(store_plain, 3, NULL);
    ck_assert_uint_eq(store_claim_count(3), 3);
    store_advance(STORE_LEASE_MS);
    postgres_holder_begin("SELECT FROM taskcore.task ORDER BY id LIMIT 1 FOR UPDATE");
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 2);
    store_group_release(&group);
    postgres_holder_commit();
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 1);
    store_group_release(&group);
}
END_TEST

/* --- rights */

START_TEST(roles_that_serve_workers_may_do_all_that_leases_need) /* loop: roles */
{
    static const char *const roles[] = { "taskcore_worker", "taskcore_api" };
    static struct store_group group;
    struct tc_id ids[8];

    store_create_many(store_plain, 8, ids);
    postgres_site_open_as(roles[_i]);
    store_claim_id(&ids[7]);
    ck_assert_uint_eq(store_claim_count(10), 7);
    extend_all(ids, 3, "{\"n\":1}");
    store_apply(store_done(&ids[0], 1, "1"));
    store_apply(store_again(&ids[1], 1, 0));
    store_apply(store_failed(&ids[2], 1, "no"));
    store_apply(store_released(&ids[3], 1, 1000));
    store_advance(STORE_LEASE_MS);
    ck_assert_uint_eq(store_wake(10, &(int64_t){ 0 }), 1);
    store_take_ended(10, &group);
    ck_assert_uint_eq(group.count, 4);
    store_group_release(&group);
}
END_TEST

static Suite *postgres_leases_suite(void)
{
    Suite *suite = suite_create("postgres_leases");
    TCase *tcase = tcase_create("leases");

    tcase_add_checked_fixture(tcase, postgres_site_setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_heartbeat_for_a_whole_group_writes_no_task);
    tcase_add_test(tcase, a_heartbeat_for_a_part_splits_the_lease_once);
    tcase_add_test(tcase, what_is_finished_after_a_split_comes_off_the_right_lease);
    tcase_add_test(tcase, a_dead_process_s_tasks_are_taken_over_within_three_seconds);
    tcase_add_test(tcase, processes_that_were_all_cut_off_and_came_back_keep_their_tasks);
    tcase_add_test(tcase, a_death_is_forgotten_when_the_rescuer_itself_was_cut_off);
    tcase_add_loop_test(tcase, a_lease_counts_its_tasks_whatever_several_do_at_once, 0, 5);
    tcase_add_test(tcase, a_task_in_somebody_s_hand_is_not_taken_over_meanwhile);
    tcase_add_loop_test(tcase, roles_that_serve_workers_may_do_all_that_leases_need, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return postgres_server_run(postgres_leases_suite());
}
