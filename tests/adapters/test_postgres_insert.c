/* What an insert leaves in the tables, and what happens when two of them meet. */

#include "tests/adapters/postgres_site.h"
#include "tests/support/run_suite.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static enum tc_code insert(const struct tc_creation *creations, size_t count,
                           struct tc_inserted *ret_inserted)
{
    return store.tasks->ops->insert(store.tasks, creations, count, ret_inserted, NULL);
}

static void assert_number(const char *sql, int64_t number)
{
    int64_t actual = postgres_server_number(sql);

    ck_assert_msg(actual == number, "%lld, not %lld: %s", (long long)actual, (long long)number,
                  sql);
}

/* --- groups */

START_TEST(a_call_writes_one_group_per_queue_type_and_priority)
{
    struct tc_task tasks[6];

    for (int i = 0; i < 6; i++)
        tasks[i] = store_make(
            (struct store_wish){ .type = i % 2 ? "odd" : "even", .priority = i / 4 });
    store_put(tasks, 6);
    assert_number("SELECT count(*) FROM taskcore.ready", 4);
    assert_number("SELECT count(*) FROM taskcore.ready WHERE cardinality(ids) = 2 AND"
                  " rank = 10 AND since = 1700000000000",
                  2);
    assert_number("SELECT count(*) FROM taskcore.ready WHERE cardinality(ids) = 1 AND rank = 9",
                  2);
}
END_TEST

START_TEST(every_waiting_task_names_the_group_that_has_its_id)
{
    store_create_many(store_plain, 300, NULL);
    store_create((struct store_wish){ .queue = "other" });
    assert_number("SELECT count(*) FROM taskcore.task t JOIN taskcore.ready r"
                  " ON (r.queue, r.type, r.rank, r.seq) ="
                  "    (t.queue, t.type, 10 - t.priority, t.place)"
                  " WHERE t.id = ANY (r.ids)",
                  301);
}
END_TEST

START_TEST(a_group_has_at_most_256_ids_and_the_oldest_are_in_the_first)
{
    store_create_many(store_plain, 600, NULL);
    assert_number("SELECT max(cardinality(ids)) FROM taskcore.ready", 256);
    assert_number("SELECT count(*) FROM taskcore.ready", 3);
    assert_number("SELECT count(*) FROM taskcore.ready a JOIN taskcore.ready b"
                  " ON a.seq < b.seq AND a.ids[cardinality(a.ids)] < b.ids[1]",
                  3);
}
END_TEST

START_TEST(groups_of_several_types_keep_the_order_in_which_they_were_asked_for)
{
    static const char *const types[] = { "z", "a", "m" };
    struct tc_task tasks[9];

    for (size_t i = 0; i < 9; i++)
        tasks[i] = store_make((struct store_wish){ .type = types[i % 3] });
    store_put(tasks, 9);
    assert_number("SELECT count(*) FROM taskcore.ready"
                  " WHERE (type, seq) IN (('z', 1), ('a', 2), ('m', 3))",
                  3);
}
END_TEST

/* Tasks that share a group but neither timeout nor attempts. */
START_TEST(tasks_that_were_asked_for_differently_share_a_group)
{
    struct tc_task tasks[8];

    for (int i = 0; i < 8; i++) {
        tasks[i] = store_make(store_plain);
        tasks[i].timeout_ms = 1000 + i / 3;
        tasks[i].max_attempts = 1 + i / 2;
        tasks[i].max_crashes = i % 5;
        tasks[i].titled = i % 2;
        tasks[i].payload.kind = TC_CONTENT_JSON + (enum tc_content_kind)(i % 3);
    }
    store_put(tasks, 8);
    assert_number("SELECT cardinality(ids) FROM taskcore.ready", 8);
    for (int i = 0; i < 8; i++)
        store_assert_stored(&tasks[i]);
}
END_TEST

START_TEST(a_thousand_tasks_of_as_many_types_come_back_as_they_were)
{
    static struct tc_task tasks[TC_CREATION_TASKS_MAX];

    for (int i = 0; i < TC_CREATION_TASKS_MAX; i++) {
        tasks[i] = store_make((struct store_wish){ .priority = i * 7 % 11 });
        snprintf(tasks[i].type, sizeof(tasks[i].type), "type-%d", i * 331 % 1000);
    }
    store_put(tasks, TC_CREATION_TASKS_MAX);
    assert_number("SELECT count(*) FROM taskcore.ready", TC_CREATION_TASKS_MAX);
    for (int i = 0; i < TC_CREATION_TASKS_MAX; i += 37)
        store_assert_stored(&tasks[i]);
}
END_TEST

START_TEST(a_scheduled_task_is_in_no_group_and_has_its_time_in_the_index)
{
    struct tc_task tasks[] = { store_make((struct store_wish){ .delay_ms = 5000 }),
                               store_make(store_plain) };

    store_put(tasks, 2);
    store_create((struct store_wish){ .delay_ms = 5000 });
    assert_number("SELECT count(*) FROM taskcore.ready", 1);
    assert_number("SELECT count(*) FROM taskcore.task"
                  " WHERE wake_at = 1700000005000 AND place IS NULL",
                  2);
}
END_TEST

