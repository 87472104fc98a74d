#include "tests/adapters/lease_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

/* POST /leases/heartbeat. */

static struct lease_site leased;
static struct site *const site = &leased.site;

static void setup(void)
{
    lease_site_begin(&leased);
}

static void teardown(void)
{
    lease_site_end(&leased);
}

static void beat(int epoch, const char *more)
{
    char body[256];

    snprintf(body, sizeof(body),
             "{\"worker\":\"w9\",\"leases\":[{\"id\":\"%s\",\"epoch\":%d}]%s}", leased.id,
             epoch, more);
    ck_assert_int_eq(site_post(site, HEARTBEATS, body), 200);
    ck_assert_uint_eq(site_count(site, "leases"), 1);
}

START_TEST(a_lease_is_renewed_for_as_long_as_it_was_leased)
{
    fake_clock_advance(&site->clock, 20000);
    beat(1, "");
    ck_assert_str_eq(site_text(site, "leases/0/id"), leased.id);
    ck_assert_str_eq(site_text(site, "leases/0/status"), "ok");
    ck_assert(!site_has(site, "leases/0/reason"));
    ck_assert_int_eq(lease_site_end_of(site, leased.id),
                     SITE_NOW + 20000 + site->policy.lease_ms);
}
END_TEST

START_TEST(a_lease_is_renewed_for_as_long_as_was_asked)
{
    beat(1, ",\"lease_ms\":3600000");
    ck_assert_int_eq(lease_site_end_of(site, leased.id), SITE_NOW + 3600000);
}
END_TEST

START_TEST(each_lease_has_its_own_answer_in_order)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"worker\":\"w1\",\"leases\":[{\"id\":\"%s\",\"epoch\":2},"
             "{\"id\":\"" SITE_NO_TASK "\",\"epoch\":1},{\"epoch\":1,\"id\":\"%s\"}]}",
             leased.id, leased.id);
    ck_assert_int_eq(site_post(site, HEARTBEATS, body), 200);
    ck_assert_uint_eq(site_count(site, "leases"), 3);
    ck_assert_str_eq(site_text(site, "leases/0/status"), "stale");
    ck_assert_str_eq(site_text(site, "leases/0/reason"), "not_leased");
    ck_assert_str_eq(site_text(site, "leases/1/reason"), "not_found");
    ck_assert_str_eq(site_text(site, "leases/1/id"), SITE_NO_TASK);
    ck_assert_str_eq(site_text(site, "leases/2/status"), "ok");
}
END_TEST

static const char *beats_of(int count)
{
    static char body[128 * 1024];
    int len = snprintf(body, sizeof(body), "{\"worker\":\"w1\",\"leases\":[");

    for (int i = 0; i < count; i++)
        len += snprintf(body + len, sizeof(body) - (size_t)len,
                        "%s{\"id\":\"" SITE_NO_TASK "\",\"epoch\":9223372036854775807}",
                        i ? "," : "");
    snprintf(body + len, sizeof(body) - (size_t)len, "]}");
    return body;
}

START_TEST(a_thousand_leases_are_renewed_at_once)
{
    ck_assert_int_eq(site_post(site, HEARTBEATS, beats_of(1000)), 200);
    ck_assert_uint_eq(site_count(site, "leases"), 1000);
    site_assert_invalid(site, site_post(site, HEARTBEATS, beats_of(1001)), "/leases");
}
END_TEST

#define ONE "{\"id\":\"" SITE_NO_TASK "\",\"epoch\":1}"

static const struct {
    const char *body;
    const char *pointer;
} bad_beats[] = {
    { "{\"leases\":[" ONE "]}", "/worker" },
    { "{\"worker\":\"a b\",\"leases\":[" ONE "]}", "/worker" },
    { "{\"worker\":\"w\"}", "/leases" },
    { "{\"worker\":\"w\",\"leases\":null}", "/leases" },
    { "{\"worker\":\"w\",\"leases\":{}}", "/leases" },
    { "{\"worker\":\"w\",\"leases\":[]}", "/leases" },
    { "{\"worker\":\"w\",\"leases\":[" ONE ",7]}", "/leases/1" },
    { "{\"worker\":\"w\",\"leases\":[{\"epoch\":1}]}", "/leases/0/id" },
    { "{\"worker\":\"w\",\"leases\":[{\"id\":7,\"epoch\":1}]}", "/leases/0/id" },
    { "{\"worker\":\"w\",\"leases\":[{\"id\":\"7\",\"epoch\":1}]}", "/leases/0/id" },
    { "{\"worker\":\"w\",\"leases\":[" ONE ",{\"id\":\"" SITE_NO_TASK "\"}]}",
      "/leases/1/epoch" },
    { "{\"worker\":\"w\",\"leases\":[{\"id\":\"" SITE_NO_TASK "\",\"epoch\":0}]}",
      "/leases/0/epoch" },
    { "{\"worker\":\"w\",\"leases\":[{\"id\":\"" SITE_NO_TASK "\",\"epoch\":1,\"x\":{}}]}",
      "/leases/0/x" },
    { "{\"worker\":\"w\",\"leases\":[" ONE "],\"lease_ms\":999}", "/lease_ms" },
    { "{\"worker\":\"w\",\"leases\":[" ONE "],\"epoch\":1}", "/epoch" },
};

START_TEST(a_bad_field_of_a_heartbeat_is_named) /* loop over bad_beats */
{
    site_assert_invalid(site, site_post(site, HEARTBEATS, bad_beats[_i].body),
                        bad_beats[_i].pointer);
}
END_TEST

START_TEST(heartbeats_go_on_while_the_process_is_being_stopped)
{
    site->services.draining = true;
    beat(1, "");
}
END_TEST

START_TEST(a_store_that_is_away_renews_nothing)
{
    site->leases.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(site, site_post(site, HEARTBEATS, beats_of(1)), 503, "unavailable");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static TCase *heartbeats_tcase(void)
{
    TCase *tcase = tcase_create("heartbeats");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_lease_is_renewed_for_as_long_as_it_was_leased);
    tcase_add_test(tcase, a_lease_is_renewed_for_as_long_as_was_asked);
    tcase_add_test(tcase, each_lease_has_its_own_answer_in_order);
    tcase_add_test(tcase, a_thousand_leases_are_renewed_at_once);
    tcase_add_loop_test(tcase, a_bad_field_of_a_heartbeat_is_named, 0, COUNT_OF(bad_beats));
    tcase_add_test(tcase, heartbeats_go_on_while_the_process_is_being_stopped);
    tcase_add_test(tcase, a_store_that_is_away_renews_nothing);
    return tcase;
}

static Suite *beats_suite(void)
{
    Suite *suite = suite_create("http_beats");

    suite_add_tcase(suite, heartbeats_tcase());
    return suite;
}

int main(void)
{
    return run_suite(beats_suite());
}
