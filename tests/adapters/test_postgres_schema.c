/* Migrations: each once, whoever asks and however often, and never over something that this
 * program does not know. */

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_schema.h"
#include "tests/adapters/postgres_server.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LATEST 1

static struct tc_error err;

/* What was reported. */
static struct {
    int before;
    int after;
    char names[256];
} noted;

static void note(void *ctx, int version, const char *name, const char *sql, bool done)
{
    ck_assert_ptr_eq(ctx, &noted);
    ck_assert_int_ge(version, 1);
    ck_assert_ptr_nonnull(strstr(sql, "CREATE"));
    noted.before += !done;
    noted.after += done;
    if (!done)
        snprintf(noted.names + strlen(noted.names), sizeof(noted.names) - strlen(noted.names),
                 "%d=%s ", version, name);
}

static void setup(void)
{
    postgres_server_sql("DROP SCHEMA IF EXISTS taskcore CASCADE");
}

static enum tc_code migrate(int to, bool dry_run)
{
    return postgres_schema_migrate(postgres_server_url(), to, dry_run, note, &noted, &err);
}

static void do_migrate(void)
{
    enum tc_code code = migrate(0, false);

    ck_assert_msg(code == TC_OK, "%s", err.message);
}

static void assert_refused(enum tc_code actual, enum tc_code code, const char *words)
{
    ck_assert_msg(actual == code, "%s: %s", tc_code_name(actual), err.message);
    ck_assert_msg(strstr(err.message, words), "no '%s' in: %s", words, err.message);
}

/* What a program that opens a store would hear. */
static enum tc_code check(void)
{
    const struct postgres_connection_config config = {
        .url = postgres_server_url(),
        .statement_ms = 5000,
        .connect_ms = 5000,
        .prepares = true,
    };
    struct postgres_connection *connection = NULL;

    ck_assert_int_eq(postgres_connection_new(&config, &connection, &err), TC_OK);

    enum tc_code code = postgres_schema_check(connection, &err);

    postgres_connection_free(connection);
    return code;
}

static int64_t count_applied(void)
{
    return postgres_server_number("SELECT count(*) FROM taskcore.migration");
}

START_TEST(a_fresh_database_gets_everything)
{
    do_migrate();
    ck_assert_int_eq(count_applied(), LATEST);
    ck_assert_int_eq(noted.before, LATEST);
    ck_assert_int_eq(noted.after, LATEST);
    ck_assert_str_eq(noted.names, "1=0001_tasks ");
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM taskcore.health"), 1);
    ck_assert_int_eq(check(), TC_OK);
}
END_TEST

START_TEST(a_second_time_there_is_nothing_to_do)
{
    do_migrate();
    memset(&noted, 0, sizeof(noted));
    do_migrate();
    ck_assert_int_eq(noted.before + noted.after, 0);
    ck_assert_int_eq(count_applied(), LATEST);
}
END_TEST

START_TEST(what_is_recorded_is_the_text_that_was_run)
{
    int64_t now_ms;

    do_migrate();
    now_ms = postgres_server_number("SELECT (extract(epoch FROM now()) * 1000)::bigint");
    ck_assert_int_eq(postgres_server_number("SELECT octet_length(checksum)"
                                            " FROM taskcore.migration WHERE version = 1"),
                     32);
    ck_assert_int_le(
        now_ms - postgres_server_number("SELECT applied_at FROM taskcore.migration"), 10000);
}
END_TEST

START_TEST(a_dry_run_tells_and_changes_nothing)
{
    ck_assert_int_eq(migrate(0, true), TC_OK);
    ck_assert_int_eq(noted.before, LATEST);
    ck_assert_int_eq(noted.after, 0);
    ck_assert_int_eq(
        postgres_server_number("SELECT count(*) FROM pg_namespace WHERE nspname = 'taskcore'"),
        0);
}
END_TEST

