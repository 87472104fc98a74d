#ifndef TASKCORE_ADAPTERS_HTTP_OPENAPI_H
#define TASKCORE_ADAPTERS_HTTP_OPENAPI_H

/** @file openapi.h The text of openapi.json, put into the program at build time. */

extern const unsigned char http_openapi_json[]; /**< NUL-terminated */
extern const unsigned long http_openapi_json_len;

#endif
