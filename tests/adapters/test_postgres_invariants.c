/* The rules of `taskctl check`: quiet on healthy tables, and each finds what breaks it. */

#include "adapters/postgres/postgres_invariants.h"
#include "tests/adapters/postgres_server.h"

#include <stdio.h>
#include <string.h>

/* One task of each kind, by the last digit of its id: 1 scheduled, 2 new, 3 pending,
 * 4 processing, 5 processing for its rescue, 6 done, 7 failed by its handler, 8 failed by
 * crashes, 9 cancelled; and 2 once more as a ghost in the ready row of 4. */
static const char healthy[] =
    "INSERT INTO taskcore.task (id, status, place, epoch, updated_at, run_at, started_at,"
    " finished_at, wake_at, failed_at, timeout_ms, error_at, attempt, max_attempts, crashes,"
    " max_crashes, error_attempt, priority, payload_kind, error_reason, titled, queue, type,"
    " error)"
    " SELECT ('00000000-0000-7000-8000-00000000000' || n)::uuid, status, place, epoch, 1000,"
    " 1000, started, finished, CASE WHEN status = 0 THEN 1000 END,"
    " CASE WHEN status = 5 THEN finished END, 60000, CASE WHEN reason > 0 THEN 900 ELSE 0 END,"
    " attempt, 3, crashes, 2, 0, 4, 1, reason, false, 'q', 't',"
    " CASE WHEN reason > 0 THEN 'broken'::bytea END"
    " FROM (VALUES (1, 0, NULL::bigint, 1, 900, 0, 1, 0, 1),"
    " (2, 1, 7, 0, 0, 0, 0, 0, 0),"
    " (3, 2, 7, 0, 0, 0, 0, 0, 0),"
    " (4, 3, 50, 1, 900, 0, 1, 0, 0),"
    " (5, 3, 51, 4, 900, 0, 0, 3, 0),"
    " (6, 4, NULL, 1, 900, 1000, 1, 0, 0),"
    " (7, 5, NULL, 3, 900, 1000, 3, 1, 2),"
    " (8, 5, NULL, 4, 900, 1000, 0, 3, 3),"
    " (9, 6, NULL, 0, 0, 1000, 0, 0, 0))"
    " AS v (n, status, place, epoch, started, finished, attempt, crashes, reason);"
    " INSERT INTO taskcore.ready (queue, type, rank, seq, since, ids)"
    " SELECT 'q', 't', 6, seq, 1000, ARRAY(SELECT id FROM taskcore.task"
    "   WHERE right(id::text, 1) = ANY (members)) FROM (VALUES (7, '{2,3}'::text[]),"
    "   (8, '{2,4}')) AS v (seq, members);"
    " INSERT INTO taskcore.lease (id, due_at, duration_ms, live, rescue, queue, owner, ids)"
    " SELECT lease, 9000, 1000, 1, rescue, 'q', 'w', ARRAY(SELECT id FROM taskcore.task"
    "   WHERE right(id::text, 1) = ANY (members)) FROM (VALUES (50, false, '{4,6}'::text[]),"
    "   (51, true, '{5}')) AS v (lease, rescue, members);"
    " INSERT INTO taskcore.key (key, hash, first_id, created_at, answer)"
    " SELECT 'k', '', id, 1000, '' FROM taskcore.task WHERE right(id::text, 1) = '2'";

/* What the schema itself forbids is planted all the same: it may be restored without. */
static const char no_constraints[] =
    "ALTER TABLE taskcore.task DROP CONSTRAINT IF EXISTS task_status,"
    " DROP CONSTRAINT IF EXISTS task_finished, DROP CONSTRAINT IF EXISTS task_scheduled,"
    " DROP CONSTRAINT IF EXISTS task_failed, DROP CONSTRAINT IF EXISTS task_place,"
    " DROP CONSTRAINT IF EXISTS task_attempts";

#define TASK(n)  " WHERE id = '00000000-0000-7000-8000-00000000000" #n "'"
#define SET(...) "UPDATE taskcore.task SET " __VA_ARGS__

