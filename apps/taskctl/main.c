/* taskctl: what operators and scripts do to a store. The table of commands stands here. */

#include "apps/process/process.h"
#include "apps/process/programs.h"
#include "apps/taskctl/command.h"

#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
    { "migrate", "[--dry-run] [--to N]",
      "bring the schema of a PostgreSQL database up to date, or to version N",
      command_migrate },
    { "migrate status", "", "list migrations; fails unless all are applied as they stand here",
      command_migrate_status },
    { "check", "", "look for what must never be in the tables; fails when it finds some",
      command_check },
    { "handlers check", "FILE", "read a handlers file and list its types; fails when it is bad",
      command_handlers_check },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

/* The arguments, sorted into those of settings and those of the command. */
struct arguments {
    int setting_count;
    char **settings; /* as argv: the program's name first */
    int word_count;
    char **words;
};

static void print_help(void)
{
    printf("taskctl: looks after the store of taskcore\n\n"
           "usage: taskctl COMMAND [--NAME VALUE]... [--config FILE]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %s%s%s\n      %s\n", commands[i].name, commands[i].arguments[0] ? " " : "",
               commands[i].arguments, commands[i].about);
    printf("  help\n      this text\n  version\n      of this program\n\n"
           "Exit status: 0 all is well, 1 it is not or could not be done, 2 bad usage.\n\n");
    settings_print_help(&taskctl_settings_table, stdout);
}

static enum command_status answer(enum settings_request request,
                                  const struct taskctl_settings *settings)
{
    switch (request) {
    case SETTINGS_VERSION:
        printf("taskctl %s (%s)\n", process_version(), process_commit());
        break;
    case SETTINGS_PRINT_CONFIG:
        settings_print(&taskctl_settings_table, settings, stdout);
        break;
    case SETTINGS_PRINT_DOCS:
        settings_print_docs(programs, stdout);
        break;
    case SETTINGS_HELP:
    case SETTINGS_RUN:
        print_help();
        break;
    }
    return COMMAND_FINE;
}

static void sort_arguments(int argc, char **argv, struct arguments *sorted)
{
    sorted->settings[sorted->setting_count++] = argv[0];
    for (int at = 1; at < argc;) {
        int len = settings_flag_length(&taskctl_settings_table, argc, argv, at);

        if (len == 0)
            sorted->words[sorted->word_count++] = argv[at++];
        for (; len > 0; len--)
            sorted->settings[sorted->setting_count++] = argv[at++];
    }
}

/* How many words of `argv` are the name of `command`; 0: it is another one. */
static int match(const struct command *command, int argc, char **argv)
{
    const char *name = command->name;

    for (int count = 0; count < argc;) {
        size_t len = strlen(argv[count]);

        if (strncmp(name, argv[count], len) != 0 || (name[len] != ' ' && name[len] != '\0'))
            return 0;
        count++;
        if (name[len] == '\0')
            return count;
        name += len + 1;
    }
    return 0;
}

static enum command_status run(const struct taskctl_settings *settings,
                               const struct arguments *arguments)
{
    const struct command *command = NULL;
    int length = 0;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int found = match(&commands[i], arguments->word_count, arguments->words);

        if (found > length) {
            command = &commands[i];
            length = found;
        }
    }
    if (!command)
        return command_refuse(arguments->words[0]);
    return command->run(settings, arguments->word_count - length, arguments->words + length);
}

static enum command_status do_all(struct arguments *arguments)
{
    static struct taskctl_settings settings;
    enum settings_request request = SETTINGS_RUN;
    struct tc_error err;

    if (settings_load(&taskctl_settings_table, arguments->setting_count, arguments->settings,
                      &settings, &request, &err) != TC_OK) {
        command_fail(&err);
        return COMMAND_USAGE;
    }
    if (arguments->word_count == 0 && request == SETTINGS_RUN) {
        fprintf(stderr, "taskctl: a command is missing, see taskctl help\n");
        return COMMAND_USAGE;
    }
    if (request != SETTINGS_RUN || strcmp(arguments->words[0], "help") == 0)
        return answer(request, &settings);
    if (strcmp(arguments->words[0], "version") == 0)
        return answer(SETTINGS_VERSION, &settings);
    return run(&settings, arguments);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .settings = calloc((size_t)argc + 1, sizeof(char *)),
        .words = calloc((size_t)argc + 1, sizeof(char *)),
    };
    enum command_status status = COMMAND_FAILED;

    if (arguments.settings && arguments.words) {
        sort_arguments(argc, argv, &arguments);
        status = do_all(&arguments);
    }
    free(arguments.settings);
    free(arguments.words);
    return (int)status;
}
