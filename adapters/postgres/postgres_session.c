/*
 * The session's thread: it sleeps on the socket and on wake_fd, and does one statement after
 * the other for what is due. An idle one wakes up once a second, to see that all is still
 * there.
 */

#include "adapters/postgres/postgres_session_internal.h"
#include "adapters/postgres/postgres_timed_wait.h"
#include "ports/logger.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define TELL           (POSTGRES_CALL_READY | POSTGRES_CALL_ENDED)
#define BACKOFF_MIN_US 50000
#define BACKOFF_MAX_US 500000
#define BEHIND_US      5000  /* the connection's own backoff ends first */
#define JITTER_US      16384 /* many processes lose a server at the same moment */
#define WARN_EVERY_US  10000000

void postgres_session_call(struct postgres_session *session, unsigned what)
{
    const uint64_t one = 1;

    if (atomic_load(&session->calls) & what)
        return;

    unsigned before = atomic_fetch_or(&session->calls, what);

    if ((before & POSTGRES_CALL_SLEEPS) && !(before & what))
        (void)!write(session->wake_fd, &one, sizeof(one));
}

static void note_success(struct postgres_session *session)
{
    if (session->warned)
        tc_log(session->logger, TC_LOG_INFO, NULL, "postgres session: back");
    session->warned = false;
    session->backoff_us = 0;
    session->retry_us = 0;
}

bool postgres_session_fail(struct postgres_session *session, const struct tc_error *err)
{
    int64_t now_us = postgres_tick_us();
    int64_t wait_us = session->backoff_us * 2;

    if (wait_us < BACKOFF_MIN_US)
        wait_us = BACKOFF_MIN_US;
    if (wait_us > BACKOFF_MAX_US)
        wait_us = BACKOFF_MAX_US;
    session->backoff_us = wait_us;
    session->retry_us =
        now_us + wait_us + BEHIND_US + (session->incarnation ^ now_us) % JITTER_US;
    if (!postgres_is_connected(session->connection))
        postgres_forget(session);
    if (now_us >= session->warn_us) {
        tc_log(session->logger, TC_LOG_WARN, NULL, "postgres session: %s", err->message);
        session->warned = true;
        session->warn_us = now_us + WARN_EVERY_US;
    }
    return false;
}

/* --- the thread --- */

/* Do the most urgent of what is due. @return false: it failed. */
static bool do_next(struct postgres_session *session, int64_t now_us, bool *ret_idle)
{
    bool lasts = !session->pooler; /* behind a pooler there is nothing to hold */

    *ret_idle = false;
    if (lasts && !postgres_is_up(session))
        return postgres_come_up(session);
    if (lasts && postgres_entry_is_due(session, now_us))
        return postgres_set_entry(session);
    if ((session->pending & TELL) && now_us >= session->tell_us)
        return postgres_tell(session);
    if (lasts && !atomic_load(&session->held) && now_us >= session->lock_us)
        return postgres_take_lock(session);
    if (lasts && now_us >= session->check_us)
        return postgres_check_entry(session);
    *ret_idle = true;
    return true;
}

static bool is_stopping(const struct postgres_session *session)
{
    return (session->pending | atomic_load(&session->calls)) & POSTGRES_CALL_STOP;
}

static void do_all_that_is_due(struct postgres_session *session, bool woken_by_socket)
{
    bool idle = false;

    if (!session->pooler && postgres_is_up(session) && !postgres_hear(session, woken_by_socket))
        return;
    while (!idle && !is_stopping(session)) {
        int64_t now_us = postgres_tick_us();

        if (now_us < session->retry_us || !do_next(session, now_us, &idle))
            return;
        note_success(session);
        /* A statement's answer may have brought news along. */
        if (!idle && !session->pooler && postgres_is_up(session) &&
            !postgres_hear(session, false))
            return;
    }
}

