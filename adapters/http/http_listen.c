#include "adapters/http/http_listen.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool parse_port(const char *text, uint16_t *ret_port)
{
    unsigned port = 0;
    size_t len = strspn(text, "0123456789");

    if (len < 1 || len > 5 || text[len])
        return false;
    for (; *text; text++)
        port = port * 10 + (unsigned)(*text - '0');
    if (port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool is_tls(const char *text)
{
    size_t len = strlen(text);

    return len >= 2 && (text[len - 1] == 's' || text[len - 1] == 'r') && text[len - 2] >= '0' &&
           text[len - 2] <= '9';
}

enum tc_code http_listen_parse(const char *text, struct http_listen *ret_listen,
                               struct tc_error *err)
{
    const char *colon = strrchr(text, ':');
    struct http_listen listen = { 0 };
    struct in_addr address;
    char host[HTTP_LISTEN_SIZE - 8] = "";

    if (is_tls(text))
        return tc_fail(err, TC_INVALID,
                       "cannot listen on '%s': TLS is not spoken here; put one of the fronts "
                       "in deploy/ (nginx, haproxy) before a plain port",
                       text);
    if (text[0] == '[' || text[0] == '+' || (colon && colon != strchr(text, ':')))
        return tc_fail(err, TC_INVALID,
                       "cannot listen on '%s': IPv6 is not spoken here; listen on IPv4 and put "
                       "one of the fronts in deploy/ before it",
                       text);
    if (colon && (size_t)(colon - text) < sizeof(host))
        memcpy(host, text, (size_t)(colon - text));
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    if (!parse_port(colon ? colon + 1 : text, &listen.port) ||
        (colon && inet_pton(AF_INET, host, &address) != 1))
        return tc_fail(err, TC_INVALID,
                       "cannot listen on '%s': give PORT or ADDRESS:PORT, such as "
                       "'127.0.0.1:8000'",
                       text);
    snprintf(listen.text, sizeof(listen.text), "%s%s%u", host, colon ? ":" : "",
             (unsigned)listen.port);
    *ret_listen = listen;
    return TC_OK;
}
