#include "adapters/http/cursor.h"
#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pages of a list: cursors, links, sizes. */

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

START_TEST(paging_goes_through_all)
{
    char query[128];

    create_many(5);
    ck_assert_str_eq(listed("limit=2"), "54");
    snprintf(query, sizeof(query), "limit=2&cursor=%s", site_text(&site, "next_cursor"));
    ck_assert_str_eq(listed(query), "32");
    snprintf(query, sizeof(query), "limit=2&cursor=%s", site_text(&site, "next_cursor"));
    ck_assert_str_eq(listed(query), "1");
    ck_assert(cJSON_IsNull(site_at(&site, "next_cursor")));
    ck_assert_ptr_null(site_answer_header(&site, "Link"));
}
END_TEST

START_TEST(paging_goes_up_as_well)
{
    char query[128];

    create_many(3);
    ck_assert_str_eq(listed("limit=2&order=asc"), "12");
    snprintf(query, sizeof(query), "order=asc&limit=2&cursor=%s",
             site_text(&site, "next_cursor"));
    ck_assert_str_eq(listed(query), "3");
}
END_TEST

START_TEST(the_link_leads_to_the_next_page)
{
    char expected[256];

    site_create(&site, "{\"payload\":1,\"tags\":[\"a&b c\"]}");
    site_create(&site, "{\"payload\":2,\"tags\":[\"a&b c\"]}");
    ck_assert_int_eq(site_get(&site, "/tasks/?tag=a%26b+c&status=new,done&limit=1"), 200);
    snprintf(expected, sizeof(expected),
             "</api/v1/tasks?tag=a%%26b%%20c&status=new,done&limit=1&cursor=%s>; rel=\"next\"",
             site_text(&site, "next_cursor"));
    ck_assert_str_eq(site_answer_header(&site, "Link"), expected);
}
END_TEST

START_TEST(the_link_has_one_cursor)
{
    char query[128];
    const char *link;

    create_many(3);
    list("limit=1");
    snprintf(query, sizeof(query), "limit=1&cursor=%s", site_text(&site, "next_cursor"));
    list(query);
    link = site_answer_header(&site, "Link");
    ck_assert_ptr_nonnull(strstr(link, "?limit=1&cursor="));
    ck_assert_ptr_null(strstr(strstr(link, "cursor=") + 1, "cursor="));
}
END_TEST

START_TEST(a_cursor_is_a_position_whatever_the_filters)
{
    char query[128];

    create_many(3);
    list("limit=1");
    snprintf(query, sizeof(query), "queue=default&status=new&cursor=%s",
             site_text(&site, "next_cursor"));
    ck_assert_str_eq(listed(query), "21");
}
END_TEST

START_TEST(a_changed_cursor_is_refused)
{
    char cursor[CURSOR_SIZE];
    char query[64];

    create_many(2);
    list("limit=1");
    snprintf(cursor, sizeof(cursor), "%s", site_text(&site, "next_cursor"));
    cursor[_i] = cursor[_i] == 'A' ? 'B' : 'A';
    snprintf(query, sizeof(query), "cursor=%s", cursor);
    site_assert_invalid(&site, list(query), "/cursor");
}
END_TEST

START_TEST(fifty_tasks_are_a_page_unless_asked_otherwise)
{
    for (int i = 0; i < 60; i++)
        site_create(&site, "{\"payload\":1}");
    list("");
    ck_assert_uint_eq(site_count(&site, "items"), 50);
    list("limit=200");
    ck_assert_uint_eq(site_count(&site, "items"), 60);
}
END_TEST

static void create_sized(size_t size)
{
    char *body = malloc(size + 16);
    size_t start = (size_t)snprintf(body, size + 16, "{\"payload\":\"");

    memset(body + start, 'x', size - 2);
    memcpy(body + start + size - 2, "\"}", 3);
    site_create(&site, body);
    free(body);
}

START_TEST(a_payload_of_4096_bytes_is_shown)
{
    create_sized(4096);
    list("");
    ck_assert_uint_eq(strlen(site_text(&site, "items/0/payload")), 4094);
    ck_assert(!site_has(&site, "items/0/omitted"));
}
END_TEST

START_TEST(a_larger_payload_is_left_out_and_named)
{
    create_sized(4097);
    list("");
    ck_assert(!site_has(&site, "items/0/payload"));
    ck_assert(site_has(&site, "items/0/result"));
    ck_assert_uint_eq(site_count(&site, "items/0/omitted"), 1);
    ck_assert_str_eq(site_text(&site, "items/0/omitted/0"), "payload");
}
END_TEST

START_TEST(a_larger_result_is_left_out_and_named)
{
    static char large[5000];

    memset(large, 'y', sizeof(large));
    create_sized(4097);
    site_finish(&site, &(struct tc_outcome){ .kind = TC_OUTCOME_DONE,
                                             .next = TC_STATUS_DONE,
                                             .result = { TC_CONTENT_TEXT, { large, 4097 } } });
    list("");
    ck_assert(!site_has(&site, "items/0/result"));
    ck_assert_str_eq(site_text(&site, "items/0/omitted/0"), "payload");
    ck_assert_str_eq(site_text(&site, "items/0/omitted/1"), "result");
}
END_TEST

static Suite *page_suite(void)
{
    Suite *suite = suite_create("http_page");
    TCase *tcase = tcase_create("page");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, paging_goes_through_all);
    tcase_add_test(tcase, paging_goes_up_as_well);
    tcase_add_test(tcase, the_link_leads_to_the_next_page);
    tcase_add_test(tcase, the_link_has_one_cursor);
    tcase_add_test(tcase, a_cursor_is_a_position_whatever_the_filters);
    tcase_add_loop_test(tcase, a_changed_cursor_is_refused, 0, CURSOR_LEN);
    tcase_add_test(tcase, fifty_tasks_are_a_page_unless_asked_otherwise);
    tcase_add_test(tcase, a_payload_of_4096_bytes_is_shown);
    tcase_add_test(tcase, a_larger_payload_is_left_out_and_named);
    tcase_add_test(tcase, a_larger_result_is_left_out_and_named);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(page_suite());
}
