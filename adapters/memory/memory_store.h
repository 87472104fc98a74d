#ifndef TASKCORE_ADAPTERS_MEMORY_MEMORY_STORE_H
#define TASKCORE_ADAPTERS_MEMORY_MEMORY_STORE_H

/**
 * @file memory_store.h
 * A store in the process's memory: tc_task_repo and tc_lease_repo over one set of tasks.
 *
 * For programs that need no durability, and the reference that other stores are compared
 * with. What it holds dies with it: "durable" means visible here. Any thread may use the
 * repositories at once; a call blocks only for other calls on the same store.
 */

#include "ports/announcement_repo.h"
#include "ports/clock.h"
#include "ports/lease_repo.h"
#include "ports/task_repo.h"

struct memory_store;

/**
 * Open an empty store. `clock` is borrowed until the store is closed: its now_ms() dates
 * leases and due times.
 *
 * @return TC_OK; TC_NO_MEMORY; TC_INTERNAL when the system gives no mutex.
 */
enum tc_code memory_store_open(struct tc_clock *clock, struct memory_store **ret_store,
                               struct tc_error *err) TC_MUST_CHECK;

/** Borrowed from the store; live until it is closed. */
struct tc_task_repo *memory_store_task_repo(struct memory_store *store);
struct tc_lease_repo *memory_store_lease_repo(struct memory_store *store);
struct tc_announcement_repo *memory_store_announcement_repo(struct memory_store *store);

/** A publisher looks after tasks for the first time when they have waited for `after_ms`, and
 *  not at once; for those that begin to wait from now on, and were not woken. */
void memory_store_announces(struct memory_store *store, int64_t after_ms);

/** Forget everything. Nobody may be using the repositories. NULL is fine. */
void memory_store_close(struct memory_store *store);

#endif
