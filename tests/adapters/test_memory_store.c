/*
 * What the memory store does when memory runs out: TC_NO_MEMORY, nothing applied, nothing
 * lost, and the same call succeeds when there is memory again. Each step is tried with its
 * first, second, … allocation failing, until none fails any more.
 */

#include "adapters/memory/memory_store.h"

#include "tests/support/fakes.h"
#include "tests/support/run_suite.h"

#include <stdlib.h>
#include <string.h>

/* The linker sends every allocation of this program here (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *former, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *former, size_t size);

static int fail_in = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return fail_in >= 0 && fail_in-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *former, size_t size)
{
    return fails() ? NULL : __real_realloc(former, size);
}

#define BATCH 1000

static struct fake_clock clock_;
static struct memory_store *store;
static struct tc_task_repo *tasks;
static struct tc_lease_repo *leases;
static struct tc_task batch[BATCH];
static struct tc_task groups[BATCH];
static struct tc_task expected;

static struct tc_task make(uint64_t number, const char *type)
{
    struct tc_task task = {
        .id = tc_id_make(1000, 1, number),
        .status = TC_STATUS_NEW,
        .queue = "default",
        .created_at_ms = 1000,
        .payload = { TC_CONTENT_TEXT, tc_bytes_of("payload") },
    };

    memcpy(task.type, type, strlen(type));
    return task;
}

static void open_store(void)
{
    fake_clock_init(&clock_, 1000);
    ck_assert_int_eq(memory_store_open(&clock_.base, &store, NULL), TC_OK);
    tasks = memory_store_task_repo(store);
    leases = memory_store_lease_repo(store);
}

static void close_store(void)
{
    memory_store_close(store);
}

/* --- the steps; each returns its code and releases what it got --- */

static enum tc_code insert(const struct tc_creation *creations, size_t count)
{
    struct tc_inserted inserted[3];
    enum tc_code code = tasks->ops->insert(tasks, creations, count, inserted, NULL);

    for (size_t i = 0; code == TC_OK && i < count; i++)
        tc_inserted_release(&inserted[i]);
    return code;
}

static enum tc_code insert_batch(void)
{
    const struct tc_creation creation = { .tasks = batch, .task_count = BATCH, .key = "batch" };

    return insert(&creation, 1);
}

static enum tc_code insert_group(void)
{
    const struct tc_creation creations[] = {
        { .tasks = &batch[1], .task_count = 1, .key = "new", .answer = tc_bytes_of("new") },
        { .tasks = &batch[2], .task_count = 2 },
        { .tasks = &batch[4], .task_count = 1, .key = "first" },
    };

    return insert(creations, 3);
}

static enum tc_code insert_first(void)
{
    const struct tc_creation creation = {
        .tasks = &batch[0], .task_count = 1, .key = "first", .answer = tc_bytes_of("answer")
    };

    return insert(&creation, 1);
}

static enum tc_code release_all(enum tc_code code, size_t count)
{
    for (size_t i = 0; code == TC_OK && i < count; i++)
        tc_task_release(&groups[i]);
    return code;
}

static enum tc_code claim(void)
{
    static const char *const types[] = { "a", "b" };
    const struct tc_claim claim = {
        .owner = "w", .types = types, .type_count = 2, .max = 10, .lease_ms = 1000
    };
    size_t count = 0;
    enum tc_code code = leases->ops->claim(leases, &claim, groups, &count, NULL);

    return release_all(code, count);
}

static enum tc_code claim_by_id(void)
{
    const struct tc_claim claim = {
        .owner = "w", .ids = &batch[0].id, .id_count = 1, .max = 10, .lease_ms = 1000
    };
    size_t count = 0;
    enum tc_code code = leases->ops->claim(leases, &claim, groups, &count, NULL);

    return release_all(code, count);
}

static enum tc_code take_ended(void)
{
    size_t count = 0;
    enum tc_code code = leases->ops->take_ended(leases, "r", 10, 1000, groups, &count, NULL);

    return release_all(code, count);
}

static enum tc_code extend(void)
{
    const struct tc_renewal renewals[] = {
        { .id = batch[0].id, .epoch = 1, .progress = tc_bytes_of("{}") },
        { .id = batch[1].id, .epoch = 1, .lease_ms = 5, .progress = tc_bytes_of("{}") },
    };
    struct tc_renewed renewed[2];

    return leases->ops->extend(leases, renewals, 2, renewed, NULL);
}

static enum tc_code finish(void)
{
    const struct tc_outcome outcomes[] = {
        { .id = batch[0].id,
          .epoch = 1,
          .kind = TC_OUTCOME_FAILED,
          .next = TC_STATUS_FAILED,
          .result = { TC_CONTENT_JSON, tc_bytes_of("1") },
          .error = { TC_REASON_HANDLER, 1, 1, tc_bytes_of("no") } },
        { .id = batch[1].id, .epoch = 1, .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE },
    };
    struct tc_verdict verdicts[2];

    return leases->ops->finish(leases, outcomes, 2, verdicts, NULL);
}

static enum tc_code cancel(void)
{
    const struct tc_change change = { .id = batch[0].id,
                                      .from = TC_STATUS_SET_ALL,
                                      .to = TC_STATUS_CANCELLED };
    enum tc_code code = tasks->ops->change(tasks, &change, groups, NULL);

    return release_all(code, 1);
}

static enum tc_code get(void)
{
    return release_all(tasks->ops->get(tasks, &batch[0].id, groups, NULL), 1);
}

static enum tc_code list(void)
{
    const struct tc_task_filter filter = {
        .statuses = TC_STATUS_SET_ALL,
        .created_after_ms = -1,
        .created_before_ms = -1,
        .limit = 10,
        .large = 100,
    };
    struct tc_task_page page;
    enum tc_code code = tasks->ops->list(tasks, &filter, &page, NULL);

