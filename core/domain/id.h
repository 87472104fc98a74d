#ifndef TASKCORE_CORE_DOMAIN_ID_H
#define TASKCORE_CORE_DOMAIN_ID_H

/**
 * @file id.h
 * Task ids: UUID version 7 (RFC 9562, 5.7), 16 bytes, ordered by time.
 *
 * The 12 `rand_a` bits hold a bucket shared by all ids made together, so that a store
 * spread over several nodes can keep a group's rows on one of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TC_ID_TEXT_LEN  36
#define TC_ID_TEXT_SIZE (TC_ID_TEXT_LEN + 1)

struct tc_id {
    uint8_t bytes[16];
};

/**
 * Build a version 7 id. `ms`: Unix milliseconds, 48 bits are used; `bucket`: 12 bits;
 * `tail`: 62 bits. Larger values are cut.
 */
struct tc_id tc_id_make(int64_t ms, unsigned bucket, uint64_t tail);

/** The smallest id (of any version) that a task created at `ms` could have. */
struct tc_id tc_id_floor(int64_t ms);

/** The milliseconds that the id carries. */
int64_t tc_id_ms(const struct tc_id *id);

/** <0, 0, >0 like memcmp; older ids come first. */
int tc_id_compare(const struct tc_id *a, const struct tc_id *b);

/** Read 8-4-4-4-12 hexadecimal digits in either case, of exactly `len` bytes; any version. */
bool tc_id_parse(const char *text, size_t len, struct tc_id *ret_id);

/** Write lower case with dashes and a NUL. */
void tc_id_format(const struct tc_id *id, char ret_text[TC_ID_TEXT_SIZE]);

#endif
