#include "adapters/decorators/coalescing_task_repo.h"
#include "core/domain/container_of.h"
#include "tests/support/run_suite.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CALLERS_MAX 600
#define POISON      99 /* a task of this priority makes its group fail */

/*
 * A store with a gate: inserts wait until it is open. Remembers the size of each group, and
 * every id that it has been given.
 */
struct gated_repo {
    struct tc_task_repo base;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int inside;        /* calls that wait at the gate */
    int most_inside;   /* the most there have been */
    enum tc_code code; /* of every group */
    enum tc_code poison_code;
    size_t groups[CALLERS_MAX * 2]; /* the first of them */
    size_t group_count;
    size_t stored;
};

static struct gated_repo inner;
static struct tc_task_repo *repo;
static struct tc_error err;
static _Atomic int started; /* callers that are about to insert */

static bool is_poisoned(const struct tc_creation *creations, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (creations[i].tasks[0].priority == POISON)
            return true;
    return false;
}

static enum tc_code pass_gate(struct gated_repo *self, size_t count, bool poisoned)
{
    pthread_mutex_lock(&self->lock);
    self->inside++;
    if (self->inside > self->most_inside)
        self->most_inside = self->inside;
    pthread_cond_broadcast(&self->changed);
    while (!self->open)
        pthread_cond_wait(&self->changed, &self->lock);
    self->inside--;
    if (self->group_count < CALLERS_MAX * 2)
        self->groups[self->group_count++] = count;

    enum tc_code code = poisoned ? self->poison_code : self->code;

    if (code == TC_OK)
        self->stored += count;
    pthread_mutex_unlock(&self->lock);
    return code;
}

static enum tc_code gated_insert(struct tc_task_repo *base, const struct tc_creation *creations,
                                 size_t count, struct tc_inserted *ret_inserted,
                                 struct tc_error *error)
{
    struct gated_repo *self = TC_CONTAINER_OF(base, struct gated_repo, base);
    enum tc_code code = pass_gate(self, count, is_poisoned(creations, count));

    if (code != TC_OK)
        return tc_fail(error, code, "the gated store fails");
    for (size_t i = 0; i < count; i++)
        ret_inserted[i] = (struct tc_inserted){ .verdict = TC_INSERT_CREATED,
                                                .first_id = creations[i].tasks[0].id };
    return TC_OK;
}

static enum tc_code gated_get(struct tc_task_repo *base, const struct tc_id *id,
                              struct tc_task *ret_task, struct tc_error *error)
{
    (void)base;
    (void)ret_task;
    (void)id;
    return tc_fail(error, TC_NOT_FOUND, "from the inner store");
}

static const struct tc_task_repo_ops gated_ops = { .name = "gated",
                                                   .insert = gated_insert,
                                                   .get = gated_get };

static void setup(void)
{
    memset(&inner, 0, sizeof(inner));
    inner.base.ops = &gated_ops;
    inner.poison_code = TC_INTERNAL;
    atomic_store(&started, 0);
    pthread_mutex_init(&inner.lock, NULL);
    pthread_cond_init(&inner.changed, NULL);
    ck_assert_int_eq(coalescing_task_repo_open(&inner.base, &repo, &err), TC_OK);
}

static void teardown(void)
{
    coalescing_task_repo_close(repo);
}

static void open_gate(void)
{
    pthread_mutex_lock(&inner.lock);
    inner.open = true;
    pthread_cond_broadcast(&inner.changed);
    pthread_mutex_unlock(&inner.lock);
}

/* Wait until somebody is at the gate. */
static void await_leader(void)
{
    pthread_mutex_lock(&inner.lock);
    while (inner.inside == 0)
        pthread_cond_wait(&inner.changed, &inner.lock);
    pthread_mutex_unlock(&inner.lock);
}

/* A thread that inserts one task. */
struct caller {
    pthread_t thread;
    struct tc_task tasks[1];
    struct tc_creation creation;
    struct tc_inserted inserted;
    enum tc_code code;
    struct tc_error err;
};

