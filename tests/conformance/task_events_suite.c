/* Waits that must end by what another thread does are LONG_MS: a lost event shows as the
 * test's timeout. */

#include "tests/conformance/task_events_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define LONG_MS   600000
#define SHORT_MS  20
#define TIMEOUT_S 60
#define THREADS   4
#define ROUNDS    500

static const struct task_events_driver *driver;
static struct tc_task_events *events;
static struct tc_error err;

static void open_events(void)
{
    ck_assert_msg(driver->open(&events, &err) == TC_OK, "open: %s", err.message);
    ck_assert(events->ops->notify && events->ops->watch && events->ops->wait &&
              events->ops->interrupt);
}

static void close_events(void)
{
    driver->close(events);
}

static int64_t tick_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct tc_id id_of(uint64_t number)
{
    return tc_id_make(1700000000000, 0x123, number);
}

static void notify(uint64_t number)
{
    struct tc_id id = id_of(number);

    events->ops->notify(events, &id, 1);
}

static void wait_for(uint64_t number, uint64_t *ticket, int64_t wait_ms)
{
    struct tc_id id = id_of(number);

    events->ops->wait(events, &id, ticket, wait_ms);
}

static uint64_t watch(uint64_t number)
{
    struct tc_id id = id_of(number);

    return events->ops->watch(events, &id);
}

START_TEST(e2_a_wait_runs_out_when_nothing_happens)
{
    uint64_t ticket = watch(1);
    int64_t start_ms = tick_ms();

    wait_for(1, &ticket, SHORT_MS); /* for nothing is legal, so only its end is certain */
    ck_assert_int_lt(tick_ms() - start_ms, LONG_MS);
    wait_for(1, &ticket, 0);
}
END_TEST

START_TEST(e2_what_happens_between_watch_and_wait_is_seen)
{
    uint64_t ticket = watch(1);

    notify(1);
    wait_for(1, &ticket, LONG_MS);
}
END_TEST

START_TEST(e2_each_of_several_events_is_seen)
{
    uint64_t ticket = watch(1);

    for (size_t i = 0; i < 100; i++) {
        notify(1);
        wait_for(1, &ticket, LONG_MS);
    }
}
END_TEST

START_TEST(e1_events_that_nobody_watches_are_fine)
{
    struct tc_id ids[1000];

    for (size_t i = 0; i < 1000; i++)
        ids[i] = id_of(i);
    events->ops->notify(events, ids, 1000);
    events->ops->notify(events, NULL, 0);
}
END_TEST

START_TEST(e1_every_id_of_a_group_is_notified)
{
    struct tc_id ids[300];
    uint64_t tickets[300];

    for (size_t i = 0; i < 300; i++) {
        ids[i] = id_of(i);
        tickets[i] = watch(i);
    }
    events->ops->notify(events, ids, 300);
    for (size_t i = 0; i < 300; i++)
        wait_for(i, &tickets[i], LONG_MS);
}
END_TEST

static _Atomic bool ended[ROUNDS + 1]; /* what a look into the store would show */

/* As the use case does it: watch, look, wait, look again. */
static void wait_until_ended(uint64_t number)
{
    uint64_t ticket = watch(number);

    while (!atomic_load(&ended[number]))
        wait_for(number, &ticket, LONG_MS);
}

static void end(uint64_t number)
{
    atomic_store(&ended[number], true);
    notify(number);
}

static void *wait_for_first(void *arg)
{
    (void)arg;
    wait_until_ended(1);
    return NULL;
}

static void *wait_for_each(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < ROUNDS; i++)
        wait_until_ended(i);
    return NULL;
}

static void *end_each(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < ROUNDS; i++)
        end(i);
    return NULL;
}

static void start(pthread_t threads[THREADS], void *(*body)(void *))
{
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, NULL), 0);
}

static void join(pthread_t threads[THREADS])
{
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(e2_everyone_who_waits_for_a_task_is_woken)
{
    pthread_t waiters[THREADS];

    start(waiters, wait_for_first);
    end(1);
    join(waiters);
}
END_TEST

START_TEST(e2_no_event_is_lost_between_threads)
{
    pthread_t waiters[THREADS];
    pthread_t ender;

    start(waiters, wait_for_each);
    ck_assert_int_eq(pthread_create(&ender, NULL, end_each, NULL), 0);
    join(waiters); /* hangs when an event is lost */
    pthread_join(ender, NULL);
}
END_TEST

static _Atomic uint64_t turn;

static void *answer_in_turn(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        while (atomic_load(&turn) < i)
            continue;
        end(i);
    }
    return NULL;
}

START_TEST(e2_an_event_that_comes_while_the_waiter_falls_asleep_is_seen)
{
    pthread_t ender;

    ck_assert_int_eq(pthread_create(&ender, NULL, answer_in_turn, NULL), 0);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        uint64_t ticket = watch(i);

        atomic_store(&turn, i);
        while (!atomic_load(&ended[i]))
            wait_for(i, &ticket, LONG_MS);
    }
    pthread_join(ender, NULL);
}
END_TEST

static _Atomic size_t told; /* how many know that they were interrupted */

static void *wait_once(void *arg)
{
    uint64_t ticket = watch(1);

    (void)arg;
    wait_for(1, &ticket, LONG_MS);
    told += ticket == TC_EVENTS_INTERRUPTED;
    return NULL;
}

START_TEST(e3_an_interrupt_ends_every_wait_and_says_so)
{
    pthread_t waiters[THREADS];

    start(waiters, wait_once);
    events->ops->interrupt(events);
    join(waiters);
    ck_assert_uint_eq(told, THREADS);
}
END_TEST

START_TEST(e3_an_interrupt_ends_every_wait_to_come_and_says_so)
{
    events->ops->interrupt(events);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t ticket = watch(i);

        wait_for(i, &ticket, LONG_MS);
        ck_assert_uint_eq(ticket, TC_EVENTS_INTERRUPTED);
    }
}
END_TEST

Suite *task_events_suite(const struct task_events_driver *under_test)
{
    Suite *suite = suite_create(under_test->name);
    TCase *tcase = tcase_create("events");

    driver = under_test;
    tcase_set_timeout(tcase, TIMEOUT_S);
    tcase_add_checked_fixture(tcase, open_events, close_events);
    tcase_add_test(tcase, e2_a_wait_runs_out_when_nothing_happens);
    tcase_add_test(tcase, e2_what_happens_between_watch_and_wait_is_seen);
    tcase_add_test(tcase, e2_each_of_several_events_is_seen);
    tcase_add_test(tcase, e1_events_that_nobody_watches_are_fine);
    tcase_add_test(tcase, e1_every_id_of_a_group_is_notified);
    tcase_add_test(tcase, e2_everyone_who_waits_for_a_task_is_woken);
    tcase_add_test(tcase, e2_no_event_is_lost_between_threads);
    tcase_add_test(tcase, e2_an_event_that_comes_while_the_waiter_falls_asleep_is_seen);
    tcase_add_test(tcase, e3_an_interrupt_ends_every_wait_and_says_so);
    tcase_add_test(tcase, e3_an_interrupt_ends_every_wait_to_come_and_says_so);
    suite_add_tcase(suite, tcase);
    return suite;
}
