#include "adapters/postgres/postgres_params.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A value: its length, then its bytes, everything with the high byte first. An array is a
 * value whose bytes are a head (dimensions, whether a NULL is in it, the type of the
 * elements, their number, the first index) and then the elements as values. */
#define ARRAY_HEAD_SIZE       20
#define EMPTY_ARRAY_HEAD_SIZE 12
#define HAS_NULL_AT           4
#define ROWS_AT               12

#define SIZE_FIRST 256
#define SIZE_MAX_  ((size_t)INT32_MAX) /* what the protocol can say */

/* From PostgreSQL's pg_type.dat; they never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_UUID = 2950,
};

static const struct {
    unsigned oid;
    unsigned array_oid;
    int len; /* -1: as long as it is */
} elements[] = {
    [POSTGRES_BOOL] = { OID_BOOL, 1000, 1 },    [POSTGRES_INT2] = { OID_INT2, 1005, 2 },
    [POSTGRES_INT4] = { OID_INT4, 1007, 4 },    [POSTGRES_INT8] = { OID_INT8, 1016, 8 },
    [POSTGRES_UUID] = { OID_UUID, 2951, 16 },   [POSTGRES_TEXT] = { OID_TEXT, 1009, -1 },
    [POSTGRES_BYTEA] = { OID_BYTEA, 1001, -1 },
};

void postgres_params_init(struct postgres_params *params, size_t expected_len)
{
    *params = (struct postgres_params){ 0 };
    params->data = expected_len ? malloc(expected_len) : NULL;
    params->size = params->data ? expected_len : 0; /* else it grows when it is needed */
}

void postgres_params_release(struct postgres_params *params)
{
    free(params->data);
    *params = (struct postgres_params){ 0 };
}

void postgres_params_clear(struct postgres_params *params)
{
    params->count = 0;
    params->len = 0;
    params->failed = false;
}

static bool grow(struct postgres_params *params, size_t more)
{
    size_t size = params->size ? params->size : SIZE_FIRST;

    if (more > SIZE_MAX_ - params->len)
        return false;
    while (size < params->len + more)
        size *= 2;

    char *data = realloc(params->data, size);

    if (!data)
        return false;
    params->data = data;
    params->size = size;
    return true;
}

/* Room for `len` more bytes, which count from now on; NULL: no memory. */
static char *extend(struct postgres_params *params, size_t len)
{
    if (params->failed)
        return NULL;
    if (params->size - params->len < len && !grow(params, len)) {
        params->failed = true;
        return NULL;
    }

    char *at = params->data + params->len;

    params->len += len;
    return at;
}

static void put_be(char *at, uint64_t value, int len)
{
    for (int i = len - 1; i >= 0; i--) {
        at[i] = (char)(unsigned char)value;
        value >>= 8;
    }
}

static void add_be(struct postgres_params *params, uint64_t value, int len)
{
    char *at = extend(params, (size_t)len);

    if (at)
        put_be(at, value, len);
}

static void add_raw(struct postgres_params *params, const void *data, size_t len)
{
    char *at = extend(params, len);

    if (at && len)
        memcpy(at, data, len);
}

/* --- scalars --- */

static void begin(struct postgres_params *params, unsigned oid)
{
    assert(params->count < POSTGRES_PARAMS_MAX);
    if (params->count >= POSTGRES_PARAMS_MAX) {
        params->failed = true;
        return;
    }
    params->types[params->count] = oid;
    params->formats[params->count] = 1;
    params->lengths[params->count] = 0;
    params->starts[params->count] = params->len;
    params->count++;
}

static void end(struct postgres_params *params)
{
    if (!params->failed)
        params->lengths[params->count - 1] =
            (int)(params->len - params->starts[params->count - 1]);
}

static void add_int(struct postgres_params *params, unsigned oid, int64_t value, int len)
{
    begin(params, oid);
    add_be(params, (uint64_t)value, len);
    end(params);
}

/* Binary data NULL: the value NULL. */
static void add_data(struct postgres_params *params, unsigned oid, const void *data, size_t len)
{
    begin(params, oid);
    if (data)
        add_raw(params, data, len);
    end(params);
    if (!data && !params->failed)
        params->lengths[params->count - 1] = -1;
}

