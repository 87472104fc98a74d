/* What changes leave in the tables, alone and against claims and finishes; and what a life
 * costs the table of tasks. */

#include "tests/adapters/postgres_site.h"
#include "tests/support/run_suite.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

static void assert_number(const char *sql, int64_t number)
{
    int64_t actual = postgres_server_number(sql);

    ck_assert_msg(actual == number, "%lld, not %lld: %s", (long long)actual, (long long)number,
                  sql);
}

/* Every waiting task is in its group and every group has waiting tasks only; every lease has
 * as many live ones as are processing under it. */
static void assert_books_agree(void)
{
    assert_number("SELECT count(*) FROM taskcore.task t LEFT JOIN taskcore.ready r"
                  " ON (r.queue, r.type, r.rank, r.seq) ="
                  "    (t.queue, t.type, 10 - t.priority, t.place) AND t.id = ANY (r.ids)"
                  " WHERE t.status IN (1, 2) AND r.seq IS NULL",
                  0);
    assert_number("SELECT count(*) FROM taskcore.ready r, unnest(r.ids) m(id)"
                  " JOIN taskcore.task t USING (id)"
                  " WHERE t.status NOT IN (1, 2) OR t.place <> r.seq",
                  0);
    assert_number("SELECT count(*) FROM taskcore.lease l WHERE l.live <>"
                  " (SELECT count(*) FROM taskcore.task t"
                  "  WHERE t.status = 3 AND t.place = l.id)",
                  0);
    assert_number("SELECT count(*) FROM taskcore.task t LEFT JOIN taskcore.lease l"
                  " ON l.id = t.place WHERE t.status = 3 AND l.id IS NULL",
                  0);
}

/* --- alone */

START_TEST(a_cancelled_task_leaves_its_group_and_the_last_one_takes_it_along)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    store_cancel(&ids[1]);
    assert_number("SELECT cardinality(ids) FROM taskcore.ready", 2);
    assert_books_agree();
    store_cancel(&ids[0]);
    store_cancel(&ids[2]);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
}
END_TEST

START_TEST(a_cancelled_task_leaves_its_lease_and_the_last_one_ends_it)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    ck_assert_uint_eq(store_claim_count(3), 3);
    store_cancel(&ids[1]);
    assert_number("SELECT live FROM taskcore.lease", 2);
    store_apply(store_done(&ids[0], 1, NULL));
    store_cancel(&ids[2]);
    assert_number("SELECT count(*) FROM taskcore.lease", 0);
}
END_TEST

START_TEST(a_retried_task_gets_a_group_of_its_own)
{
    struct tc_id ids[2];

    store_create_many(store_plain, 2, ids);
    store_cancel(&ids[0]);
    store_retry(&ids[0]);
    assert_number("SELECT count(*) FROM taskcore.ready WHERE cardinality(ids) = 1", 2);
    assert_books_agree();
}
END_TEST

START_TEST(a_publisher_is_asked_to_look_after_a_retried_task)
{
    struct tc_id id = store_create(store_plain);

    store_cancel(&id);
    postgres_site_open(
        (struct postgres_store_config){ .announces = true, .announce_after_ms = 15000 });
    store_retry(&id);
    assert_number("SELECT check_at FROM taskcore.ready", STORE_START_MS + 15000);
}
END_TEST

START_TEST(an_announced_task_stays_in_its_group)
{
    struct tc_id ids[2];
    struct tc_task task;

    store_create_many(store_plain, 2, ids);
    ck_assert_int_eq(store_change(&ids[0], TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE, &task), TC_OK);
    tc_task_release(&task);
    assert_number("SELECT cardinality(ids) FROM taskcore.ready", 2);
    assert_books_agree();
}
END_TEST

/* --- against others */

#define COUNT  64
#define ROUNDS 12

static struct tc_id ids[COUNT];
static struct store_group groups[STORE_THREADS];
static _Atomic int failed;
static _Atomic int cancelled;

static bool change(const struct tc_id *id, enum tc_status to, enum tc_cause cause)
{
    struct tc_error err = { 0 };
    struct tc_task task;
    const struct tc_change step = { .id = *id,
                                    .from = tc_status_sources(to, cause),
                                    .to = to,
                                    .start_over = cause == TC_CAUSE_RETRY };
    enum tc_code code = store.tasks->ops->change(store.tasks, &step, &task, &err);

    if (code == TC_OK || code == TC_CONFLICT)
        tc_task_release(&task);
    else
        failed++;
    return code == TC_OK;
}

static void cancel_and_retry(size_t number)
{
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < COUNT; i++) {
            const struct tc_id *id = &ids[(i * 7 + number * 13) % COUNT];

            cancelled += change(id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL);
            if ((i + round) % 3)
                change(id, TC_STATUS_NEW, TC_CAUSE_RETRY);
        }
}

