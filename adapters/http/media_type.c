#include "adapters/http/media_type.h"

#include <string.h>
#include <strings.h>

/* Step over spaces and `word` (any case); NULL: it does not stand there. */
static const char *skip_word(const char *at, const char *word)
{
    size_t len = strlen(word);

    at += strspn(at, " \t");
    return strncasecmp(at, word, len) == 0 ? at + len : NULL;
}

static bool is_utf8_name(const char *at)
{
    size_t len = at[0] == '"' ? strcspn(at + 1, "\"") : strcspn(at, "; \t");

    if (at[0] == '"')
        at++;
    return len == strlen("utf-8") && strncasecmp(at, "utf-8", len) == 0;
}

bool media_type_is_json(const struct http_request *request)
{
    size_t count = 0;
    const char *value = http_request_header(request, "Content-Type", &count);

    if (count == 0)
        return true;

    const char *at = count == 1 ? skip_word(value, "application/json") : NULL;

    while (at) {
        at += strspn(at, " \t");
        if (*at == '\0')
            return true;
        if (*at != ';')
            return false;
        at++;

        const char *charset = skip_word(at, "charset=");

        if (charset && !is_utf8_name(charset))
            return false;
        at += strcspn(at, ";");
    }
    return false;
}
