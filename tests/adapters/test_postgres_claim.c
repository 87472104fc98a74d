/* What claims meet only here: rows that other sessions hold, lanes that others fill, rows that
 * name tasks which do not wait any more, and what a claim writes. */

#include "adapters/postgres/postgres_lanes.h"
#include "tests/adapters/postgres_holder.h"
#include "tests/adapters/postgres_site.h"
#include "tests/support/run_suite.h"

#include <time.h>

#define HOLD_FIRST "SELECT FROM taskcore.ready ORDER BY seq LIMIT 1 FOR UPDATE"

static int64_t tick_ms(void)
{
    return postgres_lanes_tick_us() / 1000;
}

static void pause_ms(long ms)
{
    struct timespec left = { .tv_nsec = ms * 1000000 };

    nanosleep(&left, NULL);
}

static void assert_number(const char *sql, int64_t number)
{
    int64_t actual = postgres_server_number(sql);

    ck_assert_msg(actual == number, "%lld, not %lld: %s", (long long)actual, (long long)number,
                  sql);
}

static void teardown(void)
{
    postgres_holder_teardown();
    postgres_site_teardown();
    postgres_server_check();
}

/* --- rows that others hold */

START_TEST(a_group_that_another_session_holds_is_passed_over)
{
    struct tc_id first = store_create(store_plain);
    struct tc_id second = store_create(store_plain);

    postgres_holder_begin(HOLD_FIRST);

    struct tc_task claimed = store_claim_one();

    ck_assert_int_eq(tc_id_compare(&claimed.id, &second), 0);
    tc_task_release(&claimed);
    postgres_holder_commit();
    claimed = store_claim_one();
    ck_assert_int_eq(tc_id_compare(&claimed.id, &first), 0);
    tc_task_release(&claimed);
}
END_TEST

START_TEST(a_claim_waits_for_those_who_need_a_group_for_a_moment)
{
    store_create_many(store_plain, 10, NULL);
    postgres_holder_begin(HOLD_FIRST);
    postgres_holder_commit_after(50);
    ck_assert_uint_eq(store_claim_count(4), 4);
}
END_TEST

START_TEST(a_session_that_hangs_with_a_group_costs_a_claim_little_and_only_once)
{
    int64_t began_ms = tick_ms();

    store_create(store_plain);
    postgres_holder_begin(HOLD_FIRST);
    ck_assert_uint_eq(store_claim_count(4), 0);
    ck_assert_int_lt(tick_ms() - began_ms, 2000);
    began_ms = tick_ms();
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(store_claim_count(4), 0);
    ck_assert_int_lt(tick_ms() - began_ms, 1000);
    store_create(store_plain);
    ck_assert_uint_eq(store_claim_count(4), 1);
    postgres_holder_commit();
    ck_assert_uint_eq(store_claim_count(4), 1);
}
END_TEST

/* --- ids that stay behind */

START_TEST(a_hint_is_followed_while_another_session_holds_the_group)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    postgres_holder_begin(HOLD_FIRST);
    store_claim_id(&ids[1]);
    postgres_holder_commit();
    assert_number("SELECT cardinality(ids) FROM taskcore.ready", 3); /* it stays behind */
    ck_assert_uint_eq(store_claim_count(10), 2);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
}
END_TEST

START_TEST(a_task_that_two_groups_name_is_claimed_once)
{
    struct tc_id id = store_create(store_plain);

    postgres_holder_begin(HOLD_FIRST);
    store_claim_id(&id);
    store_apply(store_again(&id, 1, 0)); /* into a second group */
    postgres_holder_commit();
    assert_number("SELECT count(*) FROM taskcore.ready", 2);
    ck_assert_uint_eq(store_claim_count(10), 1);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
    assert_number("SELECT sum(live) FROM taskcore.lease", 1);
}
END_TEST

START_TEST(groups_of_which_nobody_waits_are_cleared_away_by_one_claim)
{
    struct tc_id ids[20];

    for (size_t i = 0; i < 20; i++)
        ids[i] = store_create(store_plain);
    postgres_holder_begin("SELECT FROM taskcore.ready FOR UPDATE");
    for (size_t i = 0; i < 19; i++)
        store_claim_id(&ids[i]);
    postgres_holder_commit();
    ck_assert_uint_eq(store_claim_count(1), 1);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
}
END_TEST

