#include "tests/apps/settings_case.h"

#include "apps/settings/settings_table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct taskapi_settings values;
enum settings_request request;
struct tc_error err;

void settings_case_setup(void)
{
    struct settings_place place = { .group = NULL };

    while (settings_next(&taskapi_settings_table, &place))
        unsetenv(place.row->name);
    unsetenv("TASK_CONFIG");
    memset(&values, 0xA5, sizeof(values));
}

#define ARGS_MAX 8

/* As main() gets them: not const, though nobody writes to them. */
enum tc_code load_table(const struct settings *table, const char *const *args, void *ret_values)
{
    char *argv[ARGS_MAX] = { NULL };
    int argc = 0;

    for (; args[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)args[argc];
    return settings_load(table, argc, argv, ret_values, &request, &err);
}

enum tc_code load(const char *const *args)
{
    return load_table(&taskapi_settings_table, args, &values);
}

enum tc_code load_env(const char *name, const char *value)
{
    const char *const argv[] = { "taskapi", NULL };

    setenv(name, value, 1);
    return load(argv);
}

char *write_file(const char *text)
{
    static char path[] = "/tmp/taskcore-settings-XXXXXX";
    char template[] = "/tmp/taskcore-settings-XXXXXX";
    int fd = mkstemp(template);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    memcpy(path, template, sizeof(path));
    return path;
}
