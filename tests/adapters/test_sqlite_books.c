/* The same fact stands in several tables: a task's status, its group, the tally. After long
 * random walks through every method they must still agree, and nothing be left over. */

#include "adapters/sqlite/sqlite_internal.h"
#include "tests/adapters/sqlite_folder.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 3000
#define STEPS     1500

static uint64_t seed;

static struct tc_id known[KNOWN_MAX];
static size_t known_count;

struct held {
    struct tc_id id;
    int64_t epoch;
};

static struct held held[KNOWN_MAX];
static size_t held_count;

static void setup(void)
{
    sqlite_folder_setup();
    sqlite_open_again();
}

/* xorshift: the same walk for the same seed */
static size_t pick(size_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % below);
}

/* --- the books --- */

static int64_t read_sql(const char *sql)
{
    sqlite3 *db = sqlite_now->writer.db; /* nobody else is at work */
    sqlite3_stmt *stmt = NULL;

    ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);

    int64_t value = sqlite3_column_int64(stmt, 0);

    sqlite3_finalize(stmt);
    return value;
}

static void assert_none(const char *what, const char *sql)
{
    ck_assert_msg(read_sql(sql) == 0, "%s", what);
}

/* Every member of every group stands in the status and place that the group says. */
static int64_t check_members(const char *groups, const char *member)
{
    sqlite3 *db = sqlite_now->writer.db;
    sqlite3_stmt *group = NULL;
    sqlite3_stmt *check = NULL;
    int64_t total = 0;

    ck_assert_int_eq(sqlite3_prepare_v2(db, groups, -1, &group, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, member, -1, &check, NULL), SQLITE_OK);
    while (sqlite3_step(group) == SQLITE_ROW) {
        int64_t nums[TC_LEASE_GROUP_MAX];
        struct tc_bytes bytes = { sqlite3_column_blob(group, 2),
                                  (size_t)sqlite3_column_bytes(group, 2) };
        size_t count = 0;

        ck_assert(sqlite_members_read(bytes, nums, TC_LEASE_GROUP_MAX, &count));
        ck_assert_int_eq((int64_t)count, sqlite3_column_int64(group, 1));
        ck_assert_uint_gt(count, 0);
        for (size_t i = 0; i < count; i++) {
            sqlite3_bind_int64(check, 1, nums[i]);
            sqlite3_bind_int64(check, 2, sqlite3_column_int64(group, 0));
            ck_assert_int_eq(sqlite3_step(check), SQLITE_ROW);
            ck_assert_int_eq(sqlite3_column_int64(check, 0), 1);
            sqlite3_reset(check);
        }
        total += (int64_t)count;
    }
    sqlite3_finalize(group);
    sqlite3_finalize(check);
    return total;
}

static void assert_books_balance(void)
{
    int64_t waiting = check_members(
        "SELECT seq, count, members FROM ready",
        "SELECT count(*) FROM state s JOIN task t USING (num) JOIN ready r ON r.seq = s.place"
        " WHERE s.num = ?1 AND s.place = ?2 AND s.status IN (1, 2) AND r.queue = t.queue"
        " AND r.type = t.type AND r.rank = 10 - t.priority");
    int64_t leased = check_members(
        "SELECT id, count, members FROM lease",
        "SELECT count(*) FROM state s JOIN task t USING (num) JOIN lease l ON l.id = s.place"
        " WHERE s.num = ?1 AND s.place = ?2 AND s.status = 3 AND l.queue = t.queue");

    ck_assert_int_eq(waiting, read_sql("SELECT count(*) FROM state WHERE status IN (1, 2)"));
    ck_assert_int_eq(leased, read_sql("SELECT count(*) FROM state WHERE status = 3"));
    assert_none("tasks without a state", "SELECT (SELECT count(*) FROM task) - count(*)"
                                         " FROM task JOIN state USING (num)");
    assert_none("a place of a task that has none",
                "SELECT count(*) FROM state WHERE status NOT IN (1, 2, 3)"
                " AND place IS NOT NULL");
    assert_none("aside, and not so",
                "SELECT count(*) FROM aside a JOIN state s USING (num) JOIN task t USING (num)"
                " WHERE a.status <> s.status OR a.id <> t.id"
                " OR a.due_at IS NOT iif(s.status = 0, s.run_at, NULL)");
    assert_none("not aside, but so", "SELECT (SELECT count(*) FROM state WHERE status"
                                     " IN (0, 5)) - (SELECT count(*) FROM aside)");
    assert_none("tallies that are wrong",
                "SELECT count(*) FROM tally y WHERE scheduled <> (SELECT count(*) FROM aside a"
                " JOIN task t USING (num) WHERE a.status = 0 AND t.queue = y.queue)"
                " OR failed <> (SELECT count(*) FROM aside a JOIN task t USING (num)"
                " WHERE a.status = 5 AND t.queue = y.queue)");
    assert_none("failures kept or missing",
                "SELECT count(*) FROM state s LEFT JOIN failure f USING (num)"
                " WHERE (f.num IS NULL) <> (s.has & 1 = 0)");
    assert_none("progress kept or missing",
                "SELECT count(*) FROM state s LEFT JOIN progress p USING (num)"
                " WHERE (p.num IS NULL) <> (s.has & 2 = 0)");
    assert_none("results kept or missing",
                "SELECT count(*) FROM state s LEFT JOIN result r USING (num)"
                " WHERE (r.num IS NULL) <> (s.has & 4 = 0)");
}