START_TEST(it_goes_as_far_as_asked)
{
    ck_assert_int_eq(migrate(1, false), TC_OK);
    ck_assert_int_eq(count_applied(), 1);
    assert_refused(migrate(LATEST + 1, false), TC_INVALID, "there is no migration 2");
    assert_refused(migrate(-1, false), TC_INVALID, "there is no migration -1");
}
END_TEST

START_TEST(a_changed_text_is_refused)
{
    do_migrate();
    postgres_server_sql("UPDATE taskcore.migration SET checksum = sha256('other')");
    assert_refused(migrate(0, false), TC_INVALID, "'0001_tasks'");
    assert_refused(migrate(0, true), TC_INVALID, "changed");
}
END_TEST

static void add_from_future(void)
{
    do_migrate();
    postgres_server_sql("INSERT INTO taskcore.migration (version, name, checksum, applied_at)"
                        " VALUES (2, '0002_future', sha256(''), 5)");
}

START_TEST(a_newer_schema_is_left_alone)
{
    add_from_future();
    assert_refused(migrate(0, false), TC_INVALID, "schema version 2 is newer");
    assert_refused(check(), TC_INVALID,
                   "schema version 2 is newer than this program (1): run a newer program");
}
END_TEST

START_TEST(a_gap_is_refused)
{
    do_migrate();
    postgres_server_sql("UPDATE taskcore.migration SET version = 0");
    assert_refused(migrate(0, false), TC_INVALID, "gap");
}
END_TEST

START_TEST(a_database_without_schema_is_too_old)
{
    assert_refused(check(), TC_INVALID,
                   "schema version 0, this program needs 1: run taskctl migrate");
}
END_TEST

/* --- one at a time --- */

static int migrate_in_child(void)
{
    if (migrate(0, false) == TC_OK)
        return 10 + noted.after;
    fprintf(stderr, "%s\n", err.message);
    return 1;
}

START_TEST(many_at_once_do_it_once)
{
    enum { COUNT = 6 };
    int good = 0;
    int status = 0;

    for (int i = 0; i < COUNT; i++) {
        if (fork() == 0)
            _exit(migrate_in_child());
    }
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_ge(WEXITSTATUS(status), 10);
        good += WEXITSTATUS(status) - 10;
    }
    ck_assert_int_eq(good, LATEST);
    ck_assert_int_eq(count_applied(), LATEST);
}
END_TEST

START_TEST(a_failed_migration_leaves_nothing)
{
    postgres_server_sql("CREATE SCHEMA taskcore; CREATE TABLE taskcore.lease (mine int)");
    ck_assert_int_eq(migrate(0, false), TC_INTERNAL);
    ck_assert_int_eq(noted.after, 0);
    ck_assert_int_eq(
        postgres_server_number("SELECT count(*) FROM pg_class c JOIN pg_namespace n"
                               " ON n.oid = relnamespace"
                               " WHERE nspname = 'taskcore'"),
        1);
    postgres_server_sql("DROP TABLE taskcore.lease");
    do_migrate();
}
END_TEST

START_TEST(a_table_in_use_for_too_long_is_unavailable)
{
    PGconn *pg = PQconnectdb(postgres_server_url());

    postgres_server_sql("CREATE SCHEMA taskcore");
    PQclear(PQexec(pg, "BEGIN; CREATE TABLE taskcore.task (mine int)"));
    assert_refused(migrate(0, false), TC_UNAVAILABLE, "55P03");
    PQfinish(pg);
    do_migrate();
}
END_TEST

/* --- status --- */

static struct postgres_migration_status *status_rows(size_t count)
{
    struct postgres_migration_status *rows = NULL;
    size_t found = 0;

    ck_assert_int_eq(postgres_schema_status(postgres_server_url(), &rows, &found, &err), TC_OK);
    ck_assert_uint_eq(found, count);
    return rows;
}

START_TEST(the_status_of_a_fresh_database_names_what_is_missing)
{
    struct postgres_migration_status *rows = status_rows(LATEST);

    ck_assert_int_eq(rows[0].version, 1);
    ck_assert_str_eq(rows[0].name, "0001_tasks");
    ck_assert_int_eq(rows[0].applied_at_ms, 0);
    ck_assert(!rows[0].changed && !rows[0].unknown);
    free(rows);
}
END_TEST

