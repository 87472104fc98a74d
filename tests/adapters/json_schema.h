#ifndef TESTS_ADAPTERS_JSON_SCHEMA_H
#define TESTS_ADAPTERS_JSON_SCHEMA_H

/**
 * @file json_schema.h
 * As much of JSON Schema 2020-12 as openapi.json uses: $ref, type, enum, const, required,
 * properties, additionalProperties and unevaluatedProperties (false), items, minItems,
 * maxItems, minimum, maximum, allOf, oneOf, not. Lengths, patterns and formats are left to
 * the test that has a real validator (tests/apps/test_openapi.py).
 */

#include <cjson/cJSON.h>
#include <stdbool.h>

/** What a JSON Reference "#/a/b" leads to; the node itself when it is none; NULL: nowhere. */
const cJSON *json_schema_resolve(const cJSON *document, const cJSON *node);

/**
 * Does `value` conform? When not, `why` (of `size` bytes) says where.
 */
bool json_schema_accepts(const cJSON *document, const cJSON *schema, const cJSON *value,
                         char *why, size_t size);

#endif
