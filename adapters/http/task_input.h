#ifndef TASKCORE_ADAPTERS_HTTP_TASK_INPUT_H
#define TASKCORE_ADAPTERS_HTTP_TASK_INPUT_H

/**
 * @file task_input.h
 * From the body of a create request to task specs, in one pass over the text.
 */

#include "core/domain/task_spec.h"

/** In the order in which they win over each other. */
enum task_input_verdict {
    TASK_INPUT_NO_MEMORY,
    TASK_INPUT_MALFORMED, /**< no JSON: `problem` says why */
    TASK_INPUT_TOO_LARGE, /**< a payload is over policy.payload_max */
    TASK_INPUT_READ,      /**< broken rules are in the violations */
};

/** Release with task_input_release(). Borrows from the body; do not copy the struct. */
struct task_input {
    struct tc_task_spec one;
    struct tc_task_spec *specs; /**< `one`, or malloc'ed */
    size_t count;
    const char *problem;
    size_t problem_at; /**< offset in the body */
    char *arena;       /**< unescaped strings of the envelope */
    size_t arena_len;
};

/** What to read, and by which rules. Borrowed. */
struct task_input_request {
    struct tc_bytes body;
    bool is_batch; /**< {"tasks":[…]} instead of one task */
    const struct tc_policy *policy;
    char traceparent[TC_TRACEPARENT_LEN + 1]; /**< given to every spec; empty: none */
};

/**
 * Read and validate. Every broken rule of the fields becomes a violation, wherever the body
 * is JSON; `ret_input->specs` may be stored only when there are none.
 */
enum task_input_verdict task_input_read(const struct task_input_request *request,
                                        struct task_input *ret_input,
                                        struct tc_violations *violations);

void task_input_release(struct task_input *input);

#endif
