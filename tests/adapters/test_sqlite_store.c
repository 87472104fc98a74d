/* What only this store does: plans, dying, a full file, a bounded log. The promises of the
 * ports are in the conformance suites. */

#include "adapters/sqlite/sqlite_internal.h"
#include "tests/adapters/sqlite_folder.h"
#include "tests/support/run_suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- speed, as far as it can be told without a clock --- */

/* These look at groups and queues, of which there are few, as a whole. */
static bool may_scan(enum sqlite_statement statement)
{
    return statement == SQLITE_COUNTS_STATEMENT || statement == SQLITE_LEASE_ALL_STATEMENT ||
           statement == SQLITE_LAST_PLACE_STATEMENT ||
           statement == SQLITE_LEASE_END_OF_PROCESS_STATEMENT;
}

static void assert_plan_is_good(sqlite3 *db, const char *sql)
{
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;

    ck_assert_msg(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);

        ck_assert_msg(!strstr(detail, "SCAN") && !strstr(detail, "TEMP B-TREE"), "%s: %s", sql,
                      detail);
    }
    sqlite3_finalize(stmt);
    sqlite3_free(explain);
}

START_TEST(no_statement_scans_a_table_or_sorts)
{
    sqlite_open_again();

    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        if (!may_scan((enum sqlite_statement)i))
            assert_plan_is_good(sqlite_now->writer.db,
                                sqlite_statement_text((enum sqlite_statement)i));
    sqlite_close_now();
}
END_TEST

/* --- dying --- */

struct ack {
    struct tc_id id;
};

/* Insert one after another and tell the pipe of each that was acknowledged. */
static void insert_until_killed(int fd)
{
    sqlite_open_again();
    for (;;) {
        struct ack ack = { .id = store_create((struct store_wish){ 0 }) };

        if (write(fd, &ack, sizeof(ack)) != (ssize_t)sizeof(ack))
            _exit(1);
    }
}

/* @return how many were acknowledged before the kill. */
static size_t kill_inserter(size_t after, struct ack *acks, size_t max)
{
    int fds[2];
    size_t count = 0;

    ck_assert_int_eq(pipe(fds), 0);

    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        insert_until_killed(fds[1]);
    close(fds[1]);
    while (count < after && read(fds[0], &acks[count], sizeof(*acks)) == sizeof(*acks))
        count++;
    kill(child, SIGKILL);
    while (count < max && read(fds[0], &acks[count], sizeof(*acks)) == sizeof(*acks))
        count++;
    close(fds[0]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    return count;
}

START_TEST(what_was_acknowledged_before_a_kill_is_there_once)
{
    static struct ack acks[4000];
    size_t count = kill_inserter(20 + 17 * (size_t)_i, acks, 4000);
    size_t claimed = 0;

    ck_assert_uint_ge(count, 20);
    sqlite_open_again();
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(store_status_of(&acks[i].id), TC_STATUS_NEW);
    for (size_t some; (some = store_claim_count(1000)) > 0;)
        claimed += some;
    ck_assert_uint_ge(claimed, count);
    ck_assert_uint_le(claimed, count + 1); /* one commit whose answer was lost */
    sqlite_close_now();
}
END_TEST

static void claim_and_be_killed(void)
{
    struct tc_claim claim = store_any(2);
    static struct store_group group;

    sqlite_open_again();
    store_create_many((struct store_wish){ 0 }, 4, NULL);
    claim.of_process = true;
    store_claim(&claim, &group);
    claim.of_process = false;
    store_claim(&claim, &group);
    raise(SIGKILL);
}

START_TEST(leases_of_a_killed_process_are_ended_at_once)
{
    static struct store_group ended;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        claim_and_be_killed();
    ck_assert_int_eq(waitpid(child, NULL, 0), child);

    sqlite_open_again();

    store_take_ended(10, &ended);
    ck_assert_uint_eq(ended.count, 2); /* the others were not of the process */
    ck_assert_int_eq(ended.tasks[0].crashes, 1);
    store_group_release(&ended);
    store_take_ended(10, &ended);
    ck_assert_uint_eq(ended.count, 0);
    sqlite_close_now();
}
END_TEST

/* --- room --- */

static struct tc_id create_large(size_t len, enum tc_code *ret_code)
{
    char *bytes = calloc(1, len);
    struct tc_task task =
        store_make((struct store_wish){ .payload = { TC_CONTENT_BYTES, { bytes, len } } });
    const struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    struct tc_inserted inserted;

    ck_assert_ptr_nonnull(bytes);
    *ret_code = store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &store.err);
    free(bytes);
    return task.id;
}

