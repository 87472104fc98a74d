/* The denominator of the burn-down: the least that SQLite must do to hand out and end tasks.
 *
 * One plain table with an index on what waits, one connection, write-ahead log and
 * synchronous=FULL as in the product; claim `batch` in one transaction, complete them in the
 * next, nothing else. Usage: bench_raw_sqlite FILE TASKS BATCH; prints tasks per second. */

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH_MAX 1000

static void check(sqlite3 *db, int rc, int wanted, const char *what)
{
    if (rc == wanted)
        return;
    fprintf(stderr, "bench_raw_sqlite: %s: %s\n", what, sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}

static void run(sqlite3 *db, const char *sql)
{
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    check(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, sql);
    return stmt;
}

static void step(sqlite3 *db, sqlite3_stmt *stmt)
{
    check(db, sqlite3_step(stmt), SQLITE_DONE, sqlite3_sql(stmt));
    check(db, sqlite3_reset(stmt), SQLITE_OK, "reset");
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fill(sqlite3 *db, int64_t tasks)
{
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE task(id INTEGER PRIMARY KEY, status INT NOT NULL, queue TEXT,"
            "  type TEXT, payload BLOB, created_at INT, started_at INT, finished_at INT);"
            "CREATE INDEX waiting ON task(id) WHERE status = 1; BEGIN");

    sqlite3_stmt *insert = prepare(
        db, "INSERT INTO task VALUES(?1, 1, 'default', 'demo.noop',"
            "  '{\"order\":123456,\"customer\":\"c-7890\",\"items\":[1,2,3]}', 1, NULL, NULL)");

    for (int64_t id = 1; id <= tasks; id++) {
        sqlite3_bind_int64(insert, 1, id);
        step(db, insert);
    }
    sqlite3_finalize(insert);
    run(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

struct statements {
    sqlite3_stmt *select;
    sqlite3_stmt *claim;
    sqlite3_stmt *complete;
};

static int claim(sqlite3 *db, const struct statements *s, int batch, int64_t *ids)
{
    int count = 0;
    int rc;

    run(db, "BEGIN IMMEDIATE");
    sqlite3_bind_int(s->select, 1, batch);
    while ((rc = sqlite3_step(s->select)) == SQLITE_ROW)
        ids[count++] = sqlite3_column_int64(s->select, 0);
    check(db, rc, SQLITE_DONE, "select");
    sqlite3_reset(s->select);
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(s->claim, 1, ids[i]);
        step(db, s->claim);
    }
    run(db, "COMMIT");
    return count;
}

static void complete(sqlite3 *db, const struct statements *s, const int64_t *ids, int count)
{
    run(db, "BEGIN IMMEDIATE");
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(s->complete, 1, ids[i]);
        step(db, s->complete);
    }
    run(db, "COMMIT");
}

static void burn_down(sqlite3 *db, int64_t tasks, int batch)
{
    struct statements s = {
        .select = prepare(db, "SELECT id, payload FROM task WHERE status = 1"
                              "  ORDER BY id LIMIT ?1"),
        .claim = prepare(db, "UPDATE task SET status = 3, started_at = 2 WHERE id = ?1"),
        .complete = prepare(db, "UPDATE task SET status = 4, finished_at = 3 WHERE id = ?1"),
    };
    int64_t ids[BATCH_MAX];
    int64_t done = 0;
    int count;
    double began = now_seconds();

    while ((count = claim(db, &s, batch, ids)) > 0) {
        complete(db, &s, ids, count);
        done += count;
    }

    double seconds = now_seconds() - began;

    sqlite3_finalize(s.select);
    sqlite3_finalize(s.claim);
    sqlite3_finalize(s.complete);
    if (done != tasks) {
        fprintf(stderr, "bench_raw_sqlite: %lld of %lld\n", (long long)done, (long long)tasks);
        exit(EXIT_FAILURE);
    }
    printf("%.0f\n", (double)done / seconds);
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;

    if (argc != 4) {
        fprintf(stderr, "usage: bench_raw_sqlite FILE TASKS BATCH\n");
        return EXIT_FAILURE;
    }

    int64_t tasks = strtoll(argv[2], NULL, 10);
    int batch = (int)strtol(argv[3], NULL, 10);

    if (tasks < 1 || batch < 1 || batch > BATCH_MAX)
        return EXIT_FAILURE;
    check(db, sqlite3_open(argv[1], &db), SQLITE_OK, argv[1]);
    fill(db, tasks);
    burn_down(db, tasks, batch);
    sqlite3_close(db);
    return EXIT_SUCCESS;
}