START_TEST(a_publisher_is_asked_to_look_after_new_groups_only_where_one_announces)
{
    store_create(store_plain);
    assert_number("SELECT count(*) FROM taskcore.ready WHERE check_at IS NOT NULL", 0);
    postgres_site_open(
        (struct postgres_store_config){ .announces = true, .announce_after_ms = 15000 });
    store_create(store_plain);
    store_create_many(store_plain, 2, NULL);
    assert_number("SELECT count(*) FROM taskcore.ready WHERE check_at = 1700000015000", 2);
}
END_TEST

START_TEST(without_a_clock_of_its_own_the_store_takes_the_servers_time)
{
    struct tc_task task = store_make(store_plain);
    struct postgres_store *other;
    const struct postgres_store_config config = { .url = postgres_server_url() };

    ck_assert_int_eq(postgres_store_open(&config, &other, &store.err), TC_OK);
    store.tasks = postgres_store_task_repo(other);
    store_put(&task, 1);
    postgres_store_close(other);
    assert_number("SELECT (abs(since - taskcore.now_ms()) < 60000)::int FROM taskcore.ready",
                  1);
}
END_TEST

/* --- payloads that are too much for one statement */

START_TEST(a_creation_of_more_bytes_than_a_statement_takes_is_stored_whole)
{
    static char bytes[1 << 20];
    static struct tc_task tasks[40];
    struct tc_creation creation = { .tasks = tasks, .task_count = 40 };
    struct tc_inserted inserted;

    memset(bytes, 'x', sizeof(bytes));
    for (size_t i = 0; i < 40; i++)
        tasks[i] = store_make(
            (struct store_wish){ .payload = { TC_CONTENT_TEXT, { bytes, sizeof(bytes) } } });
    store_put(tasks, 40);
    assert_number("SELECT count(*) FROM taskcore.task WHERE octet_length(payload) = 1048576",
                  40);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    ck_assert_int_eq(inserted.verdict, TC_INSERT_EXISTING);
}
END_TEST

START_TEST(of_a_creation_of_many_statements_nothing_stays_when_the_last_one_fails)
{
    static char bytes[1 << 20];
    static struct tc_task tasks[40];
    struct tc_creation creation = { .tasks = tasks, .task_count = 40 };
    struct tc_inserted inserted;

    for (size_t i = 0; i < 40; i++)
        tasks[i] = store_make(
            (struct store_wish){ .payload = { TC_CONTENT_TEXT, { bytes, sizeof(bytes) } } });
    store_put(&tasks[39], 1);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_INTERNAL);
    assert_number("SELECT count(*) FROM taskcore.task", 1);
    assert_number("SELECT count(*) FROM taskcore.ready", 1);
}
END_TEST

/* --- keys */

static struct tc_creation keyed(const struct tc_task *task, const char *key)
{
    return (struct tc_creation){
        .tasks = task, .task_count = 1, .key = key, .answer = tc_bytes_of("answer")
    };
}

START_TEST(the_same_ids_after_their_key_was_forgotten_are_existing)
{
    struct tc_task task = store_make(store_plain);
    struct tc_creation creation = keyed(&task, "key");
    struct tc_inserted inserted;

    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    postgres_server_sql("DELETE FROM taskcore.key");
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    ck_assert_int_eq(inserted.verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(tc_id_compare(&inserted.first_id, &task.id), 0);
    tc_inserted_release(&inserted);
    assert_number("SELECT count(*) FROM taskcore.task", 1);
}
END_TEST

START_TEST(a_twin_of_what_was_forgotten_is_created_beside_it)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creations[] = { keyed(&tasks[0], "key"), keyed(&tasks[1], "key") };
    struct tc_inserted inserted[2];

    store_put(&tasks[0], 1);
    ck_assert_int_eq(insert(creations, 2, inserted), TC_OK);
    ck_assert_int_eq(inserted[0].verdict, TC_INSERT_EXISTING);
    ck_assert_int_eq(tc_id_compare(&inserted[0].first_id, &tasks[0].id), 0);
    ck_assert_int_eq(inserted[1].verdict, TC_INSERT_CREATED);
    tc_inserted_release(&inserted[0]);
    assert_number("SELECT count(*) FROM taskcore.task", 2);
}
END_TEST

START_TEST(a_key_whose_tasks_cannot_be_stored_is_not_kept)
{
    struct tc_task tasks[] = { store_make(store_plain), store_make(store_plain) };
    struct tc_creation creation = keyed(tasks, "key");
    struct tc_inserted inserted;

    creation.task_count = 2;
    store_put(&tasks[1], 1);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_INTERNAL);
    assert_number("SELECT count(*) FROM taskcore.key", 0);
    store_assert_absent(&tasks[0].id);
}
END_TEST

