#include "adapters/postgres/postgres_schema.h"
#include "apps/taskctl/command.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct migrate_arguments {
    int to; /* 0: all */
    bool dry_run;
};

static bool parse_version(const char *text, int *ret_version)
{
    char *end = NULL;
    long version = text ? strtol(text, &end, 10) : 0;

    if (version < 1 || version > INT_MAX || *end != '\0')
        return false;
    *ret_version = (int)version;
    return true;
}

/* @return NULL, or the argument that is wrong. */
static const char *parse_arguments(int argc, char **argv, struct migrate_arguments *arguments)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            arguments->dry_run = true;
        else if (strncmp(argv[i], "--to=", 5) == 0 &&
                 parse_version(argv[i] + 5, &arguments->to))
            continue;
        else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc &&
                 parse_version(argv[i + 1], &arguments->to))
            i++;
        else
            return argv[i];
    }
    return NULL;
}

struct told {
    bool dry_run;
    int count;
};

static void tell(void *ctx, int version, const char *name, const char *sql, bool done)
{
    struct told *told = ctx;

    (void)sql;
    if (!told->dry_run && !done)
        return;
    printf("%s %d %s\n", told->dry_run ? "would apply" : "applied", version, name);
    (void)fflush(stdout);
    told->count++;
}

enum command_status command_migrate(const struct taskctl_settings *settings, int argc,
                                    char **argv)
{
    struct migrate_arguments arguments = { .to = 0 };
    const char *wrong = parse_arguments(argc, argv, &arguments);
    struct told told = { .dry_run = arguments.dry_run };
    struct tc_error err;

    if (wrong)
        return command_refuse(wrong);
    if (command_is_embedded(settings))
        return COMMAND_FINE;
    if (postgres_schema_migrate(settings->database.url, arguments.to, arguments.dry_run, tell,
                                &told, &err) != TC_OK)
        return command_fail(&err);
    if (told.count == 0)
        printf("nothing to apply\n");
    return COMMAND_FINE;
}

static void print_status(const struct postgres_migration_status *row)
{
    char when[32];
    time_t seconds = (time_t)(row->applied_at_ms / 1000);
    struct tm utc;

    if (row->applied_at_ms == 0) {
        printf("%d %s pending\n", row->version, row->name);
        return;
    }
    if (!gmtime_r(&seconds, &utc) ||
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        snprintf(when, sizeof(when), "at an unknown time");
    printf("%d %s applied %s%s%s\n", row->version, row->name, when,
           row->changed ? ", with another text than this program's" : "",
           row->unknown ? ", unknown to this program" : "");
}

enum command_status command_migrate_status(const struct taskctl_settings *settings, int argc,
                                           char **argv)
{
    struct postgres_migration_status *rows = NULL;
    struct tc_error err;
    size_t count = 0;
    bool fits = true;

    if (argc > 0)
        return command_refuse(argv[0]);
    if (command_is_embedded(settings))
        return COMMAND_FINE;
    if (postgres_schema_status(settings->database.url, &rows, &count, &err) != TC_OK)
        return command_fail(&err);
    for (size_t i = 0; i < count; i++) {
        print_status(&rows[i]);
        fits = fits && rows[i].applied_at_ms != 0 && !rows[i].changed && !rows[i].unknown;
    }
    free(rows);
    return fits ? COMMAND_FINE : COMMAND_FAILED;
}
