/* What the session holds on the server: the advisory lock, LISTEN, and the row in listener. */

#include "adapters/postgres/postgres_result.h"
#include "adapters/postgres/postgres_session_internal.h"
#include "adapters/postgres/postgres_timed_wait.h"
#include "ports/logger.h"

#define STAY_READY_US 100000  /* without receive() */
#define STAY_ENDED_US 1000000 /* without a waiter */
#define CHECK_US      1000000
#define SWEEP_US      10000000
#define LOCK_MIN_US   50000
#define LOCK_MAX_US   500000
#define REFUSALS_MAX  5

/* The lock of an incarnation as pg_locks shows it. */
#define INCARNATION_LOCKS                                                                      \
    "pg_locks k WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted\n"              \
    "    AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())\n"  \
    "    AND ((k.classid::bigint << 32) | k.objid::bigint) = "

static const struct postgres_statement lock_statement = {
    .name = "session_lock",
    .sql = "SELECT pg_try_advisory_lock($1), pg_backend_pid()",
};

static const struct postgres_statement oust_statement = {
    .name = "session_oust",
    .sql = "SELECT pg_terminate_backend(k.pid)\n"
           "FROM " INCARNATION_LOCKS "$1 AND k.pid <> pg_backend_pid()",
};

static const struct postgres_statement enter_statement = {
    .name = "session_enter",
    .sql = "INSERT INTO taskcore.listener AS l (incarnation, ready, ended)\n"
           "VALUES ($1, $2, $3)\n"
           "ON CONFLICT (incarnation) DO UPDATE\n"
           "SET ready = excluded.ready, ended = excluded.ended\n"
           "RETURNING l.xmax = '0'::xid", /* it was not there */
    .writes = true,
};

static const struct postgres_statement leave_statement = {
    .name = "session_leave",
    .sql = "DELETE FROM taskcore.listener WHERE incarnation = $1",
    .writes = true,
};

static const struct postgres_statement check_statement = {
    .name = "session_check",
    .sql = "SELECT ready, ended FROM taskcore.listener WHERE incarnation = $1",
};

/* Whoever died without taking its row out holds no lock. */
static const struct postgres_statement sweep_statement = {
    .name = "session_sweep",
    .sql = "DELETE FROM taskcore.listener l\n"
           "WHERE l.incarnation <> $1\n"
           "AND NOT EXISTS (SELECT FROM " INCARNATION_LOCKS "l.incarnation)",
    .writes = true,
};

static bool run(struct postgres_session *session, const struct postgres_statement *statement,
                PGresult **ret_result)
{
    struct tc_error err;

    if (postgres_run(session->connection, statement, &session->params, ret_result, &err) ==
        TC_OK)
        return true;
    return postgres_session_fail(session, &err);
}

/* The parameters that every statement here begins with. */
static void begin_params(struct postgres_session *session)
{
    postgres_params_clear(&session->params);
    postgres_add_int8(&session->params, session->incarnation);
}

bool postgres_is_up(const struct postgres_session *session)
{
    return session->listening && postgres_is_connected(session->connection) &&
           postgres_generation(session->connection) == session->generation;
}

void postgres_forget(struct postgres_session *session)
{
    session->listening = false;
    atomic_store(&session->held, 0);
    atomic_store(&session->entered_ready, false);
    atomic_store(&session->entered_ended, false);
}

/* Our own backend of a connection that broke may hold it still: the server has not noticed.
 * Nobody else draws this number, so ending that backend harms nobody. */
static bool oust(struct postgres_session *session)
{
    session->refusals = 0;
    session->lock_us = postgres_tick_us() + LOCK_MIN_US;
    tc_log(session->logger, TC_LOG_WARN, NULL,
           "postgres session: ending the backend of an earlier connection of this process");
    begin_params(session);
    return run(session, &oust_statement, NULL);
}

bool postgres_take_lock(struct postgres_session *session)
{
    AUTO_RESULT result = NULL;
    int64_t wait_us;

    begin_params(session);
    if (!run(session, &lock_statement, &result))
        return false;
    session->backend_pid = (int)postgres_get_int(result, 0, 1);
    if (postgres_get_bool(result, 0, 0)) {
        session->refusals = 0;
        session->check_us = 0; /* without the lock the row may have been swept */
        atomic_store(&session->held, session->incarnation);
        return true;
    }
    wait_us = (int64_t)LOCK_MIN_US << session->refusals;
    session->lock_us = postgres_tick_us() + (wait_us < LOCK_MAX_US ? wait_us : LOCK_MAX_US);
    if (++session->refusals >= REFUSALS_MAX)
        return oust(session);
    return true;
}

