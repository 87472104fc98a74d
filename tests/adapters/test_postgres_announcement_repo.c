#include "core/domain/announcement.h"
#include "tests/adapters/postgres_server.h"
#include "tests/conformance/announcement_repo_suite.h"
#include "tests/conformance/announcement_repo_tcases.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define URL_SIZE 600

/* What the next store is opened with. */
static struct postgres_store_config config;
static char url[URL_SIZE];

static enum tc_code open_again(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    struct postgres_store *postgres = NULL;

    config.clock = clock;
    config.announces = true;
    if (!config.url)
        config.url = postgres_server_url();

    enum tc_code code = postgres_store_open(&config, &postgres, err);

    if (code == TC_OK)
        *ret_store = (struct store_under_test){
            .tasks = postgres_store_task_repo(postgres),
            .leases = postgres_store_lease_repo(postgres),
            .announcements = postgres_store_announcement_repo(postgres),
            .ctx = postgres,
        };
    return code;
}

static enum tc_code open_at_once(struct tc_clock *clock, struct store_under_test *ret_store,
                                 struct tc_error *err)
{
    postgres_server_empty();
    config = (struct postgres_store_config){ .announce_after_ms = 0 };
    return open_again(clock, ret_store, err);
}

static enum tc_code open_later(struct tc_clock *clock, struct store_under_test *ret_store,
                               struct tc_error *err)
{
    postgres_server_empty();
    config = (struct postgres_store_config){ .announce_after_ms = ANNOUNCE_LATER_MS };
    return open_again(clock, ret_store, err);
}

static void close_store(struct store_under_test *under_test)
{
    postgres_store_close(under_test->ctx);
}

static enum tc_code reopen(struct store_under_test *under_test, struct tc_clock *clock,
                           struct tc_error *err)
{
    close_store(under_test);
    return open_again(clock, under_test, err);
}

static const struct store_driver at_once = {
    .name = "announcement_repo: postgres",
    .open = open_at_once,
    .close = close_store,
    .reopen = reopen,
};

static const struct store_driver later = {
    .name = "announcement_repo: postgres, later",
    .open = open_later,
    .close = close_store,
};

/* --- what only PostgreSQL does --- */

/* A transaction of somebody else that has run `sql` and goes on. */
static PGconn *hold(const char *sql)
{
    PGconn *pg = PQconnectdb(postgres_server_url());

    ck_assert_int_eq(PQstatus(pg), CONNECTION_OK);
    PQclear(PQexec(pg, "BEGIN"));

    PGresult *result = PQexec(pg, sql);

    ck_assert_msg(PQntuples(result) > 0, "%s: %s", sql, PQerrorMessage(pg));
    PQclear(result);
    return pg;
}

static void let_go(PGconn *pg)
{
    PQclear(PQexec(pg, "COMMIT"));
    PQfinish(pg);
}

static void announce_all(bool pending)
{
    struct announced_groups taken;

    announce_take(TC_ANNOUNCEMENT_GROUPS_MAX, &taken);
    announce_tell(&taken, pending);
    announce_release(&taken);
}

/* The store as a program sees it whose user has been granted that role and nothing else. */
static void become(const char *role)
{
    const char *given = postgres_server_url();

    snprintf(url, sizeof(url), "%s%soptions=-c%%20role%%3D%s", given,
             strchr(given, '?') ? "&" : "?", role);
    config.url = url;
    ck_assert_msg(reopen(&store.under_test, config.clock, &store.err) == TC_OK, "%s",
                  store.err.message);
    store.announcements = store.under_test.announcements;
}

START_TEST(the_publishers_role_may_announce)
{
    struct tc_id id = store_create(store_plain);
    struct tc_id gone = store_create((struct store_wish){ .type = "other" });

    store_cancel(&gone);
    postgres_server_sql("INSERT INTO taskcore.ready (queue, type, rank, seq, since, check_at,"
                        " ids) SELECT queue, type, 10 - priority, 1000, 0, 0, ARRAY[id]"
                        " FROM taskcore.task WHERE status = 6");
    become("taskcore_publisher");
    announce_all(true);
    become("taskcore_reader");
    ck_assert_int_eq(store.under_test.tasks->ops->check(store.under_test.tasks, &store.err),
                     TC_INTERNAL); /* so the roles are what they seem to be */
    ck_assert_int_eq(
        postgres_server_number("SELECT count(*) FROM taskcore.task WHERE status = 2"), 1);
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM taskcore.ready"), 1);
    (void)id;
}
END_TEST

START_TEST(a_group_that_is_being_claimed_is_passed_over)
{
    struct announced_groups taken;
    PGconn *claim;

    store_create_many(store_plain, 3, NULL);
    store_create((struct store_wish){ .type = "other" });
    claim = hold("SELECT seq FROM taskcore.ready WHERE type = 'test' FOR UPDATE");
    announce_take(10, &taken);
    ck_assert_uint_eq(announce_count(&taken), 1);
    announce_release(&taken);
    let_go(claim);
    ck_assert_uint_eq(announce_take_count(), 3);
}
END_TEST

START_TEST(a_group_that_is_being_claimed_delays_no_announcement_and_comes_again)
{
    struct announced_groups taken;
    PGconn *claim;

    store_create_many(store_plain, 3, NULL);
    announce_take(10, &taken);
    claim = hold("SELECT seq FROM taskcore.ready FOR UPDATE");
    announce_tell(&taken, true);
    announce_release(&taken);
    let_go(claim);
    store_advance(HOLD_MS);
    ck_assert_uint_eq(announce_take_count(), 3);
}
END_TEST

