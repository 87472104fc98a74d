#ifndef TASKCORE_ADAPTERS_POSTGRES_SESSION_INTERNAL_H
#define TASKCORE_ADAPTERS_POSTGRES_SESSION_INTERNAL_H

/**
 * @file postgres_session_internal.h
 * What the session's thread and the two ports that it serves share.
 *
 * Nobody but the thread touches the connection. The others tell it what they want in `calls`
 * and, if it sleeps, in wake_fd; nobody waits for it.
 *
 * Why nothing is lost when a process is entered in taskcore.listener late: whoever creates or
 * ends tasks commits first and then looks into listener. Either it finds the entry and sends a
 * NOTIFY, or the entry came after the commit; then the look into the store that follows each
 * fresh entry finds what was committed.
 */

#include "adapters/postgres/postgres_connection.h"
#include "adapters/postgres/postgres_session.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <pthread.h>
#include <stdatomic.h>

/* What others want of the thread, and whether it sleeps: bits of `calls`. */
#define POSTGRES_CALL_SLEEPS 1u
#define POSTGRES_CALL_READY  2u /* tell other processes that tasks wait */
#define POSTGRES_CALL_ENDED  4u /* tell them what is in the outbox */
#define POSTGRES_CALL_ENTRY  8u /* someone waits here: see to the entry in listener */
#define POSTGRES_CALL_STOP   16u

#define POSTGRES_SHARDS 256

/* A NOTIFY carries less than 8000 bytes; an id takes 22 of them. */
#define POSTGRES_ID_TEXT_LEN 22
#define POSTGRES_OUTBOX_MAX  359
#define POSTGRES_PAYLOAD_MAX (POSTGRES_OUTBOX_MAX * POSTGRES_ID_TEXT_LEN)

/* What wakes the receiver of this process. */
struct postgres_bell {
    _Atomic unsigned state;
    pthread_mutex_t mutex; /* between "nothing has rung" and the sleep */
    pthread_cond_t rung;
    _Atomic bool receiving;
    _Atomic int64_t left_us; /* the end of the last receive() that slept */
    int64_t looked_us;       /* the receiver's own, behind a pooler */
};

struct postgres_waiter;

/* Those who wait for tasks whose ids fall into one shard. */
struct postgres_shard {
    _Atomic uint64_t sequence; /* counts the events: a ticket is its value */
    _Atomic unsigned waiter_count;
    pthread_mutex_t mutex;
    struct postgres_waiter *waiters;
};

struct postgres_waiters {
    _Atomic bool interrupted;
    _Atomic unsigned count; /* threads in wait() */
    _Atomic int64_t left_us;
    struct postgres_shard shards[POSTGRES_SHARDS];
};

/* Ids of tasks that ended here, for other processes. */
struct postgres_outbox {
    pthread_mutex_t mutex;
    _Atomic bool full; /* more than fit: everybody is to look */
    size_t count;
    struct tc_id ids[POSTGRES_OUTBOX_MAX];
};

struct postgres_session {
    struct tc_task_queue queue;
    struct tc_task_events events;
    bool pooler;
    int64_t incarnation;
    _Atomic int64_t
        held; /* the incarnation while its lock is ours on this connection, else 0 */
    _Atomic unsigned calls;
    int wake_fd;
    _Atomic bool entered_ready; /* what this process's row in listener says */
    _Atomic bool entered_ended;
    struct postgres_bell bell;
    struct postgres_waiters waiters;
    struct postgres_outbox outbox;

    /* From here on the thread's own. */
    pthread_t thread;
    struct postgres_connection *connection;
    struct postgres_params params;
    struct tc_logger *logger;
    bool listening; /* all is set up on the connection of `generation` */
    uint64_t generation;
    int backend_pid;     /* ours on the server: by this we know our own NOTIFY */
    unsigned pending;    /* calls that were taken and not yet answered */
    unsigned refusals;   /* of the lock in a row */
    unsigned vain_wakes; /* since the last check: the socket was readable with nothing in it */
    bool repair;         /* the row is not what we thought it was */
    bool warned;
    int64_t warn_us; /* the next warning is allowed */
    int64_t backoff_us;
    int64_t retry_us; /* nothing is tried before; 0: the last statement went well */
    int64_t lock_us;  /* the next attempt to get the lock */
    int64_t tell_us;  /* the next NOTIFY is allowed */
    int64_t check_us; /* the next look whether the row is still there */
    int64_t sweep_us; /* the next sweep is allowed */
};

/* --- postgres_session.c */

/** Ask the thread for something. Any thread, never blocks; one load when it is asked already.
 */
void postgres_session_call(struct postgres_session *session, unsigned what);
/** Note that a statement failed, for the backoff and the log. @return false. */
bool postgres_session_fail(struct postgres_session *session, const struct tc_error *err);

/* --- postgres_listener.c: what is held on the server. All false: failed, and noted. */

bool postgres_is_up(const struct postgres_session *session);
/** What was held on a lost connection is gone. */
void postgres_forget(struct postgres_session *session);
/** Connect, take the lock, LISTEN. */
bool postgres_come_up(struct postgres_session *session);
/** Try to take the lock. */
bool postgres_take_lock(struct postgres_session *session);
/** Whether the entry in listener is another than who waits here asks for. */
bool postgres_entry_is_due(const struct postgres_session *session, int64_t now_us);
/** When it will be, if nobody calls: for the thread's sleep. INT64_MAX: never. */
int64_t postgres_entry_due_us(const struct postgres_session *session);
bool postgres_set_entry(struct postgres_session *session);
/** Compare the row with what we think it is. */
bool postgres_check_entry(struct postgres_session *session);
/** Take the row out, at the end. */
void postgres_leave(struct postgres_session *session);

/* --- postgres_notify.c */

bool postgres_outbox_init(struct postgres_outbox *outbox);
void postgres_outbox_release(struct postgres_outbox *outbox);
/** Any thread; holds the mutex for one copy. */
void postgres_outbox_add(struct postgres_outbox *outbox, const struct tc_id *ids, size_t count);
/** Send what is pending, if anybody listens. */
bool postgres_tell(struct postgres_session *session);
/** Pass on what has arrived. @return false: the connection is lost. */
bool postgres_hear(struct postgres_session *session, bool woken_by_socket);

/* --- postgres_task_queue.c */

extern const struct tc_task_queue_ops postgres_task_queue_ops;
bool postgres_bell_init(struct postgres_bell *bell);
void postgres_bell_release(struct postgres_bell *bell);
/** Wake the receiver of this process: it is to look. */
void postgres_bell_ring(struct postgres_bell *bell);

/* --- postgres_task_events.c */

extern const struct tc_task_events_ops postgres_task_events_ops;
bool postgres_waiters_init(struct postgres_waiters *waiters);
void postgres_waiters_release(struct postgres_waiters *waiters);
/** Wake who waits for one of these. */
void postgres_waiters_wake(struct postgres_waiters *waiters, const struct tc_id *ids,
                           size_t count);
/** Wake everyone, to read again. */
void postgres_waiters_wake_all(struct postgres_waiters *waiters);

#endif
