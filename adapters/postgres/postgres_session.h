#ifndef TASKCORE_ADAPTERS_POSTGRES_SESSION_H
#define TASKCORE_ADAPTERS_POSTGRES_SESSION_H

/**
 * @file postgres_session.h
 * The one connection that lasts, with its thread: the sign of life of this process, what it
 * is told by others (LISTEN) and what it tells them (NOTIFY).
 *
 * The incarnation is a random number of 63 bits, drawn when the session opens. The session
 * holds the advisory lock of that number; PostgreSQL frees it within milliseconds of the
 * process's death. After a broken connection it is taken again, under the same number.
 *
 * Wake-ups. A receiver that is about to sleep is entered in taskcore.listener first, and its
 * first receive() after that says `look`, because something may have been created in between.
 * publish() only rings: the thread sends one NOTIFY for all rings of 2 ms, and only when some
 * other process is entered (while nobody is, it looks every 5 ms as long as rings go on); a
 * receiver of this process is woken directly. Who has not called receive() for 100 ms is taken
 * out, so that a busy system sends no NOTIFY. The same for those who wait for the end of tasks,
 * who stay in for a second, and read once more after the process was freshly entered.
 *
 * Nothing of this waits for the server: without one, receive() and wait() end in their time,
 * and this process still hears itself. What others said meanwhile is made good by a look once
 * the session is back.
 */

#include "adapters/postgres/postgres_connection.h"

struct tc_clock;
struct tc_task_events;
struct tc_task_queue;
struct postgres_session;

/**
 * Try to connect, so that the first lease carries the incarnation, and start the thread, which
 * connects by itself whenever it must. Strings of `config` are borrowed until close.
 *
 * @return TC_OK, also without a server (after `connect_ms` at most); TC_INVALID: a bad URL;
 *         TC_NO_MEMORY; TC_INTERNAL: no thread, mutex or descriptor.
 */
enum tc_code postgres_session_open(const struct postgres_connection_config *config,
                                   bool transaction_pooler,
                                   struct postgres_session **ret_session,
                                   struct tc_error *err) TC_MUST_CHECK;
/** Nobody may be using it or its ports. Waits for the statement that is on its way, or for the
 *  attempt to connect. NULL is fine. */
void postgres_session_close(struct postgres_session *session);

/**
 * The incarnation to write into a lease of this process; 0: none, because the lock is not held
 * just now (no connection, or a pooler in between). Any thread, never blocks.
 */
int64_t postgres_session_incarnation(const struct postgres_session *session);

struct tc_task_queue *postgres_session_task_queue(struct postgres_session *session);
struct tc_task_events *postgres_session_task_events(struct postgres_session *session);

#endif