/* --- the walk --- */

static struct store_wish random_wish(void)
{
    static const char *const queues[] = { "mail", "pics", "default" };
    static const char *const types[] = { "send", "scale" };

    return (struct store_wish){
        .queue = queues[pick(3)],
        .type = types[pick(2)],
        .priority = (int)pick(3) * 5,
        .delay_ms = pick(5) == 0 ? 1 + (int64_t)pick(20000) : 0,
    };
}

static void step_insert(void)
{
    static struct tc_task tasks[300];
    size_t count = 1 + pick(pick(10) == 0 ? 300 : 8);
    struct store_wish wish = random_wish();
    bool mixed = pick(2) == 0;

    if (known_count + count > KNOWN_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        tasks[i] = store_make(mixed ? random_wish() : wish);
        known[known_count++] = tasks[i].id;
    }
    store_put(tasks, count);
}

static void hold(struct store_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        held[held_count++ % KNOWN_MAX] =
            (struct held){ group->tasks[i].id, group->tasks[i].epoch };
    store_group_release(group);
}

static void step_claim(void)
{
    static const char *const one_queue[] = { "mail" };
    static const char *const one_type[] = { "send" };
    static struct store_group group;
    struct tc_claim claim = store_any(1 + pick(pick(4) == 0 ? 400 : 12));

    claim.of_process = pick(2) == 0;
    claim.lease_ms = 1000 + (int64_t)pick(30000);
    claim.queues = one_queue;
    claim.queue_count = pick(3) == 0;
    claim.types = one_type;
    claim.type_count = pick(3) == 0;
    if (known_count > 0 && pick(4) == 0) {
        claim.ids = &known[pick(known_count)];
        claim.id_count = 1;
    }
    store_claim(&claim, &group);
    hold(&group);
}

static size_t held_now(void)
{
    return held_count < KNOWN_MAX ? held_count : KNOWN_MAX;
}

static struct tc_outcome random_outcome(const struct held *which)
{
    static const char long_text[700] = "\"long\"";
    struct tc_outcome outcome;

    switch (pick(5)) {
    case 0:
        return store_again(&which->id, which->epoch, (int64_t)pick(3) * 3000);
    case 1:
        return store_released(&which->id, which->epoch, (int64_t)pick(2) * 3000);
    case 2:
        return store_failed(&which->id, which->epoch, "it broke");
    default:
        outcome = store_done(&which->id, which->epoch, "\"fine\"");
        if (pick(4) == 0)
            outcome.result =
                (struct tc_content){ TC_CONTENT_BYTES, { long_text, sizeof(long_text) } };
        return outcome;
    }
}

/* Some of them are stale by now, or twice in the group: all of it is legal. */
static void step_finish(void)
{
    struct tc_outcome outcomes[64];
    struct tc_verdict verdicts[64];
    size_t count = 1 + pick(64);
    size_t from = pick(held_now() + 1);

    if (held_now() == 0)
        return;
    for (size_t i = 0; i < count; i++)
        outcomes[i] = random_outcome(&held[(from + i) % held_now()]);
    ck_assert_msg(
        store.leases->ops->finish(store.leases, outcomes, count, verdicts, &store.err) == TC_OK,
        "%s", store.err.message);
}