START_TEST(a_hint_takes_its_id_out_of_the_group_and_the_last_one_the_group)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    store_claim_id(&ids[1]);
    assert_number("SELECT cardinality(ids) FROM taskcore.ready", 2);
    store_claim_id(&ids[0]);
    store_claim_id(&ids[2]);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
}
END_TEST

/* --- what others commit */

START_TEST(a_group_with_a_lower_number_that_is_committed_later_is_found)
{
    store_create(store_plain);
    postgres_server_sql("CREATE TABLE kept AS SELECT * FROM taskcore.ready;"
                        " DELETE FROM taskcore.ready");
    postgres_holder_begin("INSERT INTO taskcore.ready SELECT * FROM kept; DROP TABLE kept");
    store_create(store_plain);
    store_create(store_plain);
    ck_assert_uint_eq(store_claim_count(1), 1); /* the mark has passed it now */
    postgres_holder_commit();
    ck_assert_uint_eq(store_claim_count(10), 2);
}
END_TEST

static struct postgres_store *other;

static void create_by_other(const char *type, int priority)
{
    struct tc_task_repo *repo = postgres_store_task_repo(other);
    struct tc_task task = store_make((struct store_wish){ .type = type, .priority = priority });
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    struct tc_inserted inserted;

    ck_assert_int_eq(repo->ops->insert(repo, &creation, 1, &inserted, NULL), TC_OK);
    tc_inserted_release(&inserted);
}

START_TEST(
    what_another_process_creates_with_a_higher_priority_goes_first_soon) /* loop: types */
{
    ck_assert_int_eq(postgres_server_open(&store.clock.base, &other, &store.err), TC_OK);
    store_create_many(store_plain, 100, NULL);
    ck_assert_uint_eq(store_claim_count(10), 10);
    create_by_other(_i ? "another" : "test", 10);
    pause_ms(20);

    struct tc_task claimed = store_claim_one();

    ck_assert_int_eq(claimed.priority, 10);
    tc_task_release(&claimed);
    postgres_store_close(other);
}
END_TEST

/* --- what is written */

START_TEST(a_large_claim_is_leased_in_rows_of_256)
{
    store_create_many(store_plain, 1000, NULL);
    ck_assert_uint_eq(store_claim_count(1000), 1000);
    assert_number("SELECT max(cardinality(ids)) FROM taskcore.lease", 256);
    assert_number("SELECT sum(live) FROM taskcore.lease", 1000);
    assert_number("SELECT count(*) FROM taskcore.ready", 0);
}
END_TEST

START_TEST(a_claim_of_several_queues_has_a_lease_for_each)
{
    static const char *const queues[] = { "q0", "q1", "q2" };

    for (size_t i = 0; i < 3; i++)
        store_create_many((struct store_wish){ .queue = queues[i] }, i + 1, NULL);
    ck_assert_uint_eq(store_claim_count(100), 6);
    assert_number("SELECT count(*) FROM taskcore.lease WHERE (queue, live) IN"
                  " (('q0', 1), ('q1', 2), ('q2', 3)) AND live = cardinality(ids)",
                  3);
}
END_TEST

START_TEST(more_lanes_than_one_look_takes_are_all_emptied)
{
    static char types[40][8];

    for (size_t i = 0; i < 40; i++) {
        types[i][0] = 't';
        types[i][1] = (char)('a' + i % 20);
        types[i][2] = (char)('a' + i / 20);
        store_create_many((struct store_wish){ .type = types[i],
                                               .priority = (int)i % 3,
                                               .queue = i % 2 ? "a" : "b" },
                          3, NULL);
    }
    ck_assert_uint_eq(store_claim_count(200), 120);
}
END_TEST

