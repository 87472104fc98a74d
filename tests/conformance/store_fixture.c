#include "tests/conformance/store_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct store_fixture store;
const struct store_wish store_plain;

#define TIMEOUT_S 60 /* for a store on a slow disk under a sanitizer */

/*
 * The clock that the store gets: the test's, and while threads race, a good place to be
 * interrupted. Stores read it in the middle of their steps, so that what they leave
 * unprotected shows on a busy machine too.
 */
static _Atomic bool racing;

static int64_t given_now_ms(struct tc_clock *clock)
{
    (void)clock;
    if (racing)
        sched_yield();
    return store_now_ms();
}

static int64_t given_tick_ms(struct tc_clock *clock)
{
    (void)clock;
    return tc_clock_tick_ms(&store.clock.base);
}

static const struct tc_clock_ops given_ops = {
    .now_ms = given_now_ms,
    .tick_ms = given_tick_ms,
};

static struct tc_clock given = { .ops = &given_ops };

static void adopt(void)
{
    store.tasks = store.under_test.tasks;
    store.leases = store.under_test.leases;
    store.announcements = store.under_test.announcements;
    ck_assert_msg(tc_task_repo_validate(store.tasks, &store.err) == TC_OK, "%s",
                  store.err.message);
    ck_assert_msg(tc_lease_repo_validate(store.leases, &store.err) == TC_OK, "%s",
                  store.err.message);
}

static void open_by(const struct store_driver *driver)
{
    store.opened_by = driver;
    fake_clock_init(&store.clock, STORE_START_MS);
    ck_assert_msg(driver->open(&given, &store.under_test, &store.err) == TC_OK, "open: %s",
                  store.err.message);
    adopt();
}

static void open_empty(void)
{
    open_by(store.driver);
}

static void close_store(void)
{
    store.opened_by->close(&store.under_test);
}

void store_open_with(const struct store_driver *driver)
{
    close_store();
    open_by(driver);
}

TCase *store_tcase(const struct store_driver *driver, const char *name)
{
    TCase *tcase = tcase_create(name);

    store.driver = driver;
    tcase_add_checked_fixture(tcase, open_empty, close_store);
    tcase_set_timeout(tcase, TIMEOUT_S);
    return tcase;
}

void store_reopen(void)
{
    ck_assert_msg(store.opened_by->reopen(&store.under_test, &given, &store.err) == TC_OK,
                  "reopen: %s", store.err.message);
    adopt();
}

void store_advance(int64_t ms)
{
    fake_clock_advance(&store.clock, ms);
}

int64_t store_now_ms(void)
{
    return tc_clock_now_ms(&store.clock.base);
}

struct tc_id store_next_id(void)
{
    static _Atomic uint64_t made;

    return tc_id_make(store_now_ms(), 0x123, atomic_fetch_add(&made, 1) + 1);
}

static void set_name(char name[TC_NAME_MAX + 1], const char *value)
{
    memcpy(name, value, strlen(value) + 1);
}

struct tc_task store_make(struct store_wish wish)
{
    static const char json[] = "{\"some\": \"payload\"}";
    struct tc_id id = store_next_id();
    struct tc_task task = {
        .id = id,
        .status = wish.delay_ms > 0 ? TC_STATUS_SCHEDULED : TC_STATUS_NEW,
        .priority = wish.priority,
        .max_attempts = 3,
        .max_crashes = 2,
        .created_at_ms = tc_id_ms(&id),
        .updated_at_ms = tc_id_ms(&id),
        .run_at_ms = tc_id_ms(&id) + wish.delay_ms,
        .timeout_ms = 300000,
        .payload = wish.payload,
    };

    if (wish.payload.kind == TC_CONTENT_NONE)
        task.payload = (struct tc_content){ TC_CONTENT_JSON, { json, sizeof(json) - 1 } };
    set_name(task.queue, wish.queue ? wish.queue : "default");
    set_name(task.type, wish.type ? wish.type : "test");
    if (wish.tag)
        task.tags[task.tag_count++] = tc_bytes_of(wish.tag);
    return task;
}

void store_put(const struct tc_task *tasks, size_t count)
{
    const struct tc_creation creation = { .tasks = tasks, .task_count = count };
    struct tc_inserted inserted;
    struct tc_error err;

    ck_assert_msg(store.tasks->ops->insert(store.tasks, &creation, 1, &inserted, &err) == TC_OK,
                  "insert: %s", err.message);
    ck_assert_int_eq(inserted.verdict, TC_INSERT_CREATED);
    tc_inserted_release(&inserted);
}

struct tc_id store_create(struct store_wish wish)
{
    struct tc_task task = store_make(wish);

    store_put(&task, 1);
    return task.id;
}

void store_create_many(struct store_wish wish, size_t count, struct tc_id *ret_ids)
{
    struct tc_task *tasks = calloc(count, sizeof(*tasks));

    ck_assert_ptr_nonnull(tasks);
    for (size_t i = 0; i < count; i++) {
        tasks[i] = store_make(wish);
        if (ret_ids)
            ret_ids[i] = tasks[i].id;
    }
    store_put(tasks, count);
    free(tasks);
}