static int64_t earlier(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

static int64_t next_due_us(const struct postgres_session *session, int64_t now_us)
{
    int64_t due_us = INT64_MAX;

    if (now_us < session->retry_us)
        return session->retry_us;
    if (session->pending & TELL)
        due_us = session->tell_us;
    if (session->pooler)
        return due_us;
    due_us = earlier(due_us, session->check_us);
    due_us = earlier(due_us, postgres_entry_due_us(session));
    return atomic_load(&session->held) ? due_us : earlier(due_us, session->lock_us);
}

/* Until something is due or has arrived. What is pending stays in `calls`, so that nobody
 * wakes us for it again. @return whether it was the socket. */
static bool rest(struct postgres_session *session)
{
    struct pollfd fds[] = {
        { .fd = session->wake_fd, .events = POLLIN },
        { .fd = session->pooler ? -1 : postgres_socket(session->connection), .events = POLLIN },
    };
    int64_t now_us = postgres_tick_us();
    int64_t due_us = next_due_us(session, now_us);
    int64_t rest_ms = due_us > now_us ? (due_us - now_us + 999) / 1000 : 0;
    unsigned awake = 0;
    uint64_t wakes;

    if (atomic_compare_exchange_strong(&session->calls, &awake,
                                       POSTGRES_CALL_SLEEPS | session->pending) &&
        poll(fds, 2, due_us == INT64_MAX ? -1 : (int)earlier(rest_ms, INT_MAX)) > 0 &&
        fds[0].revents)
        (void)!read(session->wake_fd, &wakes, sizeof(wakes));
    session->pending |= atomic_exchange(&session->calls, 0);
    session->pending &= ~(POSTGRES_CALL_SLEEPS | POSTGRES_CALL_ENTRY);
    return fds[1].revents != 0;
}

static void *session_main(void *arg)
{
    struct postgres_session *session = arg;
    bool woken_by_socket = false;

    while (!is_stopping(session)) {
        do_all_that_is_due(session, woken_by_socket);
        woken_by_socket = rest(session);
    }
    if (!session->pooler)
        postgres_leave(session);
    return NULL;
}

/* Signals are for the threads of the program. */
static bool start_thread(struct postgres_session *session)
{
    sigset_t every;
    sigset_t before;
    int error;

    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    error = pthread_create(&session->thread, NULL, session_main, session);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

/* --- open and close --- */

static void draw_incarnation(struct postgres_session *session)
{
    uint64_t number = 0;

    while (number == 0) {
        if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
            number = (uint64_t)postgres_tick_us() << 22 ^ (uint64_t)getpid();
        number &= INT64_MAX;
    }
    session->incarnation = (int64_t)number;
}

static bool init_waits(struct postgres_session *session)
{
    if (!postgres_bell_init(&session->bell))
        return false;
    if (!postgres_waiters_init(&session->waiters)) {
        postgres_bell_release(&session->bell);
        return false;
    }
    if (!postgres_outbox_init(&session->outbox)) {
        postgres_waiters_release(&session->waiters);
        postgres_bell_release(&session->bell);
        return false;
    }
    return true;
}

static void free_session(struct postgres_session *session)
{
    postgres_connection_free(session->connection);
    postgres_params_release(&session->params);
    if (session->wake_fd >= 0)
        close(session->wake_fd);
    free(session);
}

static void release_waits(struct postgres_session *session)
{
    postgres_outbox_release(&session->outbox);
    postgres_waiters_release(&session->waiters);
    postgres_bell_release(&session->bell);
}

enum tc_code postgres_session_open(const struct postgres_connection_config *config,
                                   bool transaction_pooler,
                                   struct postgres_session **ret_session, struct tc_error *err)
{
    struct postgres_session *session = calloc(1, sizeof(*session));
    struct postgres_connection_config own = *config;
    enum tc_code code;

    if (!session)
        return tc_fail(err, TC_NO_MEMORY, "postgres: a session");
    session->queue.ops = &postgres_task_queue_ops;
    session->events.ops = &postgres_task_events_ops;
    session->pooler = transaction_pooler;
    session->logger = config->logger;
    session->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    draw_incarnation(session);
    postgres_params_init(&session->params, 64);
    own.prepares = config->prepares && !transaction_pooler;
    code = postgres_connection_new(&own, &session->connection, err);
    if (code == TC_OK && (session->wake_fd < 0 || !init_waits(session)))
        code = tc_fail(err, TC_INTERNAL, "postgres: no descriptor or mutex for a session");
    if (code != TC_OK) {
        free_session(session);
        return code;
    }
    /* Here, so that the first leases carry the incarnation. When it fails the thread goes on.
     */
    if (!transaction_pooler && postgres_come_up(session))
        note_success(session);
    if (!start_thread(session)) {
        release_waits(session);
        free_session(session);
        return tc_fail(err, TC_INTERNAL, "postgres: no thread for a session");
    }
    *ret_session = session;
    return TC_OK;
}

void postgres_session_close(struct postgres_session *session)
{
    if (!session)
        return;
    postgres_session_call(session, POSTGRES_CALL_STOP);
    pthread_join(session->thread, NULL);
    release_waits(session);
    free_session(session);
}

int64_t postgres_session_incarnation(const struct postgres_session *session)
{
    return atomic_load(&session->held);
}

struct tc_task_queue *postgres_session_task_queue(struct postgres_session *session)
{
    return &session->queue;
}

struct tc_task_events *postgres_session_task_events(struct postgres_session *session)
{
    return &session->events;
}
