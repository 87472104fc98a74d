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

/** The folder of the running test, its store, and the fixture `store` to reach that through. */
extern struct sqlite_folder sqlite_folder;
extern struct sqlite_store *sqlite_now; /**< NULL: closed */

/** Fixture: a fresh folder and a clock at STORE_START_MS; the store is not open yet. */
void sqlite_folder_setup(void);
/** Close what is open and remove the folder. */
void sqlite_folder_teardown(void);

/** Open `path`; the message goes to store.err. */
enum tc_code sqlite_try_open(const char *path, struct sqlite_store **ret_store);
/** Close the store if it is open, and open it again; must succeed. */
void sqlite_open_again(void);
void sqlite_close_now(void);

/** Opening `path` must fail with `code`, and the message hold `word`. */
void sqlite_assert_refused(const char *path, enum tc_code code, const char *word);

/** A closed store with one waiting task in it. */
void sqlite_make_file(void);

/** A name beside another; until the next call. */
const char *sqlite_with_end(const char *path, const char *end);

/** Runs the conformance suites on a file, closed and opened again for reopen. */
extern const struct store_driver sqlite_driver;

#endif
