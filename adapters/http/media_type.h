#ifndef TASKCORE_ADAPTERS_HTTP_MEDIA_TYPE_H
#define TASKCORE_ADAPTERS_HTTP_MEDIA_TYPE_H

/** @file media_type.h What a request says that its body is. */

#include "adapters/http/http_message.h"

/** True when Content-Type is absent, or `application/json` with no charset but UTF-8. */
bool media_type_is_json(const struct http_request *request);

#endif
