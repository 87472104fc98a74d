#ifndef TASKCORE_ADAPTERS_HTTP_BODY_FORM_H
#define TASKCORE_ADAPTERS_HTTP_BODY_FORM_H

/**
 * @file body_form.h
 * Reading a body whose members are all known: a table says what each member is and which
 * rule it keeps, and one pass over the text fills a struct and notes what breaks a rule.
 *
 * What is not given, or null, leaves its place in the struct as it was: put defaults there.
 */

#include "core/domain/content.h"
#include "core/domain/violations.h"

#include <stdint.h>

enum body_kind {
    BODY_INTEGER, /**< int64_t: min..max */
    BODY_FLAG,    /**< bool */
    BODY_TEXT,    /**< const char *, NUL-terminated: min..max code points, and `is_valid` */
    BODY_ID,      /**< struct tc_id: a UUID in either case */
    BODY_NAMES,   /**< struct body_names: min..max of them, each as `is_valid` says */
    BODY_OBJECT,  /**< struct tc_bytes: the text of an object of up to max bytes */
    BODY_ANY,     /**< struct tc_bytes: the text of any value; its limit is the request's */
    BODY_ITEMS,   /**< struct body_items: min..max objects, each read by `items` */
};

#define BODY_NAMES_MAX 64

struct body_names {
    const char *items[BODY_NAMES_MAX];
    size_t count;
};

struct body_items {
    void *data; /**< array of what `items` fills; of the input */
    size_t count;
};

struct body_field {
    const char *name;
    enum body_kind kind;
    bool is_required;
    size_t offset; /**< of its place in the struct */
    int64_t min;
    int64_t max;
    bool (*is_valid)(struct tc_bytes text); /**< TEXT, NAMES; NULL: any text */
    const char *rule;                       /**< what is said when it is not */
    const struct body_form *items;          /**< ITEMS */
};

struct body_form {
    const struct body_field *fields; /**< up to 32 */
    size_t field_count;
    size_t size; /**< of the struct: new items begin as so many zeros */
};

/** In the order in which they win over each other. */
enum body_verdict {
    BODY_NO_MEMORY,
    BODY_MALFORMED, /**< no JSON: `problem` says why */
    BODY_TOO_LARGE, /**< an ANY is over `any_max` */
    BODY_READ,      /**< broken rules are in the violations */
};

/** What a reading owns. Release with body_input_release(). */
struct body_input {
    const char *problem;
    size_t problem_at; /**< offset in the body */
    char *arena;       /**< the texts */
    size_t arena_len;
    void *items; /**< of the one ITEMS that a form may have */
};

/** Read `body` into the struct at `target`, which then points into `body` and `ret_input`. */
enum body_verdict body_form_read(const struct body_form *form, struct tc_bytes body,
                                 size_t any_max, void *target, struct body_input *ret_input,
                                 struct tc_violations *violations);

void body_input_release(struct body_input *input);

#endif
