#ifndef TESTS_ADAPTERS_FAULT_VFS_H
#define TESTS_ADAPTERS_FAULT_VFS_H

/**
 * @file fault_vfs.h
 * SQLite's file system with a fault in it: the n-th write or sync from now fails. One thread.
 */

#include <stdbool.h>

enum fault {
    FAULT_FULL,  /* a write finds no room (ENOSPC) */
    FAULT_WRITE, /* a write fails half-way */
    FAULT_SYNC,  /* a sync fails after the data may have reached the disk */
    FAULT_READ,  /* a read fails */
};

/** Make it SQLite's default from now on. */
void fault_vfs_install(void);

/** Let the n-th (0..) matching call fail, and all after it while `lasting`. */
void fault_vfs_arm(enum fault fault, int nth, bool lasting);

/** @return how often the fault struck since it was armed. */
int fault_vfs_disarm(void);

#endif
