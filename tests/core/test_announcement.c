#include "core/domain/announcement.h"
#include "tests/support/run_suite.h"

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
    int times;
    int64_t wait_ms;
} waits[] = {
    { 0, 15000 },  { 1, 30000 },   { 2, 60000 },   { 5, 480000 },       { 6, 600000 },
    { 7, 600000 }, { 63, 600000 }, { 64, 600000 }, { 1 << 30, 600000 }, { -1, 15000 },
};

START_TEST(the_queue_is_trusted_twice_as_long_each_time_up_to_ten_minutes) /* loop over waits */
{
    ck_assert_int_eq(tc_announce_wait_ms(waits[_i].times), waits[_i].wait_ms);
}
END_TEST

START_TEST(no_wait_is_shorter_than_the_one_before)
{
    for (int times = 0; times < 100; times++)
        ck_assert_int_ge(tc_announce_wait_ms(times + 1), tc_announce_wait_ms(times));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("announcement");
    TCase *tcase = tcase_create("waits");

    tcase_add_loop_test(tcase, the_queue_is_trusted_twice_as_long_each_time_up_to_ten_minutes,
                        0, COUNT_OF(waits));
    tcase_add_test(tcase, no_wait_is_shorter_than_the_one_before);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