static void step_extend(void)
{
    struct tc_renewal renewals[32];
    struct tc_renewed renewed[32];
    size_t count = 1 + pick(32);

    if (held_now() == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct held *which = &held[pick(held_now())];

        renewals[i] = (struct tc_renewal){ .id = which->id, .epoch = which->epoch };
        renewals[i].lease_ms = pick(2) == 0 ? 0 : 5000 * (1 + (int64_t)pick(2));
        if (pick(4) == 0)
            renewals[i].progress = tc_bytes_of("{\"done\": 1}");
    }
    ck_assert_msg(
        store.leases->ops->extend(store.leases, renewals, count, renewed, &store.err) == TC_OK,
        "%s", store.err.message);
}

static void step_change(void)
{
    struct tc_task task;

    if (known_count == 0)
        return;

    const struct tc_id *id = &known[pick(known_count)];
    enum tc_code code = pick(2) == 0
                            ? store_change(id, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL, &task)
                            : store_change(id, TC_STATUS_NEW, TC_CAUSE_RETRY, &task);

    ck_assert(code == TC_OK || code == TC_CONFLICT);
    tc_task_release(&task);
}

static void step_rescue(void)
{
    static struct store_group group;

    store_take_ended(1 + pick(50), &group);
    hold(&group);
}

static void step_pass_time(void)
{
    int64_t next_ms;

    store_advance(1 + (int64_t)pick(4000));
    store_wake(1 + pick(100), &next_ms);
}

static void step(void)
{
    static void (*const steps[])(void) = { step_insert, step_claim,  step_claim,
                                           step_finish, step_finish, step_extend,
                                           step_change, step_rescue, step_pass_time };

    if (pick(200) == 0)
        sqlite_open_again();
    else
        steps[pick(sizeof(steps) / sizeof(steps[0]))]();
}

START_TEST(the_books_balance_after_every_walk)
{
    seed = 88172645463325252u + (uint64_t)_i * 7919;
    known_count = held_count = 0;
    for (int i = 0; i < STEPS; i++) {
        step();
        if (i % 50 == 0)
            assert_books_balance();
    }
    assert_books_balance();
    sqlite_open_again();
    assert_books_balance();
    ck_assert_int_gt(read_sql("SELECT count(DISTINCT status) FROM state"), 4);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM pragma_integrity_check"
                              " WHERE integrity_check = 'ok'"),
                     1);
}
END_TEST

START_TEST(nothing_is_left_of_finished_work)
{
    static struct store_group group;
    struct tc_claim claim = store_any(300);

    store_create_many((struct store_wish){ 0 }, 700, NULL);
    for (store_claim(&claim, &group); group.count > 0; store_claim(&claim, &group)) {
        for (size_t i = 0; i < group.count; i++)
            store_apply(store_done(&group.tasks[i].id, group.tasks[i].epoch, "1"));
        store_group_release(&group);
    }
    ck_assert_int_eq(read_sql("SELECT count(*) FROM state WHERE status = 4"), 700);
    ck_assert_int_eq(read_sql("SELECT (SELECT count(*) FROM ready)"
                              " + (SELECT count(*) FROM lease)"
                              " + (SELECT count(*) FROM aside)"),
                     0);
}
END_TEST

START_TEST(a_batch_waits_in_few_rows)
{
    store_create_many((struct store_wish){ 0 }, 1000, NULL);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM ready"), 4); /* of 256 at most */
    ck_assert_uint_eq(store_claim_count(1000), 1000);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM ready"), 0);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM lease"), 1);
}
END_TEST

static Suite *sqlite_books_suite(void)
{
    Suite *suite = suite_create("sqlite_books");
    TCase *tcase = tcase_create("books");

    tcase_add_checked_fixture(tcase, setup, sqlite_folder_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, the_books_balance_after_every_walk, 0, 4);
    tcase_add_test(tcase, nothing_is_left_of_finished_work);
    tcase_add_test(tcase, a_batch_waits_in_few_rows);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(sqlite_books_suite());
}
