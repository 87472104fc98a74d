#ifndef TESTS_ADAPTERS_POSTGRES_HOLDER_H
#define TESTS_ADAPTERS_POSTGRES_HOLDER_H

/** @file postgres_holder.h Another session that holds rows for as long as a test wants. */

/** Begin a transaction and run this in it. */
void postgres_holder_begin(const char *sql);
/** Run more in it. */
void postgres_holder_run(const char *sql);
/** End it: from now on, or `ms` from now on by a thread of its own. */
void postgres_holder_commit(void);
void postgres_holder_commit_after(int ms);

/** Fixture: none. */
void postgres_holder_teardown(void);

#endif
