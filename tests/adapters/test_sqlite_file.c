/* Which files the store takes, makes and refuses, and that it is alone with them. */

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

    ck_assert_int_eq(sqlite3_open(sqlite_folder.path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(db));
    sqlite3_close(db);
}

static int64_t read_sql(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    ck_assert_int_eq(sqlite3_open(sqlite_folder.path, &db), SQLITE_OK);
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
    const struct sqlite_store_config no_clock = { .path = sqlite_folder.path };
    struct sqlite_store *sqlite = NULL;

    sqlite_assert_refused(NULL, TC_INVALID, "path");
    sqlite_assert_refused("", TC_INVALID, "path");
    ck_assert_int_eq(sqlite_store_open(&no_clock, &sqlite, &store.err), TC_INVALID);
}
END_TEST

START_TEST(more_readers_than_there_can_be_are_refused)
{
    const struct sqlite_store_config config = { .path = sqlite_folder.path,
                                                .clock = &store.clock.base,
                                                .readers = 17 };
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(sqlite_store_open(&config, &sqlite, &store.err), TC_INVALID);
}
END_TEST

START_TEST(a_missing_folder_is_unavailable)
{
    sqlite_assert_refused("/tmp/taskcore-no-such-folder/tasks.db", TC_UNAVAILABLE,
                          "/tmp/taskcore-no-such-folder/tasks.db");
}
END_TEST

START_TEST(a_folder_is_no_file)
{
    sqlite_assert_refused("/tmp/", TC_INVALID, "names a folder");
    sqlite_assert_refused(sqlite_folder.folder, TC_INVALID, "no regular file");
    ck_assert_int_eq(unlink(sqlite_with_end(sqlite_folder.folder, ".lock")), 0);
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
    ck_assert_int_eq(chmod(sqlite_folder.folder, 0555), 0);
    become_nobody();
    sqlite_assert_refused(sqlite_folder.path, TC_UNAVAILABLE, "Permission denied");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(sqlite_folder.folder, 0700), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_unavailable)
{
    sqlite_make_file();
    ck_assert_int_eq(chmod(sqlite_folder.folder, 0777), 0);
    ck_assert_int_eq(chmod(sqlite_folder.path, 0444), 0);
    ck_assert_int_eq(chmod(sqlite_with_end(sqlite_folder.path, ".lock"), 0666), 0);
    become_nobody();
    sqlite_assert_refused(sqlite_folder.path, TC_UNAVAILABLE, sqlite_folder.path);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_relative_path_works_also_after_a_change_of_folder)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(chdir(sqlite_folder.folder), 0);
    ck_assert_msg(sqlite_try_open("tasks.db", &sqlite) == TC_OK, "%s", store.err.message);
    ck_assert_int_eq(chdir("/"), 0);
    sqlite->writer.broken = true; /* so that the file is opened anew */
    ck_assert_msg(sqlite_store_task_repo(sqlite)->ops->check(sqlite_store_task_repo(sqlite),
                                                             &store.err) == TC_OK,
                  "%s", store.err.message);
    sqlite_store_close(sqlite);
    ck_assert_int_eq(access(sqlite_folder.path, F_OK), 0);
}
END_TEST

START_TEST(names_that_mean_something_to_sqlite_are_file_names)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(chdir(sqlite_folder.folder), 0);
    ck_assert_msg(sqlite_try_open(":memory:", &sqlite) == TC_OK, "%s", store.err.message);
    sqlite_store_close(sqlite);
    ck_assert_int_eq(access(":memory:", F_OK), 0);
}
END_TEST

START_TEST(only_the_owner_may_read_the_files)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
    struct stat info;

    umask(0);
    sqlite_open_again();
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        ck_assert_msg(stat(sqlite_with_end(sqlite_folder.path, ends[i]), &info) == 0, "%s",
                      ends[i]);
        ck_assert_uint_eq(info.st_mode & 07777, 0600);
    }
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

    write_at(sqlite_folder.path, 0, text, sizeof(text));
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, sqlite_folder.path);
    ck_assert_ptr_nonnull(strstr(store.err.message, "not a database"));
}
END_TEST