void postgres_add_null(struct postgres_params *params)
{
    add_data(params, OID_INT8, NULL, 0);
}

void postgres_add_bool(struct postgres_params *params, bool value)
{
    add_int(params, OID_BOOL, value, 1);
}

void postgres_add_int2(struct postgres_params *params, int value)
{
    add_int(params, OID_INT2, value, 2);
}

void postgres_add_int4(struct postgres_params *params, int value)
{
    add_int(params, OID_INT4, value, 4);
}

void postgres_add_int8(struct postgres_params *params, int64_t value)
{
    add_int(params, OID_INT8, value, 8);
}

void postgres_add_id(struct postgres_params *params, const struct tc_id *id)
{
    add_data(params, OID_UUID, id->bytes, sizeof(id->bytes));
}

void postgres_add_text(struct postgres_params *params, const char *text)
{
    add_data(params, OID_TEXT, text, text ? strlen(text) : 0);
}

void postgres_add_bytes(struct postgres_params *params, struct tc_bytes bytes)
{
    add_data(params, OID_BYTEA, bytes.data, bytes.len);
}

/* --- arrays --- */

void postgres_array_begin(struct postgres_params *params, enum postgres_element element)
{
    begin(params, elements[element].array_oid);
    params->array_at = params->len;
    params->array_rows = 0;

    char *head = extend(params, ARRAY_HEAD_SIZE);

    if (!head)
        return;
    put_be(head, 1, 4);
    put_be(head + HAS_NULL_AT, 0, 4);
    put_be(head + 8, elements[element].oid, 4);
    put_be(head + ROWS_AT, 0, 4); /* in the end */
    put_be(head + 16, 1, 4);
}

static void push_data(struct postgres_params *params, const void *data, size_t len)
{
    char *at = extend(params, 4 + len);

    params->array_rows++;
    if (!at)
        return;
    put_be(at, len, 4);
    if (len)
        memcpy(at + 4, data, len);
}

void postgres_push_int(struct postgres_params *params, enum postgres_element element,
                       int64_t value)
{
    int len = elements[element].len;
    char *at = extend(params, 4 + (size_t)len);

    assert(len > 0 && len <= 8);
    params->array_rows++;
    if (!at)
        return;
    put_be(at, (uint64_t)len, 4);
    put_be(at + 4, (uint64_t)value, len);
}

void postgres_push_id(struct postgres_params *params, const struct tc_id *id)
{
    push_data(params, id->bytes, sizeof(id->bytes));
}

void postgres_push_text(struct postgres_params *params, const char *text)
{
    if (text)
        push_data(params, text, strlen(text));
    else
        postgres_push_null(params);
}

void postgres_push_bytes(struct postgres_params *params, struct tc_bytes bytes)
{
    if (bytes.data)
        push_data(params, bytes.data, bytes.len);
    else
        postgres_push_null(params);
}

void postgres_push_null(struct postgres_params *params)
{
    add_be(params, UINT32_MAX, 4); /* a length of -1 */
    params->array_rows++;
    if (!params->failed)
        put_be(params->data + params->array_at + HAS_NULL_AT, 1, 4);
}

void postgres_array_end(struct postgres_params *params)
{
    if (params->failed)
        return;

    char *head = params->data + params->array_at;

    put_be(head + ROWS_AT, (uint64_t)params->array_rows, 4);
    if (params->array_rows == 0) { /* an empty array has no dimensions */
        put_be(head, 0, 4);
        params->len = params->array_at + EMPTY_ARRAY_HEAD_SIZE;
    }
    end(params);
}

void postgres_add_ids(struct postgres_params *params, const struct tc_id *ids, size_t count)
{
    postgres_array_begin(params, POSTGRES_UUID);
    for (size_t i = 0; i < count; i++)
        postgres_push_id(params, &ids[i]);
    postgres_array_end(params);
}

enum tc_code postgres_params_finish(struct postgres_params *params, struct tc_error *err)
{
    if (params->failed)
        return tc_fail(err, TC_NO_MEMORY, "postgres: the parameters of a statement");
    for (size_t i = 0; i < params->count; i++) {
        const char *at = params->data ? params->data + params->starts[i] : "";

        params->values[i] = params->lengths[i] < 0 ? NULL : at;
    }
    return TC_OK;
}
