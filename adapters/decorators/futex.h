#ifndef TASKCORE_ADAPTERS_DECORATORS_FUTEX_H
#define TASKCORE_ADAPTERS_DECORATORS_FUTEX_H

/**
 * @file futex.h
 * Wait on a word of this process, wake who waits on it (Linux futex(2)).
 *
 * A group of 64 callers is woken by one system call, and none of them needs a lock
 * afterwards; with a condition variable they would queue for its mutex one by one.
 */

#include <stdatomic.h>
#include <stdint.h>

/** Sleep while `*word` is `expected`; may also return for nothing. */
void futex_wait(_Atomic uint32_t *word, uint32_t expected);

/** Wake up to `count` that wait on `word`. */
void futex_wake(_Atomic uint32_t *word, int count);

#endif
