#ifndef TASKCORE_ADAPTERS_HTTP_TRACEPARENT_H
#define TASKCORE_ADAPTERS_HTTP_TRACEPARENT_H

/** @file traceparent.h W3C Trace Context: where a request comes from. */

#include "adapters/http/http_message.h"
#include "core/domain/task.h"

/** Copy a valid `traceparent`; a bad or repeated one is ignored, as the standard asks: then
 *  the text is empty. Of later versions the part that version 00 knows is kept. */
void traceparent_read(const struct http_request *request,
                      char ret_text[TC_TRACEPARENT_LEN + 1]);

#endif