static void open_with_size_max(int64_t size_max)
{
    const struct sqlite_store_config config = { .path = sqlite_folder.path,
                                                .clock = &store.clock.base,
                                                .size_max = size_max };

    ck_assert_msg(sqlite_store_open(&config, &sqlite_now, &store.err) == TC_OK, "%s",
                  store.err.message);
    store.tasks = sqlite_store_task_repo(sqlite_now);
    store.leases = sqlite_store_lease_repo(sqlite_now);
}

START_TEST(a_full_file_refuses_writes_and_goes_on_reading)
{
    enum tc_code code = TC_OK;

    open_with_size_max(400000);

    struct tc_id first = store_create((struct store_wish){ 0 });
    struct tc_id refused = create_large(500000, &code);

    ck_assert_int_eq(code, TC_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(store.err.message, "full"));
    store_assert_absent(&refused);
    ck_assert_int_eq(store_status_of(&first), TC_STATUS_NEW);
    store_create((struct store_wish){ 0 }); /* a small one still fits */
}
END_TEST

START_TEST(a_full_file_is_writable_again_with_more_room)
{
    enum tc_code code = TC_OK;

    open_with_size_max(400000);
    create_large(500000, &code);
    ck_assert_int_eq(code, TC_UNAVAILABLE);
    sqlite_open_again(); /* without the limit */
    create_large(500000, &code);
    ck_assert_int_eq(code, TC_OK);
}
END_TEST

START_TEST(the_log_stays_bounded)
{
    sqlite_open_again();
    struct stat info;
    enum tc_code code = TC_OK;

    for (int i = 0; i < 100; i++) {
        create_large(1000000, &code);
        ck_assert_int_eq(code, TC_OK);
    }
    ck_assert_int_eq(stat(sqlite_with_end(sqlite_folder.path, "-wal"), &info), 0);
    ck_assert_int_lt(info.st_size, (off_t)24 * 1024 * 1024);
    sqlite_close_now();
}
END_TEST

START_TEST(a_closed_store_leaves_one_file_and_an_empty_lock)
{
    struct stat info;

    sqlite_make_file();
    ck_assert_int_ne(access(sqlite_with_end(sqlite_folder.path, "-wal"), F_OK), 0);
    ck_assert_int_eq(stat(sqlite_with_end(sqlite_folder.path, ".lock"), &info), 0);
    ck_assert_int_eq(info.st_size, 0);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    sqlite_store_close(NULL);
}
END_TEST

static Suite *sqlite_store_suite(void)
{
    Suite *suite = suite_create("sqlite_store");
    TCase *tcase = tcase_create("store");

    tcase_add_checked_fixture(tcase, sqlite_folder_setup, sqlite_folder_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, no_statement_scans_a_table_or_sorts);
    tcase_add_loop_test(tcase, what_was_acknowledged_before_a_kill_is_there_once, 0, 5);
    tcase_add_test(tcase, leases_of_a_killed_process_are_ended_at_once);
    tcase_add_test(tcase, a_full_file_refuses_writes_and_goes_on_reading);
    tcase_add_test(tcase, a_full_file_is_writable_again_with_more_room);
    tcase_add_test(tcase, the_log_stays_bounded);
    tcase_add_test(tcase, a_closed_store_leaves_one_file_and_an_empty_lock);
    tcase_add_test(tcase, closing_nothing_is_fine);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(sqlite_store_suite());
}
