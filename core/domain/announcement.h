#ifndef TASKCORE_CORE_DOMAIN_ANNOUNCEMENT_H
#define TASKCORE_CORE_DOMAIN_ANNOUNCEMENT_H

/** @file announcement.h When to look again after tasks that the queue has been told of. */

#include <stdint.h>

#define TC_ANNOUNCE_AGAIN_MS     INT64_C(15000)
#define TC_ANNOUNCE_AGAIN_MAX_MS INT64_C(600000)

/**
 * How long to trust the queue with a group that has been announced `times` times before (0..):
 * 15 s, then twice as long each time, at most 10 min. Workers find tasks in the store anyway,
 * so that this is the price of a lost queue only where every worker is busy.
 */
int64_t tc_announce_wait_ms(int times);

#endif
