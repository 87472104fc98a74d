#include "adapters/http/json_pointer.h"

#include <stdio.h>

void json_pointer_token(struct tc_bytes name, char ret_token[JSON_POINTER_TOKEN_SIZE])
{
    const unsigned char *at = name.data;
    size_t len = 0;
    size_t whole = 0; /* length of the token up to the last character's beginning */

    for (size_t i = 0; i < name.len; i++) {
        bool is_special = at[i] == '~' || at[i] == '/';

        if ((at[i] & 0xC0) != 0x80)
            whole = len;
        if (len + (is_special ? 2 : 1) >= JSON_POINTER_TOKEN_SIZE) {
            len = whole;
            break;
        }
        ret_token[len++] = is_special ? '~' : (char)at[i];
        if (is_special)
            ret_token[len++] = at[i] == '~' ? '0' : '1';
    }
    ret_token[len] = '\0';
}

void json_pointer_refuse(struct tc_violations *violations, const char *at, struct tc_bytes name)
{
    char token[JSON_POINTER_TOKEN_SIZE];
    char parent[TC_VIOLATION_POINTER_SIZE];

    json_pointer_token(name, token);
    /* An empty name is a member as well, and its pointer ends with the slash (RFC 6901). */
    snprintf(parent, sizeof(parent), "%s%s", at, token[0] ? "" : "/");
    tc_violations_add(violations, parent, token, "is not a field of this request");
}
