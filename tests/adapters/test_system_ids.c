#include "adapters/system/system_ids.h"
#include "ports/ids.h"
#include "tests/support/fakes.h"
#include "tests/support/run_suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS     INT64_C(1767225600000)
#define THREADS    4
#define PER_THREAD 20000

static struct fake_clock clock_;
static struct tc_ids *ids;
static struct tc_error err;

static void setup(void)
{
    fake_clock_init(&clock_, NOW_MS);
    ck_assert_int_eq(system_ids_open(&clock_.base, &ids, &err), TC_OK);
}

static void teardown(void)
{
    system_ids_close(ids);
}

static struct tc_id make_one(void)
{
    struct tc_id id;

    tc_ids_make(ids, 1, &id);
    return id;
}

static unsigned bucket_of(struct tc_id id)
{
    return (unsigned)(id.bytes[6] & 0x0F) << 8 | id.bytes[7];
}

START_TEST(an_id_is_a_uuid_of_version_7_with_the_clocks_millisecond)
{
    struct tc_id id = make_one();

    ck_assert_int_eq(tc_id_ms(&id), NOW_MS);
    ck_assert_int_eq(id.bytes[6] >> 4, 7);
    ck_assert_int_eq(id.bytes[8] >> 6, 2);
}
END_TEST

START_TEST(ids_of_one_call_rise_and_share_a_bucket)
{
    struct tc_id made[1000];

    tc_ids_make(ids, 1000, made);
    for (size_t i = 1; i < 1000; i++) {
        ck_assert_int_lt(tc_id_compare(&made[i - 1], &made[i]), 0);
        ck_assert_uint_eq(bucket_of(made[i]), bucket_of(made[0]));
    }
}
END_TEST

START_TEST(ids_rise_from_call_to_call_within_a_millisecond)
{
    struct tc_id before = make_one();

    for (int i = 0; i < 1000; i++) {
        struct tc_id id = make_one();

        ck_assert_int_lt(tc_id_compare(&before, &id), 0);
        before = id;
    }
}
END_TEST

START_TEST(ids_rise_when_the_wall_clock_steps_back)
{
    struct tc_id before = make_one();

    atomic_store(&clock_.now_ms, NOW_MS - 3600000);

    struct tc_id after = make_one();

    ck_assert_int_lt(tc_id_compare(&before, &after), 0);
    ck_assert_int_eq(tc_id_ms(&after), NOW_MS);
}
END_TEST

START_TEST(a_new_millisecond_draws_another_bucket)
{
    unsigned seen[16] = { 0 };
    bool differ = false;

    for (int i = 0; i < 16; i++) {
        fake_clock_advance(&clock_, 1);
        seen[i] = bucket_of(make_one());
        differ = differ || seen[i] != seen[0];
    }
    ck_assert(differ);
}
END_TEST

START_TEST(two_processes_that_start_together_give_other_ids)
{
    struct tc_ids *other;
    struct tc_id mine = make_one();
    struct tc_id theirs;

    ck_assert_int_eq(system_ids_open(&clock_.base, &other, &err), TC_OK);
    tc_ids_make(other, 1, &theirs);
    ck_assert_int_ne(memcmp(mine.bytes + 6, theirs.bytes + 6, 10), 0);
    system_ids_close(other);
}
END_TEST

START_TEST(random_numbers_use_all_their_bits)
{
    uint64_t ones = 0;
    uint64_t zeros = 0;

    for (int i = 0; i < 200; i++) {
        uint64_t random = tc_ids_random(ids);

        ones |= random;
        zeros |= ~random;
    }
    ck_assert(ones == UINT64_MAX && zeros == UINT64_MAX);
}
END_TEST

static void *make_many(void *arg)
{
    struct tc_id *made = arg;

    for (size_t i = 0; i < PER_THREAD; i++)
        tc_ids_make(ids, 1, &made[i]);
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return tc_id_compare(a, b);
}

START_TEST(threads_never_get_the_same_id)
{
    struct tc_id *made = calloc(THREADS * PER_THREAD, sizeof(*made));
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_many, made + i * PER_THREAD),
                         0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(made, THREADS * PER_THREAD, sizeof(*made), compare_ids);
    for (size_t i = 1; i < THREADS * PER_THREAD; i++)
        ck_assert_int_ne(tc_id_compare(&made[i - 1], &made[i]), 0);
    free(made);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    system_ids_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("system_ids");
    TCase *tcase = tcase_create("ids");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, an_id_is_a_uuid_of_version_7_with_the_clocks_millisecond);
    tcase_add_test(tcase, ids_of_one_call_rise_and_share_a_bucket);
    tcase_add_test(tcase, ids_rise_from_call_to_call_within_a_millisecond);
    tcase_add_test(tcase, ids_rise_when_the_wall_clock_steps_back);
    tcase_add_test(tcase, a_new_millisecond_draws_another_bucket);
    tcase_add_test(tcase, two_processes_that_start_together_give_other_ids);
    tcase_add_test(tcase, random_numbers_use_all_their_bits);
    tcase_add_test(tcase, threads_never_get_the_same_id);
    tcase_add_test(tcase, closing_nothing_is_fine);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
