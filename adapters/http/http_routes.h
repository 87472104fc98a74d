#ifndef TASKCORE_ADAPTERS_HTTP_ROUTES_H
#define TASKCORE_ADAPTERS_HTTP_ROUTES_H

/**
 * @file http_routes.h
 * The ONE table of paths and methods. From it follow 404, 405, Allow, OPTIONS and the list on
 * the docs page; openapi.json is compared with it by a test.
 */

#include "adapters/http/http_call.h"

/** What may be in the body, which decides how long it may be. */
enum http_body_kind {
    HTTP_BODY_IGNORED,
    HTTP_BODY_SMALL,
    HTTP_BODY_TASK,
    HTTP_BODY_BATCH,
    HTTP_BODY_RESULT,
    HTTP_BODY_LEASES,
};

struct http_route {
    const char *method;
    const char *pattern; /**< canonical; "{id}" stands for one segment */
    void (*handle)(struct http_call *call);
    const char *summary; /**< for the docs page; NULL: a file that belongs to a page, not in
                              openapi.json */
    enum http_body_kind body;
    const char *const *params; /**< query parameters it knows; NULL: none */
    bool of_process;           /**< tells of the process: served on every surface */
};

/** Rows of one path stand together; a literal path stands before a pattern that matches it. */
const struct http_route *http_routes(size_t *ret_count);

/* routes_create.c */
void http_post_task(struct http_call *call);
void http_post_batch(struct http_call *call);

/* routes_tasks.c */
void http_get_task(struct http_call *call);
void http_get_task_status(struct http_call *call);
void http_cancel_task(struct http_call *call);
void http_retry_task(struct http_call *call);

/* routes_leases.c */
void http_post_leases(struct http_call *call);
void http_post_leases_heartbeat(struct http_call *call);

/* routes_reports.c */
void http_heartbeat_task(struct http_call *call);
void http_complete_task(struct http_call *call);
void http_fail_task(struct http_call *call);
void http_release_task(struct http_call *call);

/* routes_list.c */
void http_list_tasks(struct http_call *call);

/* routes_status.c */
void http_get_stats(struct http_call *call);
void http_get_health(struct http_call *call);
void http_get_livez(struct http_call *call);
void http_get_readyz(struct http_call *call);
void http_get_metrics(struct http_call *call);
void http_get_version(struct http_call *call);

/* routes_docs.c */
void http_get_root(struct http_call *call);
void http_get_docs(struct http_call *call);
void http_get_docs_init(struct http_call *call);
void http_get_docs_bundle(struct http_call *call);
void http_get_docs_style(struct http_call *call);
void http_get_openapi(struct http_call *call);

#endif
