/* What a filter means for keys. */

#include "ports/task_repo.h"
#include "tests/support/run_suite.h"

#define NO_BOUND INT64_C(-1)

static struct tc_id at(int64_t ms)
{
    return tc_id_make(ms, 0x123, 7);
}

static bool is_within(const struct tc_task_filter *filter, struct tc_id id)
{
    struct tc_id_range range = tc_task_filter_range(filter);

    return tc_id_compare(&id, &range.above) > 0 && tc_id_compare(&id, &range.below) < 0;
}

static struct tc_task_filter between(int64_t after_ms, int64_t before_ms)
{
    return (struct tc_task_filter){ .created_after_ms = after_ms,
                                    .created_before_ms = before_ms };
}

START_TEST(without_bounds_every_task_is_within)
{
    struct tc_task_filter filter = between(NO_BOUND, NO_BOUND);

    ck_assert(is_within(&filter, at(0)));
    ck_assert(is_within(&filter, at(INT64_C(0xFFFFFFFFFFFF))));
}
END_TEST

START_TEST(times_of_creation_are_exclusive)
{
    struct tc_task_filter filter = between(1000, 2000);

    ck_assert(!is_within(&filter, at(1000)));
    ck_assert(is_within(&filter, tc_id_floor(1001)));
    ck_assert(is_within(&filter, at(1999)));
    ck_assert(!is_within(&filter, tc_id_floor(2000)));
}
END_TEST

START_TEST(the_first_millisecond_may_be_asked_for)
{
    struct tc_task_filter filter = between(0, 1);

    ck_assert(!is_within(&filter, at(0)));
    ck_assert(!is_within(&filter, at(1)));
}
END_TEST

START_TEST(a_page_goes_on_behind_its_position) /* _i: descending, ascending */
{
    struct tc_task_filter filter = between(NO_BOUND, NO_BOUND);

    filter.ascending = _i;
    filter.has_position = true;
    filter.position = at(1500);
    ck_assert(!is_within(&filter, at(1500)));
    ck_assert_int_eq(is_within(&filter, at(1499)), !_i);
    ck_assert_int_eq(is_within(&filter, at(1501)), _i);
}
END_TEST

START_TEST(the_narrower_of_time_and_position_counts) /* _i: descending, ascending */
{
    struct tc_task_filter filter = between(1000, 2000);

    filter.ascending = _i;
    filter.has_position = true;
    filter.position = at(_i ? 500 : 2500);
    ck_assert(!is_within(&filter, at(1000)));
    ck_assert(!is_within(&filter, at(2000)));
    filter.position = at(1500);
    ck_assert_int_eq(is_within(&filter, at(1200)), !_i);
    ck_assert_int_eq(is_within(&filter, at(1800)), _i);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("task_filter");
    TCase *range = tcase_create("range");

    tcase_add_test(range, without_bounds_every_task_is_within);
    tcase_add_test(range, times_of_creation_are_exclusive);
    tcase_add_test(range, the_first_millisecond_may_be_asked_for);
    tcase_add_loop_test(range, a_page_goes_on_behind_its_position, 0, 2);
    tcase_add_loop_test(range, the_narrower_of_time_and_position_counts, 0, 2);
    suite_add_tcase(suite, range);
    return run_suite(suite);
}
