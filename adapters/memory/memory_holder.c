/* What the holder of a lease says: it lives, or how its run ended. Bytes are copied before
 * the mutex is taken and what they replace is freed after it. */

#include "adapters/memory/memory_internal.h"

static struct memory_store *self_of(struct tc_lease_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct memory_store, lease_repo);
}

static void blobs_free(struct memory_blob **blobs, size_t count)
{
    for (size_t i = 0; blobs && i < count; i++)
        free(blobs[i]);
    free(blobs);
}

/* --- extend --- */

/* One blob per renewal; NULL where there is no progress. */
static struct memory_blob **copy_progress(const struct tc_renewal *renewals, size_t count)
{
    struct memory_blob **blobs = calloc(count + 1, sizeof(struct memory_blob *));

    for (size_t i = 0; blobs && i < count; i++) {
        if (!renewals[i].progress.data)
            continue;
        blobs[i] = memory_blob_new(renewals[i].progress);
        if (!blobs[i]) {
            blobs_free(blobs, i);
            return NULL;
        }
    }
    return blobs;
}

static enum tc_stale_reason judge(const struct memory_record *record, int64_t epoch)
{
    return record ? tc_lease_judge(record->status, record->epoch, epoch) : TC_STALE_NOT_FOUND;
}

static struct tc_renewed renew(struct memory_store *store, const struct tc_renewal *renewal,
                               struct memory_blob **progress, int64_t now_ms)
{
    struct memory_record *record = memory_find(store, &renewal->id);
    struct tc_renewed renewed = { .stale = judge(record, renewal->epoch) };

    if (renewed.stale != TC_STALE_NONE)
        return renewed;
    record->due.at =
        now_ms + (renewal->lease_ms > 0 ? renewal->lease_ms : record->lease->duration_ms);
    memory_heap_update(&store->leases, &record->due);
    if (*progress) {
        memory_blob_swap(&record->progress, progress);
        record->updated_at_ms = now_ms;
    }
    renewed.expires_at_ms = record->due.at;
    return renewed;
}

enum tc_code memory_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                           size_t count, struct tc_renewed *ret_renewed, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct memory_blob **progress = copy_progress(renewals, count);

    if (!progress)
        return tc_fail(err, TC_NO_MEMORY, "the progress of %zu tasks", count);
    memory_lock(self);

    int64_t now_ms = tc_clock_now_ms(self->clock);

    for (size_t i = 0; i < count; i++)
        ret_renewed[i] = renew(self, &renewals[i], &progress[i], now_ms);
    memory_unlock(self);
    blobs_free(progress, count);
    return TC_OK;
}

/* --- finish --- */

static bool has_result(const struct tc_outcome *outcome)
{
    return outcome->kind == TC_OUTCOME_DONE || outcome->kind == TC_OUTCOME_FAILED;
}

static bool has_error(const struct tc_outcome *outcome)
{
    return outcome->kind == TC_OUTCOME_AGAIN || outcome->kind == TC_OUTCOME_FAILED;
}

/* Two blobs per outcome: its result and its message; NULL where there is none. */
static struct memory_blob **copy_words(const struct tc_outcome *outcomes, size_t count)
{
    struct memory_blob **blobs = calloc(2 * count + 1, sizeof(struct memory_blob *));
    bool good = blobs != NULL;

    for (size_t i = 0; good && i < count; i++) {
        const struct tc_outcome *outcome = &outcomes[i];

        if (has_result(outcome) && outcome->result.kind != TC_CONTENT_NONE) {
            blobs[2 * i] = memory_blob_new(outcome->result.bytes);
            good = blobs[2 * i] != NULL;
        }
        if (good && has_error(outcome)) {
            blobs[2 * i + 1] = memory_blob_new(outcome->error.message);
            good = blobs[2 * i + 1] != NULL;
        }
    }
    if (good)
        return blobs;
    blobs_free(blobs, 2 * count);
    return NULL;
}

static bool is_same_result(const struct memory_record *record, const struct tc_outcome *outcome)
{
    const struct tc_content kept = { record->result_kind, memory_blob_bytes(record->result) };

    return tc_content_equals(&kept, &outcome->result);
}

/* The holder asks again because the answer was lost. */
static bool is_repeated(const struct memory_record *record, const struct tc_outcome *outcome)
{
    return record && record->epoch == outcome->epoch && record->last_outcome == outcome->kind &&
           (!has_result(outcome) || is_same_result(record, outcome)) &&
           (!has_error(outcome) ||
            tc_bytes_equals(memory_blob_bytes(record->error_message), outcome->error.message));
}

/* A finished run leaves the error of its own end: none when it ended well. */
static void set_words(struct memory_record *record, const struct tc_outcome *outcome,
                      struct memory_blob **words)
{
    if (has_result(outcome)) {
        record->result_kind = outcome->result.kind;
        memory_blob_swap(&record->result, &words[0]);
    }
    if (outcome->kind != TC_OUTCOME_RELEASED) {
        record->error_reason = outcome->error.reason;
        record->error_attempt = outcome->error.attempt;
        record->error_at_ms = outcome->error.at_ms;
        memory_blob_swap(&record->error_message, &words[1]);
    }
}

static void apply(struct memory_store *store, struct memory_record *record,
                  const struct tc_outcome *outcome, struct memory_blob **words, int64_t now_ms)
{
    set_words(record, outcome, words);
    if (outcome->kind == TC_OUTCOME_RELEASED && !record->lease->rescue)
        record->attempt--;
    if (!has_result(outcome))
        record->run_at_ms = outcome->run_at_ms;
    record->last_outcome = outcome->kind;
    memory_move(store, record, outcome->next, now_ms);
}

static struct tc_verdict settle(struct memory_store *store, const struct tc_outcome *outcome,
                                struct memory_blob **words, int64_t now_ms)
{
    struct memory_record *record = memory_find(store, &outcome->id);
    enum tc_stale_reason stale = judge(record, outcome->epoch);

    if (stale == TC_STALE_NONE) {
        apply(store, record, outcome, words, now_ms);
        return (struct tc_verdict){ .kind = TC_VERDICT_APPLIED };
    }
    if (is_repeated(record, outcome))
        return (struct tc_verdict){ .kind = TC_VERDICT_ALREADY };
    return (struct tc_verdict){ .kind = TC_VERDICT_STALE, .stale = stale };
}

enum tc_code memory_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                           size_t count, struct tc_verdict *ret_verdicts, struct tc_error *err)
{
    struct memory_store *self = self_of(repo);
    struct memory_blob **words = copy_words(outcomes, count);

    if (!words)
        return tc_fail(err, TC_NO_MEMORY, "the outcomes of %zu tasks", count);
    memory_lock(self);

    int64_t now_ms = tc_clock_now_ms(self->clock);

    for (size_t i = 0; i < count; i++)
        ret_verdicts[i] = settle(self, &outcomes[i], &words[2 * i], now_ms);
    memory_unlock(self);
    blobs_free(words, 2 * count);
    return TC_OK;
}
