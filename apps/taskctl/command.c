#include "apps/taskctl/command.h"

enum command_status command_fail(const struct tc_error *err)
{
    fprintf(stderr, "taskctl: %s\n", err->message);
    return COMMAND_FAILED;
}

enum command_status command_refuse(const char *argument)
{
    fprintf(stderr, "taskctl: unknown argument '%s', see taskctl help\n", argument);
    return COMMAND_USAGE;
}

bool command_is_embedded(const struct taskctl_settings *settings)
{
    if (service_database_is_shared(settings->database.url))
        return false;
    printf("nothing to do: taskapi migrates a SQLite file by itself when it opens it\n");
    return true;
}
