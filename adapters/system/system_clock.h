#ifndef TASKCORE_ADAPTERS_SYSTEM_CLOCK_H
#define TASKCORE_ADAPTERS_SYSTEM_CLOCK_H

/** @file system_clock.h The clock of this machine: CLOCK_REALTIME and CLOCK_MONOTONIC. */

#include "ports/clock.h"

/** One for the whole process; nothing to close. Any thread. */
struct tc_clock *system_clock(void);

#endif
