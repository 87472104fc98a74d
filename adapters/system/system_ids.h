#ifndef TASKCORE_ADAPTERS_SYSTEM_IDS_H
#define TASKCORE_ADAPTERS_SYSTEM_IDS_H

/**
 * @file system_ids.h
 * Ids and random numbers from the kernel's entropy.
 *
 * Each new millisecond draws a bucket and a starting point for the 62 low bits, whose upper
 * half is left free so that counting up never runs over. Randomness is read from the kernel
 * once, at open; everything after it is arithmetic under one short lock. The object belongs
 * to the process that opened it: after a fork() the child opens its own, or both would give
 * the same ids.
 */

#include "core/domain/error.h"

struct tc_clock;
struct tc_ids;

/** `clock` is borrowed until close. @return TC_OK; TC_NO_MEMORY; TC_UNAVAILABLE: the kernel
 *  gave no entropy. */
enum tc_code system_ids_open(struct tc_clock *clock, struct tc_ids **ret_ids,
                             struct tc_error *err) TC_MUST_CHECK;

/** NULL is fine. */
void system_ids_close(struct tc_ids *ids);

#endif
