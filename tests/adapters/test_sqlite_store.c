/* What only this store does: files, locks, migrations, and dying. The promises of the ports
 * are in the conformance suites. */

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

static struct sqlite_folder folder;
static struct tc_error error;

static void setup(void)
{
    sqlite_folder_make(&folder);
    fake_clock_init(&store.clock, STORE_START_MS);
    error.message[0] = '\0';
}

static void teardown(void)
{
    sqlite_folder_remove(&folder);
}

static enum tc_code try_open(const char *path, struct sqlite_store **ret_store)
{
    const struct sqlite_store_config config = { .path = path, .clock = &store.clock.base };

    return sqlite_store_open(&config, ret_store, &error);
}

/* So that the helpers of the conformance suites work on it. */
static void adopt(struct sqlite_store *sqlite)
{
    store.tasks = sqlite_store_task_repo(sqlite);
    store.leases = sqlite_store_lease_repo(sqlite);
}

static struct sqlite_store *open_store(void)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_msg(try_open(folder.path, &sqlite) == TC_OK, "%s", error.message);
    adopt(sqlite);
    return sqlite;
}

static void assert_refused(const char *path, enum tc_code code, const char *word)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(try_open(path, &sqlite), code);
    ck_assert_msg(strstr(error.message, word), "no '%s' in: %s", word, error.message);
    ck_assert_ptr_null(sqlite);
}

static void make_store_file(void)
{
    struct sqlite_store *sqlite = open_store();

    store_create((struct store_wish){ 0 });
    sqlite_store_close(sqlite);
}

static void write_at(const char *path, off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
    close(fd);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(folder.path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t read_sql(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    ck_assert_int_eq(sqlite3_open(folder.path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);

    int64_t value = sqlite3_column_int64(stmt, 0);

    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

/* --- paths --- */

START_TEST(a_path_and_a_clock_are_required)
{
    const struct sqlite_store_config no_clock = { .path = folder.path };
    struct sqlite_store *sqlite = NULL;

    assert_refused(NULL, TC_INVALID, "path");
    assert_refused("", TC_INVALID, "path");
    ck_assert_int_eq(sqlite_store_open(&no_clock, &sqlite, &error), TC_INVALID);
}
END_TEST

START_TEST(more_readers_than_there_can_be_are_refused)
{
    const struct sqlite_store_config config = { .path = folder.path,
                                                .clock = &store.clock.base,
                                                .readers = 17 };
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(sqlite_store_open(&config, &sqlite, &error), TC_INVALID);
}
END_TEST

START_TEST(a_missing_folder_is_unavailable)
{
    assert_refused("/tmp/taskcore-no-such-folder/tasks.db", TC_UNAVAILABLE,
                   "/tmp/taskcore-no-such-folder/tasks.db");
}
END_TEST

START_TEST(a_folder_is_no_file)
{
    assert_refused("/tmp/", TC_INVALID, "names a folder");
    assert_refused(folder.folder, TC_INVALID, "no regular file");
    ck_assert_int_eq(unlink(strcat(folder.folder, ".lock")), 0);
    folder.folder[strlen(folder.folder) - strlen(".lock")] = '\0';
}
END_TEST

/* Root may write everywhere, so the test becomes nobody. */
static void become_nobody(void)
{
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
}

START_TEST(a_folder_that_cannot_be_written_is_unavailable)
{
    ck_assert_int_eq(chmod(folder.folder, 0555), 0);
    become_nobody();
    assert_refused(folder.path, TC_UNAVAILABLE, "Permission denied");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(folder.folder, 0700), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_unavailable)
{
    make_store_file();
    ck_assert_int_eq(chmod(folder.folder, 0777), 0);
    ck_assert_int_eq(chmod(folder.path, 0444), 0);
    ck_assert_int_eq(chmod(strcat(folder.path, ".lock"), 0666), 0);
    folder.path[strlen(folder.path) - strlen(".lock")] = '\0';
    become_nobody();
    assert_refused(folder.path, TC_UNAVAILABLE, folder.path);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_relative_path_works_also_after_a_change_of_folder)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(chdir(folder.folder), 0);
    ck_assert_msg(try_open("tasks.db", &sqlite) == TC_OK, "%s", error.message);
    ck_assert_int_eq(chdir("/"), 0);
    sqlite->writer.broken = true; /* so that the file is opened anew */
    ck_assert_msg(sqlite_store_task_repo(sqlite)->ops->check(sqlite_store_task_repo(sqlite),
                                                             &error) == TC_OK,
                  "%s", error.message);
    sqlite_store_close(sqlite);
    ck_assert_int_eq(access(folder.path, F_OK), 0);
}
END_TEST

START_TEST(names_that_mean_something_to_sqlite_are_file_names)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(chdir(folder.folder), 0);
    ck_assert_msg(try_open(":memory:", &sqlite) == TC_OK, "%s", error.message);
    sqlite_store_close(sqlite);
    ck_assert_int_eq(access(":memory:", F_OK), 0);
}
END_TEST

START_TEST(only_the_owner_may_read_the_files)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
    struct sqlite_store *sqlite = NULL;
    struct stat info;
    char name[128];

    umask(0);
    sqlite = open_store();
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", folder.path, ends[i]);
        ck_assert_msg(stat(name, &info) == 0, "%s", name);
        ck_assert_uint_eq(info.st_mode & 07777, 0600);
    }
    sqlite_store_close(sqlite);
}
END_TEST

