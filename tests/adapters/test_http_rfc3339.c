#include "adapters/http/rfc3339.h"
#include "tests/support/run_suite.h"

#include <string.h>

static bool parse(const char *text, int64_t *ret_ms, bool *ret_cut)
{
    return rfc3339_parse(text, strlen(text), ret_ms, ret_cut);
}

static const struct {
    const char *text;
    int64_t ms;
    bool cut;
} good[] = {
    { "1970-01-01T00:00:00Z", 0, false },
    { "1970-01-01T00:00:00.001Z", 1, false },
    { "1969-12-31T23:59:59.999Z", -1, false },
    { "2026-11-21T22:26:40Z", INT64_C(1795300000000), false },
    { "2026-11-21t22:26:40z", INT64_C(1795300000000), false },
    { "2026-11-21T22:26:40.5Z", INT64_C(1795300000500), false },
    { "2026-11-21T22:26:40.12Z", INT64_C(1795300000120), false },
    { "2026-11-21T22:26:40.123456Z", INT64_C(1795300000123), true },
    { "2026-11-21T22:26:40.1230000000000000Z", INT64_C(1795300000123), false },
    { "2026-11-21T22:26:40.00000000000000000000001Z", INT64_C(1795300000000), true },
    { "2026-11-21T22:26:40+00:00", INT64_C(1795300000000), false },
    { "2026-11-21T22:26:40-00:00", INT64_C(1795300000000), false },
    { "2026-11-22T03:56:40+05:30", INT64_C(1795300000000), false },
    { "2026-11-21T00:27:40-21:59", INT64_C(1795300000000), false },
    { "2024-02-29T00:00:00Z", INT64_C(1709164800000), false },
    { "2000-02-29T12:00:00Z", INT64_C(951825600000), false },
    { "2000-03-01T00:00:00Z", INT64_C(951868800000), false },
    { "1900-02-28T00:00:00Z", INT64_C(-2203977600000), false },
    { "2016-12-31T23:59:60Z", INT64_C(1483228800000), false },
    { "2016-12-31T15:59:60-08:00", INT64_C(1483228800000), false },
    { "0000-01-01T00:00:00Z", INT64_C(-62167219200000), false },
    { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999), false },
    { "9999-12-31T23:59:59-23:59", INT64_C(253402387139000), false },
};

START_TEST(reads_a_time)
{
    int64_t ms = -7;
    bool cut = !good[_i].cut;

    ck_assert_msg(parse(good[_i].text, &ms, &cut), "%s", good[_i].text);
    ck_assert_msg(ms == good[_i].ms, "%s: %lld", good[_i].text, (long long)ms);
    ck_assert_int_eq(cut, good[_i].cut);
}
END_TEST

static const char *const bad[] = {
    "",
    "now",
    "2026",
    "2026-11-21",
    "2026-11-21T",
    "2026-11-21T10:00:00",
    "2026-11-21T10:00Z",
    "2026-11-21T10:00:00 Z",
    "2026-11-21 10:00:00Z",
    " 2026-11-21T10:00:00Z",
    "2026-11-21T10:00:00Z ",
    "2026-11-21T10:00:00ZZ",
    "2026-11-21T10:00:00.Z",
    "2026-11-21T10:00:00,5Z",
    "2026-11-21T10:00:00+0100",
    "2026-11-21T10:00:00+01",
    "2026-11-21T10:00:00+1:00",
    "2026-11-21T10:00:00+24:00",
    "2026-11-21T10:00:00+01:60",
    "2026-11-21T10:00:00 01:00",
    "2026-11-21T24:00:00Z",
    "2026-11-21T10:60:00Z",
    "2026-11-21T10:00:61Z",
    "2026-11-21T10:00:60Z",
    "2016-12-31T23:59:60+01:00",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "26-11-21T10:00:00Z",
    "12026-11-21T10:00:00Z",
    "-2026-11-21T10:00:00Z",
    "2026-1-21T10:00:00Z",
    "2026-11-21T1:00:00Z",
    "2026-11-21X10:00:00Z",
    "20261121T100000Z",
    "2026-W47-6T10:00:00Z",
    "2026-11-21T10:00:00UTC",
    "+026-11-21T10:00:00Z",
    "1795300000000",
};

START_TEST(refuses_what_is_no_time)
{
    int64_t ms = -7;
    bool cut = false;

    ck_assert_msg(!parse(bad[_i], &ms, &cut), "%s", bad[_i]);
    ck_assert_int_eq(ms, -7);
}
END_TEST

static const struct {
    int64_t ms;
    const char *text;
} written[] = {
    { 0, "1970-01-01T00:00:00.000Z" },
    { 1, "1970-01-01T00:00:00.001Z" },
    { -1, "1969-12-31T23:59:59.999Z" },
    { INT64_C(1795300000123), "2026-11-21T22:26:40.123Z" },
    { INT64_C(951782400000), "2000-02-29T00:00:00.000Z" },
    { INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
    { INT64_C(253402300800000), "9999-12-31T23:59:59.999Z" },
    { INT64_MAX, "9999-12-31T23:59:59.999Z" },
    { INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z" },
    { INT64_MIN, "0000-01-01T00:00:00.000Z" },
};

START_TEST(writes_a_time)
{
    char text[RFC3339_SIZE];

    rfc3339_format(written[_i].ms, text);
    ck_assert_str_eq(text, written[_i].text);
}
END_TEST

/* Every day of the years 0..9999, and a moment within it. */
START_TEST(what_was_written_is_read_back)
{
    char text[RFC3339_SIZE];
    int64_t ms;

    for (int64_t day = -719528; day <= 2932896; day++) {
        int64_t at = day * INT64_C(86400000) + (day & 0xFFFFFF) % 86400000;

        rfc3339_format(at, text);
        if (!parse(text, &ms, NULL) || ms != at)
            ck_abort_msg("%s is %lld, not %lld", text, (long long)ms, (long long)at);
    }
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *rfc3339_suite(void)
{
    Suite *suite = suite_create("http_rfc3339");
    TCase *tcase = tcase_create("rfc3339");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, reads_a_time, 0, COUNT_OF(good));
    tcase_add_loop_test(tcase, refuses_what_is_no_time, 0, COUNT_OF(bad));
    tcase_add_loop_test(tcase, writes_a_time, 0, COUNT_OF(written));
    tcase_add_test(tcase, what_was_written_is_read_back);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(rfc3339_suite());
}
