#ifndef TASKCORE_ADAPTERS_DEMO_PAYLOAD_H
#define TASKCORE_ADAPTERS_DEMO_PAYLOAD_H

/** @file demo_payload.h What a payload says, as text. */

#include "core/domain/content.h"

/**
 * The value of a JSON string, unescaped; the text of any other JSON or of text as it is;
 * for bytes that are no UTF-8 the fixed text "(bytes)". JSON has been validated before it
 * was stored: broken JSON is taken as it is. `*ret_text` leads into the payload or into
 * `*ret_storage`, which the caller frees.
 *
 * @return false: no memory, nothing is written.
 */
bool demo_payload_text(const struct tc_content *payload, struct tc_bytes *ret_text,
                       char **ret_storage);

#endif
