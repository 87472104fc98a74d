#include "tests/adapters/json_schema.h"

#include <stdio.h>
#include <string.h>

struct check {
    const cJSON *document;
    char *why;
    size_t size;
};

static bool accepts(struct check *check, const cJSON *schema, const cJSON *value);

static const cJSON *get(const cJSON *node, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(node, name);
}

const cJSON *json_schema_resolve(const cJSON *document, const cJSON *node)
{
    const cJSON *reference = get(node, "$ref");

    if (!reference)
        return node;

    const char *at = reference->valuestring;
    const cJSON *found = strncmp(at, "#/", 2) == 0 ? document : NULL;

    for (at += 2; found && *at;) {
        char name[64];
        size_t len = strcspn(at, "/");

        snprintf(name, sizeof(name), "%.*s", (int)len, at);
        found = get(found, name);
        at += len + (at[len] == '/');
    }
    return found ? json_schema_resolve(document, found) : NULL;
}

static bool refuse(struct check *check, const cJSON *value, const char *what)
{
    snprintf(check->why, check->size, "%s: %s",
             value && value->string ? value->string : "(value)", what);
    return false;
}

static bool is_of_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) &&
               value->valuedouble == (double)(long long)value->valuedouble;
    return (strcmp(type, "string") == 0 && cJSON_IsString(value)) ||
           (strcmp(type, "number") == 0 && cJSON_IsNumber(value)) ||
           (strcmp(type, "boolean") == 0 && cJSON_IsBool(value)) ||
           (strcmp(type, "null") == 0 && cJSON_IsNull(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value)) ||
           (strcmp(type, "object") == 0 && cJSON_IsObject(value));
}

static bool has_type(const cJSON *types, const cJSON *value)
{
    const cJSON *type;

    if (cJSON_IsString(types))
        return is_of_type(value, types->valuestring);
    cJSON_ArrayForEach(type, types) if (is_of_type(value, type->valuestring)) return true;
    return false;
}

static bool is_listed(const cJSON *list, const cJSON *value)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list) if (cJSON_Compare(item, value, true)) return true;
    return false;
}

/* Whether `name` is described by the schema or by one that all of must hold. */
static bool describes(struct check *check, const cJSON *schema, const char *name)
{
    const cJSON *resolved = json_schema_resolve(check->document, schema);
    const cJSON *part;

    if (get(get(resolved, "properties"), name))
        return true;
    cJSON_ArrayForEach(part,
                       get(resolved, "allOf")) if (describes(check, part, name)) return true;
    return false;
}

static bool accepts_members(struct check *check, const cJSON *schema, const cJSON *value)
{
    bool is_closed = cJSON_IsFalse(get(schema, "additionalProperties")) ||
                     cJSON_IsFalse(get(schema, "unevaluatedProperties"));
    const cJSON *item;

    cJSON_ArrayForEach(item, get(schema, "required"))
    {
        if (!get(value, item->valuestring))
            return refuse(check, item, item->valuestring);
    }
    cJSON_ArrayForEach(item, value)
    {
        const cJSON *property = get(get(schema, "properties"), item->string);

        if (property && !accepts(check, property, item))
            return false;
        if (is_closed && !describes(check, schema, item->string))
            return refuse(check, item, "is not described");
    }
    return true;
}

static bool accepts_items(struct check *check, const cJSON *schema, const cJSON *value)
{
    const cJSON *items = get(schema, "items");
    const cJSON *min = get(schema, "minItems");
    const cJSON *max = get(schema, "maxItems");
    int count = cJSON_GetArraySize(value);
    const cJSON *item;

    if ((min && count < min->valueint) || (max && count > max->valueint))
        return refuse(check, value, "has too few or too many items");
    cJSON_ArrayForEach(item, value) if (items && !accepts(check, items, item)) return false;
    return true;
}

static bool accepts_parts(struct check *check, const cJSON *schema, const cJSON *value)
{
    const cJSON *alternatives = get(schema, "oneOf");
    const cJSON *part;
    int fitting = 0;

    cJSON_ArrayForEach(part,
                       get(schema, "allOf")) if (!accepts(check, part, value)) return false;
    cJSON_ArrayForEach(part, alternatives) fitting += accepts(check, part, value);
    if (alternatives && fitting != 1)
        return refuse(check, value, "fits none or several of oneOf");
    if (get(schema, "not") && accepts(check, get(schema, "not"), value))
        return refuse(check, value, "fits what it must not");
    return true;
}

static bool accepts(struct check *check, const cJSON *schema, const cJSON *value)
{
    const cJSON *resolved = json_schema_resolve(check->document, schema);
    const cJSON *min = get(resolved, "minimum");
    const cJSON *max = get(resolved, "maximum");

    if (!resolved)
        return refuse(check, value, "a reference leads nowhere");
    if (get(resolved, "type") && !has_type(get(resolved, "type"), value))
        return refuse(check, value, "has another type");
    if (get(resolved, "const") && !cJSON_Compare(get(resolved, "const"), value, true))
        return refuse(check, value, "is not the constant");
    if (get(resolved, "enum") && !is_listed(get(resolved, "enum"), value))
        return refuse(check, value, "is not listed");
    if (cJSON_IsNumber(value) && ((min && value->valuedouble < min->valuedouble) ||
                                  (max && value->valuedouble > max->valuedouble)))
        return refuse(check, value, "is out of range");
    if (cJSON_IsObject(value) && !accepts_members(check, resolved, value))
        return false;
    if (cJSON_IsArray(value) && !accepts_items(check, resolved, value))
        return false;
    return accepts_parts(check, resolved, value);
}

bool json_schema_accepts(const cJSON *document, const cJSON *schema, const cJSON *value,
                         char *why, size_t size)
{
    struct check check = { document, why, size };

    return accepts(&check, schema, value);
}
