/* A few connections for many threads: nobody gets one that another has, and who asked first is
 * served first. */

#include "adapters/postgres/postgres_pool.h"
#include "tests/adapters/postgres_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SIZE 2

static struct postgres_pool *pool;

static void setup(void)
{
    client_setup();
    ck_assert_int_eq(postgres_pool_open(&client.config, SIZE, &pool, &client.err), TC_OK);
}

static void teardown(void)
{
    postgres_pool_close(pool);
    pool = NULL;
    client_teardown();
}

static void pause_ms(long ms)
{
    const struct timespec pause = { .tv_nsec = ms * 1000000 };

    nanosleep(&pause, NULL);
}

static struct postgres_connection *take(void)
{
    struct postgres_connection *connection = NULL;
    struct tc_error err;

    ck_assert_int_eq(postgres_pool_take(pool, &connection, &err), TC_OK);
    ck_assert_ptr_nonnull(connection);
    return connection;
}

START_TEST(opening_connects_to_nothing)
{
    ck_assert_int_eq(postgres_server_number("SELECT count(*) FROM pg_stat_activity WHERE"
                                            " application_name = 'taskcore-test'"
                                            " AND datname = current_database()"),
                     0);
}
END_TEST

START_TEST(those_who_have_one_have_different_ones)
{
    struct postgres_connection *first = take();
    struct postgres_connection *second = take();

    ck_assert_ptr_ne(first, second);
    postgres_pool_give(pool, first);
    ck_assert_ptr_eq(take(), first);
    postgres_pool_give(pool, first);
    postgres_pool_give(pool, second);
}
END_TEST

START_TEST(a_connected_one_goes_before_a_broken_one)
{
    struct postgres_connection *connected = take();
    struct postgres_connection *other = take();

    ck_assert_int_eq(postgres_connect(connected, &client.err), TC_OK);
    postgres_pool_give(pool, connected);
    postgres_pool_give(pool, other);
    ck_assert_ptr_eq(take(), connected);
    postgres_pool_give(pool, connected);
}
END_TEST

START_TEST(a_bad_url_is_refused)
{
    struct postgres_pool *none = NULL;

    client.config.url = "nonsense";
    ck_assert_int_eq(postgres_pool_open(&client.config, SIZE, &none, &client.err), TC_INVALID);
    ck_assert_ptr_null(none);
}
END_TEST

START_TEST(who_waits_too_long_is_told_so)
{
    struct postgres_connection *connection = NULL;
    struct postgres_connection *all[SIZE] = { take(), take() };
    int64_t began_ms = client_tick_ms();

    ck_assert_int_eq(postgres_pool_take(pool, &connection, &client.err), TC_UNAVAILABLE);
    ck_assert_int_ge(client_tick_ms() - began_ms, 4900);
    ck_assert_int_le(client_tick_ms() - began_ms, 6000);
    for (int i = 0; i < SIZE; i++)
        postgres_pool_give(pool, all[i]);
    postgres_pool_give(pool, take());
}
END_TEST

/* --- threads --- */

#define THREADS 6

static _Atomic int order;
static int served[THREADS]; /* as which one */

static void *wait_in_line(void *arg)
{
    int *place = arg;
    struct postgres_connection *connection = take();

    *place = atomic_fetch_add(&order, 1);
    pause_ms(2); /* the next in line has time to overtake, if it could */
    postgres_pool_give(pool, connection);
    return NULL;
}

START_TEST(who_asks_first_is_served_first)
{
    struct postgres_connection *one = take();
    struct postgres_connection *two = take();
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_in_line, &served[i]), 0);
        pause_ms(30);
    }
    postgres_pool_give(pool, one); /* only one is in use: so the order is strict */
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(served[i], i);
    postgres_pool_give(pool, two);
}
END_TEST

static _Atomic int in_use;
static _Atomic bool too_many;

static void *use_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++) {
        struct postgres_connection *connection = take();
        struct tc_error err;

        if (atomic_fetch_add(&in_use, 1) >= SIZE)
            atomic_store(&too_many, true);
        ck_assert_int_eq(postgres_run(connection, &client_insert, NULL, NULL, &err), TC_OK);
        atomic_fetch_sub(&in_use, 1);
        postgres_pool_give(pool, connection);
    }
    return NULL;
}

START_TEST(many_threads_share_few_connections)
{
    pthread_t threads[THREADS];

    postgres_server_sql("ALTER TABLE public.thing DROP CONSTRAINT thing_num");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_often, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert(!atomic_load(&too_many));
    ck_assert_int_eq(client_thing_count(), THREADS * 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("postgres_pool");
    TCase *tcase = tcase_create("pool");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, opening_connects_to_nothing);
    tcase_add_test(tcase, those_who_have_one_have_different_ones);
    tcase_add_test(tcase, a_connected_one_goes_before_a_broken_one);
    tcase_add_test(tcase, a_bad_url_is_refused);
    tcase_add_test(tcase, who_waits_too_long_is_told_so);
    tcase_add_test(tcase, who_asks_first_is_served_first);
    tcase_add_test(tcase, many_threads_share_few_connections);
    suite_add_tcase(suite, tcase);
    return postgres_server_run_bare(suite);
}
