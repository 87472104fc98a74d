#ifndef TASKCORE_ADAPTERS_KAFKA_HINT_H
#define TASKCORE_ADAPTERS_KAFKA_HINT_H

/**
 * @file kafka_hint.h
 * A hint as a message: `1 ID QUEUE TYPE PRIORITY`, ASCII, one space between the words. The
 * first word is the version of the format; a reader passes over versions it does not know, so
 * that an older worker lives beside a newer publisher.
 */

#include "ports/task_queue.h"

/** Room for the longest message: version, id, two names, priority, spaces, NUL. */
#define KAFKA_HINT_SIZE (2 + TC_ID_TEXT_LEN + 1 + TC_NAME_MAX + 1 + TC_NAME_MAX + 1 + 2 + 1)

/** What a message turned out to be. */
enum kafka_hint_kind {
    KAFKA_HINT_GOOD,
    KAFKA_HINT_VERSION, /**< well-formed so far, of a version that we do not know */
    KAFKA_HINT_FOREIGN, /**< none of ours */
};

/** Write the message and a NUL. @return its length. The hint's names are valid. */
size_t kafka_hint_format(const struct tc_hint *hint, char ret_text[KAFKA_HINT_SIZE]);

/** Read a message of any length and content. `*ret_hint` is written when it is GOOD. */
enum kafka_hint_kind kafka_hint_parse(const char *text, size_t len, struct tc_hint *ret_hint);

#endif
