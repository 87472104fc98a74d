#ifndef TESTS_ADAPTERS_SQLITE_FOLDER_H
#define TESTS_ADAPTERS_SQLITE_FOLDER_H

/** @file sqlite_folder.h A private folder for a store's files, and the store driver over it. */

#include "adapters/sqlite/sqlite_store.h"
#include "tests/conformance/store_fixture.h"

/** A fresh folder and the path of the file in it. One per process. */
struct sqlite_folder {
    char folder[64];
    char path[80];
};

void sqlite_folder_make(struct sqlite_folder *folder);
/** Remove it and what is in it. */
void sqlite_folder_remove(const struct sqlite_folder *folder);

/** Runs the conformance suites on a file, closed and opened again for reopen. */
extern const struct store_driver sqlite_driver;

#endif