START_TEST(the_status_names_what_changed_and_what_is_unknown)
{
    struct postgres_migration_status *rows;

    add_from_future();
    rows = status_rows(2);
    ck_assert(rows[0].applied_at_ms > 0 && !rows[0].changed && !rows[0].unknown);
    ck_assert(rows[1].unknown && !rows[1].changed && rows[1].applied_at_ms == 5);
    ck_assert_str_eq(rows[1].name, "0002_future");
    free(rows);
    postgres_server_sql("UPDATE taskcore.migration SET checksum = sha256('other')");
    rows = status_rows(2);
    ck_assert(rows[0].changed);
    free(rows);
}
END_TEST

START_TEST(no_server_is_unavailable)
{
    struct postgres_migration_status *rows = NULL;
    const char *url = "postgresql://127.0.0.1:1/none";
    size_t count = 0;

    ck_assert_int_eq(postgres_schema_migrate(url, 0, false, NULL, NULL, &err), TC_UNAVAILABLE);
    ck_assert_int_eq(postgres_schema_status(url, &rows, &count, &err), TC_UNAVAILABLE);
    ck_assert_int_eq(postgres_schema_status("nonsense", &rows, &count, &err), TC_INVALID);
}
END_TEST

/* --- who may do what --- */

START_TEST(the_roles_are_there_and_know_the_version)
{
    do_migrate();
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM pg_roles WHERE rolname IN"
                                            " ('taskcore_api', 'taskcore_worker',"
                                            " 'taskcore_publisher', 'taskcore_reader')"
                                            " AND has_table_privilege(oid,"
                                            " 'taskcore.migration', 'SELECT')"),
                     4);
}
END_TEST

START_TEST(nobody_but_the_owner_may_delete_tasks_or_rewrite_payloads)
{
    do_migrate();
    ck_assert_int_eq(postgres_server_number(
                         "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'taskcore\\_%' AND"
                         " (has_table_privilege(oid, 'taskcore.task', 'DELETE, TRUNCATE')"
                         " OR has_column_privilege(oid, 'taskcore.task', 'payload', 'UPDATE')"
                         " OR has_schema_privilege(oid, 'taskcore', 'CREATE'))"),
                     0);
}
END_TEST

static void add_refusals(TCase *tcase)
{
    tcase_add_test(tcase, it_goes_as_far_as_asked);
    tcase_add_test(tcase, a_changed_text_is_refused);
    tcase_add_test(tcase, a_newer_schema_is_left_alone);
    tcase_add_test(tcase, a_gap_is_refused);
    tcase_add_test(tcase, a_database_without_schema_is_too_old);
    tcase_add_test(tcase, a_failed_migration_leaves_nothing);
    tcase_add_test(tcase, a_table_in_use_for_too_long_is_unavailable);
    tcase_add_test(tcase, no_server_is_unavailable);
}

int main(void)
{
    Suite *suite = suite_create("postgres_schema");
    TCase *tcase = tcase_create("schema");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_fresh_database_gets_everything);
    tcase_add_test(tcase, a_second_time_there_is_nothing_to_do);
    tcase_add_test(tcase, what_is_recorded_is_the_text_that_was_run);
    tcase_add_test(tcase, a_dry_run_tells_and_changes_nothing);
    add_refusals(tcase);
    tcase_add_test(tcase, many_at_once_do_it_once);
    tcase_add_test(tcase, the_status_of_a_fresh_database_names_what_is_missing);
    tcase_add_test(tcase, the_status_names_what_changed_and_what_is_unknown);
    tcase_add_test(tcase, the_roles_are_there_and_know_the_version);
    tcase_add_test(tcase, nobody_but_the_owner_may_delete_tasks_or_rewrite_payloads);
    suite_add_tcase(suite, tcase);
    return postgres_server_run_bare(suite);
}
