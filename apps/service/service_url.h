#ifndef TASKCORE_APPS_SERVICE_URL_H
#define TASKCORE_APPS_SERVICE_URL_H

/** @file service_url.h What of a database URL may be shown: never a password. */

#include <stddef.h>

/** For --print-config: the URL with "***" in the place of each password. */
void service_url_mask(const char *url, char *ret_text, size_t size);

/** For log lines: "sqlite:PATH", or of a server scheme://HOST:PORT/NAME. */
void service_url_describe(const char *url, char *ret_text, size_t size);

#endif