bool postgres_come_up(struct postgres_session *session)
{
    struct tc_error err;

    postgres_forget(session);
    if (postgres_connect(session->connection, &err) != TC_OK)
        return postgres_session_fail(session, &err);
    session->generation = postgres_generation(session->connection);
    session->refusals = 0;
    if (!postgres_take_lock(session))
        return false;
    if (postgres_run_script(session->connection, "LISTEN taskcore_ready; LISTEN taskcore_ended",
                            &err) != TC_OK)
        return postgres_session_fail(session, &err);
    session->listening = true;
    return true;
}

static bool wants_ready(const struct postgres_session *session, int64_t now_us)
{
    const struct postgres_bell *bell = &session->bell;

    return atomic_load(&bell->receiving) ||
           (atomic_load(&session->entered_ready) &&
            now_us - atomic_load(&bell->left_us) < STAY_READY_US);
}

static bool wants_ended(const struct postgres_session *session, int64_t now_us)
{
    const struct postgres_waiters *waiters = &session->waiters;

    return atomic_load(&waiters->count) > 0 ||
           (atomic_load(&session->entered_ended) &&
            now_us - atomic_load(&waiters->left_us) < STAY_ENDED_US);
}

bool postgres_entry_is_due(const struct postgres_session *session, int64_t now_us)
{
    return session->repair ||
           wants_ready(session, now_us) != atomic_load(&session->entered_ready) ||
           wants_ended(session, now_us) != atomic_load(&session->entered_ended);
}

int64_t postgres_entry_due_us(const struct postgres_session *session)
{
    const struct postgres_bell *bell = &session->bell;
    const struct postgres_waiters *waiters = &session->waiters;
    int64_t due_us = INT64_MAX;

    if (atomic_load(&session->entered_ready) && !atomic_load(&bell->receiving))
        due_us = atomic_load(&bell->left_us) + STAY_READY_US;
    if (atomic_load(&session->entered_ended) && atomic_load(&waiters->count) == 0) {
        int64_t ended_us = atomic_load(&waiters->left_us) + STAY_ENDED_US;

        due_us = ended_us < due_us ? ended_us : due_us;
    }
    return due_us;
}

static bool sweep(struct postgres_session *session)
{
    int64_t now_us = postgres_tick_us();

    if (now_us < session->sweep_us)
        return true;
    session->sweep_us = now_us + SWEEP_US;
    begin_params(session);
    return run(session, &sweep_statement, NULL);
}

static bool write_entry(struct postgres_session *session, bool ready, bool ended,
                        bool *ret_missing)
{
    AUTO_RESULT result = NULL;

    begin_params(session);
    if (!ready && !ended)
        return run(session, &leave_statement, NULL);
    postgres_add_bool(&session->params, ready);
    postgres_add_bool(&session->params, ended);
    if (!run(session, &enter_statement, &result))
        return false;
    *ret_missing = postgres_get_bool(result, 0, 0);
    return true;
}

/*
 * What is to be taken out is stored as out before it is: whoever begins to wait at this moment
 * either sees that and calls, or is seen by the next round of the thread, which always comes.
 * Who is entered anew looks; so does who was thought to be entered while the row was missing.
 */
bool postgres_set_entry(struct postgres_session *session)
{
    int64_t now_us = postgres_tick_us();
    bool ready = wants_ready(session, now_us);
    bool ended = wants_ended(session, now_us);
    bool was_ready = ready && atomic_load(&session->entered_ready);
    bool was_ended = ended && atomic_load(&session->entered_ended);
    bool missing = false;

    session->repair = true;
    atomic_store(&session->entered_ready, was_ready);
    atomic_store(&session->entered_ended, was_ended);
    if (!write_entry(session, ready, ended, &missing))
        return false;
    session->repair = false;
    atomic_store(&session->entered_ready, ready);
    atomic_store(&session->entered_ended, ended);
    if (ready && (!was_ready || missing))
        postgres_bell_ring(&session->bell);
    if (ended && (!was_ended || missing))
        postgres_waiters_wake_all(&session->waiters);
    return ready != was_ready || ended != was_ended ? sweep(session) : true;
}

bool postgres_check_entry(struct postgres_session *session)
{
    AUTO_RESULT result = NULL;
    bool found;

    session->check_us = postgres_tick_us() + CHECK_US;
    session->vain_wakes = 0;
    begin_params(session);
    if (!run(session, &check_statement, &result))
        return false;
    found = PQntuples(result) > 0;
    if ((found && postgres_get_bool(result, 0, 0)) == atomic_load(&session->entered_ready) &&
        (found && postgres_get_bool(result, 0, 1)) == atomic_load(&session->entered_ended))
        return true;
    /* Entered anew, who waits is told to look: something may have been missed. */
    atomic_store(&session->entered_ready, false);
    atomic_store(&session->entered_ended, false);
    session->repair = true;
    return true;
}

void postgres_leave(struct postgres_session *session)
{
    begin_params(session);
    if (postgres_is_up(session) &&
        (atomic_load(&session->entered_ready) || atomic_load(&session->entered_ended)))
        (void)run(session, &leave_statement, NULL);
}
