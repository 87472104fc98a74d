#ifndef TASKCORE_ADAPTERS_HTTP_CURSOR_H
#define TASKCORE_ADAPTERS_HTTP_CURSOR_H

/**
 * @file cursor.h
 * A place in the list of tasks, as text that clients hand back: base64url (RFC 4648, 5) of
 * a version, the id and a checksum against typing errors. It is no secret.
 */

#include "core/domain/id.h"

#define CURSOR_LEN  28
#define CURSOR_SIZE (CURSOR_LEN + 1)

void cursor_format(const struct tc_id *position, char ret_text[CURSOR_SIZE]);

/** @return false: not a cursor of ours. */
bool cursor_parse(const char *text, size_t len, struct tc_id *ret_position);

#endif