START_TEST(an_empty_file_becomes_a_database)
{
    write_at(sqlite_folder.path, 0, "", 0);
    sqlite_open_again();
}
END_TEST

START_TEST(a_database_of_another_program_is_refused)
{
    run_sql("CREATE TABLE recipes (name TEXT)");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "another program");
}
END_TEST

START_TEST(a_database_with_another_application_id_is_refused)
{
    run_sql("PRAGMA application_id = 4711");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "another program");
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
    sqlite_make_file();
    run_sql("PRAGMA user_version = 999");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "version 999");
}
END_TEST

START_TEST(another_text_of_a_migration_is_refused)
{
    sqlite_make_file();
    run_sql("UPDATE migration SET checksum = checksum + 1 WHERE version = 1");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "0001_tasks");
}
END_TEST

START_TEST(a_gap_in_the_migrations_is_refused)
{
    sqlite_make_file();
    run_sql("DELETE FROM migration");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "0 migrations are recorded");
}
END_TEST

START_TEST(a_refused_file_is_left_as_it_was)
{
    run_sql("CREATE TABLE recipes (name TEXT)");
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, "another program");
    ck_assert_int_eq(read_sql("SELECT count(*) FROM sqlite_schema"), 1);
}
END_TEST

START_TEST(a_migration_is_recorded_and_not_repeated)
{
    sqlite_make_file();
    sqlite_open_again();
    ck_assert_int_eq(read_sql("SELECT count(*) FROM migration WHERE version = 1"), 1);
    ck_assert_int_eq(read_sql("SELECT applied_at FROM migration"), STORE_START_MS);
    ck_assert_int_eq(read_sql("SELECT count(*) FROM task"), 1);
}
END_TEST

START_TEST(a_damaged_page_is_refused)
{
    unsigned char noise[4096];

    sqlite_make_file();
    memset(noise, 0x5A, sizeof(noise));
    write_at(sqlite_folder.path, 4096, noise, sizeof(noise));
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, sqlite_folder.path);
}
END_TEST

START_TEST(a_file_cut_short_is_refused)
{
    sqlite_make_file();
    ck_assert_int_eq(truncate(sqlite_folder.path, 8192), 0);
    sqlite_assert_refused(sqlite_folder.path, TC_INVALID, sqlite_folder.path);
}
END_TEST

/* --- one process --- */

START_TEST(a_second_store_in_this_process_is_refused)
{
    sqlite_open_again();

    sqlite_assert_refused(sqlite_folder.path, TC_CONFLICT, "in use by process");
    sqlite_close_now();
    sqlite_open_again();
}
END_TEST

START_TEST(a_link_leads_to_the_same_lock)
{
    char link[128];

    sqlite_open_again();
    snprintf(link, sizeof(link), "%s/link", sqlite_folder.folder);
    ck_assert_int_eq(symlink(sqlite_folder.path, link), 0);
    sqlite_assert_refused(link, TC_CONFLICT, sqlite_folder.path);
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
        enum tc_code code = sqlite_try_open(sqlite_folder.path, &sqlite);

        snprintf(pid, sizeof(pid), "process %ld", (long)getppid());
        sqlite_store_close(code == TC_OK ? sqlite : NULL);
        _exit(code == TC_OK || strstr(store.err.message, pid) ? (int)code : 99);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(a_second_process_is_refused_and_told_whose_it_is)
{
    sqlite_open_again();

    ck_assert_int_eq(open_elsewhere(), TC_CONFLICT);
    sqlite_close_now();
    ck_assert_int_eq(open_elsewhere(), TC_OK);
}
END_TEST

static Suite *sqlite_file_suite(void)
{
    Suite *suite = suite_create("sqlite_file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, sqlite_folder_setup, sqlite_folder_teardown);
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
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(sqlite_file_suite());
}
