#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct site site;

static void setup(void)
{
    site_open(&site);
}

static void teardown(void)
{
    site_close(&site);
}

static int list(const char *query)
{
    char target[1024];

    snprintf(target, sizeof(target), SITE_TASKS "%s%s", query[0] ? "?" : "", query);
    return site_get(&site, target);
}

/* The payloads of a page, one digit each, in order: "21". */
static const char *listed(const char *query)
{
    static char digits[256];
    int status = list(query);
    size_t count;

    ck_assert_msg(status == 200, "%s: %d %s", query, status, site_body(&site));
    count = site_count(&site, "items");
    for (size_t i = 0; i < count; i++) {
        char path[48];

        snprintf(path, sizeof(path), "items/%zu/payload", i);
        digits[i] = (char)('0' + (int)site_number(&site, path));
    }
    digits[count] = '\0';
    return digits;
}

/* Tasks with the payloads 1..count, a millisecond apart. */
static void create_many(int count)
{
    char body[64];

    for (int i = 1; i <= count; i++) {
        snprintf(body, sizeof(body), "{\"payload\":%d}", i);
        site_create(&site, body);
        fake_clock_advance(&site.clock, 1);
    }
}

START_TEST(nothing_there_is_an_empty_page)
{
    ck_assert_int_eq(list(""), 200);
    ck_assert_str_eq(site_body(&site), "{\"items\":[],\"next_cursor\":null}");
    ck_assert_ptr_null(site_answer_header(&site, "Link"));
}
END_TEST

START_TEST(newest_first_unless_asked_otherwise)
{
    create_many(3);
    ck_assert_str_eq(listed(""), "321");
    ck_assert_str_eq(listed("order=desc"), "321");
    ck_assert_str_eq(listed("order=asc"), "123");
}
END_TEST

START_TEST(items_are_the_tasks)
{
    char *created;

    site_create(&site, "{\"payload\":1,\"tags\":[\"a\"]}");
    created = strdup(strstr(site_body(&site), "\"queue\""));
    list("");
    ck_assert_ptr_nonnull(strstr(site_body(&site), created));
    ck_assert(!site_has(&site, "items/0/omitted"));
    free(created);
}
END_TEST

static const struct {
    const char *query;
    const char *found; /* of 1: done; 2: failed; 3: cancelled; 4: scheduled; 5: new */
} statuses[] = {
    { "status=done", "1" },
    { "status=DONE", "1" },
    { "status=Completed", "1" },
    { "status=success", "1" },
    { "status=succeeded", "1" },
    { "status=failed", "2" },
    { "status=error", "2" },
    { "status=dead", "2" },
    { "status=cancelled", "3" },
    { "status=canceled", "3" },
    { "status=scheduled", "4" },
    { "status=retrying", "4" },
    { "status=new", "5" },
    { "status=NEW", "5" },
    { "status=queued", "5" },
    { "status=pending", "" },
    { "status=PENDING", "" },
    { "status=processing", "" },
    { "status=running", "" },
    { "status=in_progress", "" },
    { "status=done,failed", "21" },
    { "status=done%2Cfailed", "21" },
    { "status=new,new", "5" },
    { "status=scheduled,new,pending,processing,done,failed,cancelled", "54321" },
};

static void cancel_newest(void)
{
    char target[80];

    list("limit=1");
    snprintf(target, sizeof(target), SITE_TASKS "/%s", site_text(&site, "items/0/id"));
    ck_assert_int_eq(site_send(&site, "DELETE", target, NULL), 200);
}

START_TEST(a_status_selects)
{
    site_create(&site, "{\"payload\":1}");
    site_finish(&site, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE, .next = TC_STATUS_DONE });
    site_create(&site, "{\"payload\":2}");
    site_finish(
        &site, &(struct tc_outcome){ .kind = TC_OUTCOME_FAILED,
                                     .next = TC_STATUS_FAILED,
                                     .error = { TC_REASON_HANDLER, 1, SITE_NOW, { "x", 1 } } });
    site_create(&site, "{\"payload\":3}");
    cancel_newest();
    site_create(&site, "{\"payload\":4,\"delay_ms\":60000}");
    site_create(&site, "{\"payload\":5}");
    ck_assert_str_eq(listed(statuses[_i].query), statuses[_i].found);
}
END_TEST

static const struct {
    const char *query;
    const char *found;
} filters[] = {
    { "queue=mail", "1" },
    { "queue=default", "2" },
    { "queue=none", "" },
    { "type=email", "1" },
    { "type=demo.process", "2" },
    { "tag=red", "1" },
    { "tag=dark+blue", "2" },
    { "tag=dark%20blue", "2" },
    { "tag=gr%C3%BCn", "1" },
    { "tag=gr\xC3\xBCn", "1" },
    { "tag=a%26b%3Dc%2B", "2" },
    { "tag=re", "" },
    { "queue=mail&type=email&tag=red", "1" },
    { "queue=mail&type=demo.process", "" },
};

START_TEST(a_filter_selects)
{
    site_create(&site, "{\"payload\":1,\"queue\":\"mail\",\"type\":\"email\","
                       "\"tags\":[\"red\",\"gr\xC3\xBCn\"]}");
    site_create(&site, "{\"payload\":2,\"tags\":[\"dark blue\",\"a&b=c+\"]}");
    ck_assert_str_eq(listed(filters[_i].query), filters[_i].found);
}
END_TEST

