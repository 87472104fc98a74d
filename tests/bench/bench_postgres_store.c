/* The store alone, from one thread: what claims cost with many tasks waiting, and whether a
 * transaction held open elsewhere slows everything down.
 *
 *   bench_postgres_store URL fill TASKS          insert tasks that wait, 256 a call
 *   bench_postgres_store URL claims COUNT BATCH  claim and finish; prints the median and the
 * mean microseconds of a claim bench_postgres_store URL life SECONDS BATCH  insert, claim and
 * finish, over and over; prints tasks per second of the first and last quarter
 */

#include "adapters/postgres/postgres_store.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/system_ids.h"
#include "ports/clock.h"
#include "ports/ids.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_MAX 256
#define CALLS_MAX 100000

static const char payload[] = "{\"order\":123456,\"customer\":\"c-7890\",\"items\":[1,2,3]}";

static struct tc_task_repo *tasks;
static struct tc_lease_repo *leases;
static struct tc_ids *ids;

static void check(enum tc_code code, const char *what, const struct tc_error *err)
{
    if (code == TC_OK)
        return;
    fprintf(stderr, "bench_postgres_store: %s: %s\n", what, err->message);
    exit(EXIT_FAILURE);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct tc_task make(struct tc_id id)
{
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
        .payload = { .kind = TC_CONTENT_JSON, .bytes = { payload, sizeof(payload) - 1 } },
    };
}

static void insert(size_t count)
{
    struct tc_id made[BATCH_MAX];
    struct tc_task group[BATCH_MAX];
    struct tc_creation creation = { .tasks = group, .task_count = count };
    struct tc_inserted inserted;
    struct tc_error err;

    tc_ids_make(ids, count, made);
    for (size_t i = 0; i < count; i++)
        group[i] = make(made[i]);
    check(tasks->ops->insert(tasks, &creation, 1, &inserted, &err), "insert", &err);
    tc_inserted_release(&inserted);
}

/* Claim up to `batch` and finish them. @return how many; `*ret_us`: of the claim. */
static size_t claim_and_finish(size_t batch, int64_t *ret_us)
{
    static const char *const type = "demo.noop";
    const struct tc_claim claim = {
        .owner = "bench", .types = &type, .type_count = 1, .max = batch, .lease_ms = 30000
    };
    struct tc_task claimed[BATCH_MAX];
    struct tc_outcome outcomes[BATCH_MAX];
    struct tc_verdict verdicts[BATCH_MAX];
    struct tc_error err;
    size_t count = 0;
    int64_t began = now_us();

    check(leases->ops->claim(leases, &claim, claimed, &count, &err), "claim", &err);
    *ret_us = now_us() - began;
    for (size_t i = 0; i < count; i++) {
        outcomes[i] = (struct tc_outcome){ .id = claimed[i].id,
                                           .epoch = claimed[i].epoch,
                                           .kind = TC_OUTCOME_DONE,
                                           .next = TC_STATUS_DONE };
        tc_task_release(&claimed[i]);
    }
    if (count > 0)
        check(leases->ops->finish(leases, outcomes, count, verdicts, &err), "finish", &err);
    return count;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void measure_claims(size_t calls, size_t batch)
{
    static int64_t times[CALLS_MAX];
    int64_t sum = 0;

    for (size_t i = 0; i < calls; i++) {
        if (claim_and_finish(batch, &times[i]) != batch) {
            fprintf(stderr, "bench_postgres_store: too few tasks wait\n");
            exit(EXIT_FAILURE);
        }
        sum += times[i];
    }
    qsort(times, calls, sizeof(times[0]), compare);
    printf("{\"median_us\":%lld,\"mean_us\":%.1f}\n", (long long)times[calls / 2],
           (double)sum / (double)calls);
}

static void measure_life(int64_t seconds, size_t batch)
{
    int64_t began = now_us(), ends = began + seconds * 1000000, us;
    int64_t first = 0, last = 0;

    for (int64_t now = began; now < ends; now = now_us()) {
        insert(batch);

        int64_t count = (int64_t)claim_and_finish(batch, &us);

        if (now < began + seconds * 250000)
            first += count;
        if (now >= ends - seconds * 250000)
            last += count;
    }
    printf("{\"first\":%.1f,\"last\":%.1f}\n", (double)first * 4 / (double)seconds,
           (double)last * 4 / (double)seconds);
}

int main(int argc, char **argv)
{
    struct postgres_store_config config = { .name = "bench" };
    struct postgres_store *store = NULL;
    struct tc_error err;

    if (argc < 4)
        return EXIT_FAILURE;
    config.url = argv[1];
    check(system_ids_open(system_clock(), &ids, &err), "ids", &err);
    check(postgres_store_open(&config, &store, &err), "open", &err);
    tasks = postgres_store_task_repo(store);
    leases = postgres_store_lease_repo(store);

    size_t number = (size_t)strtoll(argv[3], NULL, 10);
    size_t batch = argc > 4 ? (size_t)strtoll(argv[4], NULL, 10) : 0;

    if (batch > BATCH_MAX || number > (size_t)CALLS_MAX * BATCH_MAX)
        return EXIT_FAILURE;
    if (strcmp(argv[2], "fill") == 0)
        for (; number > 0; number -= number < BATCH_MAX ? number : BATCH_MAX)
            insert(number < BATCH_MAX ? number : BATCH_MAX);
    else if (strcmp(argv[2], "claims") == 0 && number <= CALLS_MAX)
        measure_claims(number, batch);
    else
        measure_life((int64_t)number, batch);
    postgres_store_close(store);
    system_ids_close(ids);
    return EXIT_SUCCESS;
}