    if (code == TC_OK)
        tc_task_page_release(&page);
    return code;
}

static enum tc_code count(void)
{
    struct tc_queue_count *counts = NULL;
    size_t rows;
    enum tc_code code = tasks->ops->counts(tasks, &counts, &rows, NULL);

    if (code == TC_OK)
        free(counts);
    return code;
}

/* --- what must not have changed --- */

static int64_t waiting(int64_t *ret_processing)
{
    struct tc_queue_count *counts = NULL;
    size_t rows;

    ck_assert_int_eq(tasks->ops->counts(tasks, &counts, &rows, NULL), TC_OK);

    int64_t waiting_count = rows ? counts[0].waiting : 0;

    *ret_processing = rows ? counts[0].processing : 0;
    free(counts);
    return waiting_count;
}

/* Run `step` with one allocation after the other failing; it must succeed in the end. */
static void assert_all_or_nothing(enum tc_code (*step)(void))
{
    int64_t before[2];
    int64_t after[2];
    enum tc_code code = TC_NO_MEMORY;

    before[0] = waiting(&before[1]);
    for (int nth = 0; code == TC_NO_MEMORY; nth++) {
        ck_assert_int_lt(nth, 10000);
        fail_in = nth;
        code = step();
        fail_in = -1;
        if (code != TC_NO_MEMORY)
            break;
        after[0] = waiting(&after[1]);
        ck_assert_int_eq(after[0], before[0]);
        ck_assert_int_eq(after[1], before[1]);
    }
    ck_assert_int_eq(code, TC_OK);
}

static void make_two(void)
{
    const struct tc_creation creation = { .tasks = batch, .task_count = 2 };

    ck_assert_int_eq(insert(&creation, 1), TC_OK);
}

static void make_two_leased(void)
{
    make_two();
    ck_assert_int_eq(claim(), TC_OK);
}

static const struct {
    enum tc_code (*step)(void);
    void (*before)(void);
    int64_t waiting;    /* after it */
    int64_t processing; /* after it */
} steps[] = {
    { insert_batch, NULL, BATCH, 0 },
    { insert_group, NULL, 4, 0 },
    { claim, make_two, 0, 2 },
    { claim_by_id, make_two, 1, 1 },
    { extend, make_two_leased, 0, 2 },
    { finish, make_two_leased, 0, 0 },
    { take_ended, make_two_leased, 0, 2 },
    { cancel, make_two_leased, 0, 1 },
    { get, make_two, 2, 0 },
    { list, make_two, 2, 0 },
    { count, make_two, 2, 0 },
};

START_TEST(a_step_without_memory_changes_nothing_and_succeeds_later) /* loop over steps */
{
    int64_t processing;

    for (uint64_t i = 0; i < BATCH; i++)
        batch[i] = make(i + 1, i % 2 ? "a" : "b");
    if (steps[_i].before)
        steps[_i].before();
    fake_clock_advance(&clock_, steps[_i].step == take_ended ? 1000 : 0);
    assert_all_or_nothing(steps[_i].step);
    ck_assert_int_eq(waiting(&processing), steps[_i].waiting);
    ck_assert_int_eq(processing, steps[_i].processing);
}
END_TEST

START_TEST(a_known_key_without_memory_for_its_answer_harms_nobody)
{
    int64_t processing;

    for (uint64_t i = 0; i < 5; i++)
        batch[i] = make(i + 1, "a");
    ck_assert_int_eq(insert_first(), TC_OK);
    assert_all_or_nothing(insert_group);
    ck_assert_int_eq(waiting(&processing), 4); /* the first, and three of the group */
}
END_TEST

START_TEST(a_store_that_finds_no_memory_is_not_opened)
{
    struct memory_store *another = NULL;
    struct tc_error err;

    fail_in = 0;
    ck_assert_int_eq(memory_store_open(&clock_.base, &another, &err), TC_NO_MEMORY);
    fail_in = -1;
    ck_assert_ptr_null(another);
    memory_store_close(another);
}
END_TEST

START_TEST(an_id_that_is_taken_by_another_creation_is_our_bug)
{
    const struct tc_creation creation = { .tasks = batch, .task_count = 2 };

    batch[0] = make(1, "a");
    batch[1] = expected = make(2, "a");

    const struct tc_creation second = { .tasks = &expected, .task_count = 1 };

    ck_assert_int_eq(insert(&second, 1), TC_OK);
    ck_assert_int_eq(insert(&creation, 1), TC_INTERNAL);
    ck_assert_int_eq(tasks->ops->get(tasks, &batch[0].id, groups, NULL), TC_NOT_FOUND);
}
END_TEST

START_TEST(a_change_cannot_lease)
{
    struct tc_change change = { .from = TC_STATUS_SET_ALL, .to = TC_STATUS_PROCESSING };

    batch[0] = make(1, "a"), batch[1] = make(2, "a");
    make_two();
    change.id = batch[0].id;
    ck_assert_int_eq(tasks->ops->change(tasks, &change, groups, NULL), TC_INTERNAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory store");
    TCase *tcase = tcase_create("no memory");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, open_store, close_store);
    tcase_add_loop_test(tcase, a_step_without_memory_changes_nothing_and_succeeds_later, 0,
                        sizeof(steps) / sizeof(steps[0]));
    tcase_add_test(tcase, a_known_key_without_memory_for_its_answer_harms_nobody);
    tcase_add_test(tcase, a_store_that_finds_no_memory_is_not_opened);
    tcase_add_test(tcase, an_id_that_is_taken_by_another_creation_is_our_bug);
    tcase_add_test(tcase, a_change_cannot_lease);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