static const struct {
    const char *query;
    const char *found; /* 1 at .000, 2 at .001, 3 at .002 */
} times[] = {
    { "created_after=2026-11-21T22:26:40.001Z", "3" },
    { "created_before=2026-11-21T22:26:40.001Z", "1" },
    { "created_after=2026-11-21T22:26:40Z", "32" },
    { "created_after=2026-11-21T22:26:39.999Z", "321" },
    { "created_before=2026-11-21T22:26:40Z", "" },
    { "created_after=2026-11-21T22:26:40.0005Z", "32" },
    { "created_before=2026-11-21T22:26:40.0005Z", "1" },
    { "created_before=2026-11-21T22:26:40.0010Z", "1" },
    { "created_before=2026-11-21T22:26:40.00101Z", "21" },
    { "created_after=2026-11-22T03:26:40.001%2B05:00", "3" },
    { "created_after=2026-11-21T17:26:40.001-05:00", "3" },
    { "created_after=2026-11-21t22:26:40.001z", "3" },
    { "created_after=2026-11-21T22:26:40Z&created_before=2026-11-21T22:26:40.002Z", "2" },
    { "created_after=1960-01-01T00:00:00Z", "321" },
    { "created_before=1960-01-01T00:00:00Z", "" },
    { "created_before=9999-12-31T23:59:59.999Z", "321" },
    { "created_after=9999-12-31T23:59:59.999Z", "" },
};

START_TEST(time_bounds_exclude_their_own_instant)
{
    create_many(3);
    ck_assert_str_eq(listed(times[_i].query), times[_i].found);
}
END_TEST

static const struct {
    const char *query;
    const char *pointer;
} refused[] = {
    { "limit=0", "/limit" },
    { "limit=201", "/limit" },
    { "limit=-1", "/limit" },
    { "limit=x", "/limit" },
    { "limit=", "/limit" },
    { "limit", "/limit" },
    { "limit=+5", "/limit" },
    { "limit=5%20", "/limit" },
    { "limit=1.0", "/limit" },
    { "limit=010", "/limit" },
    { "limit=1&limit=1", "/limit" },
    { "order=up", "/order" },
    { "order=ASC", "/order" },
    { "order=", "/order" },
    { "status=", "/status" },
    { "status=nonsense", "/status" },
    { "status=new,", "/status" },
    { "status=,new", "/status" },
    { "status=new,,done", "/status" },
    { "status=new+done", "/status" },
    { "status=new&status=done", "/status" },
    { "queue=A", "/queue" },
    { "queue=a%20b", "/queue" },
    { "queue=", "/queue" },
    { "queue=a&queue=b", "/queue" },
    { "queue=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "/queue" },
    { "type=%C3%A9", "/type" },
    { "tag=", "/tag" },
    { "tag=%00", "/tag" },
    { "tag=a%00b", "/tag" },
    { "tag=%ff", "/tag" },
    { "tag=%ed%a0%80", "/tag" },
    { "tag=%zz", "/tag" },
    { "tag=%4", "/tag" },
    { "tag=%", "/tag" },
    { "tag=\xFF", "/tag" },
    { "tag=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "/tag" },
    { "created_after=now", "/created_after" },
    { "created_after=2026-11-21", "/created_after" },
    { "created_after=2026-11-21T22:26:40", "/created_after" },
    { "created_after=2026-11-21T22:26:40+01:00", "/created_after" },
    { "created_before=", "/created_before" },
    { "created_before=1795300000000", "/created_before" },
    { "cursor=", "/cursor" },
    { "cursor=x", "/cursor" },
    { "cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/cursor" },
    { "cursor=AaIAOAEAdaWAAAAAAAAAAQ", "/cursor" },
    { "colour=red", "/colour" },
    { "Limit=5", "/Limit" },
    { "wait_ms=5", "/wait_ms" },
    { "a/b=1", "/a~1b" },
    { "=1", "" },
    { "&", "" },
    { "limit=5&", "" },
    { "%ff=1", "" },
    { "%=1", "" },
};

START_TEST(a_bad_query_is_refused)
{
    int status = list(refused[_i].query);
    const char *pointer;

    ck_assert_msg(status == 422, "%s: %d", refused[_i].query, status);
    site_assert_problem(&site, status, 422, "validation_failed");
    pointer = site_text(&site, "errors/0/pointer");
    ck_assert_msg(strcmp(pointer, refused[_i].pointer) == 0, "%s: %s", refused[_i].query,
                  pointer);
}
END_TEST

START_TEST(all_bad_parameters_are_named)
{
    site_assert_problem(&site, list("limit=0&order=up&x=1"), 422, "validation_failed");
    ck_assert_uint_eq(site_count(&site, "errors"), 3);
}
END_TEST

START_TEST(a_store_that_is_away_is_503)
{
    site.repo.plan = (struct fault_plan){ .code = TC_UNAVAILABLE };
    site_assert_problem(&site, list(""), 503, "unavailable");
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *list_suite(void)
{
    Suite *suite = suite_create("http_list");
    TCase *tcase = tcase_create("list");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_there_is_an_empty_page);
    tcase_add_test(tcase, newest_first_unless_asked_otherwise);
    tcase_add_test(tcase, items_are_the_tasks);
    tcase_add_loop_test(tcase, a_status_selects, 0, COUNT_OF(statuses));
    tcase_add_loop_test(tcase, a_filter_selects, 0, COUNT_OF(filters));
    tcase_add_loop_test(tcase, time_bounds_exclude_their_own_instant, 0, COUNT_OF(times));
    tcase_add_loop_test(tcase, a_bad_query_is_refused, 0, COUNT_OF(refused));
    tcase_add_test(tcase, all_bad_parameters_are_named);
    tcase_add_test(tcase, a_store_that_is_away_is_503);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(list_suite());
}
