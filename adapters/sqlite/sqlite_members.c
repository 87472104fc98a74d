/* Members of a group as bytes: runs of numbers, since those of one insert follow each other. */

#include "adapters/sqlite/sqlite_internal.h"

#define RUN_BYTES 12 /* 8 of the first number, 4 of how many */

static void put(unsigned char *at, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

/* A slot of 0 is a member that has left. */
bool sqlite_run_next(const int64_t *nums, size_t count, size_t *at, struct sqlite_run *ret_run)
{
    size_t i = *at;

    while (i < count && nums[i] == 0)
        i++;
    if (i == count) {
        *at = i;
        return false;
    }
    ret_run->first = ret_run->last = nums[i++];
    while (i < count && nums[i] == ret_run->last + 1)
        ret_run->last = nums[i++];
    *at = i;
    return true;
}

size_t sqlite_members_write(const int64_t *nums, size_t count, unsigned char *ret_bytes)
{
    struct sqlite_run run;
    size_t at = 0;
    size_t len = 0;

    while (sqlite_run_next(nums, count, &at, &run)) {
        put(ret_bytes + len, (uint64_t)run.first, 8);
        put(ret_bytes + len + 8, (uint64_t)(run.last - run.first + 1), 4);
        len += RUN_BYTES;
    }
    return len;
}

bool sqlite_members_read(struct tc_bytes bytes, int64_t *ret_nums, size_t max,
                         size_t *ret_count)
{
    const unsigned char *at = bytes.data;
    size_t count = 0;

    if (bytes.len % RUN_BYTES != 0)
        return false;
    for (size_t left = bytes.len; left > 0; left -= RUN_BYTES, at += RUN_BYTES) {
        int64_t first = (int64_t)get(at, 8);
        size_t run = (size_t)get(at + 8, 4);

        if (first < 1 || first > INT64_MAX - (int64_t)max || run < 1 || run > max - count)
            return false;
        for (size_t i = 0; i < run; i++)
            ret_nums[count++] = first + (int64_t)i;
    }
    *ret_count = count;
    return true;
}