static const struct {
    const char *sql;
    const char *broken; /* the rules, in their order */
} plants[] = {
    { "UPDATE taskcore.ready SET ids = ids[2:] WHERE seq = 7", "waiting_in_ready" },
    { "DELETE FROM taskcore.ready WHERE seq = 7", "waiting_in_ready" },
    { SET("place = 8") TASK(3), "waiting_in_ready" },
    { "UPDATE taskcore.ready SET ids = ids || ids WHERE seq = 7", "ready_members" },
    { "UPDATE taskcore.ready SET ids = '{}' WHERE seq = 8", "ready_members" },
    { "UPDATE taskcore.ready SET ids = ids || gen_random_uuid() WHERE seq = 8", "ready_tasks" },
    { "UPDATE taskcore.ready SET rank = 5 WHERE seq = 8", "ready_tasks" },
    { "UPDATE taskcore.ready SET type = 'u' WHERE seq = 8", "ready_tasks" },
    { SET("place = 52") TASK(4), "processing_in_lease lease_live" },
    { "UPDATE taskcore.lease SET queue = 'r' WHERE id = 50", "processing_in_lease" },
    { "UPDATE taskcore.lease SET ids = ids[2:] WHERE id = 50",
      "processing_in_lease lease_live" },
    { "DELETE FROM taskcore.lease WHERE id = 50", "processing_in_lease" },
    { "UPDATE taskcore.lease SET live = 2 WHERE id = 51", "lease_live" },
    { SET("status = 4, place = NULL, finished_at = 9") TASK(4), "lease_live" },
    { "UPDATE taskcore.lease SET ids = ids || ids WHERE id = 50", "lease_members" },
    { SET("place = NULL") TASK(2), "waiting_in_ready place" },
    { SET("place = 7") TASK(6), "place" },
    { SET("wake_at = 2000") TASK(1), "scheduled_wakes" },
    { SET("wake_at = NULL") TASK(1), "scheduled_wakes" },
    { SET("wake_at = 1000") TASK(2), "scheduled_wakes" },
    { SET("finished_at = 0") TASK(6), "terminal_finished" },
    { SET("finished_at = 5") TASK(2), "terminal_finished" },
    { SET("failed_at = NULL") TASK(7), "failed_listed" },
    { SET("failed_at = 2000") TASK(7), "failed_listed" },
    { SET("failed_at = 1000") TASK(9), "failed_listed" },
    { SET("attempt = 4") TASK(6), "attempts" },
    { SET("attempt = -1") TASK(2), "attempts" },
    { SET("attempt = 0") TASK(6), "ran" },
    { SET("started_at = 0") TASK(4), "ran" },
    { SET("epoch = 0") TASK(6), "held" },
    { SET("epoch = 0") TASK(1), "held" },
    { SET("attempt = 2") TASK(7), "failed_for_a_reason" },
    { SET("crashes = 2") TASK(8), "failed_for_a_reason" },
    { SET("error_reason = 0, error = NULL, error_at = 0") TASK(7), "failed_for_a_reason" },
    { SET("crashes = 3") TASK(4), "crashes_end" },
    { SET("crashes = 3, epoch = 3") TASK(2), "crashes_end" },
    { SET("crashes = 3") TASK(7), "crashes_end" },
    { SET("crashes = 3") TASK(6), "crashes_end" },
    { SET("error = NULL") TASK(1), "error_whole" },
    { SET("error_at = 0") TASK(7), "error_whole" },
    { "UPDATE taskcore.key SET first_id = gen_random_uuid()", "key_task" },
};

static struct tc_error err;

static struct {
    char names[256];
    char example[256];
    size_t rows;
} found;

static void note(void *ctx, const char *name, const char *rule, size_t rows,
                 const char *example)
{
    size_t len = strlen(found.names);

    ck_assert_ptr_eq(ctx, &found);
    ck_assert_uint_gt(strlen(rule), 10);
    snprintf(found.names + len, sizeof(found.names) - len, "%s%s", len ? " " : "", name);
    snprintf(found.example, sizeof(found.example), "%s", example);
    found.rows = rows;
}

static size_t check(void)
{
    size_t rules = 0;
    size_t broken = 0;

    ck_assert_msg(postgres_check_invariants(postgres_server_url(), note, &found, &rules,
                                            &broken, &err) == TC_OK,
                  "%s", err.message);
    ck_assert_uint_ge(rules, 15);
    return broken;
}

static void setup(void)
{
    postgres_server_sql(no_constraints);
    postgres_server_empty();
    postgres_server_sql(healthy);
}

START_TEST(healthy_tables_break_no_rule)
{
    ck_assert_msg(check() == 0, "%s: %s", found.names, found.example);
    postgres_server_empty();
    ck_assert_uint_eq(check(), 0);
}
END_TEST

START_TEST(each_violation_is_found_by_its_rule)
{
    postgres_server_sql(plants[_i].sql);
    ck_assert_uint_ge(check(), 1);
    ck_assert_msg(strcmp(found.names, plants[_i].broken) == 0, "%s, not %s by: %s", found.names,
                  plants[_i].broken, plants[_i].sql);
}
END_TEST

START_TEST(all_rows_are_counted_and_one_is_named)
{
    postgres_server_sql("DELETE FROM taskcore.ready WHERE seq = 7");
    ck_assert_uint_eq(check(), 1);
    ck_assert_uint_eq(found.rows, 2);
    ck_assert_str_eq(found.example, "00000000-0000-7000-8000-000000000002");
}
END_TEST

START_TEST(no_server_is_unavailable_and_no_schema_invalid)
{
    size_t rules = 0;
    size_t broken = 0;

    ck_assert_int_eq(postgres_check_invariants("postgresql://127.0.0.1:1/none", note, &found,
                                               &rules, &broken, &err),
                     TC_UNAVAILABLE);
    ck_assert_int_eq(postgres_check_invariants(postgres_server_admin_url(), note, &found,
                                               &rules, &broken, &err),
                     TC_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_invariants");
    TCase *tcase = tcase_create("invariants");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, healthy_tables_break_no_rule);
    tcase_add_loop_test(tcase, each_violation_is_found_by_its_rule, 0,
                        sizeof(plants) / sizeof(plants[0]));
    tcase_add_test(tcase, all_rows_are_counted_and_one_is_named);
    tcase_add_test(tcase, no_server_is_unavailable_and_no_schema_invalid);
    suite_add_tcase(suite, tcase);
    return postgres_server_run(suite);
}
