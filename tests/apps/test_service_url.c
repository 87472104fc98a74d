#include "apps/service/service_url.h"
#include "tests/support/run_suite.h"

#include <string.h>

static const struct {
    const char *url;
    const char *masked;
    const char *described;
    const char *why;
} cases[] = {
    { "memory:", "memory:", "memory:", "nothing to hide" },
    { "sqlite:/a/b.db", "sqlite:/a/b.db", "sqlite:/a/b.db", "a path" },
    { "postgresql://h/d", "postgresql://h/d", "postgresql://h/d", "no user" },
    { "postgresql://me@h:5/d", "postgresql://me@h:5/d", "postgresql://h:5/d", "no password" },
    { "postgresql://me:pw@h:5/d", "postgresql://me:***@h:5/d", "postgresql://h:5/d",
      "a password" },
    { "postgresql://me:p@w@h/d", "postgresql://me:***@h/d", "postgresql://h/d",
      "a password with an at sign that should have been encoded" },
    { "postgresql://me:p/w@h/d", "postgresql://me:***@h/d", "postgresql://h/d",
      "a password with a slash" },
    { "postgresql://me:p?w@h/d", "***", "postgresql", "a password with a question mark" },
    { "postgresql://h/d?sslmode=require&password=pw&user=me",
      "postgresql://h/d?sslmode=require&password=***&user=me", "postgresql://h/d",
      "a password among the parameters" },
    { "postgresql://h/d?sslpassword=pw", "postgresql://h/d?sslpassword=***", "postgresql://h/d",
      "another one" },
    { "postgresql://h/d?p%61ssword=pw", "postgresql://h/d?p%61ssword=***", "postgresql://h/d",
      "a parameter whose name is encoded" },
    { "postgresql://h/d?password=p@w", "***", "postgresql", "an at sign in a parameter" },
    { "postgresql://a:1,b:2/d", "postgresql://a:1,b:2/d", "postgresql://a:1,b:2/d",
      "several hosts" },
    { "postgresql://", "postgresql://", "postgresql://", "all defaults" },
    { "me:pw@h", "***", "me:pw@h", "no URL at all, which is refused and never described" },
};

START_TEST(a_password_is_never_shown) /* loop test over cases */
{
    char text[200];

    service_url_mask(cases[_i].url, text, sizeof(text));
    ck_assert_msg(strcmp(text, cases[_i].masked) == 0, "%s: %s", cases[_i].why, text);
    service_url_describe(cases[_i].url, text, sizeof(text));
    ck_assert_msg(strcmp(text, cases[_i].described) == 0, "%s: %s", cases[_i].why, text);
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
    char text[16];

    service_url_mask("postgresql://me:pw@host/database", text, sizeof(text));
    ck_assert_str_eq(text, "postgresql://me");
    service_url_describe("postgresql://me:pw@host/database", text, sizeof(text));
    ck_assert_str_eq(text, "postgresql://ho");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_url");
    TCase *rules = tcase_create("rules");

    tcase_add_loop_test(rules, a_password_is_never_shown, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(rules, what_does_not_fit_is_cut);
    suite_add_tcase(suite, rules);
    return run_suite(suite);
}
