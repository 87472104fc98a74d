#include "adapters/system/system_clock.h"
#include "tests/support/run_suite.h"

#include <time.h>

START_TEST(the_wall_clock_is_that_of_the_machine)
{
    int64_t before = (int64_t)time(NULL);
    int64_t now_ms = tc_clock_now_ms(system_clock());
    int64_t after = (int64_t)time(NULL);

    ck_assert_int_ge(now_ms, before * 1000);
    ck_assert_int_lt(now_ms, (after + 1) * 1000);
}
END_TEST

START_TEST(the_ticks_are_monotonic_milliseconds)
{
    struct timespec now;
    int64_t before = tc_clock_tick_ms(system_clock());

    clock_gettime(CLOCK_MONOTONIC, &now);

    int64_t real_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;

    ck_assert_int_le(before, real_ms);
    ck_assert_int_ge(tc_clock_tick_ms(system_clock()), real_ms);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("system_clock");
    TCase *tcase = tcase_create("clock");

    tcase_add_test(tcase, the_wall_clock_is_that_of_the_machine);
    tcase_add_test(tcase, the_ticks_are_monotonic_milliseconds);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
