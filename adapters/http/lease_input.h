#ifndef TASKCORE_ADAPTERS_HTTP_LEASE_INPUT_H
#define TASKCORE_ADAPTERS_HTTP_LEASE_INPUT_H

/**
 * @file lease_input.h
 * What pull workers send: the bodies of the requests for leases and of the reports on them.
 */

#include "adapters/http/body_form.h"
#include "adapters/http/http_call.h"

#define LEASE_QUEUES_MAX     32
#define LEASE_TYPES_MAX      64
#define LEASE_TASKS_MAX      100  /**< tasks of one request */
#define LEASE_HEARTBEATS_MAX 1000 /**< leases of one request */

/** POST /leases. */
struct lease_wish {
    const char *worker;
    struct body_names queues; /**< sorted, each once; never none */
    struct body_names types;  /**< sorted, each once; none: all types */
    int64_t max;
    int64_t lease_ms; /**< 0: by the policy */
    int64_t wait_ms;
};

/** POST /tasks/{id}/heartbeat. */
struct lease_beat {
    int64_t epoch;
    int64_t lease_ms;         /**< 0: as it was leased */
    struct tc_bytes progress; /**< data NULL: none given */
};

/** POST /leases/heartbeat. */
struct lease_beats {
    const char *worker;
    int64_t lease_ms;         /**< 0: each as it was leased */
    struct body_items leases; /**< of struct lease_named */
};

struct lease_named {
    struct tc_id id;
    int64_t epoch;
};

/** POST /tasks/{id}/complete, /fail and /release: each uses its own of these. */
struct lease_report {
    int64_t epoch;
    struct tc_bytes result; /**< JSON; data NULL: none */
    const char *error;
    bool is_retryable;
    int64_t delay_ms; /**< TC_UNSET: not given */
};

/**
 * Each reads the call's body: the media type, the JSON, limits and rules, in this order.
 * Release `ret_input` in any case. @return false: the refusal has been written.
 */
bool lease_input_wish(struct http_call *call, struct lease_wish *ret_wish,
                      struct body_input *ret_input);
bool lease_input_beat(struct http_call *call, struct lease_beat *ret_beat,
                      struct body_input *ret_input);
bool lease_input_beats(struct http_call *call, struct lease_beats *ret_beats,
                       struct body_input *ret_input);
bool lease_input_complete(struct http_call *call, struct lease_report *ret_report,
                          struct body_input *ret_input);
bool lease_input_fail(struct http_call *call, struct lease_report *ret_report,
                      struct body_input *ret_input);
bool lease_input_release(struct http_call *call, struct lease_report *ret_report,
                         struct body_input *ret_input);

#endif
