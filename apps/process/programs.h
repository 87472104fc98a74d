#ifndef TASKCORE_APPS_PROCESS_PROGRAMS_H
#define TASKCORE_APPS_PROCESS_PROGRAMS_H

/** @file programs.h The settings of all programs, for those who must tell one from another. */

#include "apps/settings/settings.h"

/** In the order of the docs; the last one is NULL. */
extern const struct settings *const programs[];

/** True when some program reads this variable. */
bool programs_know(const char *name);

#endif
