#ifndef TASKCORE_APPS_TASKAPI_DRAIN_H
#define TASKCORE_APPS_TASKAPI_DRAIN_H

/** @file drain.h How a process that was told to stop lets its running tasks end. */

#include "apps/embedded/service.h"

#include <signal.h>

/**
 * Drain the workers for `drain_ms`; one more of `stop_signals` (blocked in every thread) cuts
 * that short. Blocks for drain_ms + 2 s at most.
 */
void drain(struct service *service, int64_t drain_ms, const sigset_t *stop_signals);

#endif
