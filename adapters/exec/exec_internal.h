#ifndef TASKCORE_ADAPTERS_EXEC_INTERNAL_H
#define TASKCORE_ADAPTERS_EXEC_INTERNAL_H

/** @file exec_internal.h What the files of this folder share. One thread for each run. */

#include "adapters/exec/exec_handler.h"

#include <sys/types.h>

/** Descriptors of the program: stdin, stdout, stderr, progress. */
enum {
    EXEC_IN,
    EXEC_OUT,
    EXEC_ERR,
    EXEC_PROGRESS,
    EXEC_FD_COUNT,
};

/** Never changes between open and close. */
struct exec_handler {
    struct tc_handler base;
    char **argv; /* owned, like the next two */
    char **env;
    char *dir;
    int64_t grace_ms;
    size_t output_max;
    struct exec_limits limits;
    bool (*is_json)(struct tc_bytes text);
    struct tc_clock *clock;
};

/* --- exec_run.c */

/** The method of the port. */
void exec_run(struct tc_handler *handler, struct tc_run *run, struct tc_report *ret_report);

/* --- exec_environment.c */

#define EXEC_OWN_NAMES 8 /* that the handler sets itself */

/** Leads into itself and into the handler: not to be copied. */
struct exec_environment {
    char *list[EXEC_ENV_MAX + EXEC_OWN_NAMES + 1];
    size_t count;
    char text[512]; /* room for every name with its longest value */
    size_t len;
};

/** @return TC_OK, or TC_INVALID with a message: no assignment, a name of ours, too many. */
enum tc_code exec_environment_check(const char *const *env, struct tc_error *err) TC_MUST_CHECK;

/** Fill `list`, NULL at its end. */
void exec_environment_init(struct exec_environment *self, const struct exec_handler *handler,
                           const struct tc_run *run);

/* --- exec_spawn.c */

/** A program that was started and not yet reaped. */
struct exec_child {
    pid_t pid; /* and the number of its group */
    int pidfd; /* readable when it has ended */
};

/** How it ended. */
struct exec_end {
    bool is_known;  /* false: somebody else has reaped it */
    bool is_exited; /* `number` is the exit status, else the signal */
    int number;
};

/**
 * Start the program with `fds` as its descriptors 0 to 3. Blocks until it runs.
 *
 * @return TC_OK, then exec_child_reap() is due; TC_UNAVAILABLE with a message: nothing runs.
 */
enum tc_code exec_spawn(const struct exec_handler *handler, char *const *env,
                        const int fds[EXEC_FD_COUNT], struct exec_child *ret_child,
                        struct tc_error *err) TC_MUST_CHECK;

/** Send a signal to the whole group. Only before exec_child_reap(). */
void exec_child_signal(const struct exec_child *child, int number);

/** Wait for its end, leave no zombie, close the pidfd. */
struct exec_end exec_child_reap(struct exec_child *child);

/* --- exec_lines.c */

/** Cuts a stream into lines; each goes to `take` without its newline, NUL-terminated. */
struct exec_lines {
    size_t max; /* bytes of a line that are kept, up to TC_PROGRESS_MAX */
    void (*take)(void *ctx, const char *line, size_t len, bool is_cut);
    void *ctx;
    size_t len;
    bool is_cut;
    char text[TC_PROGRESS_MAX + 1];
};

void exec_lines_feed(struct exec_lines *self, const char *data, size_t len);

/** The stream is over: what is there without a newline is a line, too. */
void exec_lines_end(struct exec_lines *self);

/** The last bytes of a stream. */
struct exec_tail {
    size_t len;
    bool is_cut; /* there were more */
    char text[EXEC_MESSAGE_MAX];
};

void exec_tail_feed(struct exec_tail *self, const char *data, size_t len);

/** Its last whole lines, without white space around them; borrowed, maybe empty. */
struct tc_bytes exec_tail_text(const struct exec_tail *self);

/* --- exec_streams.c */

enum exec_output {
    EXEC_OUTPUT_KEPT,
    EXEC_OUTPUT_TOO_LARGE,
    EXEC_OUTPUT_NO_MEMORY,
};

/** The pipes of one run. Leads into itself: not to be copied. */
struct exec_streams {
    const struct exec_handler *handler;
    struct tc_run *run;
    int ours[EXEC_FD_COUNT];   /* -1: closed */
    int theirs[EXEC_FD_COUNT]; /* likewise */
    struct tc_bytes input;     /* what is still to be written */
    enum exec_output state;    /* not KEPT: output is thrown away */
    char *output;              /* stdout; owned */
    size_t output_len;
    size_t output_size;
    struct exec_tail tail;
    struct exec_lines errors;
    struct exec_lines progress;
    size_t error_lines;
    size_t progress_ignored;
};

/**
 * Make the pipes; `theirs` are for exec_spawn(). A payload that fits goes into its pipe now.
 * Whatever this returns, exec_streams_close() is due.
 *
 * @return TC_OK, or TC_UNAVAILABLE with a message: no descriptors, no memory.
 */
enum tc_code exec_streams_open(struct exec_streams *self, const struct exec_handler *handler,
                               struct tc_run *run, struct tc_error *err) TC_MUST_CHECK;

/** The program runs and has its ends. */
void exec_streams_started(struct exec_streams *self);

/**
 * Wait for something to read or write, do one piece of each, and look at the child. A child
 * that writes without end cannot keep the caller here.
 *
 * @return true when the child has ended.
 */
bool exec_streams_attend(struct exec_streams *self, int pidfd, int wait_ms);

/** Read what the pipes hold now, without waiting, and end the last lines. */
void exec_streams_drain(struct exec_streams *self);

/** Close what is open and free what is there. */
void exec_streams_close(struct exec_streams *self);

#endif
