#include "core/domain/lease.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *why;
    enum tc_status status;
    int64_t task_epoch;
    int64_t epoch;
    enum tc_stale_reason expected;
} judged[] = {
    { "the holder", TC_STATUS_PROCESSING, 3, 3, TC_STALE_NONE },
    { "the first holder", TC_STATUS_PROCESSING, 1, 1, TC_STALE_NONE },
    { "one taken over", TC_STATUS_PROCESSING, 3, 2, TC_STALE_SUPERSEDED },
    { "one long taken over", TC_STATUS_PROCESSING, 3, 1, TC_STALE_SUPERSEDED },
    { "one from the future", TC_STATUS_PROCESSING, 3, 4, TC_STALE_NOT_LEASED },
    { "never leased", TC_STATUS_NEW, 0, 1, TC_STALE_NOT_LEASED },
    { "epoch 0 holds nothing", TC_STATUS_NEW, 0, 0, TC_STALE_NOT_LEASED },
    { "cancelled meanwhile", TC_STATUS_CANCELLED, 3, 3, TC_STALE_CANCELLED },
    { "done", TC_STATUS_DONE, 3, 3, TC_STALE_FINISHED },
    { "failed", TC_STATUS_FAILED, 3, 3, TC_STALE_FINISHED },
    { "waits again", TC_STATUS_NEW, 3, 3, TC_STALE_RELEASED },
    { "waits for its time", TC_STATUS_SCHEDULED, 3, 3, TC_STALE_RELEASED },
    { "announced again", TC_STATUS_PENDING, 3, 3, TC_STALE_RELEASED },
    { "epochs come first: cancelled", TC_STATUS_CANCELLED, 3, 2, TC_STALE_SUPERSEDED },
    { "epochs come first: done", TC_STATUS_DONE, 3, 4, TC_STALE_NOT_LEASED },
    { "epochs come first: waiting", TC_STATUS_NEW, 3, 2, TC_STALE_SUPERSEDED },
};

START_TEST(a_word_counts_only_from_the_epoch_that_holds_the_task)
{
    ck_assert_msg(tc_lease_judge(judged[_i].status, judged[_i].task_epoch, judged[_i].epoch) ==
                      judged[_i].expected,
                  "%s", judged[_i].why);
}
END_TEST

static const char *const reasons[] = {
    "none",     "superseded", "not_leased", "cancelled",
    "finished", "released",   "not_found",  "none",
};

START_TEST(every_reason_has_the_name_that_clients_see)
{
    ck_assert_str_eq(tc_stale_reason_name((enum tc_stale_reason)_i), reasons[_i]);
}
END_TEST

START_TEST(two_heartbeats_may_be_lost_before_the_lease_ends)
{
    ck_assert_int_eq(tc_heartbeat_interval_ms(30000), 10000);
    ck_assert_int_lt(tc_heartbeat_interval_ms(TC_LEASE_MIN_MS) * 3, TC_LEASE_MIN_MS + 1);
    ck_assert_int_gt(tc_heartbeat_interval_ms(TC_LEASE_MIN_MS), 0);
}
END_TEST

static const struct {
    const char *why;
    size_t slots;
    int64_t run_us;
    size_t max;
    size_t expected;
} fetched[] = {
    { "nothing known yet", 4, 0, 100, 0 },
    { "nonsense", 4, -1, 100, 0 },
    { "1 ms each: 20 per slot", 4, 1000, 100, 80 },
    { "just at the limit", 4, 1000, 80, 80 },
    { "just over the limit", 4, 1000, 79, 79 },
    { "just one per slot", 4, 20000, 100, 4 },
    { "just too long", 4, 20001, 100, 0 },
    { "seconds", 4, 3000000, 100, 0 },
    { "no slots", 0, 1, 100, 0 },
    { "very short", 64, 1, 256, 256 },
    { "no room", 4, 1000, 0, 0 },
};

START_TEST(short_tasks_are_fetched_ahead_and_long_ones_left_to_others)
{
    ck_assert_msg(tc_prefetch_count(fetched[_i].slots, fetched[_i].run_us, fetched[_i].max) ==
                      fetched[_i].expected,
                  "%s", fetched[_i].why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lease");
    TCase *rules = tcase_create("rules");

    tcase_add_loop_test(rules, a_word_counts_only_from_the_epoch_that_holds_the_task, 0,
                        COUNT_OF(judged));
    tcase_add_loop_test(rules, every_reason_has_the_name_that_clients_see, 0,
                        COUNT_OF(reasons));
    tcase_add_test(rules, two_heartbeats_may_be_lost_before_the_lease_ends);
    tcase_add_loop_test(rules, short_tasks_are_fetched_ahead_and_long_ones_left_to_others, 0,
                        COUNT_OF(fetched));
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
