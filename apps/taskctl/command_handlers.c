#include "apps/handlers/handlers.h"
#include "apps/taskctl/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Whether it can run is for this machine to say, which may not be the worker's: so it is told
 * and counted, but a worker starts all the same. */
static bool show(const struct handler_section *section)
{
    const char *name = section->policy.type;

    if (section->kind != HANDLER_EXEC) {
        printf("%s %s\n", name, handler_kind_name(section->kind));
        return true;
    }

    const char *program = section->command.items[0];
    char reason[128] = "";
    bool can_run = access(program, X_OK) == 0;

    if (!can_run && strerror_r(errno, reason, sizeof(reason)) != 0)
        reason[0] = '\0';
    printf("%s %s %s%s%s\n", name, handler_kind_name(section->kind), program,
           can_run ? "" : ": ", reason);
    return can_run;
}

static bool show_all(const struct handler_file *file)
{
    bool good = true;

    for (size_t i = 0; i < file->count; i++)
        good = show(&file->sections[i]) && good;
    printf("%zu types\n", file->count);
    return good;
}

enum command_status command_handlers_check(const struct taskctl_settings *settings, int argc,
                                           char **argv)
{
    const struct handlers_config config = { .result_max = 1024 };
    struct handler_file file = { 0 };
    struct handlers *handlers = NULL;
    struct tc_error err;
    bool good = false;

    (void)settings;
    if (argc != 1)
        return command_refuse(argc > 1 ? argv[1] : "handlers check without a FILE");

    enum tc_code code = handler_file_read(argv[0], &file, &err);

    if (code == TC_OK)
        code = handlers_open(&file, &config, &handlers, &err);
    if (code == TC_OK)
        good = show_all(&file);
    handlers_close(handlers);
    handler_file_release(&file);
    if (code != TC_OK)
        return command_fail(&err);
    return good ? COMMAND_FINE : COMMAND_FAILED;
}
