#include "core/domain/status.h"

#include <ctype.h>
#include <string.h>

static const struct tc_move moves[] = {
    { TC_STATUS_SCHEDULED, TC_STATUS_NEW, TC_CAUSE_WAKE },
    { TC_STATUS_SCHEDULED, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL },
    { TC_STATUS_NEW, TC_STATUS_PENDING, TC_CAUSE_ANNOUNCE },
    { TC_STATUS_NEW, TC_STATUS_PROCESSING, TC_CAUSE_CLAIM },
    { TC_STATUS_NEW, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL },
    { TC_STATUS_PENDING, TC_STATUS_PROCESSING, TC_CAUSE_CLAIM },
    { TC_STATUS_PENDING, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL },
    { TC_STATUS_PROCESSING, TC_STATUS_PROCESSING, TC_CAUSE_RESCUE },
    { TC_STATUS_PROCESSING, TC_STATUS_DONE, TC_CAUSE_FINISH },
    { TC_STATUS_PROCESSING, TC_STATUS_FAILED, TC_CAUSE_FINISH },
    { TC_STATUS_PROCESSING, TC_STATUS_SCHEDULED, TC_CAUSE_FINISH },
    { TC_STATUS_PROCESSING, TC_STATUS_NEW, TC_CAUSE_FINISH },
    { TC_STATUS_PROCESSING, TC_STATUS_CANCELLED, TC_CAUSE_CANCEL },
    { TC_STATUS_FAILED, TC_STATUS_NEW, TC_CAUSE_RETRY },
    { TC_STATUS_CANCELLED, TC_STATUS_NEW, TC_CAUSE_RETRY },
};

static const char *const status_names[TC_STATUS_COUNT] = {
    [TC_STATUS_SCHEDULED] = "scheduled", [TC_STATUS_NEW] = "new",
    [TC_STATUS_PENDING] = "pending",     [TC_STATUS_PROCESSING] = "processing",
    [TC_STATUS_DONE] = "done",           [TC_STATUS_FAILED] = "failed",
    [TC_STATUS_CANCELLED] = "cancelled",
};

static const char *const cause_names[TC_CAUSE_COUNT] = {
    [TC_CAUSE_WAKE] = "wake",     [TC_CAUSE_ANNOUNCE] = "announce",
    [TC_CAUSE_CLAIM] = "claim",   [TC_CAUSE_RESCUE] = "rescue",
    [TC_CAUSE_FINISH] = "finish", [TC_CAUSE_CANCEL] = "cancel",
    [TC_CAUSE_RETRY] = "retry",
};

/* The words that the model systems' users know. */
static const struct {
    const char *word;
    enum tc_status status;
} aliases[] = {
    { "retrying", TC_STATUS_SCHEDULED },
    { "queued", TC_STATUS_NEW },
    { "in_progress", TC_STATUS_PROCESSING },
    { "running", TC_STATUS_PROCESSING },
    { "completed", TC_STATUS_DONE },
    { "success", TC_STATUS_DONE },
    { "succeeded", TC_STATUS_DONE },
    { "error", TC_STATUS_FAILED },
    { "dead", TC_STATUS_FAILED },
    { "canceled", TC_STATUS_CANCELLED },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const struct tc_move *tc_moves(size_t *ret_count)
{
    *ret_count = COUNT_OF(moves);
    return moves;
}

bool tc_status_can_move(enum tc_status from, enum tc_status to, enum tc_cause cause)
{
    return (unsigned)from < TC_STATUS_COUNT &&
           (tc_status_sources(to, cause) & TC_STATUS_BIT(from)) != 0;
}

unsigned tc_status_sources(enum tc_status to, enum tc_cause cause)
{
    unsigned set = 0;

    for (size_t i = 0; i < COUNT_OF(moves); i++)
        if (moves[i].to == to && moves[i].cause == cause)
            set |= TC_STATUS_BIT(moves[i].from);
    return set;
}

bool tc_status_is_terminal(enum tc_status status)
{
    return status == TC_STATUS_DONE || status == TC_STATUS_FAILED ||
           status == TC_STATUS_CANCELLED;
}

const char *tc_status_name(enum tc_status status)
{
    return (unsigned)status < TC_STATUS_COUNT ? status_names[status] : "unknown";
}

const char *tc_cause_name(enum tc_cause cause)
{
    return (unsigned)cause < TC_CAUSE_COUNT ? cause_names[cause] : "unknown";
}

static bool is_word(const char *word, const char *text, size_t len)
{
    if (strlen(word) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (tolower((unsigned char)text[i]) != word[i])
            return false;
    return true;
}

unsigned tc_status_set_of(const char *text, size_t len)
{
    for (size_t i = 0; i < TC_STATUS_COUNT; i++)
        if (is_word(status_names[i], text, len))
            return TC_STATUS_BIT(i);
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (is_word(aliases[i].word, text, len))
            return TC_STATUS_BIT(aliases[i].status);
    return 0;
}
