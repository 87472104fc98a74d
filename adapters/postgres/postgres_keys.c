/* Idempotency keys. The unique index decides between twins: who comes second waits for the
 * first one's commit and finds its answer then. Keys are kept in their order, so that two
 * groups that share some wait for each other in one direction only. */

#include "adapters/postgres/postgres_tasks.h"

#include <stdlib.h>
#include <string.h>

static const struct postgres_statement keep_keys_statement = {
    .name = "keep_keys",
    .sql = "INSERT INTO taskcore.key (key, hash, first_id, created_at, answer) "
           "SELECT k.key, k.hash, k.first_id, clock.at, k.answer "
           "FROM (SELECT coalesce($1::bigint, taskcore.now_ms()) AS at) AS clock,"
           "     unnest($2::text[], $3::bytea[], $4::uuid[], $5::bytea[])"
           "     AS k(key, hash, first_id, answer) "
           "ON CONFLICT (key) DO NOTHING RETURNING key",
    .writes = true,
};

static const struct postgres_statement find_keys_statement = {
    .name = "find_keys",
    .sql = "SELECT key, hash, first_id, answer FROM taskcore.key WHERE key = ANY ($1::text[])",
    .writes = false,
};

/* The creations of one key: `order[from..to)`. */
struct claim {
    size_t from;
    size_t to;
    const struct tc_creation *candidate; /* whose answer is kept if the key is new */
    size_t winner;                       /* its index; with `kept` */
    bool kept;
    bool found;
};

struct settling {
    struct postgres_store *store;
    struct postgres_connection *connection;
    struct postgres_insertion *insertion;
    size_t *order; /* creations with a key, sorted by key, then as they came */
    size_t count;
    struct claim *claims; /* sorted by key */
    size_t claim_count;
};

static const char *key_of(const struct settling *settling, const struct claim *claim)
{
    return settling->insertion->creations[settling->order[claim->from]].key;
}

/* --- one claim a key */

struct sorted {
    const char *key;
    size_t index;
};

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *first = a;
    const struct sorted *second = b;
    int order = strcmp(first->key, second->key);

    return order != 0 ? order : (first->index > second->index) - (first->index < second->index);
}

static bool sort_keys(struct settling *settling)
{
    const struct postgres_insertion *insertion = settling->insertion;
    struct sorted *sorted = malloc(insertion->count * sizeof(*sorted));

    if (!sorted)
        return false;
    for (size_t i = 0; i < insertion->count; i++)
        if (insertion->creations[i].key)
            sorted[settling->count++] = (struct sorted){ insertion->creations[i].key, i };
    qsort(sorted, settling->count, sizeof(*sorted), compare_sorted);
    for (size_t i = 0; i < settling->count; i++)
        settling->order[i] = sorted[i].index;
    free(sorted);
    return true;
}

/* What is stored already keeps no key: it is a repetition, and the key was forgotten. */
static void form_claims(struct settling *settling)
{
    const struct postgres_insertion *insertion = settling->insertion;
    struct claim *claim = NULL;

    for (size_t i = 0; i < settling->count; i++) {
        size_t at = settling->order[i];
        const struct tc_creation *creation = &insertion->creations[at];

        if (!claim || strcmp(key_of(settling, claim), creation->key) != 0) {
            claim = &settling->claims[settling->claim_count++];
            *claim = (struct claim){ .from = i };
        }
        claim->to = i + 1;
        if (!claim->candidate && !insertion->exists[at]) {
            claim->candidate = creation;
            claim->winner = at;
        }
    }
}

static int compare_claim(const struct settling *settling, const struct claim *claim,
                         struct tc_bytes key)
{
    const char *own = key_of(settling, claim);
    size_t len = strlen(own);
    int order = memcmp(own, key.data, len < key.len ? len : key.len);

    return order != 0 ? order : (len > key.len) - (len < key.len);
}

static struct claim *claim_of(const struct settling *settling, struct tc_bytes key)
{
    size_t low = 0;
    size_t high = settling->claim_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct claim *claim = &settling->claims[middle];
        int order = compare_claim(settling, claim, key);

        if (order == 0)
            return claim;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- keeping keys */

static struct tc_bytes answer_of(const struct tc_creation *creation)
{
    return creation->answer.len > 0 ? creation->answer : (struct tc_bytes){ "", 0 };
}

static void add_keys(struct postgres_params *params, const struct settling *settling)
{
    const struct claim *end = settling->claims + settling->claim_count;
    const struct claim *claim;

    postgres_add_now(params, settling->store);
    postgres_array_begin(params, POSTGRES_TEXT);
    for (claim = settling->claims; claim < end; claim++)
        if (claim->candidate)
            postgres_push_text(params, claim->candidate->key);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (claim = settling->claims; claim < end; claim++)
        if (claim->candidate)
            postgres_push_bytes(params, (struct tc_bytes){ claim->candidate->request_hash,
                                                           TC_REQUEST_HASH_SIZE });
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_UUID);
    for (claim = settling->claims; claim < end; claim++)
        if (claim->candidate)
            postgres_push_id(params, &claim->candidate->tasks[0].id);
    postgres_array_end(params);
    postgres_array_begin(params, POSTGRES_BYTEA);
    for (claim = settling->claims; claim < end; claim++)
        if (claim->candidate)
            postgres_push_bytes(params, answer_of(claim->candidate));
    postgres_array_end(params);
}

