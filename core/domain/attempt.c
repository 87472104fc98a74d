#include "core/domain/attempt.h"

#include <stdlib.h>
#include <string.h>

struct tc_report tc_report_done(void)
{
    return (struct tc_report){ .kind = TC_REPORT_DONE, .delay_ms = TC_UNSET };
}

enum tc_code tc_report_set_result(struct tc_report *report, enum tc_content_kind kind,
                                  struct tc_bytes bytes, struct tc_error *err)
{
    void *copy = malloc(bytes.len ? bytes.len : 1);

    if (!copy)
        return tc_fail(err, TC_NO_MEMORY, "result of %zu bytes", bytes.len);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    free(report->result_storage);
    report->result_storage = copy;
    report->result = (struct tc_content){ kind, { copy, bytes.len } };
    return TC_OK;
}

/* Length of the well-formed character at `at`, or 0. */
static size_t char_len(const char *at, size_t left)
{
    for (size_t len = 1; len <= 4 && len <= left; len++)
        if (tc_utf8_is_valid((struct tc_bytes){ at, len }))
            return len;
    return 0;
}

/* What is no text is shown as '?'; so is NUL, since stores and logs may keep C strings. */
static void make_text(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = text[i] == '\0' ? 0 : char_len(text + i, len - i);

        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
        i += step;
    }
}

/* Bytes taken by the first `max_chars` code points. */
static size_t prefix_len(struct tc_bytes text, size_t max_chars)
{
    const unsigned char *data = text.data;
    size_t chars = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool starts = (data[i] & 0xC0) != 0x80;

        if (starts && chars++ == max_chars)
            return i;
    }
    return text.len;
}

struct tc_report tc_report_failed(enum tc_reason reason, bool retryable,
                                  struct tc_bytes message)
{
    struct tc_report report = {
        .kind = TC_REPORT_FAILED,
        .reason = reason,
        .retryable = retryable,
        .delay_ms = TC_UNSET,
        .message =
            tc_bytes_of(message.len ? "failed, and no memory for the message" : "failed"),
    };
    char *copy = message.len ? malloc(message.len) : NULL;

    if (!copy)
        return report;
    memcpy(copy, message.data, message.len);
    make_text(copy, message.len);
    report.message_storage = copy;
    report.message.data = copy;
    report.message.len = prefix_len((struct tc_bytes){ copy, message.len }, TC_ERROR_TEXT_MAX);
    return report;
}

void tc_report_release(struct tc_report *report)
{
    if (!report)
        return;
    free(report->result_storage);
    free(report->message_storage);
    *report = (struct tc_report){ .kind = TC_REPORT_DONE };
}

int64_t tc_retry_wait_ms(const struct tc_policy *policy, int attempt, uint64_t random)
{
    int64_t ceiling = policy->retry_min_ms;

    for (int i = 0; i < attempt && ceiling < policy->retry_max_ms; i++)
        ceiling *= 2;
    if (ceiling > policy->retry_max_ms)
        ceiling = policy->retry_max_ms;

    int64_t floor = ceiling / 2 < policy->retry_min_ms ? policy->retry_min_ms : ceiling / 2;

    /* Jitter, so that many that failed together do not come back together. */
    return floor + (int64_t)(random % ((uint64_t)(ceiling - floor) + 1));
}

static struct tc_outcome outcome_of(const struct tc_task *task, enum tc_outcome_kind kind)
{
    return (struct tc_outcome){ .id = task->id, .epoch = task->epoch, .kind = kind };
}

/* Waiting again: for the clock, or for any worker. */
static void wait_until(struct tc_outcome *outcome, int64_t run_at_ms, int64_t now_ms)
{
    outcome->run_at_ms = run_at_ms > TC_TIME_MAX_MS ? TC_TIME_MAX_MS : run_at_ms;
    outcome->next = run_at_ms > now_ms ? TC_STATUS_SCHEDULED : TC_STATUS_NEW;
}

static struct tc_outcome decide_failed(const struct tc_task *task,
                                       const struct tc_report *report,
                                       const struct tc_policy *policy, int64_t now_ms,
                                       uint64_t random)
{
    bool again = report->retryable && task->attempt < task->max_attempts;
    struct tc_outcome outcome = outcome_of(task, again ? TC_OUTCOME_AGAIN : TC_OUTCOME_FAILED);

    outcome.error = (struct tc_failure){
        .reason = report->retryable ? report->reason : TC_REASON_NOT_RETRYABLE,
        .attempt = task->attempt,
        .at_ms = now_ms,
        .message = report->message,
    };
    if (again) {
        const struct tc_policy its = tc_policy_for_type(policy, task->type);
        int64_t wait_ms = report->delay_ms == TC_UNSET
                              ? tc_retry_wait_ms(&its, task->attempt, random)
                              : report->delay_ms;

        wait_until(&outcome, now_ms + wait_ms, now_ms);
    } else {
        outcome.next = TC_STATUS_FAILED;
        outcome.result = report->result;
    }
    return outcome;
}

struct tc_outcome tc_attempt_decide(const struct tc_task *task, const struct tc_report *report,
                                    const struct tc_policy *policy, int64_t now_ms,
                                    uint64_t random)
{
    if (report->kind == TC_REPORT_FAILED)
        return decide_failed(task, report, policy, now_ms, random);

    bool done = report->kind == TC_REPORT_DONE;
    struct tc_outcome outcome = outcome_of(task, done ? TC_OUTCOME_DONE : TC_OUTCOME_RELEASED);

    if (done) {
        outcome.next = TC_STATUS_DONE;
        outcome.result = report->result;
    } else {
        int64_t delay_ms = report->delay_ms == TC_UNSET ? 0 : report->delay_ms;

        wait_until(&outcome, now_ms + delay_ms, now_ms);
    }
    return outcome;
}

struct tc_outcome tc_crash_decide(const struct tc_task *task, int64_t now_ms)
{
    bool again = task->crashes <= task->max_crashes;
    struct tc_outcome outcome = outcome_of(task, again ? TC_OUTCOME_AGAIN : TC_OUTCOME_FAILED);

    outcome.error = (struct tc_failure){
        .reason = TC_REASON_WORKER_LOST,
        .attempt = task->attempt + 1,
        .at_ms = now_ms,
        .message = tc_bytes_of("the worker was lost while it ran this task"),
    };
    outcome.next = TC_STATUS_FAILED;
    if (again)
        wait_until(&outcome, now_ms, now_ms);
    return outcome;
}
