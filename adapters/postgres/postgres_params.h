#ifndef TASKCORE_ADAPTERS_POSTGRES_PARAMS_H
#define TASKCORE_ADAPTERS_POSTGRES_PARAMS_H

/**
 * @file postgres_params.h
 * The parameters of one statement, in PostgreSQL's binary format, scalars and one-dimensional
 * arrays. Everything is copied into one growing buffer, so nothing has to outlive a call.
 *
 * A parameter is begun and completed before the next one; the n-th is $n. Failures of memory
 * are kept and reported once, by postgres_params_finish(). One thread.
 */

#include "core/domain/error.h"
#include "core/domain/task.h"

#define POSTGRES_PARAMS_MAX 40

struct postgres_params {
    size_t count;
    unsigned types[POSTGRES_PARAMS_MAX]; /**< OIDs, as the statement is prepared */
    int lengths[POSTGRES_PARAMS_MAX];
    int formats[POSTGRES_PARAMS_MAX];
    const char *values[POSTGRES_PARAMS_MAX]; /**< filled by finish() */
    size_t starts[POSTGRES_PARAMS_MAX];
    char *data; /**< owned */
    size_t len;
    size_t size;
    size_t array_at;    /**< of the array being built: where its head is */
    int32_t array_rows; /**< of it, so far */
    bool failed;
};

/** Reserve room for about `expected_len` bytes. Release it; zeroed is fine as well. */
void postgres_params_init(struct postgres_params *params, size_t expected_len);
void postgres_params_release(struct postgres_params *params);
/** Keep the buffer for the next statement. */
void postgres_params_clear(struct postgres_params *params);

void postgres_add_null(struct postgres_params *params); /**< of type int8 */
void postgres_add_bool(struct postgres_params *params, bool value);
void postgres_add_int2(struct postgres_params *params, int value);
void postgres_add_int4(struct postgres_params *params, int value);
void postgres_add_int8(struct postgres_params *params, int64_t value);
void postgres_add_id(struct postgres_params *params, const struct tc_id *id);
void postgres_add_text(struct postgres_params *params, const char *text); /**< NULL: NULL */
void postgres_add_bytes(struct postgres_params *params,
                        struct tc_bytes bytes); /**< data NULL: NULL */

/** What an array is made of. */
enum postgres_element {
    POSTGRES_BOOL,
    POSTGRES_INT2,
    POSTGRES_INT4,
    POSTGRES_INT8,
    POSTGRES_UUID,
    POSTGRES_TEXT,
    POSTGRES_BYTEA,
};

/** Begin an array; then push its elements, each by the function of its kind; then end it. */
void postgres_array_begin(struct postgres_params *params, enum postgres_element element);
void postgres_push_int(struct postgres_params *params, enum postgres_element element,
                       int64_t value); /**< BOOL and INT2..8 */
void postgres_push_id(struct postgres_params *params, const struct tc_id *id);
void postgres_push_text(struct postgres_params *params, const char *text); /**< NULL: NULL */
void postgres_push_bytes(struct postgres_params *params, struct tc_bytes bytes);
void postgres_push_null(struct postgres_params *params);
void postgres_array_end(struct postgres_params *params);

/** An array of ids in one call. */
void postgres_add_ids(struct postgres_params *params, const struct tc_id *ids, size_t count);

/** Set `values`. @return TC_OK; TC_NO_MEMORY. */
enum tc_code postgres_params_finish(struct postgres_params *params,
                                    struct tc_error *err) TC_MUST_CHECK;

#endif
