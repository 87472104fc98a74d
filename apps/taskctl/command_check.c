#include "adapters/postgres/postgres_invariants.h"
#include "apps/taskctl/command.h"

static void tell(void *ctx, const char *name, const char *rule, size_t rows,
                 const char *example)
{
    (void)ctx;
    printf("violated %s: %s: %zu rows, one is %s\n", name, rule, rows, example);
}

enum command_status command_check(const struct taskctl_settings *settings, int argc,
                                  char **argv)
{
    struct tc_error err;
    size_t rules = 0;
    size_t broken = 0;

    if (argc > 0)
        return command_refuse(argv[0]);
    if (!service_database_is_shared(settings->database.url)) {
        fprintf(stderr, "taskctl: check needs TASK_DATABASE_URL=postgresql://...\n");
        return COMMAND_USAGE;
    }
    if (postgres_check_invariants(settings->database.url, tell, NULL, &rules, &broken, &err) !=
        TC_OK)
        return command_fail(&err);
    printf("%zu rules checked, %zu violated\n", rules, broken);
    return broken == 0 ? COMMAND_FINE : COMMAND_FAILED;
}
