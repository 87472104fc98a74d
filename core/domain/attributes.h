#ifndef TASKCORE_CORE_DOMAIN_ATTRIBUTES_H
#define TASKCORE_CORE_DOMAIN_ATTRIBUTES_H

/** @file attributes.h The two GNU attributes this code base uses. */

#define TC_MUST_CHECK        __attribute__((warn_unused_result))
#define TC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
