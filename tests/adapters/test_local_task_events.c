#include "adapters/local/local_task_events.h"
#include "tests/conformance/task_events_suite.h"
#include "tests/support/run_suite.h"

#include <time.h>

static struct tc_task_events *events;

static void open_events(void)
{
    ck_assert_int_eq(local_task_events_open(&events, NULL), TC_OK);
}

static void close_events(void)
{
    local_task_events_close(events);
}

/* @return how long the wait took. */
static int64_t wait_ms(const struct tc_id *id, uint64_t *ticket, int64_t ms)
{
    struct timespec start;
    struct timespec end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    events->ops->wait(events, id, ticket, ms);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (int64_t)(end.tv_sec - start.tv_sec) * 1000 +
           (end.tv_nsec - start.tv_nsec) / 1000000;
}

START_TEST(a_wait_lasts_while_nothing_happens)
{
    struct tc_id id = tc_id_make(1, 2, 3);
    uint64_t ticket = events->ops->watch(events, &id);

    ck_assert_int_ge(wait_ms(&id, &ticket, 30), 29);
}
END_TEST

START_TEST(an_event_ends_one_wait_and_not_the_next)
{
    struct tc_id id = tc_id_make(1, 2, 3);
    uint64_t ticket = events->ops->watch(events, &id);

    events->ops->notify(events, &id, 1);
    events->ops->wait(events, &id, &ticket, 600000);
    ck_assert_int_ge(wait_ms(&id, &ticket, 30), 29);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
    local_task_events_close(NULL);
}
END_TEST

int main(void)
{
    static const struct task_events_driver driver = {
        .name = "task_events: local",
        .open = local_task_events_open,
        .close = local_task_events_close,
    };
    Suite *suite = task_events_suite(&driver);
    TCase *tcase = tcase_create("local");

    tcase_add_checked_fixture(tcase, open_events, close_events);
    tcase_add_test(tcase, a_wait_lasts_while_nothing_happens);
    tcase_add_test(tcase, an_event_ends_one_wait_and_not_the_next);
    tcase_add_test(tcase, closing_nothing_is_fine);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
