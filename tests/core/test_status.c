#include "core/domain/status.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <string.h>

#define COUNT_OF(array) (int)(sizeof(array) / sizeof((array)[0]))

/* Written out once more on purpose: the rules of the HTTP contract, not a copy of the table
 * under test. One string per legal move. */
static const char *const legal[] = {
    "scheduled -> new by wake",          "scheduled -> cancelled by cancel",
    "new -> pending by announce",        "new -> processing by claim",
    "new -> cancelled by cancel",        "pending -> processing by claim",
    "pending -> cancelled by cancel",    "processing -> processing by rescue",
    "processing -> done by finish",      "processing -> failed by finish",
    "processing -> scheduled by finish", "processing -> new by finish",
    "processing -> cancelled by cancel", "failed -> new by retry",
    "cancelled -> new by retry",
};

/* One more than there are, on both sides of the arrow and for the cause: no-statuses. */
#define FROM_COUNT  (TC_STATUS_COUNT + 1)
#define TO_COUNT    (TC_STATUS_COUNT + 1)
#define CAUSE_COUNT (TC_CAUSE_COUNT + 1)

static bool is_listed(const char *text)
{
    for (int i = 0; i < COUNT_OF(legal); i++)
        if (strcmp(legal[i], text) == 0)
            return true;
    return false;
}

static void check_move(enum tc_status from, enum tc_status to, enum tc_cause cause)
{
    char text[96];

    snprintf(text, sizeof(text), "%s -> %s by %s", tc_status_name(from), tc_status_name(to),
             tc_cause_name(cause));
    ck_assert_msg(tc_status_can_move(from, to, cause) == is_listed(text), "%s", text);
}

START_TEST(exactly_the_documented_moves_are_legal) /* _i: cause */
{
    for (int from = 0; from < FROM_COUNT; from++)
        for (int to = 0; to < TO_COUNT; to++)
            check_move((enum tc_status)from, (enum tc_status)to, (enum tc_cause)_i);
}
END_TEST

START_TEST(the_table_lists_every_legal_move_once)
{
    size_t count;
    const struct tc_move *moves = tc_moves(&count);

    ck_assert_uint_eq(count, (size_t)COUNT_OF(legal));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert(memcmp(&moves[i], &moves[j], sizeof(moves[i])) != 0);
}
END_TEST

START_TEST(what_is_no_status_moves_nowhere)
{
    ck_assert(!tc_status_can_move((enum tc_status)32, TC_STATUS_NEW, TC_CAUSE_RETRY));
    ck_assert(!tc_status_can_move((enum tc_status) - 1, TC_STATUS_NEW, TC_CAUSE_RETRY));
    ck_assert_uint_eq(tc_status_sources((enum tc_status) - 1, TC_CAUSE_RETRY), 0);
}
END_TEST

START_TEST(sources_are_the_statuses_a_cause_starts_from)
{
    unsigned cancellable = TC_STATUS_BIT(TC_STATUS_SCHEDULED) | TC_STATUS_SET_WAITING |
                           TC_STATUS_BIT(TC_STATUS_PROCESSING);

    ck_assert_uint_eq(tc_status_sources(TC_STATUS_CANCELLED, TC_CAUSE_CANCEL), cancellable);
    ck_assert_uint_eq(tc_status_sources(TC_STATUS_PROCESSING, TC_CAUSE_CLAIM),
                      TC_STATUS_SET_WAITING);
    ck_assert_uint_eq(tc_status_sources(TC_STATUS_DONE, TC_CAUSE_CANCEL), 0);
}
END_TEST

START_TEST(done_failed_and_cancelled_are_terminal) /* _i: a status, or one beyond */
{
    bool expected = _i == TC_STATUS_DONE || _i == TC_STATUS_FAILED || _i == TC_STATUS_CANCELLED;

    ck_assert_int_eq(tc_status_is_terminal((enum tc_status)_i), expected);
}
END_TEST

START_TEST(a_done_task_stays_done)
{
    for (int to = 0; to < TC_STATUS_COUNT; to++)
        for (int cause = 0; cause < TC_CAUSE_COUNT; cause++)
            ck_assert(
                !tc_status_can_move(TC_STATUS_DONE, (enum tc_status)to, (enum tc_cause)cause));
}
END_TEST

/* Adapters store the numbers: this test is the lock on them. */
static const struct {
    const char *name;
    int value;
} stored[] = {
    { "scheduled", 0 }, { "new", 1 },    { "pending", 2 },   { "processing", 3 },
    { "done", 4 },      { "failed", 5 }, { "cancelled", 6 }, { "unknown", 7 },
};

