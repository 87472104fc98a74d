#ifndef TASKCORE_ADAPTERS_POSTGRES_STORE_H
#define TASKCORE_ADAPTERS_POSTGRES_STORE_H

/**
 * @file postgres_store.h
 * Tasks in PostgreSQL (15 or later): all repository ports, and the queue and the events
 * between processes by LISTEN/NOTIFY.
 *
 * Threads: as the ports say; the store has one of its own, which keeps the session: the
 * advisory lock by which others know that this process lives, LISTEN, and one NOTIFY for
 * many announcements. Connections: `connections` at most for statements, one for the session.
 *
 * Behind a transaction pooler (PgBouncer) nothing lasts beyond a transaction: nothing is
 * prepared, nothing is listened to (receivers look every second instead), and leases end by
 * time only, for nobody can see that their owner is gone.
 */

#include "core/domain/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postgres_store;
struct tc_announcement_repo;
struct tc_clock;
struct tc_lease_repo;
struct tc_logger;
struct tc_task_events;
struct tc_task_queue;
struct tc_task_repo;

/** Zero means the default. Strings are borrowed until postgres_store_close(). */
struct postgres_store_config {
    const char *url;          /**< postgresql://…, as libpq takes it, TLS settings included */
    const char *name;         /**< of the program, for pg_stat_activity; default "taskcore" */
    struct tc_logger *logger; /**< NULL: silent */
    struct tc_clock *clock;   /**< for tests; NULL: the server's time, as [L3] asks */
    size_t connections;       /**< default 3 */
    int64_t statement_ms;     /**< limit of one statement, default 5000 */
    int64_t connect_ms;       /**< limit of connecting, default 3000 */
    bool transaction_pooler;
    bool announces; /**< new groups are announced to a queue, and looked after; else never */
    int64_t announce_after_ms; /**< with `announces`: 0: a publisher announces it; else the
                                    creator has told the queue, and this is the first check */
};

/**
 * Connect, compare the schema's version with the one this program was built for, and start
 * the session. A server that is just starting is waited for, about 10 s.
 *
 * @return TC_OK; TC_INVALID: a bad URL, a refused login, no such database, a server older than
 *         15, or a schema that is too old or too new (the message says what to run);
 *         TC_UNAVAILABLE: the server cannot be reached; TC_NO_MEMORY; TC_INTERNAL.
 */
enum tc_code postgres_store_open(const struct postgres_store_config *config,
                                 struct postgres_store **ret_store,
                                 struct tc_error *err) TC_MUST_CHECK;

/** Nobody may be using it. NULL is fine. */
void postgres_store_close(struct postgres_store *store);

/* Borrowed from the store. */
struct tc_task_repo *postgres_store_task_repo(struct postgres_store *store);
struct tc_lease_repo *postgres_store_lease_repo(struct postgres_store *store);
struct tc_announcement_repo *postgres_store_announcement_repo(struct postgres_store *store);

/** Wakes by NOTIFY; carries no ids. Behind a pooler receive() says `look` every second. */
struct tc_task_queue *postgres_store_task_queue(struct postgres_store *store);

/** Between processes by NOTIFY; behind a pooler a wait returns after 250 ms at most. */
struct tc_task_events *postgres_store_task_events(struct postgres_store *store);

#endif