static struct caller callers[CALLERS_MAX];
static void *call(void *arg)
{
    struct caller *caller = arg;

    atomic_fetch_add(&started, 1);
    caller->code =
        repo->ops->insert(repo, &caller->creation, 1, &caller->inserted, &caller->err);
    return NULL;
}

static void start(size_t i, size_t payload_len, int priority)
{
    struct caller *caller = &callers[i];
    pthread_attr_t attributes;

    *caller = (struct caller){ .code = TC_INTERNAL };
    caller->tasks[0].id = tc_id_make(1, 0, i + 1);
    caller->tasks[0].priority = priority;
    caller->tasks[0].payload.bytes.len = payload_len; /* never read here */
    caller->creation = (struct tc_creation){ .tasks = caller->tasks, .task_count = 1 };
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    ck_assert_int_eq(pthread_create(&caller->thread, &attributes, call, caller), 0);
    pthread_attr_destroy(&attributes);
}

/* Start `count` callers behind one that holds the gate, then let them pass. */
static void run_behind_gate(size_t count, size_t payload_len, size_t poisoned)
{
    start(0, 0, 0);
    await_leader();
    for (size_t i = 1; i <= count; i++)
        start(i, payload_len, i == poisoned ? POISON : 0);
    while (atomic_load(&started) < (int)count + 1)
        sched_yield();
    open_gate();
    for (size_t i = 0; i <= count; i++)
        pthread_join(callers[i].thread, NULL);
}

static void assert_answered(size_t i, enum tc_code code)
{
    ck_assert_int_eq(callers[i].code, code);
    if (code == TC_OK)
        ck_assert_int_eq(tc_id_compare(&callers[i].inserted.first_id, &callers[i].tasks[0].id),
                         0);
}

static size_t largest_group(void)
{
    size_t largest = 0;

    for (size_t i = 0; i < inner.group_count; i++)
        if (inner.groups[i] > largest)
            largest = inner.groups[i];
    return largest;
}

START_TEST(a_lone_insert_goes_at_once_in_its_callers_thread)
{
    open_gate();
    start(0, 0, 0);
    pthread_join(callers[0].thread, NULL);
    assert_answered(0, TC_OK);
    ck_assert_uint_eq(inner.group_count, 1);
}
END_TEST

START_TEST(who_comes_while_a_group_is_in_flight_goes_together)
{
    run_behind_gate(200, 0, 0);
    for (size_t i = 0; i <= 200; i++)
        assert_answered(i, TC_OK);
    ck_assert_uint_eq(inner.stored, 201);
    ck_assert_uint_lt(inner.group_count, 200);
    ck_assert_uint_gt(largest_group(), 1);
}
END_TEST

START_TEST(one_group_at_a_time_is_in_flight)
{
    run_behind_gate(300, 0, 0);
    ck_assert_int_eq(inner.most_inside, 1);
}
END_TEST

START_TEST(a_group_holds_256_at_most)
{
    run_behind_gate(CALLERS_MAX - 1, 0, 0);
    for (size_t i = 0; i < CALLERS_MAX; i++)
        assert_answered(i, TC_OK);
    ck_assert_uint_le(largest_group(), 256);
}
END_TEST

START_TEST(a_group_holds_4_mib_at_most)
{
    run_behind_gate(20, (size_t)1024 * 1024, 0);
    for (size_t i = 0; i <= 20; i++)
        assert_answered(i, TC_OK);
    ck_assert_uint_le(largest_group(), 4);
}
END_TEST

START_TEST(when_too_many_groups_wait_the_next_caller_is_refused)
{
    run_behind_gate(200, (size_t)4 * 1024 * 1024, 0); /* each is a group of its own */

    size_t refused = 0;

    for (size_t i = 0; i <= 200; i++)
        refused += callers[i].code == TC_UNAVAILABLE;
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(inner.stored, 201 - refused);
    ck_assert_uint_ge(inner.stored, 128);
}
END_TEST

START_TEST(one_bad_creation_is_refused_alone)
{
    run_behind_gate(50, 0, 25);
    for (size_t i = 0; i <= 50; i++)
        assert_answered(i, i == 25 ? TC_INTERNAL : TC_OK);
    ck_assert_uint_eq(inner.stored, 50);
    ck_assert_str_eq(callers[25].err.message, "the gated store fails");
}
END_TEST

