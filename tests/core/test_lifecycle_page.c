/* docs/task-lifecycle.md and the code say the same: its table of moves, its statuses, its
 * reasons and its waits. The page's path is the one argument. */

#include "core/domain/attempt.h"
#include "core/domain/lease.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 2048

static const char *page_path;
static char lines[400][LINE_MAX_LEN];
static size_t line_count;

static void setup(void)
{
    FILE *page = fopen(page_path, "r");

    ck_assert_msg(page != NULL, "cannot open '%s'", page_path);
    line_count = 0;
    while (line_count < 400 && fgets(lines[line_count], LINE_MAX_LEN, page))
        line_count++;
    fclose(page);
    ck_assert_uint_lt(line_count, 400);
}

/* The rows of the table whose header begins with `header`; the first is two lines below. */
static size_t find_table(const char *header)
{
    for (size_t i = 0; i < line_count; i++)
        if (strncmp(lines[i], header, strlen(header)) == 0)
            return i + 2;
    ck_abort_msg("the page has no table '%s'", header);
    return 0;
}

static bool is_row(size_t line)
{
    return line < line_count && lines[line][0] == '|';
}

/* The bare word of a cell: from 0, without blanks and backquotes. */
static void read_cell(size_t line, int cell, char *word, size_t size)
{
    const char *at = lines[line];
    size_t len = 0;

    for (int bars = 0; *at && bars <= cell; at++)
        bars += *at == '|';
    for (; *at && *at != '|' && len + 1 < size; at++)
        if (*at != ' ' && *at != '`')
            word[len++] = *at;
    word[len] = '\0';
}

static bool names_move(size_t line, const struct tc_move *move)
{
    char from[32];
    char to[32];
    char cause[32];

    read_cell(line, 0, from, sizeof(from));
    read_cell(line, 1, to, sizeof(to));
    read_cell(line, 2, cause, sizeof(cause));
    return strcmp(from, tc_status_name(move->from)) == 0 &&
           strcmp(to, tc_status_name(move->to)) == 0 &&
           strcmp(cause, tc_cause_name(move->cause)) == 0;
}

START_TEST(the_page_lists_exactly_the_moves_of_the_table)
{
    size_t first = find_table("| from | to | cause |");
    size_t count;
    const struct tc_move *moves = tc_moves(&count);
    size_t rows = 0;

    while (is_row(first + rows))
        rows++;
    ck_assert_uint_eq(rows, count);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;

        for (size_t row = 0; row < rows; row++)
            found += names_move(first + row, &moves[i]);
        ck_assert_msg(found == 1, "%s -> %s by %s stands there %zu times",
                      tc_status_name(moves[i].from), tc_status_name(moves[i].to),
                      tc_cause_name(moves[i].cause), found);
    }
}
END_TEST

static size_t count_lines_with(const char *text)
{
    size_t found = 0;

    for (size_t line = 0; line < line_count; line++)
        found += strstr(lines[line], text) != NULL;
    return found;
}

START_TEST(the_picture_shows_exactly_the_moves_of_the_table)
{
    size_t count;
    const struct tc_move *moves = tc_moves(&count);
    char arrow[96];

    for (size_t i = 0; i < count; i++) {
        snprintf(arrow, sizeof(arrow), " %s --> %s: %s\n", tc_status_name(moves[i].from),
                 tc_status_name(moves[i].to), tc_cause_name(moves[i].cause));
        ck_assert_msg(count_lines_with(arrow) == 1, "%s", arrow);
    }
    ck_assert_uint_eq(count_lines_with(" --> "), count + count_lines_with("[*] --> "));
}
END_TEST

/* Every name from `name_of(first)` on has one row, in this order, and there are no others. */
static void assert_names(const char *header, const char *(*name_of)(int value), int first,
                         int end)
{
    size_t line = find_table(header);
    char word[32];

    for (int value = first; value < end; value++, line++) {
        ck_assert_msg(is_row(line), "no row for '%s'", name_of(value));
        read_cell(line, 0, word, sizeof(word));
        ck_assert_str_eq(word, name_of(value));
    }
    ck_assert(!is_row(line));
}

static const char *status_name(int value)
{
    return tc_status_name((enum tc_status)value);
}

static const char *cause_name(int value)
{
    return tc_cause_name((enum tc_cause)value);
}

static const char *reason_name(int value)
{
    return tc_reason_name((enum tc_reason)value);
}

static const char *stale_name(int value)
{
    return tc_stale_reason_name((enum tc_stale_reason)value);
}

START_TEST(the_page_names_every_status_cause_and_reason)
{
    assert_names("| status |", status_name, 0, TC_STATUS_COUNT);
    assert_names("| cause |", cause_name, 0, TC_CAUSE_COUNT);
    assert_names("| reason |", reason_name, TC_REASON_HANDLER, TC_REASON_COUNT);
    assert_names("| refusal |", stale_name, TC_STALE_SUPERSEDED, TC_STALE_NOT_FOUND + 1);
}
END_TEST

START_TEST(the_words_of_the_models_stand_for_their_status)
{
    size_t line = find_table("| status |");
    char words[128];

    for (int status = 0; status < TC_STATUS_COUNT; status++, line++) {
        read_cell(line, 2, words, sizeof(words));
        for (const char *word = words; *word; word += strspn(word, ",")) {
            size_t len = strcspn(word, ",");

            ck_assert_msg(tc_status_set_of(word, len) == TC_STATUS_BIT(status), "'%s'", word);
            word += len;
        }
    }
}
END_TEST

static int64_t read_number(size_t line, int cell)
{
    char word[32];
    char *end;

    read_cell(line, cell, word, sizeof(word));

    int64_t number = strtoll(word, &end, 10);

    ck_assert_msg(end != word && *end == '\0', "no number: '%s'", word);
    return number;
}

START_TEST(the_waits_are_those_of_the_default_policy)
{
    struct tc_policy policy = tc_policy_default();
    size_t line = find_table("| failed attempt |");

    ck_assert(is_row(line));
    for (; is_row(line); line++) {
        int attempt = (int)read_number(line, 0);
        int64_t least_ms = read_number(line, 1) * 1000;
        int64_t most_ms = read_number(line, 2) * 1000;
        uint64_t spread = (uint64_t)(most_ms - least_ms);

        ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, 0), least_ms);
        ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, spread), most_ms);
        ck_assert_int_eq(tc_retry_wait_ms(&policy, attempt, spread + 1), least_ms);
    }
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("lifecycle_page");
    TCase *page = tcase_create("page");

    if (argc != 2) {
        fprintf(stderr, "usage: %s docs/task-lifecycle.md\n", argv[0]);
        return EXIT_FAILURE;
    }
    page_path = argv[1];
    tcase_add_checked_fixture(page, setup, NULL);
    tcase_add_test(page, the_page_lists_exactly_the_moves_of_the_table);
    tcase_add_test(page, the_picture_shows_exactly_the_moves_of_the_table);
    tcase_add_test(page, the_page_names_every_status_cause_and_reason);
    tcase_add_test(page, the_words_of_the_models_stand_for_their_status);
    tcase_add_test(page, the_waits_are_those_of_the_default_policy);
    suite_add_tcase(suite, page);
    return run_suite(suite);
}