struct tc_task store_get(const struct tc_id *id)
{
    struct tc_task task;
    struct tc_error err;

    ck_assert_msg(store.tasks->ops->get(store.tasks, id, &task, &err) == TC_OK, "get: %s",
                  err.message);
    return task;
}

enum tc_status store_status_of(const struct tc_id *id)
{
    struct tc_task task = store_get(id);
    enum tc_status status = task.status;

    tc_task_release(&task);
    return status;
}

void store_assert_absent(const struct tc_id *id)
{
    struct tc_task task;

    ck_assert_int_eq(store.tasks->ops->get(store.tasks, id, &task, &store.err), TC_NOT_FOUND);
}

static void assert_same_bytes(struct tc_bytes actual, struct tc_bytes expected)
{
    ck_assert_uint_eq(actual.len, expected.len);
    ck_assert(tc_bytes_equals(actual, expected));
}

static void assert_same_words(const struct tc_task *actual, const struct tc_task *expected)
{
    ck_assert_int_eq(actual->payload.kind, expected->payload.kind);
    assert_same_bytes(actual->payload.bytes, expected->payload.bytes);
    ck_assert_int_eq(actual->result.kind, expected->result.kind);
    assert_same_bytes(actual->result.bytes, expected->result.bytes);
    assert_same_bytes(actual->progress, expected->progress);
    ck_assert_uint_eq(actual->tag_count, expected->tag_count);
    for (size_t i = 0; i < expected->tag_count; i++)
        assert_same_bytes(actual->tags[i], expected->tags[i]);
    ck_assert_str_eq(actual->traceparent, expected->traceparent);
    ck_assert_int_eq(actual->titled, expected->titled);
    ck_assert_int_eq(actual->error.reason, expected->error.reason);
    ck_assert_int_eq(actual->error.attempt, expected->error.attempt);
    ck_assert_int_eq(actual->error.at_ms, expected->error.at_ms);
    assert_same_bytes(actual->error.message, expected->error.message);
}

static void assert_same_numbers(const struct tc_task *actual, const struct tc_task *expected)
{
    ck_assert_int_eq(actual->priority, expected->priority);
    ck_assert_int_eq(actual->attempt, expected->attempt);
    ck_assert_int_eq(actual->max_attempts, expected->max_attempts);
    ck_assert_int_eq(actual->crashes, expected->crashes);
    ck_assert_int_eq(actual->max_crashes, expected->max_crashes);
    ck_assert_int_eq(actual->epoch, expected->epoch);
    ck_assert_int_eq(actual->created_at_ms, expected->created_at_ms);
    ck_assert_int_eq(actual->updated_at_ms, expected->updated_at_ms);
    ck_assert_int_eq(actual->run_at_ms, expected->run_at_ms);
    ck_assert_int_eq(actual->timeout_ms, expected->timeout_ms);
    ck_assert_int_eq(actual->started_at_ms, expected->started_at_ms);
    ck_assert_int_eq(actual->finished_at_ms, expected->finished_at_ms);
}

void store_assert_same(const struct tc_task *actual, const struct tc_task *expected)
{
    ck_assert_int_eq(tc_id_compare(&actual->id, &expected->id), 0);
    ck_assert_int_eq(actual->status, expected->status);
    ck_assert_str_eq(actual->queue, expected->queue);
    ck_assert_str_eq(actual->type, expected->type);
    assert_same_numbers(actual, expected);
    assert_same_words(actual, expected);
    ck_assert_str_eq(actual->lease.owner, expected->lease.owner);
    ck_assert_int_eq(actual->lease.expires_at_ms, expected->lease.expires_at_ms);
    ck_assert_int_eq(actual->lease.duration_ms, expected->lease.duration_ms);
}

void store_assert_stored(const struct tc_task *expected)
{
    struct tc_task stored = store_get(&expected->id);

    store_assert_same(&stored, expected);
    tc_task_release(&stored);
}

struct tc_queue_count store_count_of(const char *queue)
{
    struct tc_queue_count found = { .queue = "" };
    struct tc_queue_count *counts;
    size_t count;

    ck_assert_int_eq(store.tasks->ops->counts(store.tasks, &counts, &count, &store.err), TC_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(counts[i].queue, queue) == 0)
            found = counts[i];
    free(counts);
    return found;
}

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*body)(size_t number);
    size_t number;
};

static void *run(void *arg)
{
    struct runner *runner = arg;

    pthread_barrier_wait(runner->start);
    runner->body(runner->number);
    return NULL;
}

void store_run_threads(void (*body)(size_t number))
{
    struct runner runners[STORE_THREADS];
    pthread_barrier_t start;

    ck_assert_int_eq(pthread_barrier_init(&start, NULL, STORE_THREADS), 0);
    racing = true;
    for (size_t i = 0; i < STORE_THREADS; i++) {
        runners[i] = (struct runner){ .start = &start, .body = body, .number = i };
        ck_assert_int_eq(pthread_create(&runners[i].thread, NULL, run, &runners[i]), 0);
    }
    for (size_t i = 0; i < STORE_THREADS; i++)
        pthread_join(runners[i].thread, NULL);
    racing = false;
    pthread_barrier_destroy(&start);
}