START_TEST(what_is_being_claimed_delays_no_announcement_and_stays_new)
{
    struct tc_id ids[3];
    struct announced_groups taken;
    PGconn *claim;

    store_create_many(store_plain, 3, ids);
    announce_take(10, &taken);
    claim = hold("SELECT id FROM taskcore.task ORDER BY id LIMIT 1 FOR UPDATE");
    announce_tell(&taken, true);
    announce_release(&taken);
    let_go(claim);
    ck_assert_int_eq(store_status_of(&ids[0]), TC_STATUS_NEW);
    ck_assert_int_eq(store_status_of(&ids[1]), TC_STATUS_PENDING);
    ck_assert_int_eq(store_status_of(&ids[2]), TC_STATUS_PENDING);
}
END_TEST

START_TEST(members_that_were_claimed_past_their_group_leave_the_row)
{
    struct tc_id ids[3];

    store_create_many(store_plain, 3, ids);
    store_create_many((struct store_wish){ .type = "gone" }, 3, NULL);
    postgres_server_sql("UPDATE taskcore.task SET status = 4, place = NULL, finished_at = 1"
                        " WHERE type = 'gone'");
    postgres_server_sql("UPDATE taskcore.task SET place = 999 WHERE id ="
                        " (SELECT id FROM taskcore.task WHERE type = 'test' ORDER BY id LIMIT 1"
                        " OFFSET 1)");
    ck_assert_uint_eq(announce_take_count(), 2);
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM taskcore.ready"), 1);
    ck_assert_int_eq(postgres_server_number("SELECT cardinality(ids) FROM taskcore.ready"), 2);
}
END_TEST

START_TEST(a_member_that_waits_in_another_group_by_now_is_not_announced_with_this_one)
{
    struct tc_id ids[2];
    struct announced_groups taken;

    store_create_many(store_plain, 2, ids);
    announce_take(10, &taken);
    postgres_server_sql("UPDATE taskcore.task SET place = 999 WHERE id ="
                        " (SELECT id FROM taskcore.task ORDER BY id LIMIT 1)");
    announce_tell(&taken, true);
    announce_release(&taken);
    ck_assert_int_eq(store_status_of(&ids[0]), TC_STATUS_NEW);
    ck_assert_int_eq(store_status_of(&ids[1]), TC_STATUS_PENDING);
}
END_TEST

START_TEST(a_group_keeps_its_order_while_it_is_looked_after)
{
    store_create_many(store_plain, 100, NULL);
    announce_all(true);
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM taskcore.ready WHERE ids ="
                                            " ARRAY(SELECT id FROM taskcore.task ORDER BY id)"),
                     1);
}
END_TEST

#define OF_TASK(column)                                                                        \
    "SELECT coalesce(sum(" column "), 0)::bigint FROM pg_stat_user_tables"                     \
    " WHERE relname = 'task' AND schemaname = 'taskcore'"

/* What other tests did may still be counted; it is no other kind of update. */
START_TEST(becoming_pending_writes_no_index)
{
    int64_t updates = postgres_server_number(OF_TASK("n_tup_upd"));
    int64_t hot = postgres_server_number(OF_TASK("n_tup_hot_upd"));
    char enough[256];

    store_create_many(store_plain, 200, NULL);
    announce_all(true);
    store_reopen(); /* what a session has counted shows when it ends */
    snprintf(enough, sizeof(enough), OF_TASK("(n_tup_upd >= %lld)::int"),
             (long long)updates + 200);
    postgres_server_await(enough, 1);
    updates = postgres_server_number(OF_TASK("n_tup_upd")) - updates;
    hot = postgres_server_number(OF_TASK("n_tup_hot_upd")) - hot;
    ck_assert_int_ge(100 * hot, 95 * updates);
}
END_TEST

START_TEST(a_store_that_announces_nothing_has_nothing_due)
{
    struct announced_groups taken;

    postgres_store_close(store.under_test.ctx);
    ck_assert_int_eq(postgres_driver.open(config.clock, &store.under_test, &store.err), TC_OK);
    store.tasks = store.under_test.tasks;
    store_create(store_plain);
    store.announcements = postgres_store_announcement_repo(store.under_test.ctx);
    store_advance(TC_ANNOUNCE_AGAIN_MAX_MS);
    announce_take(10, &taken);
    ck_assert_uint_eq(taken.count, 0);
    ck_assert_int_eq(taken.next_ms, -1);
}
END_TEST

int main(void)
{
    Suite *suite = announcement_repo_suite(&at_once, &later);
    TCase *tcase = store_tcase(&at_once, "postgres");

    tcase_add_test(tcase, the_publishers_role_may_announce);
    tcase_add_test(tcase, a_group_that_is_being_claimed_is_passed_over);
    tcase_add_test(tcase, a_group_that_is_being_claimed_delays_no_announcement_and_comes_again);
    tcase_add_test(tcase, what_is_being_claimed_delays_no_announcement_and_stays_new);
    tcase_add_test(tcase, members_that_were_claimed_past_their_group_leave_the_row);
    tcase_add_test(tcase,
                   a_member_that_waits_in_another_group_by_now_is_not_announced_with_this_one);
    tcase_add_test(tcase, a_group_keeps_its_order_while_it_is_looked_after);
    tcase_add_test(tcase, becoming_pending_writes_no_index);
    tcase_add_test(tcase, a_store_that_announces_nothing_has_nothing_due);
    suite_add_tcase(suite, tcase);
    return postgres_server_run(suite);
}
