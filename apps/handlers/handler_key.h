#ifndef TASKCORE_APPS_HANDLERS_HANDLER_KEY_H
#define TASKCORE_APPS_HANDLERS_HANDLER_KEY_H

/** @file handler_key.h What may stand in a section of the handlers file. */

#include "apps/handlers/handler_file.h"

/**
 * Take "key = value" into the section. `continues`: the value goes on with that of the line
 * before, which only lists of words may do.
 * @return TC_OK; TC_INVALID with the reason alone, without file and line; TC_NO_MEMORY.
 */
enum tc_code handler_key_set(struct handler_section *section, const char *key,
                             const char *value, bool continues,
                             struct tc_error *err) TC_MUST_CHECK;

/** What single keys cannot say, once a section is whole. @return as above. */
enum tc_code handler_section_check(const struct handler_section *section,
                                   struct tc_error *err) TC_MUST_CHECK;

#endif
