#include "tests/adapters/http_site.h"
#include "tests/support/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The pages: /docs with and without the UI's files, /. */

static struct site site;
static char folder[64];

static void setup(void)
{
    site_open(&site);
    snprintf(folder, sizeof(folder), "/tmp/test_http_docs.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void path_of(const char *name, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/%s", folder, name);
}

static void teardown(void)
{
    char path[128];

    path_of("swagger-ui-bundle.js", path);
    if (unlink(path) != 0)
        rmdir(path);
    path_of("swagger-ui.css", path);
    unlink(path);
    rmdir(folder);
    site_close(&site);
}

static void install(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    path_of(name, path);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    site.services.docs_dir = folder;
}

static void install_ui(void)
{
    install("swagger-ui-bundle.js", "bundle()");
    install("swagger-ui.css", "a{}");
}

static const char *const pages[] = { "/docs", "/docs/", "/swagger", "/swagger/", "/" };

static void assert_policy(void)
{
    const char *policy = site_answer_header(&site, "Content-Security-Policy");

    ck_assert_str_eq(site.response.content_type, "text/html; charset=utf-8");
    ck_assert_ptr_nonnull(policy);
    ck_assert_ptr_nonnull(strstr(policy, "default-src 'self'"));
    ck_assert_ptr_nonnull(strstr(policy, "script-src 'self';"));
    ck_assert_ptr_nonnull(strstr(policy, "style-src 'self';"));
    ck_assert_ptr_null(strstr(policy, "unsafe"));
}

/* Nothing from another host, nothing inline. */
static void assert_only_own_code(void)
{
    const char *body = site_body(&site);

    ck_assert_ptr_null(strstr(body, "//"));
    ck_assert_ptr_null(strstr(body, "style="));
    ck_assert_ptr_null(strstr(body, "<style"));
    ck_assert_ptr_null(strstr(body, "<script>"));
    for (const char *at = strstr(body, "<script "); at; at = strstr(at + 1, "<script "))
        ck_assert_int_eq(strncmp(at, "<script src=\"/docs/", 19), 0);
}

START_TEST(a_page_keeps_to_a_strict_policy)
{
    ck_assert_int_eq(site_get(&site, pages[_i]), 200);
    assert_policy();
    assert_only_own_code();
    install_ui();
    ck_assert_int_eq(site_get(&site, pages[_i]), 200);
    assert_policy();
    assert_only_own_code();
}
END_TEST

START_TEST(the_root_page_links_what_there_is)
{
    static const char *const links[] = { "\"/docs\"", "\"/health\"", "\"/metrics\"" };

    site_get(&site, "/");
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(strstr(site_body(&site), links[i]));
}
END_TEST

START_TEST(without_the_ui_the_operations_are_listed)
{
    site_get(&site, "/docs");
    ck_assert_ptr_nonnull(strstr(site_body(&site), "<code>/api/v1/tasks/{id}/cancel</code>"));
    ck_assert_ptr_nonnull(strstr(site_body(&site), "Create a task"));
    ck_assert_ptr_nonnull(strstr(site_body(&site), "href=\"/openapi.json\""));
    ck_assert_ptr_null(strstr(site_body(&site), "swagger-ui-bundle.js"));
}
END_TEST

START_TEST(with_the_ui_it_is_loaded_from_here)
{
    install_ui();
    site_get(&site, "/swagger");
    ck_assert_ptr_nonnull(strstr(site_body(&site), "src=\"/docs/swagger-ui-bundle.js\""));
    ck_assert_ptr_nonnull(strstr(site_body(&site), "href=\"/docs/swagger-ui.css\""));
    ck_assert_ptr_nonnull(strstr(site_body(&site), "id=\"swagger-ui\""));
}
END_TEST

START_TEST(half_a_ui_is_none)
{
    install("swagger-ui-bundle.js", "bundle()");
    site_get(&site, "/docs");
    ck_assert_ptr_null(strstr(site_body(&site), "swagger-ui-bundle.js"));
}
END_TEST

START_TEST(the_files_of_the_ui_are_served)
{
    install_ui();
    ck_assert_int_eq(site_get(&site, "/docs/swagger-ui-bundle.js"), 200);
    ck_assert_str_eq(site_body(&site), "bundle()");
    ck_assert_str_eq(site.response.content_type, "text/javascript; charset=utf-8");
    ck_assert_int_eq(site_get(&site, "/docs/swagger-ui.css"), 200);
    ck_assert_str_eq(site_body(&site), "a{}");
    ck_assert_str_eq(site.response.content_type, "text/css; charset=utf-8");
}
END_TEST

START_TEST(an_empty_file_is_served)
{
    install("swagger-ui.css", "");
    ck_assert_int_eq(site_get(&site, "/docs/swagger-ui.css"), 200);
    ck_assert_uint_eq(site.response.body.len, 0);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_404)
{
    site_assert_problem(&site, site_get(&site, "/docs/swagger-ui.css"), 404, "not_found");
    site.services.docs_dir = folder;
    site_assert_problem(&site, site_get(&site, "/docs/swagger-ui-bundle.js"), 404, "not_found");
}
END_TEST

START_TEST(what_is_no_file_is_500_and_logged)
{
    char path[128];

    path_of("swagger-ui-bundle.js", path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    site.services.docs_dir = folder;
    site_assert_problem(&site, site_get(&site, "/docs/swagger-ui-bundle.js"), 500, "internal");
    ck_assert_uint_eq(site.logger.count, 1);
    ck_assert_ptr_null(strstr(site_body(&site), folder));
}
END_TEST

START_TEST(the_start_script_asks_no_other_host)
{
    ck_assert_int_eq(site_get(&site, "/docs/init.js"), 200);
    ck_assert_ptr_nonnull(strstr(site_body(&site), "url: \"/openapi.json\""));
    ck_assert_ptr_nonnull(strstr(site_body(&site), "validatorUrl: null"));
    ck_assert_ptr_null(strstr(site_body(&site), "//"));
}
END_TEST

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *docs_suite(void)
{
    Suite *suite = suite_create("http_docs");
    TCase *tcase = tcase_create("docs");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_page_keeps_to_a_strict_policy, 0, COUNT_OF(pages));
    tcase_add_test(tcase, the_root_page_links_what_there_is);
    tcase_add_test(tcase, without_the_ui_the_operations_are_listed);
    tcase_add_test(tcase, with_the_ui_it_is_loaded_from_here);
    tcase_add_test(tcase, half_a_ui_is_none);
    tcase_add_test(tcase, the_files_of_the_ui_are_served);
    tcase_add_test(tcase, an_empty_file_is_served);
    tcase_add_test(tcase, a_file_that_is_not_there_is_404);
    tcase_add_test(tcase, what_is_no_file_is_500_and_logged);
    tcase_add_test(tcase, the_start_script_asks_no_other_host);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(docs_suite());
}
