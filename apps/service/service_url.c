#include "apps/service/service_url.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* SCHEME://USER:PASSWORD@HOSTS/NAME?PARAMETERS, as pointers into the text. */
struct parts {
    const char *user;  /* behind "://" */
    const char *at;    /* the '@'; NULL: no user */
    const char *hosts; /* behind it */
    const char *query; /* the '?', or the end */
};

/* False: no URL of a server, or one in which a stray '@' or '?' leaves open where the
 * password ends: of that nothing can be shown. */
static bool split(const char *url, struct parts *ret_parts)
{
    const char *scheme_end = strstr(url, "://");
    struct parts parts;

    if (!scheme_end)
        return false;
    parts.user = scheme_end + 3;
    parts.at = strrchr(parts.user, '@');
    parts.hosts = parts.at ? parts.at + 1 : parts.user;
    parts.query = parts.user + strcspn(parts.user, "?");
    *ret_parts = parts;
    return !parts.at || parts.at < parts.query;
}

/* Appends are cut at `size`, which only shortens what is shown. */
static void append(char *text, size_t size, const char *more, size_t len)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%.*s", (int)len, more);
}

static void append_user(char *text, size_t size, const struct parts *parts)
{
    size_t len = (size_t)(parts->at - parts->user);
    const char *colon = memchr(parts->user, ':', len);

    if (!colon) {
        append(text, size, parts->user, len + 1);
        return;
    }
    append(text, size, parts->user, (size_t)(colon - parts->user));
    append(text, size, ":***@", 5);
}

/* A name that is written with percent signs may be any. */
static bool is_secret(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name[i] == '%' || (len - i >= 8 && strncmp(name + i, "password", 8) == 0))
            return true;
    return false;
}

static void append_query(char *text, size_t size, const char *query)
{
    while (*query) {
        size_t len = 1 + strcspn(query + 1, "&");
        size_t name_len = strcspn(query + 1, "=&");

        if (is_secret(query + 1, name_len)) {
            append(text, size, query, 1 + name_len);
            append(text, size, "=***", 4);
        } else {
            append(text, size, query, len);
        }
        query += len;
    }
}

void service_url_mask(const char *url, char *ret_text, size_t size)
{
    struct parts parts;

    ret_text[0] = '\0';
    if (split(url, &parts)) {
        append(ret_text, size, url, (size_t)(parts.user - url));
        if (parts.at)
            append_user(ret_text, size, &parts);
        append(ret_text, size, parts.hosts, (size_t)(parts.query - parts.hosts));
        append_query(ret_text, size, parts.query);
    } else if (strpbrk(url, "@?=")) {
        append(ret_text, size, "***", 3);
    } else {
        append(ret_text, size, url, strlen(url));
    }
}

void service_url_describe(const char *url, char *ret_text, size_t size)
{
    struct parts parts;

    ret_text[0] = '\0';
    if (split(url, &parts)) {
        append(ret_text, size, url, (size_t)(parts.user - url));
        append(ret_text, size, parts.hosts, (size_t)(parts.query - parts.hosts));
    } else {
        append(ret_text, size, url, strstr(url, "://") ? strcspn(url, ":") : strlen(url));
    }
}