START_TEST(the_stored_numbers_of_the_statuses_never_change)
{
    ck_assert_str_eq(tc_status_name((enum tc_status)stored[_i].value), stored[_i].name);
}
END_TEST

static const char *const causes[] = {
    "wake", "announce", "claim", "rescue", "finish", "cancel", "retry", "unknown",
};

START_TEST(every_cause_has_a_name)
{
    ck_assert_str_eq(tc_cause_name((enum tc_cause)_i), causes[_i]);
}
END_TEST

static const struct {
    const char *word;
    unsigned set;
} words[] = {
    { "scheduled", TC_STATUS_BIT(TC_STATUS_SCHEDULED) },
    { "retrying", TC_STATUS_BIT(TC_STATUS_SCHEDULED) },
    { "new", TC_STATUS_BIT(TC_STATUS_NEW) },
    { "NEW", TC_STATUS_BIT(TC_STATUS_NEW) },
    { "queued", TC_STATUS_BIT(TC_STATUS_NEW) },
    { "pending", TC_STATUS_BIT(TC_STATUS_PENDING) },
    { "PENDING", TC_STATUS_BIT(TC_STATUS_PENDING) },
    { "processing", TC_STATUS_BIT(TC_STATUS_PROCESSING) },
    { "in_progress", TC_STATUS_BIT(TC_STATUS_PROCESSING) },
    { "IN_PROGRESS", TC_STATUS_BIT(TC_STATUS_PROCESSING) },
    { "running", TC_STATUS_BIT(TC_STATUS_PROCESSING) },
    { "done", TC_STATUS_BIT(TC_STATUS_DONE) },
    { "completed", TC_STATUS_BIT(TC_STATUS_DONE) },
    { "success", TC_STATUS_BIT(TC_STATUS_DONE) },
    { "succeeded", TC_STATUS_BIT(TC_STATUS_DONE) },
    { "failed", TC_STATUS_BIT(TC_STATUS_FAILED) },
    { "error", TC_STATUS_BIT(TC_STATUS_FAILED) },
    { "dead", TC_STATUS_BIT(TC_STATUS_FAILED) },
    { "cancelled", TC_STATUS_BIT(TC_STATUS_CANCELLED) },
    { "Canceled", TC_STATUS_BIT(TC_STATUS_CANCELLED) },
    { "", 0 },
    { "don", 0 },
    { "donee", 0 },
    { "d\xC3\xB6ne", 0 },
    { "unknown", 0 },
};

START_TEST(a_filter_takes_our_words_and_the_models_words_in_any_case)
{
    const char *word = words[_i].word;

    ck_assert_msg(tc_status_set_of(word, strlen(word)) == words[_i].set, "'%s'", word);
}
END_TEST

START_TEST(a_filter_word_ends_where_its_length_says)
{
    ck_assert_uint_eq(tc_status_set_of("done,new", 4), TC_STATUS_BIT(TC_STATUS_DONE));
    ck_assert_uint_eq(tc_status_set_of("done\0", 5), 0);
}
END_TEST

START_TEST(the_set_of_all_holds_every_status_and_nothing_else)
{
    for (int i = 0; i < TC_STATUS_COUNT; i++)
        ck_assert(TC_STATUS_SET_ALL & TC_STATUS_BIT(i));
    ck_assert(!(TC_STATUS_SET_ALL & TC_STATUS_BIT(TC_STATUS_COUNT)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("status");
    TCase *moves = tcase_create("moves");
    TCase *names = tcase_create("names");

    tcase_add_loop_test(moves, exactly_the_documented_moves_are_legal, 0, CAUSE_COUNT);
    tcase_add_test(moves, the_table_lists_every_legal_move_once);
    tcase_add_test(moves, what_is_no_status_moves_nowhere);
    tcase_add_test(moves, sources_are_the_statuses_a_cause_starts_from);
    tcase_add_loop_test(moves, done_failed_and_cancelled_are_terminal, -1, FROM_COUNT);
    tcase_add_test(moves, a_done_task_stays_done);
    suite_add_tcase(suite, moves);

    tcase_add_loop_test(names, the_stored_numbers_of_the_statuses_never_change, 0,
                        COUNT_OF(stored));
    tcase_add_loop_test(names, every_cause_has_a_name, 0, COUNT_OF(causes));
    tcase_add_loop_test(names, a_filter_takes_our_words_and_the_models_words_in_any_case, 0,
                        COUNT_OF(words));
    tcase_add_test(names, a_filter_word_ends_where_its_length_says);
    tcase_add_test(names, the_set_of_all_holds_every_status_and_nothing_else);
    suite_add_tcase(suite, names);
    return run_suite(suite);
}