START_TEST(network_file_systems_are_known)
{
    ck_assert(sqlite_fs_is_remote(0x6969));
    ck_assert(sqlite_fs_is_remote(0xFF534D42));
    ck_assert(sqlite_fs_is_remote(0xFFFFFFFFFF534D42)); /* as a signed field gives it */
    ck_assert(!sqlite_fs_is_remote(0xEF53));            /* ext4 */
    ck_assert(!sqlite_fs_is_remote(0x01021994));        /* tmpfs */
}
END_TEST

/* --- what the file may be --- */

START_TEST(a_file_that_is_no_database_is_refused)
{
    static const char text[] = "Dear diary, this is no database, but it is long enough to be"
                               " one if only its first bytes said so. So it is refused.";

    write_at(folder.path, 0, text, sizeof(text));
    assert_refused(folder.path, TC_INVALID, folder.path);
    ck_assert_ptr_nonnull(strstr(error.message, "not a database"));
}
END_TEST

START_TEST(an_empty_file_becomes_a_database)
{
    write_at(folder.path, 0, "", 0);
    sqlite_store_close(open_store());
}
END_TEST

START_TEST(a_database_of_another_program_is_refused)
{
    run_sql("CREATE TABLE recipes (name TEXT)");
    assert_refused(folder.path, TC_INVALID, "another program");
}
END_TEST

START_TEST(a_database_with_another_application_id_is_refused)
{
    run_sql("PRAGMA application_id = 4711");
    assert_refused(folder.path, TC_INVALID, "another program");
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
    make_store_file();
    run_sql("PRAGMA user_version = 999");
    assert_refused(folder.path, TC_INVALID, "version 999");
}
END_TEST

START_TEST(another_text_of_a_migration_is_refused)
{
    make_store_file();
    run_sql("UPDATE migration SET checksum = checksum + 1 WHERE version = 1");
    assert_refused(folder.path, TC_INVALID, "0001_tasks");
}
END_TEST

START_TEST(a_gap_in_the_migrations_is_refused)
{
    make_store_file();
    run_sql("DELETE FROM migration");
    assert_refused(folder.path, TC_INVALID, "0 migrations are recorded");
}
END_TEST