START_TEST(more_lanes_than_can_be_remembered_all_have_their_turn)
{
    postgres_server_sql(
        "WITH one AS (SELECT n, nextval('taskcore.ready_seq') AS seq,"
        "                    ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid AS id"
        "             FROM generate_series(1, 1500) n),"
        "made AS (INSERT INTO taskcore.task (id, place, updated_at, run_at, timeout_ms,"
        "                                    max_attempts, max_crashes, status, priority,"
        "                                    payload_kind, titled, queue, type, payload)"
        "         SELECT id, seq, 0, 0, 1000, 3, 2, 1, 0, 1, false, 'q' || n, 't', '1'"
        "         FROM one)"
        "INSERT INTO taskcore.ready (queue, type, rank, seq, since, ids)"
        " SELECT 'q' || n, 't', 10, seq, 0, ARRAY[id] FROM one");
    ck_assert_uint_eq(store_claim_count(1000), 1000);
    ck_assert_uint_eq(store_claim_count(1000), 500);
}
END_TEST

/* --- what is remembered */

START_TEST(searches_that_take_long_are_seldom_and_claims_go_on_without)
{
    static const struct postgres_lane lane = { .queue = "q", .type = "t", .seq = 5, .ids = 1 };
    struct tc_claim claim = store_any(1);
    struct postgres_lanes *lanes;
    struct postgres_plan plan;

    ck_assert_int_eq(postgres_lanes_new(&lanes, NULL), TC_OK);
    ck_assert(postgres_lanes_are_old(lanes, &claim));
    for (int i = 0; i < 4; i++) {
        struct postgres_search search = postgres_lanes_begin(lanes);

        search.began_us -= 100000;
        postgres_lanes_learn(lanes, &claim, &search, i ? &lane : NULL, i ? 1 : 0);
    }
    postgres_lanes_touch(lanes);
    ck_assert(!postgres_lanes_may_search(lanes));
    ck_assert(!postgres_lanes_are_old(lanes, &claim));
    ck_assert_int_eq(postgres_lanes_plan(lanes, &claim, 1, 0, false, &plan, NULL), TC_OK);
    postgres_lanes_note(lanes, &plan, 0, &(struct postgres_probed){ .rows = 0 });
    ck_assert_int_eq(postgres_lanes_plan(lanes, &claim, 1, 0, false, &plan, NULL), TC_OK);
    ck_assert_uint_eq(plan.count, 0);
    ck_assert_int_eq(postgres_lanes_plan(lanes, &claim, 1, 0, true, &plan, NULL), TC_OK);
    ck_assert_uint_eq(plan.count, 1);
    ck_assert_int_eq(plan.probes[0].lane.seq, 4);
    postgres_lanes_free(lanes);
}
END_TEST

static Suite *postgres_claim_suite(void)
{
    Suite *suite = suite_create("postgres_claim");
    TCase *tcase = tcase_create("claims");

    tcase_add_checked_fixture(tcase, postgres_site_setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_group_that_another_session_holds_is_passed_over);
    tcase_add_test(tcase, a_claim_waits_for_those_who_need_a_group_for_a_moment);
    tcase_add_test(tcase, a_session_that_hangs_with_a_group_costs_a_claim_little_and_only_once);
    tcase_add_test(tcase, a_hint_is_followed_while_another_session_holds_the_group);
    tcase_add_test(tcase, a_task_that_two_groups_name_is_claimed_once);
    tcase_add_test(tcase, groups_of_which_nobody_waits_are_cleared_away_by_one_claim);
    tcase_add_test(tcase, a_hint_takes_its_id_out_of_the_group_and_the_last_one_the_group);
    tcase_add_test(tcase, a_group_with_a_lower_number_that_is_committed_later_is_found);
    tcase_add_loop_test(
        tcase, what_another_process_creates_with_a_higher_priority_goes_first_soon, 0, 2);
    tcase_add_test(tcase, a_large_claim_is_leased_in_rows_of_256);
    tcase_add_test(tcase, a_claim_of_several_queues_has_a_lease_for_each);
    tcase_add_test(tcase, more_lanes_than_one_look_takes_are_all_emptied);
    tcase_add_test(tcase, more_lanes_than_can_be_remembered_all_have_their_turn);
    tcase_add_test(tcase, searches_that_take_long_are_seldom_and_claims_go_on_without);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return postgres_server_run(postgres_claim_suite());
}
