#include "adapters/http/rfc3339.h"

#define DAY_MS            INT64_C(86400000)
#define YEAR_0_MS         INT64_C(-62167219200000)
#define YEAR_9999_LAST_MS INT64_C(253402300799999)

struct date {
    int64_t year;
    int64_t month; /* 1..12 */
    int64_t day;   /* 1..31 */
};

/* The calendar is counted from 1 March of year 0, in eras of 400 years: then the leap day is
 * the last of its year, and every division below is of a number that is not negative. */
#define ERA_DAYS     146097
#define DAYS_TO_1970 719468

static int64_t days_of(const struct date *date)
{
    int64_t year = date->month <= 2 ? date->year - 1 : date->year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = (date->month + 9) % 12; /* March is 0 */
    int64_t day_of_year = (153 * month + 2) / 5 + date->day - 1;

    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_1970;
}

static struct date date_of(int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - ERA_DAYS + 1) / ERA_DAYS;
    int64_t day_of_era = shifted - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
    int64_t year = era * 400 + year_of_era + (month >= 10 ? 1 : 0);

    return (struct date){ year, month < 10 ? month + 3 : month - 9, day };
}

static char *put_digits(char *at, int64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

void rfc3339_format(int64_t ms, char ret_text[RFC3339_SIZE])
{
    char *at = ret_text;

    if (ms < YEAR_0_MS)
        ms = YEAR_0_MS;
    if (ms > YEAR_9999_LAST_MS)
        ms = YEAR_9999_LAST_MS;

    int64_t days = (ms >= 0 ? ms : ms - DAY_MS + 1) / DAY_MS;
    int64_t left = ms - days * DAY_MS;
    struct date date = date_of(days);

    at = put_digits(at, date.year, 4);
    *at++ = '-';
    at = put_digits(at, date.month, 2);
    *at++ = '-';
    at = put_digits(at, date.day, 2);
    *at++ = 'T';
    at = put_digits(at, left / 3600000, 2);
    *at++ = ':';
    at = put_digits(at, left / 60000 % 60, 2);
    *at++ = ':';
    at = put_digits(at, left / 1000 % 60, 2);
    *at++ = '.';
    at = put_digits(at, left % 1000, 3);
    *at++ = 'Z';
    *at = '\0';
}

struct input {
    const char *at;
    const char *end;
};

static bool read_digits(struct input *in, int count, int64_t min, int64_t max, int64_t *ret)
{
    int64_t value = 0;

    if (in->end - in->at < count)
        return false;
    for (int i = 0; i < count; i++, in->at++) {
        if (*in->at < '0' || *in->at > '9')
            return false;
        value = value * 10 + (*in->at - '0');
    }
    *ret = value;
    return value >= min && value <= max;
}

static bool read_char(struct input *in, char wanted, char or_else)
{
    if (in->at == in->end || (*in->at != wanted && *in->at != or_else))
        return false;
    in->at++;
    return true;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool read_date(struct input *in, struct date *ret_date)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (!read_digits(in, 4, 0, 9999, &ret_date->year) || !read_char(in, '-', '-') ||
        !read_digits(in, 2, 1, 12, &ret_date->month) || !read_char(in, '-', '-') ||
        !read_digits(in, 2, 1, 31, &ret_date->day))
        return false;

    int64_t last = lengths[ret_date->month - 1];

    if (ret_date->month == 2 && is_leap(ret_date->year))
        last = 29;
    return ret_date->day <= last;
}

/* ".5", ".123456": the first three digits count. */
static bool read_fraction(struct input *in, int64_t *ret_ms, bool *ret_cut)
{
    int64_t weight = 100;
    const char *start;

    *ret_ms = 0;
    *ret_cut = false;
    if (!read_char(in, '.', '.'))
        return true;
    for (start = in->at; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++) {
        *ret_ms += (*in->at - '0') * weight;
        *ret_cut = *ret_cut || (weight == 0 && *in->at != '0');
        weight /= 10;
    }
    return in->at > start;
}

static bool read_offset(struct input *in, int64_t *ret_ms)
{
    int64_t hours;
    int64_t minutes;

    *ret_ms = 0;
    if (read_char(in, 'Z', 'z'))
        return true;

    bool west = in->at < in->end && *in->at == '-';

    if (!read_char(in, '+', '-') || !read_digits(in, 2, 0, 23, &hours) ||
        !read_char(in, ':', ':') || !read_digits(in, 2, 0, 59, &minutes))
        return false;
    *ret_ms = (hours * 60 + minutes) * 60000 * (west ? -1 : 1);
    return true;
}

bool rfc3339_parse(const char *text, size_t len, int64_t *ret_ms, bool *ret_cut)
{
    struct input in = { text, text + len };
    struct date date;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t fraction_ms;
    int64_t offset_ms;
    bool cut;

    if (!read_date(&in, &date) || !read_char(&in, 'T', 't') ||
        !read_digits(&in, 2, 0, 23, &hour) || !read_char(&in, ':', ':') ||
        !read_digits(&in, 2, 0, 59, &minute) || !read_char(&in, ':', ':') ||
        !read_digits(&in, 2, 0, 60, &second) || !read_fraction(&in, &fraction_ms, &cut) ||
        !read_offset(&in, &offset_ms) || in.at != in.end)
        return false;

    int64_t minute_ms = days_of(&date) * DAY_MS + (hour * 60 + minute) * 60000 - offset_ms;

    /* Leap seconds exist only in the last minute of a day of UTC. */
    if (second == 60 && (minute_ms % DAY_MS + DAY_MS) % DAY_MS != DAY_MS - 60000)
        return false;
    *ret_ms = minute_ms + second * 1000 + fraction_ms;
    if (ret_cut)
        *ret_cut = cut;
    return true;
}
