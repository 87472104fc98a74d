/* The denominator of the cluster's burn-down: the least that PostgreSQL must do to hand out and
 * end tasks of our tables.
 *
 * Two connections in a loop each, libpq and prepared statements only: claim `batch` tasks in
 * one statement, complete them in the next. No lanes, no fairness, no judging of epochs that
 * are over, no threads that run anything. Usage: bench_raw_postgres URL TASKS BATCH, on a
 * migrated database in which TASKS wait; prints tasks per second. */

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS 2
#define ID_LEN      36

static const char claim_sql[] =
    "WITH heads AS MATERIALIZED ("
    "  SELECT queue, type, rank, seq, ids, cardinality(ids) AS n FROM taskcore.ready"
    "  WHERE queue = 'default' AND type = 'demo.noop' ORDER BY rank, seq LIMIT 2"
    "  FOR UPDATE SKIP LOCKED),"
    "taken AS (SELECT *, least(n, greatest(0, $1::int - (sum(n) OVER (ORDER BY rank, seq) - "
    "n)))"
    "  ::int AS take FROM heads),"
    "cut AS (UPDATE taskcore.ready x SET ids = x.ids[t.take + 1:] FROM taken t"
    "  WHERE t.take > 0 AND t.take < t.n AND (x.queue, x.type, x.rank, x.seq) ="
    "  (t.queue, t.type, t.rank, t.seq)),"
    "gone AS (DELETE FROM taskcore.ready x USING taken t WHERE t.take = t.n"
    "  AND (x.queue, x.type, x.rank, x.seq) = (t.queue, t.type, t.rank, t.seq)),"
    "mine AS MATERIALIZED (SELECT unnest(ids[1:take]) AS id FROM taken WHERE take > 0),"
    "granted AS (INSERT INTO taskcore.lease (id, due_at, duration_ms, live, rescue, queue, "
    "owner,"
    "  ids) SELECT nextval('taskcore.lease_id'), taskcore.now_ms() + 30000, 30000, count(*),"
    "  false, 'default', 'raw', array_agg(id) FROM mine HAVING count(*) > 0 RETURNING id)"
    "UPDATE taskcore.task t SET status = 3, attempt = attempt + 1, epoch = epoch + 1,"
    "  place = (SELECT id FROM granted), started_at = (SELECT taskcore.now_ms()),"
    "  updated_at = (SELECT taskcore.now_ms())"
    " WHERE t.id = ANY (ARRAY(SELECT id FROM mine)) AND t.status IN (1, 2)"
    " RETURNING t.id, t.epoch, t.type, t.payload, t.place";

static const char finish_sql[] =
    "WITH ended AS (UPDATE taskcore.task t SET status = 4, place = NULL, outcome = 1,"
    "  finished_at = (SELECT taskcore.now_ms()), updated_at = (SELECT taskcore.now_ms())"
    "  WHERE t.id = ANY ($1::uuid[]) AND t.status = 3 AND t.epoch = 1 RETURNING t.id)"
    "DELETE FROM taskcore.lease WHERE id = $2::bigint"
    " AND live = (SELECT count(*) FROM ended)";

static const char *url;
static const char *batch;
static atomic_long done;

static PGresult *run(PGconn *connection, const char *name, int count, const char *const *values)
{
    PGresult *result = PQexecPrepared(connection, name, count, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        fprintf(stderr, "bench_raw_postgres: %s: %s", name, PQerrorMessage(connection));
        exit(EXIT_FAILURE);
    }
    return result;
}

static PGconn *connect_and_prepare(void)
{
    PGconn *connection = PQconnectdb(url);

    if (PQstatus(connection) != CONNECTION_OK) {
        fprintf(stderr, "bench_raw_postgres: %s", PQerrorMessage(connection));
        exit(EXIT_FAILURE);
    }
    PQclear(PQexec(connection, "SET plan_cache_mode = force_generic_plan; "
                               "SET enable_seqscan = off; SET jit = off"));
    PQclear(PQprepare(connection, "claim", claim_sql, 0, NULL));
    PQclear(PQprepare(connection, "finish", finish_sql, 0, NULL));
    return connection;
}

/* "{id,id,…}" of a claim's rows. */
static char *id_array(const PGresult *claimed, int count)
{
    size_t size = (size_t)count * (ID_LEN + 1) + 2;
    char *text = malloc(size);
    char *at = text;

    if (!text)
        exit(EXIT_FAILURE);
    for (int i = 0; i < count; i++) {
        *at++ = i ? ',' : '{';
        memcpy(at, PQgetvalue(claimed, i, 0), ID_LEN);
        at += ID_LEN;
    }
    *at++ = '}';
    *at = '\0';
    return text;
}

static void *work(void *arg)
{
    PGconn *connection = connect_and_prepare();
    int count;

    do {
        PGresult *claimed = run(connection, "claim", 1, &batch);

        count = PQntuples(claimed);
        if (count > 0) {
            char *ids = id_array(claimed, count);
            const char *values[] = { ids, PQgetvalue(claimed, 0, 4) };

            PQclear(run(connection, "finish", 2, values));
            free(ids);
        }
        PQclear(claimed);
        atomic_fetch_add(&done, count);
    } while (count > 0);
    PQfinish(connection);
    return arg;
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    pthread_t threads[CONNECTIONS];

    if (argc != 4) {
        fprintf(stderr, "usage: bench_raw_postgres URL TASKS BATCH\n");
        return EXIT_FAILURE;
    }
    url = argv[1];
    batch = argv[3];

    long tasks = strtol(argv[2], NULL, 10);
    double began = now_seconds();

    for (int i = 0; i < CONNECTIONS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return EXIT_FAILURE;
    for (int i = 0; i < CONNECTIONS; i++)
        pthread_join(threads[i], NULL);

    double seconds = now_seconds() - began;

    if (done != tasks) {
        fprintf(stderr, "bench_raw_postgres: %ld of %ld\n", (long)done, tasks);
        return EXIT_FAILURE;
    }
    printf("%.0f\n", (double)done / seconds);
    return EXIT_SUCCESS;
}
