/*
 * How fast is the SQLite store, against a raw loop on one plain table with the same
 * durability (WAL, synchronous=FULL)? Rounds are interleaved and the medians of the ratios
 * are printed, since machines have moods.
 *
 *     bench_sqlite_store [FOLDER [TASKS [ROUNDS]]]
 */

#include "adapters/sqlite/sqlite_store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 21
#define BATCH_MAX  256

static const char payload[] = "{\"text\":\"a payload of about fifty bytes, as usual\"}";

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

static void must_ok(enum tc_code code, const struct tc_error *err)
{
    must(code == TC_OK, code == TC_OK ? "" : err->message);
}

static double now_s(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int64_t wall_ms(struct tc_clock *clock)
{
    struct timespec at;

    (void)clock;
    clock_gettime(CLOCK_REALTIME, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static const struct tc_clock_ops clock_ops = { .now_ms = wall_ms, .tick_ms = wall_ms };
static struct tc_clock wall_clock = { &clock_ops };

/* Tasks per second of both phases. */
struct speed {
    double insert;
    double run;
};

static void remove_files(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
    char name[512];

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* --- raw --- */

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    must(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) == SQLITE_OK,
         sqlite3_errmsg(db));
    return stmt;
}

static void run(sqlite3_stmt *stmt)
{
    must(sqlite3_step(stmt) == SQLITE_DONE, "a raw statement");
    sqlite3_reset(stmt);
}

static void raw_insert(sqlite3 *db, size_t count, size_t group)
{
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepare(db, "COMMIT");
    sqlite3_stmt *insert =
        prepare(db, "INSERT INTO task (status, payload, attempt) VALUES (1, ?1, 0)");

    for (size_t at = 0; at < count; at += group) {
        run(begin);
        for (size_t i = 0; i < group && at + i < count; i++) {
            sqlite3_bind_blob(insert, 1, payload, sizeof(payload) - 1, SQLITE_STATIC);
            run(insert);
        }
        run(commit);
    }
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
}

struct raw_loop {
    sqlite3_stmt *begin, *commit, *find, *claim, *done;
};

static size_t raw_claim(const struct raw_loop *loop, size_t batch, int64_t *ids)
{
    size_t count = 0;

    run(loop->begin);
    sqlite3_bind_int64(loop->find, 1, (int64_t)batch);
    while (sqlite3_step(loop->find) == SQLITE_ROW) {
        ids[count++] = sqlite3_column_int64(loop->find, 0);
        must(sqlite3_column_blob(loop->find, 1) != NULL, "a raw payload");
    }
    sqlite3_reset(loop->find);
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(loop->claim, 1, ids[i]);
        run(loop->claim);
    }
    run(loop->commit);
    return count;
}

static void raw_run(sqlite3 *db, size_t batch)
{
    struct raw_loop loop = {
        .begin = prepare(db, "BEGIN IMMEDIATE"),
        .commit = prepare(db, "COMMIT"),
        .find =
            prepare(db, "SELECT id, payload FROM task WHERE status = 1 ORDER BY id LIMIT ?1"),
        .claim = prepare(db, "UPDATE task SET status = 3, attempt = attempt + 1 WHERE id = ?1"),
        .done = prepare(db, "UPDATE task SET status = 4, result = ?2 WHERE id = ?1"
                            " AND status = 3"),
    };
    int64_t ids[BATCH_MAX];
    size_t count;

    while ((count = raw_claim(&loop, batch, ids)) > 0) {
        run(loop.begin);
        for (size_t i = 0; i < count; i++) {
            sqlite3_bind_int64(loop.done, 1, ids[i]);
            sqlite3_bind_blob(loop.done, 2, "null", 4, SQLITE_STATIC);
            run(loop.done);
        }
        run(loop.commit);
    }
    sqlite3_finalize(loop.begin);
    sqlite3_finalize(loop.commit);
    sqlite3_finalize(loop.find);
    sqlite3_finalize(loop.claim);
    sqlite3_finalize(loop.done);
}

static struct speed bench_raw(const char *path, size_t count, size_t group, size_t batch)
{
    sqlite3 *db = NULL;
    double start, inserted, done;

    remove_files(path);
    must(sqlite3_open(path, &db) == SQLITE_OK, "open");
    must(sqlite3_exec(db,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                      "CREATE TABLE task (id INTEGER PRIMARY KEY, status INTEGER NOT NULL,"
                      " payload BLOB, result BLOB, attempt INTEGER NOT NULL);"
                      "CREATE INDEX task_waiting ON task (id) WHERE status = 1",
                      NULL, NULL, NULL) == SQLITE_OK,
         sqlite3_errmsg(db));
    start = now_s();
    raw_insert(db, count, group);
    inserted = now_s();
    raw_run(db, batch);
    done = now_s();
    sqlite3_close(db);
    remove_files(path);
    return (struct speed){ (double)count / (inserted - start),
                           (double)count / (done - inserted) };
}

/* --- the store --- */

static struct tc_task make_task(uint64_t tail)
{
    struct tc_id id = tc_id_make(wall_ms(NULL), 0x123, tail);

    return (struct tc_task){
        .id = id,
        .status = TC_STATUS_NEW,
        .queue = "default",
        .type = "demo.noop",
        .max_attempts = 3,
        .max_crashes = 3,
        .created_at_ms = tc_id_ms(&id),
        .updated_at_ms = tc_id_ms(&id),
        .run_at_ms = tc_id_ms(&id),
        .timeout_ms = 300000,
        .payload = { TC_CONTENT_JSON, { payload, sizeof(payload) - 1 } },
    };
}

/* As coalesced creates come: each task a creation of its own. */
static void store_insert(struct tc_task_repo *repo, size_t count, size_t group)
{
    static struct tc_task tasks[BATCH_MAX];
    struct tc_creation creations[BATCH_MAX];
    struct tc_inserted inserted[BATCH_MAX];
    struct tc_error err;

    for (size_t at = 0; at < count; at += group) {
        size_t some = count - at < group ? count - at : group;

        for (size_t i = 0; i < some; i++) {
            tasks[i] = make_task(at + i);
            creations[i] = (struct tc_creation){ .tasks = &tasks[i], .task_count = 1 };
        }
        must_ok(repo->ops->insert(repo, creations, some, inserted, &err), &err);
    }
}

static size_t store_batch(struct tc_lease_repo *repo, size_t batch)
{
    static struct tc_task tasks[BATCH_MAX];
    const struct tc_claim claim = {
        .owner = "bench",
        .of_process = true,
        .max = batch,
        .lease_ms = 30000,
    };
    struct tc_outcome outcomes[BATCH_MAX];
    struct tc_verdict verdicts[BATCH_MAX];
    struct tc_error err;
    size_t count = 0;

    must_ok(repo->ops->claim(repo, &claim, tasks, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        outcomes[i] = (struct tc_outcome){
            .id = tasks[i].id,
            .epoch = tasks[i].epoch,
            .kind = TC_OUTCOME_DONE,
            .next = TC_STATUS_DONE,
            .result = { TC_CONTENT_JSON, { "null", 4 } },
        };
    if (count > 0)
        must_ok(repo->ops->finish(repo, outcomes, count, verdicts, &err), &err);
    for (size_t i = 0; i < count; i++) {
        must(verdicts[i].kind == TC_VERDICT_APPLIED, "a finish that is applied");
        tc_task_release(&tasks[i]);
    }
    return count;
}

static struct speed bench_store(const char *path, size_t count, size_t group, size_t batch)
{
    const struct sqlite_store_config config = { .path = path, .clock = &wall_clock };
    struct sqlite_store *store = NULL;
    struct tc_error err;
    double start, inserted, done;

    remove_files(path);
    must_ok(sqlite_store_open(&config, &store, &err), &err);
    start = now_s();
    store_insert(sqlite_store_task_repo(store), count, group);
    inserted = now_s();
    while (store_batch(sqlite_store_lease_repo(store), batch) > 0) {
    }
    done = now_s();
    sqlite_store_close(store);
    remove_files(path);
    return (struct speed){ (double)count / (inserted - start),
                           (double)count / (done - inserted) };
}

/* --- rounds --- */

static int compare(const void *a, const void *b)
{
    const double *first = a;
    const double *second = b;

    return (*first > *second) - (*first < *second);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void compare_batches(const char *path, size_t count, size_t rounds, size_t batch)
{
    double inserts[ROUNDS_MAX], runs[ROUNDS_MAX], insert_ratios[ROUNDS_MAX],
        run_ratios[ROUNDS_MAX];

    for (size_t i = 0; i < rounds; i++) {
        struct speed raw = bench_raw(path, count, 64, batch);
        struct speed store = bench_store(path, count, 64, batch);

        inserts[i] = store.insert;
        runs[i] = store.run;
        insert_ratios[i] = store.insert / raw.insert;
        run_ratios[i] = store.run / raw.run;
        printf("  raw %7.0f %7.0f   store %7.0f %7.0f   ratio %.2f %.2f\n", raw.insert, raw.run,
               store.insert, store.run, insert_ratios[i], run_ratios[i]);
    }
    printf("batch %zu, medians: insert by 64 %.0f/s (%.2f of raw), claim + finish %.0f/s"
           " (%.2f of raw)\n",
           batch, median(inserts, rounds), median(insert_ratios, rounds), median(runs, rounds),
           median(run_ratios, rounds));
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp";
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 5;
    char path[400];

    if (rounds < 1 || rounds > ROUNDS_MAX || count < 1) {
        fprintf(stderr, "usage: bench_sqlite_store [FOLDER [TASKS [ROUNDS]]]\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/bench-%ld.db", folder, (long)getpid());
    printf("tasks/s: insert, claim + finish\n");
    compare_batches(path, count, rounds, 100);
    compare_batches(path, count, rounds, BATCH_MAX);
    return 0;
}