static enum tc_code keep_keys(struct settling *settling, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct postgres_params params;
    enum tc_code code;

    postgres_params_init(&params, 256 + settling->claim_count * 256);
    add_keys(&params, settling);
    code = postgres_run(settling->connection, &keep_keys_statement, &params, &result, err);
    postgres_params_release(&params);
    for (int row = 0; code == TC_OK && row < PQntuples(result); row++) {
        struct claim *claim = claim_of(settling, postgres_get_bytes(result, row, 0));

        if (claim)
            claim->kept = true;
    }
    return code;
}

/* --- verdicts */

/* What a key stands for. */
struct known {
    struct tc_bytes hash;
    struct tc_id first_id;
    struct tc_bytes answer;
};

static enum tc_code judge(const struct tc_creation *creation, const struct known *known,
                          struct tc_inserted *inserted, struct tc_error *err)
{
    const struct tc_bytes hash = { creation->request_hash, TC_REQUEST_HASH_SIZE };

    if (!tc_bytes_equals(hash, known->hash)) {
        inserted->verdict = TC_INSERT_MISMATCH;
        return TC_OK;
    }
    inserted->answer = malloc(known->answer.len + 1);
    if (!inserted->answer)
        return tc_fail(err, TC_NO_MEMORY, "postgres: an answer of %zu bytes",
                       known->answer.len);
    if (known->answer.len > 0)
        memcpy(inserted->answer, known->answer.data, known->answer.len);
    inserted->answer[known->answer.len] = '\0';
    inserted->answer_len = known->answer.len;
    inserted->first_id = known->first_id;
    inserted->verdict = TC_INSERT_EXISTING;
    return TC_OK;
}

/* All creations of the claim but the one that keeps the key; and what is stored under its own
 * id already has nothing to do with a key that is new. */
static enum tc_code judge_claim(const struct settling *settling, const struct claim *claim,
                                const struct known *known, struct tc_error *err)
{
    const struct postgres_insertion *insertion = settling->insertion;
    enum tc_code code = TC_OK;

    for (size_t i = claim->from; i < claim->to && code == TC_OK; i++) {
        size_t at = settling->order[i];

        if (!claim->kept || (at != claim->winner && !insertion->exists[at]))
            code = judge(&insertion->creations[at], known, &insertion->inserted[at], err);
    }
    return code;
}

static enum tc_code judge_twins(const struct settling *settling, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    for (size_t i = 0; i < settling->claim_count && code == TC_OK; i++) {
        const struct claim *claim = &settling->claims[i];

        if (claim->kept && claim->candidate) {
            const struct known known = {
                { claim->candidate->request_hash, TC_REQUEST_HASH_SIZE },
                claim->candidate->tasks[0].id,
                claim->candidate->answer,
            };

            code = judge_claim(settling, claim, &known, err);
        }
    }
    return code;
}

static enum tc_code judge_found(struct settling *settling, const PGresult *result,
                                struct tc_error *err)
{
    enum tc_code code = TC_OK;

    for (int row = 0; code == TC_OK && row < PQntuples(result); row++) {
        struct claim *claim = claim_of(settling, postgres_get_bytes(result, row, 0));
        const struct known known = {
            postgres_get_bytes(result, row, 1),
            postgres_get_id(result, row, 2),
            postgres_get_bytes(result, row, 3),
        };

        if (claim) {
            claim->found = true;
            code = judge_claim(settling, claim, &known, err);
        }
    }
    return code;
}

/* --- keys that were there before */

static size_t add_lost(struct postgres_params *params, const struct settling *settling)
{
    size_t count = 0;

    postgres_array_begin(params, POSTGRES_TEXT);
    for (size_t i = 0; i < settling->claim_count; i++)
        if (!settling->claims[i].kept) {
            postgres_push_text(params, key_of(settling, &settling->claims[i]));
            count++;
        }
    postgres_array_end(params);
    return count;
}

/* Forgotten since keep_keys() met it. */
static bool is_gone(const struct settling *settling)
{
    for (size_t i = 0; i < settling->claim_count; i++) {
        const struct claim *claim = &settling->claims[i];

        if (claim->candidate && !claim->kept && !claim->found)
            return true;
    }
    return false;
}

static enum tc_code find_keys(struct settling *settling, struct tc_error *err)
{
    AUTO_RESULT result = NULL;
    struct postgres_params params;
    enum tc_code code = TC_OK;

    postgres_params_init(&params, 256);
    if (add_lost(&params, settling) > 0) {
        code = postgres_run(settling->connection, &find_keys_statement, &params, &result, err);
        if (code == TC_OK)
            code = judge_found(settling, result, err);
    }
    postgres_params_release(&params);
    if (code == TC_OK && is_gone(settling))
        return tc_fail(err, TC_CONFLICT, "postgres: a key has just been forgotten");
    return code;
}

enum tc_code postgres_settle_keys(struct postgres_store *store,
                                  struct postgres_connection *connection,
                                  struct postgres_insertion *insertion, struct tc_error *err)
{
    struct settling settling = {
        .store = store,
        .connection = connection,
        .insertion = insertion,
        .order = malloc(insertion->count * sizeof(*settling.order)),
        .claims = malloc(insertion->count * sizeof(*settling.claims)),
    };
    enum tc_code code;

    if (settling.order && settling.claims && sort_keys(&settling)) {
        form_claims(&settling);
        code = keep_keys(&settling, err);
        if (code == TC_OK)
            code = judge_twins(&settling, err);
        if (code == TC_OK)
            code = find_keys(&settling, err);
    } else {
        code = tc_fail(err, TC_NO_MEMORY, "postgres: %zu keys", insertion->count);
    }
    free(settling.order);
    free(settling.claims);
    return code;
}
