#include "adapters/http/http_buffer.h"
#include "adapters/http/http_routes.h"
#include "adapters/http/openapi.h"
#include "ports/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_FILE "swagger-ui-bundle.js"
#define STYLE_FILE  "swagger-ui.css"
#define FILE_MAX    ((off_t)16 * 1024 * 1024)

/* Nothing from elsewhere, nothing inline: a page that shows foreign text runs only our code. */
static const char page_policy[] =
    "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "Cache-Control: no-cache\r\n";

static const char page_start[] = "<!doctype html>\n"
                                 "<html lang=\"en\">\n"
                                 "<head>\n"
                                 "<meta charset=\"utf-8\">\n"
                                 "<meta name=\"viewport\" content=\"width=device-width\">\n"
                                 "<link rel=\"icon\" href=\"data:,\">\n";

static const char ui_page[] = "<title>taskcore API</title>\n"
                              "<link rel=\"stylesheet\" href=\"/docs/" STYLE_FILE "\">\n"
                              "</head>\n"
                              "<body>\n"
                              "<div id=\"swagger-ui\"></div>\n"
                              "<noscript>See <a href=\"/openapi.json\">openapi.json</a>."
                              "</noscript>\n"
                              "<script src=\"/docs/" BUNDLE_FILE "\"></script>\n"
                              "<script src=\"/docs/init.js\"></script>\n"
                              "</body>\n"
                              "</html>\n";

/* The validator badge would ask another host. */
static const char init_script[] = "window.ui = SwaggerUIBundle({\n"
                                  "  url: \"/openapi.json\",\n"
                                  "  dom_id: \"#swagger-ui\",\n"
                                  "  deepLinking: true,\n"
                                  "  tryItOutEnabled: true,\n"
                                  "  validatorUrl: null\n"
                                  "});\n";

static const char root_page[] = "<title>taskcore</title>\n"
                                "</head>\n"
                                "<body>\n"
                                "<h1>taskcore</h1>\n"
                                "<ul>\n"
                                "<li><a href=\"/docs\">API documentation</a></li>\n"
                                "<li><a href=\"/openapi.json\">OpenAPI document</a></li>\n"
                                "<li><a href=\"/api/v1/tasks\">Tasks</a></li>\n"
                                "<li><a href=\"/api/v1/stats\">Queues</a></li>\n"
                                "<li><a href=\"/health\">Health</a></li>\n"
                                "<li><a href=\"/metrics\">Metrics</a></li>\n"
                                "<li><a href=\"/version\">Version</a></li>\n"
                                "</ul>\n"
                                "</body>\n"
                                "</html>\n";

static void begin_page(struct http_call *call)
{
    call->response->status = 200;
    call->response->content_type = "text/html; charset=utf-8";
    http_buffer_puts(&call->response->headers, page_policy);
    http_buffer_puts(&call->response->body, page_start);
}

/* One of the two files of the UI, opened for reading; -1: it is not there. */
static int open_file(const struct http_call *call, const char *name)
{
    const char *folder = call->services->docs_dir;
    char path[4096];

    if (!folder || snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return -1;
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool has_file(const struct http_call *call, const char *name)
{
    int fd = open_file(call, name);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* For when the UI could not be fetched at build time: the same operations as a list. */
static void write_plain_page(struct http_buffer *out)
{
    size_t count;
    const struct http_route *routes = http_routes(&count);

    http_buffer_puts(out, "<title>taskcore API</title>\n</head>\n<body>\n"
                          "<h1>taskcore API</h1>\n"
                          "<p>The whole description is in "
                          "<a href=\"/openapi.json\">openapi.json</a>.</p>\n"
                          "<table>\n<tr><th>Method</th><th>Path</th><th></th></tr>\n");
    for (size_t i = 0; i < count; i++)
        if (routes[i].summary)
            http_buffer_printf(out, "<tr><td>%s</td><td><code>%s</code></td><td>%s</td></tr>\n",
                               routes[i].method, routes[i].pattern, routes[i].summary);
    http_buffer_puts(out, "</table>\n</body>\n</html>\n");
}

void http_get_docs(struct http_call *call)
{
    struct http_buffer *out = &call->response->body;

    if (http_call_is_invalid(call))
        return;
    begin_page(call);
    if (has_file(call, BUNDLE_FILE) && has_file(call, STYLE_FILE))
        http_buffer_puts(out, ui_page);
    else
        write_plain_page(out);
}

void http_get_root(struct http_call *call)
{
    if (http_call_is_invalid(call))
        return;
    begin_page(call);
    http_buffer_puts(&call->response->body, root_page);
}

static void begin_file(struct http_call *call, const char *content_type)
{
    call->response->status = 200;
    call->response->content_type = content_type;
    http_buffer_puts(&call->response->headers, "Cache-Control: max-age=3600\r\n");
}

void http_get_docs_init(struct http_call *call)
{
    if (http_call_is_invalid(call))
        return;
    begin_file(call, "text/javascript; charset=utf-8");
    http_buffer_puts(&call->response->body, init_script);
}

static bool read_file(int fd, struct http_buffer *out)
{
    struct stat info;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > FILE_MAX ||
        !http_buffer_reserve(out, (size_t)info.st_size))
        return false;
    while (out->len < (size_t)info.st_size) {
        ssize_t count = read(fd, out->data + out->len, (size_t)info.st_size - out->len);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        out->len += (size_t)count;
    }
    out->data[out->len] = '\0';
    return true;
}

static void send_file(struct http_call *call, const char *name, const char *content_type)
{
    struct http_buffer body = { 0 };

    if (http_call_is_invalid(call))
        return;

    int fd = open_file(call, name);

    if (fd < 0) {
        http_call_refuse(call, HTTP_NOT_FOUND, "this file was not installed");
        return;
    }
    if (read_file(fd, &body)) {
        begin_file(call, content_type);
        call->response->body = body;
    } else {
        const struct tc_log_subject subject = { .request_id = call->request->request_id };

        tc_log(call->services->logger, TC_LOG_ERROR, &subject, "cannot read '%s' of the docs",
               name);
        http_call_refuse(call, HTTP_INTERNAL, "an error of the service");
        http_buffer_release(&body);
    }
    close(fd);
}

void http_get_docs_bundle(struct http_call *call)
{
    send_file(call, BUNDLE_FILE, "text/javascript; charset=utf-8");
}

void http_get_docs_style(struct http_call *call)
{
    send_file(call, STYLE_FILE, "text/css; charset=utf-8");
}

void http_get_openapi(struct http_call *call)
{
    if (http_call_is_invalid(call))
        return;
    call->response->status = 200;
    call->response->content_type = "application/json";
    http_buffer_puts(&call->response->headers, "Cache-Control: no-cache\r\n");
    http_buffer_append(&call->response->body, http_openapi_json, http_openapi_json_len);
}
