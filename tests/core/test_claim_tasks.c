#include "core/usecases/claim_tasks.h"
#include "tests/core/world.h"
#include "tests/support/run_suite.h"

#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

static struct world world;
static struct tc_claim claim; /* good: one task for WORLD_OWNER */
static struct tc_task claimed[TC_LEASE_GROUP_MAX];
static size_t count;

static void setup(void)
{
    world_open(&world);
    claim = (struct tc_claim){ .owner = WORLD_OWNER, .max = 1 };
    count = 77;
}

static void teardown(void)
{
    world_close(&world);
}

static enum tc_code take(struct world *where)
{
    enum tc_code code = tc_claim_tasks(&where->leases.base, &where->policy, &claim, claimed,
                                       &count, &where->err);

    for (size_t i = 0; code == TC_OK && i < count; i++) {
        void *storage = claimed[i].storage;

        claimed[i].storage = NULL; /* the numbers are looked at afterwards */
        tc_task_release(&(struct tc_task){ .storage = storage });
    }
    return code;
}

START_TEST(a_claim_leases_for_the_policys_time)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);

    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(tc_id_compare(&claimed[0].id, &id), 0);
    ck_assert_int_eq(claimed[0].status, TC_STATUS_PROCESSING);
    ck_assert_int_eq(claimed[0].epoch, 1);
    ck_assert_int_eq(claimed[0].attempt, 1);
    ck_assert_str_eq(claimed[0].lease.owner, WORLD_OWNER);
    ck_assert_int_eq(claimed[0].lease.expires_at_ms, WORLD_NOW + 30000);
}
END_TEST

START_TEST(a_claim_may_ask_for_another_lease)
{
    world_create_in(&world, TC_STATUS_NEW);
    claim.lease_ms = 5000;
    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_int_eq(claimed[0].lease.duration_ms, 5000);
    ck_assert_int_eq(claimed[0].lease.expires_at_ms, WORLD_NOW + 5000);
}
END_TEST

START_TEST(nothing_to_claim_is_a_success)
{
    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(a_claim_takes_what_the_table_lets_it) /* _i: status */
{
    struct tc_id id = world_create_in(&world, (enum tc_status)_i);
    bool legal = tc_status_can_move((enum tc_status)_i, TC_STATUS_PROCESSING, TC_CAUSE_CLAIM);

    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_uint_eq(count, legal ? 1 : 0);
    ck_assert_int_eq(world_peek(&world, &id).status, legal ? TC_STATUS_PROCESSING : _i);
}
END_TEST

START_TEST(a_worker_takes_only_what_it_can_run)
{
    static const char *const sms[] = { "sms" };
    static const char *const email[] = { "sms", "email" };

    world_create_in(&world, TC_STATUS_NEW);
    claim.types = sms;
    claim.type_count = 1;
    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_uint_eq(count, 0);
    claim.types = email;
    claim.type_count = 2;
    ck_assert_int_eq(take(&world), TC_OK);
    ck_assert_uint_eq(count, 1);
}
END_TEST

static const struct {
    const char *why;
    const char *owner;
    size_t max;
    int64_t lease_ms;
    enum tc_code expected;
    const char *message; /* part of it */
} claims[] = {
    { "good", "w1", 1, 0, TC_OK, NULL },
    { "no owner", NULL, 1, 0, TC_INVALID, "owner" },
    { "empty owner", "", 1, 0, TC_INVALID, "owner" },
    { "bad owner", "w 1", 1, 0, TC_INVALID, "owner" },
    { "none", "w1", 0, 0, TC_INVALID, "max" },
    { "most", "w1", TC_LEASE_GROUP_MAX, 0, TC_OK, NULL },
    { "too many", "w1", TC_LEASE_GROUP_MAX + 1, 0, TC_INVALID, "max" },
    { "negative lease", "w1", 1, -1, TC_INVALID, "lease_ms" },
    { "shortest lease", "w1", 1, 1, TC_OK, NULL },
    { "longest lease", "w1", 1, 3600000, TC_OK, NULL },
    { "too long a lease", "w1", 1, 3600001, TC_INVALID, "lease_ms" },
};

START_TEST(a_bad_claim_is_refused_before_anything_is_leased)
{
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);
    bool good = claims[_i].expected == TC_OK;

    claim.owner = claims[_i].owner;
    claim.max = claims[_i].max;
    claim.lease_ms = claims[_i].lease_ms;
    ck_assert_msg(take(&world) == claims[_i].expected, "%s", claims[_i].why);
    ck_assert_int_eq(world_peek(&world, &id).status,
                     good ? TC_STATUS_PROCESSING : TC_STATUS_NEW);
    if (!good)
        ck_assert_ptr_nonnull(strstr(world.err.message, claims[_i].message));
}
END_TEST

static void claim_with_fault(struct world *where, const struct world_fault *fault, int nth)
{
    struct tc_id id = world_create_in(where, TC_STATUS_NEW);

    world_break(where, nth, fault->code, fault->kind);
    count = 77;

    enum tc_code code = take(where);
    bool leased = code == TC_OK || fault->kind == FAULT_AFTER;

    ck_assert_int_eq(code, world_fired(where) ? fault->code : TC_OK);
    ck_assert_uint_eq(count, code == TC_OK ? 1 : 77);
    ck_assert_int_eq(world_peek(where, &id).status,
                     leased ? TC_STATUS_PROCESSING : TC_STATUS_NEW);
}

START_TEST(a_claim_that_failed_hands_out_nothing) /* _i: fault */
{
    world_each_call(&world_faults[_i], claim_with_fault);
}
END_TEST

START_TEST(what_a_lost_claim_leased_comes_back_with_the_rescue)
{
    struct tc_rescue_tasks_ports ports = world_rescue_ports(&world);
    struct tc_id id = world_create_in(&world, TC_STATUS_NEW);
    struct tc_rescued rescued;

    world_break(&world, 0, TC_UNKNOWN, FAULT_AFTER);
    ck_assert_int_eq(take(&world), TC_UNKNOWN);
    fake_clock_advance(&world.clock, world.policy.lease_ms + 1);
    ck_assert_int_eq(tc_rescue_tasks(&ports, "keeper", 10, &rescued, &world.err), TC_OK);
    ck_assert_uint_eq(rescued.again, 1);
    ck_assert_int_eq(world_peek(&world, &id).status, TC_STATUS_NEW);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("claim_tasks");
    TCase *tcase = tcase_create("rules");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_claim_leases_for_the_policys_time);
    tcase_add_test(tcase, a_claim_may_ask_for_another_lease);
    tcase_add_test(tcase, nothing_to_claim_is_a_success);
    tcase_add_loop_test(tcase, a_claim_takes_what_the_table_lets_it, 0, TC_STATUS_COUNT);
    tcase_add_test(tcase, a_worker_takes_only_what_it_can_run);
    tcase_add_loop_test(tcase, a_bad_claim_is_refused_before_anything_is_leased, 0,
                        COUNT_OF(claims));
    tcase_add_loop_test(tcase, a_claim_that_failed_hands_out_nothing, 0, WORLD_FAULT_COUNT);
    tcase_add_test(tcase, what_a_lost_claim_leased_comes_back_with_the_rescue);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