static void claim_and_finish(size_t number)
{
    struct store_group *group = &groups[number];
    const struct tc_claim claim = store_any(8);

    for (size_t round = 0; round < ROUNDS * 8; round++) {
        struct tc_outcome outcomes[8];
        struct tc_verdict verdicts[8];

        store_claim(&claim, group);
        for (size_t i = 0; i < group->count; i++)
            outcomes[i] = store_released(&group->tasks[i].id, group->tasks[i].epoch, 0);
        if (group->count > 0 && store.leases->ops->finish(store.leases, outcomes, group->count,
                                                          verdicts, NULL) != TC_OK)
            failed++;
        store_group_release(group);
    }
}

static void change_or_run(size_t number)
{
    if (number % 2)
        cancel_and_retry(number);
    else
        claim_and_finish(number);
}

START_TEST(cancels_and_retries_against_claims_and_finishes_leave_exact_books)
{
    store_create_many(store_plain, COUNT, ids);
    store_run_threads(change_or_run);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_gt(cancelled, 0);
    store_claim_count(TC_LEASE_GROUP_MAX); /* trims what a claim by another had to leave */
    store_claim_count(TC_LEASE_GROUP_MAX);
    assert_books_agree();
    postgres_site_teardown(); /* a session that ends reports what it met */
    assert_number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
                  0);
}
END_TEST

/* Each thread ends every fourth member of one lease, half of them by a cancel. */
static void end_a_quarter(size_t number)
{
    for (size_t i = number; i < COUNT; i += STORE_THREADS) {
        sched_yield();
        if (i / STORE_THREADS % 2)
            failed += !change(&ids[i], TC_STATUS_CANCELLED, TC_CAUSE_CANCEL);
        else
            failed += store_finish(store_done(&ids[i], 1, NULL)).kind != TC_VERDICT_APPLIED;
    }
}

START_TEST(a_lease_that_many_leave_at_once_counts_them_all)
{
    store_create_many(store_plain, COUNT, ids);
    ck_assert_uint_eq(store_claim_count(COUNT), COUNT);
    store_run_threads(end_a_quarter);
    ck_assert_int_eq(failed, 0);
    assert_number("SELECT count(*) FROM taskcore.lease", 0);
    assert_books_agree();
}
END_TEST

/* --- the life of a task */

static void live_through(size_t count)
{
    static struct store_group group;
    const struct tc_claim claim = store_any(count);
    struct tc_outcome outcomes[200];
    struct tc_verdict verdicts[200];

    store_create_many(store_plain, count, NULL);
    store_claim(&claim, &group);
    ck_assert_uint_eq(group.count, count);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = store_done(&group.tasks[i].id, group.tasks[i].epoch, "{\"a\": 1}");
    ck_assert_int_eq(
        store.leases->ops->finish(store.leases, outcomes, count, verdicts, &store.err), TC_OK);
    store_group_release(&group);
}

static bool lives_hot(void)
{
    postgres_server_sql("SELECT pg_stat_reset()");
    postgres_site_open((struct postgres_store_config){ .url = NULL });
    for (int i = 0; i < 5; i++)
        live_through(200);
    postgres_site_teardown(); /* a session that ends reports what it did */
    assert_number("SELECT n_tup_upd FROM pg_stat_user_tables"
                  " WHERE relid = 'taskcore.task'::regclass",
                  2 * 5 * 200);
    return postgres_server_number("SELECT n_tup_upd - n_tup_hot_upd FROM pg_stat_user_tables"
                                  " WHERE relid = 'taskcore.task'::regclass") == 0;
}

/* The third version needs the room of the first, which stays taken while any transaction on
 * the server is older: on a busy one it takes several tries to see that nothing else is in the
 * way. An index would be, each time. */
START_TEST(every_update_of_a_life_without_accidents_can_be_hot)
{
    const struct timespec pause = { .tv_nsec = 200000000 };
    bool hot = lives_hot();

    for (int i = 0; i < 50 && !hot; i++) {
        nanosleep(&pause, NULL);
        hot = lives_hot();
    }
    ck_assert(hot);
}
END_TEST

static Suite *change_suite(void)
{
    Suite *suite = suite_create("postgres change");
    TCase *tcase = tcase_create("change");

    tcase_add_checked_fixture(tcase, postgres_site_setup, postgres_site_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_cancelled_task_leaves_its_group_and_the_last_one_takes_it_along);
    tcase_add_test(tcase, a_cancelled_task_leaves_its_lease_and_the_last_one_ends_it);
    tcase_add_test(tcase, a_retried_task_gets_a_group_of_its_own);
    tcase_add_test(tcase, a_publisher_is_asked_to_look_after_a_retried_task);
    tcase_add_test(tcase, an_announced_task_stays_in_its_group);
    tcase_add_test(tcase, cancels_and_retries_against_claims_and_finishes_leave_exact_books);
    tcase_add_test(tcase, a_lease_that_many_leave_at_once_counts_them_all);
    tcase_add_test(tcase, every_update_of_a_life_without_accidents_can_be_hot);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return postgres_server_run(change_suite());
}
