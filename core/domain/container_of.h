#ifndef TASKCORE_CORE_DOMAIN_CONTAINER_OF_H
#define TASKCORE_CORE_DOMAIN_CONTAINER_OF_H

/** @file container_of.h From a port's base struct back to the adapter that embeds it. */

#include <stddef.h>

/** The struct of type `type` whose member `member` is at `ptr`. */
#define TC_CONTAINER_OF(ptr, type, member)                                                     \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