START_TEST(a_refused_file_is_left_as_it_was)
{
    run_sql("CREATE TABLE recipes (name TEXT)");
    assert_refused(folder.path, TC_INVALID, "another program");
    ck_assert_int_eq(read_sql("SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(a_migration_is_recorded_and_not_repeated)
{
    make_store_file();
    sqlite_store_close(open_store());
    ck_assert_int_eq(read_sql("SELECT count(*) FROM migration WHERE version = 1"), 1);
    ck_assert_int_eq(read_sql("SELECT applied_at FROM migration"), STORE_START_MS);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM task"), 1);
}
END_TEST

START_TEST(a_damaged_page_is_refused)
{
    unsigned char noise[4096];

    make_store_file();
    memset(noise, 0x5A, sizeof(noise));
    write_at(folder.path, 4096, noise, sizeof(noise));
    assert_refused(folder.path, TC_INVALID, folder.path);
}
END_TEST

START_TEST(a_file_cut_short_is_refused)
{
    make_store_file();
    ck_assert_int_eq(truncate(folder.path, 8192), 0);
    assert_refused(folder.path, TC_INVALID, folder.path);
}
END_TEST

/* --- one process --- */

START_TEST(a_second_store_in_this_process_is_refused)
{
    struct sqlite_store *sqlite = open_store();

    assert_refused(folder.path, TC_CONFLICT, "in use by process");
    sqlite_store_close(sqlite);
    sqlite_store_close(open_store());
}
END_TEST

START_TEST(a_link_leads_to_the_same_lock)
{
    struct sqlite_store *sqlite = open_store();
    char link[128];

    snprintf(link, sizeof(link), "%s/link", folder.folder);
    ck_assert_int_eq(symlink(folder.path, link), 0);
    assert_refused(link, TC_CONFLICT, folder.path);
    sqlite_store_close(sqlite);
}
END_TEST

/* Open in another process; exits with 0 when it could, else with the code. */
static int open_elsewhere(void)
{
    pid_t child = fork();
    int status = 0;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct sqlite_store *sqlite = NULL;
        char pid[24];
        enum tc_code code = try_open(folder.path, &sqlite);

        snprintf(pid, sizeof(pid), "process %ld", (long)getppid());
        sqlite_store_close(code == TC_OK ? sqlite : NULL);
        _exit(code == TC_OK || strstr(error.message, pid) ? (int)code : 99);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(a_second_process_is_refused_and_told_whose_it_is)
{
    struct sqlite_store *sqlite = open_store();

    ck_assert_int_eq(open_elsewhere(), TC_CONFLICT);
    sqlite_store_close(sqlite);
    ck_assert_int_eq(open_elsewhere(), TC_OK);
}
END_TEST

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
    struct sqlite_store *sqlite = open_store();

    for (int i = 0; i < SQLITE_STATEMENT_COUNT; i++)
        if (!may_scan((enum sqlite_statement)i))
            assert_plan_is_good(sqlite->writer.db,
                                sqlite_statement_text((enum sqlite_statement)i));
    sqlite_store_close(sqlite);
}
END_TEST

/* --- dying --- */

struct ack {
    struct tc_id id;
};

/* Insert one after another and tell the pipe of each that was acknowledged. */
static void insert_until_killed(int fd)
{
    open_store();
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
    struct sqlite_store *sqlite;
    size_t count = kill_inserter(20 + 17 * (size_t)_i, acks, 4000);
    size_t claimed = 0;

    ck_assert_uint_ge(count, 20);
    sqlite = open_store();
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(store_status_of(&acks[i].id), TC_STATUS_NEW);
    for (size_t some; (some = store_claim_count(1000)) > 0;)
        claimed += some;
    ck_assert_uint_ge(claimed, count);
    ck_assert_uint_le(claimed, count + 1); /* one commit whose answer was lost */
    sqlite_store_close(sqlite);
}
END_TEST

static void claim_and_be_killed(void)
{
    struct tc_claim claim = store_any(2);
    static struct store_group group;

    open_store();
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

    struct sqlite_store *sqlite = open_store();

    store_take_ended(10, &ended);
    ck_assert_uint_eq(ended.count, 2); /* the others were not of the process */
    ck_assert_int_eq(ended.tasks[0].crashes, 1);
    store_group_release(&ended);
    store_take_ended(10, &ended);
    ck_assert_uint_eq(ended.count, 0);
    sqlite_store_close(sqlite);
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
    *ret_code = store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &error);
    free(bytes);
    return task.id;
}

START_TEST(a_full_file_refuses_writes_and_goes_on_reading)
{
    struct sqlite_store_config config = { .path = folder.path,
                                          .clock = &store.clock.base,
                                          .size_max = 400000 };
    struct sqlite_store *sqlite = NULL;
    enum tc_code code = TC_OK;

    ck_assert_int_eq(sqlite_store_open(&config, &sqlite, &error), TC_OK);
    adopt(sqlite);

    struct tc_id first = store_create((struct store_wish){ 0 });
    struct tc_id refused = create_large(500000, &code);

    ck_assert_int_eq(code, TC_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(error.message, "full"));
    store_assert_absent(&refused);
    ck_assert_int_eq(store_status_of(&first), TC_STATUS_NEW);
    store_create((struct store_wish){ 0 }); /* a small one still fits */
    sqlite_store_close(sqlite);

    sqlite = open_store(); /* without the limit */
    create_large(500000, &code);
    ck_assert_int_eq(code, TC_OK);
    sqlite_store_close(sqlite);
}
END_TEST

START_TEST(the_log_stays_bounded)
{
    struct sqlite_store *sqlite = open_store();
    char wal[128];
    struct stat info;
    enum tc_code code = TC_OK;

    snprintf(wal, sizeof(wal), "%s-wal", folder.path);
    for (int i = 0; i < 100; i++) {
        create_large(1000000, &code);
        ck_assert_int_eq(code, TC_OK);
    }
    ck_assert_int_eq(stat(wal, &info), 0);
    ck_assert_int_lt(info.st_size, 24 * 1024 * 1024);
    sqlite_store_close(sqlite);
}
END_TEST

START_TEST(a_closed_store_leaves_one_file_and_an_empty_lock)
{
    struct stat info;
    char name[128];

    make_store_file();
    snprintf(name, sizeof(name), "%s-wal", folder.path);
    ck_assert_int_ne(access(name, F_OK), 0);
    snprintf(name, sizeof(name), "%s.lock", folder.path);
    ck_assert_int_eq(stat(name, &info), 0);
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
    TCase *tcase = tcase_create("files");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_path_and_a_clock_are_required);
    tcase_add_test(tcase, more_readers_than_there_can_be_are_refused);
    tcase_add_test(tcase, a_missing_folder_is_unavailable);
    tcase_add_test(tcase, a_folder_is_no_file);
    tcase_add_test(tcase, a_folder_that_cannot_be_written_is_unavailable);
    tcase_add_test(tcase, a_file_that_cannot_be_written_is_unavailable);
    tcase_add_test(tcase, a_relative_path_works_also_after_a_change_of_folder);
    tcase_add_test(tcase, names_that_mean_something_to_sqlite_are_file_names);
    tcase_add_test(tcase, only_the_owner_may_read_the_files);
    tcase_add_test(tcase, network_file_systems_are_known);
    tcase_add_test(tcase, a_file_that_is_no_database_is_refused);
    tcase_add_test(tcase, an_empty_file_becomes_a_database);
    tcase_add_test(tcase, a_database_of_another_program_is_refused);
    tcase_add_test(tcase, a_database_with_another_application_id_is_refused);
    tcase_add_test(tcase, a_newer_schema_is_refused);
    tcase_add_test(tcase, another_text_of_a_migration_is_refused);
    tcase_add_test(tcase, a_gap_in_the_migrations_is_refused);
    tcase_add_test(tcase, a_refused_file_is_left_as_it_was);
    tcase_add_test(tcase, a_migration_is_recorded_and_not_repeated);
    tcase_add_test(tcase, a_damaged_page_is_refused);
    tcase_add_test(tcase, a_file_cut_short_is_refused);
    tcase_add_test(tcase, a_second_store_in_this_process_is_refused);
    tcase_add_test(tcase, a_link_leads_to_the_same_lock);
    tcase_add_test(tcase, a_second_process_is_refused_and_told_whose_it_is);
    tcase_add_test(tcase, no_statement_scans_a_table_or_sorts);
    tcase_add_loop_test(tcase, what_was_acknowledged_before_a_kill_is_there_once, 0, 5);
    tcase_add_test(tcase, leases_of_a_killed_process_are_ended_at_once);
    tcase_add_test(tcase, a_full_file_refuses_writes_and_goes_on_reading);
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
