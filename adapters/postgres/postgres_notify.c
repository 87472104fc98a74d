/* NOTIFY: what this process tells the others, many events at a time, and what it is told. */

#include "adapters/postgres/postgres_result.h"
#include "adapters/postgres/postgres_session_internal.h"
#include "adapters/postgres/postgres_timed_wait.h"

#include <string.h>

#define CHANNEL_READY "taskcore_ready"
#define CHANNEL_ENDED "taskcore_ended"
#define EVERYBODY     "*"

#define BURST_US       2000 /* what comes this close is one NOTIFY */
#define NOBODY_US      5000 /* the next look whether somebody listens */
#define VAIN_WAKES_MAX 100

/* Who listens, and NOTIFY in the same statement if somebody does. */
static const struct postgres_statement tell_statement = {
    .name = "session_tell",
    .sql = "WITH other AS MATERIALIZED (\n"
           "    SELECT coalesce(bool_or(ready), false) AS ready,\n"
           "           coalesce(bool_or(ended), false) AS ended\n"
           "    FROM taskcore.listener WHERE incarnation <> $1)\n"
           "SELECT o.ready, o.ended,\n"
           "    (SELECT pg_notify('" CHANNEL_READY "', '') WHERE o.ready AND $2),\n"
           "    (SELECT pg_notify('" CHANNEL_ENDED "', $3) WHERE o.ended AND $3 IS NOT NULL)\n"
           "FROM other o",
};

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool postgres_outbox_init(struct postgres_outbox *outbox)
{
    return pthread_mutex_init(&outbox->mutex, NULL) == 0;
}

void postgres_outbox_release(struct postgres_outbox *outbox)
{
    pthread_mutex_destroy(&outbox->mutex);
}

void postgres_outbox_add(struct postgres_outbox *outbox, const struct tc_id *ids, size_t count)
{
    if (atomic_load(&outbox->full))
        return;
    pthread_mutex_lock(&outbox->mutex);
    if (count > POSTGRES_OUTBOX_MAX - outbox->count) {
        atomic_store(&outbox->full, true);
    } else {
        memcpy(outbox->ids + outbox->count, ids, count * sizeof(*ids));
        outbox->count += count;
    }
    pthread_mutex_unlock(&outbox->mutex);
}

static char *put_id(char *text, const struct tc_id *id)
{
    unsigned bits = 0;
    unsigned bit_count = 0;

    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        bits = (bits & 0x3F) << 8 | id->bytes[i];
        bit_count += 8;
        for (; bit_count >= 6; bit_count -= 6)
            *text++ = alphabet[bits >> (bit_count - 6) & 0x3F];
    }
    *text++ = alphabet[bits << (6 - bit_count) & 0x3F];
    return text;
}

static bool read_id(const char *text, struct tc_id *ret_id)
{
    unsigned bits = 0;
    unsigned bit_count = 0;
    size_t len = 0;

    for (size_t i = 0; i < POSTGRES_ID_TEXT_LEN; i++) {
        const char *digit = memchr(alphabet, text[i], sizeof(alphabet) - 1);

        if (!digit)
            return false;
        bits = (bits & 0xFF) << 6 | (unsigned)(digit - alphabet);
        bit_count += 6;
        if (bit_count < 8)
            continue;
        bit_count -= 8;
        ret_id->bytes[len++] = (uint8_t)(bits >> bit_count);
    }
    return true;
}

/* Empty the outbox into one payload. */
static void take_outbox(struct postgres_outbox *outbox, char ret_text[POSTGRES_PAYLOAD_MAX + 1])
{
    struct tc_id ids[POSTGRES_OUTBOX_MAX];
    bool full;
    size_t count;

    pthread_mutex_lock(&outbox->mutex);
    full = atomic_load(&outbox->full);
    count = outbox->count;
    memcpy(ids, outbox->ids, count * sizeof(*ids));
    outbox->count = 0;
    atomic_store(&outbox->full, false);
    pthread_mutex_unlock(&outbox->mutex);

    char *end = ret_text;

    if (full)
        *end++ = EVERYBODY[0];
    for (size_t i = 0; !full && i < count; i++)
        end = put_id(end, &ids[i]);
    *end = '\0';
}

static void add_params(struct postgres_session *session, unsigned what)
{
    char payload[POSTGRES_PAYLOAD_MAX + 1];
    struct postgres_params *params = &session->params;

    postgres_params_clear(params);
    postgres_add_int8(params, session->incarnation);
    postgres_add_bool(params, (what & POSTGRES_CALL_READY) != 0);
    if (what & POSTGRES_CALL_ENDED)
        take_outbox(&session->outbox, payload);
    postgres_add_text(params, (what & POSTGRES_CALL_ENDED) ? payload : NULL);
}

bool postgres_tell(struct postgres_session *session)
{
    unsigned what = session->pending & (POSTGRES_CALL_READY | POSTGRES_CALL_ENDED);
    int64_t now_us = postgres_tick_us();
    AUTO_RESULT result = NULL;
    struct tc_error err;
    bool told;

    add_params(session, what);
    session->pending &= ~what;
    if (postgres_run(session->connection, &tell_statement, &session->params, &result, &err) !=
        TC_OK) {
        session->pending |= what;
        if (what & POSTGRES_CALL_ENDED)
            atomic_store(&session->outbox.full, true); /* the ids are gone, so all must look */
        return postgres_session_fail(session, &err);
    }
    told = ((what & POSTGRES_CALL_READY) && postgres_get_bool(result, 0, 0)) ||
           ((what & POSTGRES_CALL_ENDED) && postgres_get_bool(result, 0, 1));
    session->tell_us = now_us + (told ? BURST_US : NOBODY_US);
    return true;
}

/* A payload that we cannot read is of a newer program: everybody looks. */
static void hear_ended(struct postgres_session *session, const char *payload)
{
    size_t len = strlen(payload);
    struct tc_id id;

    for (size_t i = 0; i < len; i += POSTGRES_ID_TEXT_LEN) {
        if (len - i < POSTGRES_ID_TEXT_LEN || !read_id(payload + i, &id)) {
            postgres_waiters_wake_all(&session->waiters);
            return;
        }
        postgres_waiters_wake(&session->waiters, &id, 1);
    }
}

static void pass_on(struct postgres_session *session, const PGnotify *notify)
{
    if (notify->be_pid == session->backend_pid)
        return; /* our own: who waits here was woken directly */
    if (strcmp(notify->relname, CHANNEL_READY) == 0)
        postgres_bell_ring(&session->bell);
    else if (strcmp(notify->relname, CHANNEL_ENDED) == 0)
        hear_ended(session, notify->extra);
}

bool postgres_hear(struct postgres_session *session, bool woken_by_socket)
{
    PGnotify *notify = NULL;
    struct tc_error err;
    size_t count = 0;
    enum tc_code code;

    while ((code = postgres_next_notify(session->connection, &notify, &err)) == TC_OK &&
           notify) {
        pass_on(session, notify);
        PQfreemem(notify);
        notify = NULL;
        count++;
    }
    if (code != TC_OK) {
        postgres_forget(session);
        return postgres_session_fail(session, &err);
    }
    /* A socket that is readable for ever with nothing in it would keep us awake. */
    if (woken_by_socket && count == 0 && ++session->vain_wakes > VAIN_WAKES_MAX) {
        session->vain_wakes = 0;
        postgres_disconnect(session->connection);
        postgres_forget(session);
    }
    return true;
}
