#include "adapters/postgres/postgres_result.h"

#include <string.h>

/* Of uuid[]: five words of head, then the length and the bytes of each. */
#define IDS_HEAD_LEN  20
#define IDS_EMPTY_LEN 12
#define ID_LEN        16

void postgres_clear_result(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

bool postgres_is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) != 0;
}

bool postgres_get_bool(const PGresult *result, int row, int column)
{
    return PQgetlength(result, row, column) == 1 && PQgetvalue(result, row, column)[0] != 0;
}

/* A signed number of `len` bytes, high byte first. */
static int64_t read_int(const char *at, int len)
{
    uint64_t value = len > 0 && (at[0] & 0x80) ? UINT64_MAX : 0;

    for (int i = 0; i < len; i++)
        value = value << 8 | (unsigned char)at[i];
    return (int64_t)value;
}

int64_t postgres_get_int(const PGresult *result, int row, int column)
{
    int len = PQgetlength(result, row, column);

    return len <= 8 ? read_int(PQgetvalue(result, row, column), len) : 0;
}

struct tc_id postgres_get_id(const PGresult *result, int row, int column)
{
    struct tc_id id = { { 0 } };

    if (PQgetlength(result, row, column) == ID_LEN)
        memcpy(id.bytes, PQgetvalue(result, row, column), ID_LEN);
    return id;
}

void postgres_get_text(const PGresult *result, int row, int column, char *ret_text, size_t size)
{
    size_t len = (size_t)PQgetlength(result, row, column);

    if (len >= size)
        len = size - 1;
    memcpy(ret_text, PQgetvalue(result, row, column), len);
    ret_text[len] = '\0';
}

struct tc_bytes postgres_get_bytes(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct tc_bytes){ NULL, 0 };
    return (struct tc_bytes){ PQgetvalue(result, row, column),
                              (size_t)PQgetlength(result, row, column) };
}

size_t postgres_get_ids_count(const PGresult *result, int row, int column)
{
    int len = PQgetlength(result, row, column);

    if (len < IDS_HEAD_LEN)
        return 0;

    const char *head = PQgetvalue(result, row, column);
    int64_t count = read_int(head + IDS_EMPTY_LEN, 4);

    return read_int(head, 4) == 1 && len == IDS_HEAD_LEN + count * (4 + ID_LEN) ? (size_t)count
                                                                                : 0;
}

struct tc_id postgres_get_ids_at(const PGresult *result, int row, int column, size_t index)
{
    struct tc_id id = { { 0 } };

    if (index < postgres_get_ids_count(result, row, column))
        memcpy(id.bytes,
               PQgetvalue(result, row, column) + IDS_HEAD_LEN + index * (4 + ID_LEN) + 4,
               ID_LEN);
    return id;
}