static const enum tc_code common[] = { TC_UNAVAILABLE, TC_UNKNOWN };

START_TEST(an_outage_is_told_to_the_whole_group_and_not_tried_again)
{
    inner.code = common[_i];
    run_behind_gate(50, 0, 0);
    for (size_t i = 0; i <= 50; i++) {
        assert_answered(i, common[_i]);
        ck_assert_str_eq(callers[i].err.message, "the gated store fails");
    }
    ck_assert_uint_lt(inner.group_count, 51);
}
END_TEST

START_TEST(a_creation_too_large_for_a_group_goes_alone)
{
    struct tc_task *tasks = calloc(1000, sizeof(*tasks));
    struct tc_creation creation = { .tasks = tasks, .task_count = 1000 };
    struct tc_inserted inserted;

    tasks[0].payload.bytes.len = (size_t)100 * 1024 * 1024; /* never read here */
    open_gate();
    ck_assert_int_eq(repo->ops->insert(repo, &creation, 1, &inserted, &err), TC_OK);
    free(tasks);
}
END_TEST

START_TEST(a_call_of_many_creations_passes_straight_through)
{
    static struct tc_creation creations[300];
    static struct tc_inserted inserted[300];
    struct tc_task task = { .priority = 0 };

    for (size_t i = 0; i < 300; i++)
        creations[i] = (struct tc_creation){ .tasks = &task, .task_count = 1 };
    open_gate();
    ck_assert_int_eq(repo->ops->insert(repo, creations, 300, inserted, &err), TC_OK);
    ck_assert_uint_eq(inner.groups[0], 300);
    ck_assert_int_eq(repo->ops->insert(repo, creations, 0, inserted, &err), TC_OK);
}
END_TEST

START_TEST(other_methods_pass_straight_through)
{
    struct tc_id id = { { 0 } };
    struct tc_task task;

    ck_assert_int_eq(repo->ops->get(repo, &id, &task, &err), TC_NOT_FOUND);
    ck_assert_str_eq(err.message, "from the inner store");
}
END_TEST

#define ROUNDS 2000

static void *call_often(void *arg)
{
    struct tc_task task = { .priority = 0 };
    struct tc_creation creation = { .tasks = &task, .task_count = 1 };
    size_t *wrong = arg;

    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct tc_inserted inserted = { 0 };

        task.id = tc_id_make((int64_t)(uintptr_t)arg & 0xFFFFFFFF, 0, i);
        if (repo->ops->insert(repo, &creation, 1, &inserted, NULL) != TC_OK ||
            tc_id_compare(&inserted.first_id, &task.id) != 0)
            ++*wrong;
    }
    return NULL;
}

START_TEST(every_caller_gets_its_own_answer_under_load)
{
    pthread_t threads[16];
    size_t wrong[16] = { 0 };

    open_gate();
    for (size_t i = 0; i < 16; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_often, &wrong[i]), 0);
    for (size_t i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(wrong[i], 0);
    }
    ck_assert_uint_eq(inner.stored, 16 * ROUNDS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("coalescing_task_repo");
    TCase *tcase = tcase_create("insert");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_lone_insert_goes_at_once_in_its_callers_thread);
    tcase_add_test(tcase, who_comes_while_a_group_is_in_flight_goes_together);
    tcase_add_test(tcase, one_group_at_a_time_is_in_flight);
    tcase_add_test(tcase, a_group_holds_256_at_most);
    tcase_add_test(tcase, a_group_holds_4_mib_at_most);
    tcase_add_test(tcase, when_too_many_groups_wait_the_next_caller_is_refused);
    tcase_add_test(tcase, one_bad_creation_is_refused_alone);
    tcase_add_loop_test(tcase, an_outage_is_told_to_the_whole_group_and_not_tried_again, 0, 2);
    tcase_add_test(tcase, a_creation_too_large_for_a_group_goes_alone);
    tcase_add_test(tcase, a_call_of_many_creations_passes_straight_through);
    tcase_add_test(tcase, other_methods_pass_straight_through);
    tcase_add_test(tcase, every_caller_gets_its_own_answer_under_load);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
