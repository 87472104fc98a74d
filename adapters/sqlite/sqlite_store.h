#ifndef TASKCORE_ADAPTERS_SQLITE_STORE_H
#define TASKCORE_ADAPTERS_SQLITE_STORE_H

/**
 * @file sqlite_store.h
 * Tasks and leases in one SQLite file, for one process: the embedded store.
 *
 * Durability: write-ahead log with synchronous=FULL; what was answered with TC_OK survives
 * kill -9 and power loss. One connection writes and checkpoints, under a mutex; a few others
 * only read and never wait for it. A second process, and a second store in this one, are
 * refused: the SQLite of Debian 12 may corrupt a log that two processes reset.
 *
 * Files: `PATH`, `PATH-wal`, `PATH-shm`, and `PATH.lock` with the process id of the owner.
 *
 * Threads: any thread may call any method of both ports. A handle must not be used after
 * fork() in the child.
 */

#include "ports/clock.h"
#include "ports/lease_repo.h"
#include "ports/logger.h"
#include "ports/task_repo.h"

struct sqlite_store;

/** Strings are borrowed until open returns, ports as long as the store lives. */
struct sqlite_store_config {
    const char *path;         /**< required: a file in a folder that exists; made if absent */
    struct tc_clock *clock;   /**< required: [L3] the store's clock */
    struct tc_logger *logger; /**< NULL: silent */
    size_t readers;           /**< connections that only read, 1..16; 0: 2 */
    int64_t size_max;         /**< bytes the file may have; 0: as the disk allows. Beyond it
                                   writes are TC_UNAVAILABLE until room was made */
};

/**
 * Open, or create and migrate, the file. Leases that an earlier incarnation held for its
 * own process count as ended from now on ([L8]).
 *
 * @return TC_OK; TC_INVALID: no path or clock, the file is no database, is corrupt, belongs
 *         to another program or a newer version, was migrated differently, or lies on a
 *         network file system; TC_CONFLICT: another process, or this one, has it open;
 *         TC_UNAVAILABLE: the folder is missing, or the file cannot be opened or written
 *         now; TC_NO_MEMORY; TC_INTERNAL. The message names the path.
 */
enum tc_code sqlite_store_open(const struct sqlite_store_config *config,
                               struct sqlite_store **ret_store,
                               struct tc_error *err) TC_MUST_CHECK;

/** The two ports; owned by the store. */
struct tc_task_repo *sqlite_store_task_repo(struct sqlite_store *store);
struct tc_lease_repo *sqlite_store_lease_repo(struct sqlite_store *store);

/** Checkpoint, close and unlock. Nobody may be inside a method. NULL is fine. */
void sqlite_store_close(struct sqlite_store *store);

#endif