START_TEST(a_key_that_another_session_keeps_open_is_given_up_in_bounded_time)
{
    struct tc_task task = store_make(store_plain);
    const struct tc_creation creation = keyed(&task, "key");
    struct tc_inserted inserted;
    PGconn *other = PQconnectdb(postgres_server_url());

    PQclear(PQexec(other, "BEGIN; INSERT INTO taskcore.key VALUES ('key', '',"
                          " '00000000-0000-7000-8000-000000000000', 0, '')"));
    postgres_site_open((struct postgres_store_config){ .statement_ms = 200 });
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_UNAVAILABLE);
    PQfinish(other); /* which rolls back */
    store_assert_absent(&task.id);
    ck_assert_int_eq(insert(&creation, 1, &inserted), TC_OK);
    ck_assert_int_eq(inserted.verdict, TC_INSERT_CREATED);
}
END_TEST

/* --- sessions that meet */

#define KEYS   20
#define ROUNDS 25

static char keys[KEYS][16];
static _Atomic int failed;
static _Atomic int created;

/* Half of the threads name the keys from the last to the first. */
static void insert_many_keys(size_t number)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        struct tc_task tasks[KEYS];
        struct tc_creation creations[KEYS];
        struct tc_inserted inserted[KEYS];

        for (size_t i = 0; i < KEYS; i++) {
            tasks[i] = store_make(store_plain);
            creations[i] = keyed(&tasks[i], keys[number % 2 ? KEYS - 1 - i : i]);
        }
        failed += insert(creations, KEYS, inserted) != TC_OK;
        for (size_t i = 0; i < KEYS && !failed; i++) {
            created += inserted[i].verdict == TC_INSERT_CREATED;
            tc_inserted_release(&inserted[i]);
        }
        if (number == 0 && store.tasks->ops->forget_keys(store.tasks, INT64_MAX, 3,
                                                         &(size_t){ 0 }, NULL) != TC_OK)
            failed++;
    }
}

START_TEST(groups_that_share_keys_do_not_deadlock_whatever_their_order)
{
    for (size_t i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof(keys[i]), "key-%zu", i * 7 % KEYS);
    store_run_threads(insert_many_keys);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_ge(created, KEYS);
    assert_number("SELECT count(*) FROM taskcore.task", created);
    postgres_site_teardown(); /* a session that ends reports what it met */
    assert_number("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
                  0);
}
END_TEST

static struct tc_task shared[64];

/* As after a lost answer whose statement may still be running. */
static void insert_the_same(size_t number)
{
    (void)number;
    for (size_t i = 0; i < 64; i += 4) {
        struct tc_creation creation = { .tasks = &shared[i], .task_count = 4 };
        struct tc_inserted inserted = { .verdict = TC_INSERT_MISMATCH };

        failed += insert(&creation, 1, &inserted) != TC_OK;
        created += inserted.verdict == TC_INSERT_CREATED;
        failed += inserted.verdict == TC_INSERT_MISMATCH;
    }
}

START_TEST(t4_of_concurrent_repetitions_one_is_created)
{
    for (size_t i = 0; i < 64; i++)
        shared[i] = store_make(store_plain);
    store_run_threads(insert_the_same);
    ck_assert_int_eq(failed, 0);
    ck_assert_int_eq(created, 16);
    assert_number("SELECT count(*) FROM taskcore.task", 64);
    assert_number("SELECT sum(cardinality(ids)) FROM taskcore.ready", 64);
}
END_TEST

static Suite *insert_suite(void)
{
    Suite *suite = suite_create("postgres insert");
    TCase *tcase = tcase_create("insert");

    tcase_add_checked_fixture(tcase, postgres_site_setup, postgres_site_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_call_writes_one_group_per_queue_type_and_priority);
    tcase_add_test(tcase, every_waiting_task_names_the_group_that_has_its_id);
    tcase_add_test(tcase, a_group_has_at_most_256_ids_and_the_oldest_are_in_the_first);
    tcase_add_test(tcase, groups_of_several_types_keep_the_order_in_which_they_were_asked_for);
    tcase_add_test(tcase, tasks_that_were_asked_for_differently_share_a_group);
    tcase_add_test(tcase, a_thousand_tasks_of_as_many_types_come_back_as_they_were);
    tcase_add_test(tcase, a_scheduled_task_is_in_no_group_and_has_its_time_in_the_index);
    tcase_add_test(tcase,
                   a_publisher_is_asked_to_look_after_new_groups_only_where_one_announces);
    tcase_add_test(tcase, without_a_clock_of_its_own_the_store_takes_the_servers_time);
    tcase_add_test(tcase, a_creation_of_more_bytes_than_a_statement_takes_is_stored_whole);
    tcase_add_test(tcase,
                   of_a_creation_of_many_statements_nothing_stays_when_the_last_one_fails);
    tcase_add_test(tcase, the_same_ids_after_their_key_was_forgotten_are_existing);
    tcase_add_test(tcase, a_twin_of_what_was_forgotten_is_created_beside_it);
    tcase_add_test(tcase, a_key_whose_tasks_cannot_be_stored_is_not_kept);
    tcase_add_test(tcase, a_key_that_another_session_keeps_open_is_given_up_in_bounded_time);
    tcase_add_test(tcase, groups_that_share_keys_do_not_deadlock_whatever_their_order);
    tcase_add_test(tcase, t4_of_concurrent_repetitions_one_is_created);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return postgres_server_run(insert_suite());
}
