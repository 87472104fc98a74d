#ifndef TESTS_ADAPTERS_POSTGRES_SESSION_SITE_H
#define TESTS_ADAPTERS_POSTGRES_SESSION_SITE_H

/**
 * @file postgres_session_site.h
 * What tests of the session do in the database of postgres_server.h. Two sessions in one test
 * are two processes to each other.
 */

#include "adapters/postgres/postgres_session.h"
#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <check.h>

/** How to reach the database; with one more option ("connect_timeout=1"), NULL: none. Static.
 */
const char *site_url(const char *option);

struct postgres_session *site_open(const char *url);
struct postgres_session *site_open_pooled(const char *url);
/** Until it holds its lock. @return the incarnation. */
int64_t site_await_lock(const struct postgres_session *session);

/** A connection beside the sessions. */
PGconn *site_connect(void);
void site_do(PGconn *pg, const char *sql);
int64_t site_number(PGconn *pg, const char *sql);
/** As above, where `%lld` in `format` stands for the number. */
int64_t site_number_of(PGconn *pg, const char *format, int64_t number);
/** Run the question until its answer is `wanted`: at most 10 s. */
void site_await_number(PGconn *pg, const char *format, int64_t number, int64_t wanted);
/** How many notifications have come since the last call, and the last one's payload. */
size_t site_count_notifies(PGconn *pg, char *ret_payload, size_t size);

int64_t site_tick_us(void);
void site_sleep_ms(int64_t ms);

/** One receive(). @return whether it said look. */
bool site_receive(struct postgres_session *session, int64_t wait_ms);
/** Enter the process as a receiver, and hear its first word to look. */
void site_enter(struct postgres_session *session);
void site_publish(struct postgres_session *session);

struct tc_id site_id(uint64_t number);
void site_notify(struct postgres_session *session, uint64_t number);
uint64_t site_watch(struct postgres_session *session, uint64_t number);
/** One wait(). @return how many milliseconds it took. */
int64_t site_wait(struct postgres_session *session, uint64_t number, uint64_t *ticket,
                  int64_t wait_ms);
/** Enter the process as a waiter. */
void site_enter_waiter(struct postgres_session *session);

/** Run `body` on another thread of the test. */
void site_start(void *(*body)(void *), void *arg);
void site_join(void);

#define SITE_HAS_LOCK                                                                          \
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"   \
    " AND ((classid::bigint << 32) | objid::bigint) = %lld"
#define SITE_IS_READY                                                                          \
    "SELECT count(*) FROM taskcore.listener WHERE ready AND incarnation = %lld"
#define SITE_IS_ENDED                                                                          \
    "SELECT count(*) FROM taskcore.listener WHERE ended AND incarnation = %lld"
#define SITE_KILL                                                                              \
    "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"        \
    " AND granted AND ((classid::bigint << 32) | objid::bigint) = %lld"

#endif
