/*
 * How a program is started: clone(CLONE_VM | CLONE_VFORK), which is what posix_spawn() does.
 *
 * posix_spawn() itself can neither set limits nor close descriptors nor ask for a signal when
 * the parent dies; doing so from outside, with prlimit(), would race with the program, and a
 * launcher in between would cost a second exec for each task. fork() copies the page tables
 * of the worker and leaves the child of a threaded process with locked locks. Here the child
 * borrows the memory of the thread that starts it, which sleeps until the program runs: nothing
 * is copied, and an error is told by writing it down.
 *
 * So the child may do almost nothing: system calls, no locks, no memory, no library that
 * keeps state, sanitizers included. All signals are blocked until their handlers, which would
 * run in the memory of the worker, are gone.
 */
#define _GNU_SOURCE

#include "adapters/exec/exec_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__clang__)
#if __has_attribute(disable_sanitizer_instrumentation)
#define IN_CHILD __attribute__((disable_sanitizer_instrumentation, noinline))
#else
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#endif
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#else
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined"), noinline))
#ifdef __SANITIZE_THREAD__
#define UNDER_TSAN 1
#endif
#endif

/* ThreadSanitizer puts itself around clone() and takes it for a fork(). */
#ifdef UNDER_TSAN
extern int __clone(int (*main)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

#define CHILD_STACK_SIZE 16384
#define SIGNAL_COUNT     64
#define SIGNAL_SET_SIZE  ((size_t)SIGNAL_COUNT / 8)
#define LIMIT_COUNT      5

enum step {
    STEP_NONE,
    STEP_PREPARE,
    STEP_ENTER,
    STEP_LIMIT,
    STEP_RUN,
};

/* The kernel's own form, whatever libc makes of it. */
struct limit {
    uint64_t soft;
    uint64_t hard;
};

/* What the child is to do, and what it could not. */
struct start {
    const struct exec_handler *handler;
    char *const *env;
    pid_t parent;
    int fds[EXEC_FD_COUNT];
    int limited[LIMIT_COUNT]; /* resources */
    struct limit limits[LIMIT_COUNT];
    size_t limit_count;
    enum step failed;
    int error; /* errno */
};

/* A group of its own would do for kill(); a session has no terminal as well, so that a
 * program that asks for a password fails instead of stopping. The death signal comes when
 * the thread ends that made the child: that thread waits in exec_child_reap(). */
IN_CHILD static bool leave_family(const struct start *start)
{
    return syscall(SYS_setsid) >= 0 &&
           syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
           syscall(SYS_getppid) == start->parent; /* it may have died before that */
}

/* What is ignored would stay so in the program, and a handler of ours must never run here. */
IN_CHILD static bool reset_signals(void)
{
    static const unsigned char as_default[64]; /* any kernel's struct sigaction, all zero */

    for (int number = 1; number <= SIGNAL_COUNT; number++)
        if (number != SIGKILL && number != SIGSTOP &&
            syscall(SYS_rt_sigaction, number, as_default, NULL, SIGNAL_SET_SIZE) != 0)
            return false;
    return true;
}

/* A worker whose own 0 to 3 are closed has got pipes there: those are moved away first. */
IN_CHILD static bool place_descriptors(struct start *start)
{
    for (int i = 0; i < EXEC_FD_COUNT; i++)
        if (start->fds[i] < EXEC_FD_COUNT) {
            long moved = syscall(SYS_fcntl, start->fds[i], F_DUPFD_CLOEXEC, EXEC_FD_COUNT);

            if (moved < 0)
                return false;
            start->fds[i] = (int)moved;
        }
    for (int i = 0; i < EXEC_FD_COUNT; i++)
        if (syscall(SYS_dup3, start->fds[i], i, 0) < 0)
            return false;
    return syscall(SYS_close_range, EXEC_FD_COUNT, ~0U, 0) == 0;
}

IN_CHILD static bool set_limits(const struct start *start)
{
    for (size_t i = 0; i < start->limit_count; i++)
        if (syscall(SYS_prlimit64, 0, start->limited[i], &start->limits[i], NULL) != 0)
            return false;
    return true;
}

IN_CHILD static enum step try_to_run(struct start *start)
{
    static const unsigned char none[SIGNAL_SET_SIZE];
    const struct exec_handler *handler = start->handler;

    if (!leave_family(start) || !reset_signals() || !place_descriptors(start))
        return STEP_PREPARE;
    if (syscall(SYS_chdir, handler->dir) != 0)
        return STEP_ENTER;
    if (!set_limits(start))
        return STEP_LIMIT;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, SIGNAL_SET_SIZE);
    syscall(SYS_execve, handler->argv[0], handler->argv, start->env);
    return STEP_RUN;
}

IN_CHILD static int child_main(void *arg)
{
    struct start *start = arg;

    start->failed = try_to_run(start);
    start->error = errno; /* the parent's own, as its thread's storage is borrowed, too */
    syscall(SYS_exit_group, 127);
    return 127;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Never above what the worker has, since only root could; `slack` is between soft and hard. */
static void add_limit(struct start *start, int resource, int64_t value, uint64_t slack)
{
    struct limit have;

    if (value == 0 || syscall(SYS_prlimit64, 0, resource, NULL, &have) != 0)
        return;
    start->limited[start->limit_count] = resource;
    start->limits[start->limit_count++] = (struct limit){
        .soft = smaller((uint64_t)value, have.hard),
        .hard = smaller((uint64_t)value + slack, have.hard),
    };
}

static void add_limits(struct start *start, const struct exec_limits *limits)
{
    add_limit(start, RLIMIT_AS, limits->memory_bytes, 0);
    add_limit(start, RLIMIT_CPU, limits->cpu_seconds, 1);
    add_limit(start, RLIMIT_NOFILE, limits->open_files, 0);
    add_limit(start, RLIMIT_FSIZE, limits->file_bytes, 0);
    add_limit(start, RLIMIT_NPROC, limits->processes, 0);
}

static enum tc_code fail_from(const struct start *start, struct tc_error *err)
{
    static const char *const what[] = {
        [STEP_NONE] = "cannot make a process for",
        [STEP_PREPARE] = "cannot prepare a process for",
        [STEP_ENTER] = "cannot enter the directory",
        [STEP_LIMIT] = "cannot set the limits of",
        [STEP_RUN] = "cannot start",
    };
    const struct exec_handler *handler = start->handler;
    const char *reason = strerrordesc_np(start->error);

    return tc_fail(err, TC_UNAVAILABLE, "%s '%s': %s", what[start->failed],
                   start->failed == STEP_ENTER ? handler->dir : handler->argv[0],
                   reason ? reason : "unknown error");
}

/* False: no process was made, `start->error` says why. */
static bool clone_child(struct start *start, struct exec_child *ret_child)
{
    _Alignas(16) unsigned char stack[CHILD_STACK_SIZE];
    struct exec_child child = { .pidfd = -1 };
    sigset_t every;
    sigset_t before;

    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    child.pid = clone(child_main, stack + sizeof(stack),
                      CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, start, &child.pidfd);

    int error = errno;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child.pid < 0) {
        start->error = error;
        return false;
    }
    *ret_child = child;
    return true;
}

enum tc_code exec_spawn(const struct exec_handler *handler, char *const *env,
                        const int fds[EXEC_FD_COUNT], struct exec_child *ret_child,
                        struct tc_error *err)
{
    struct start start = { .handler = handler, .env = env, .parent = getpid() };
    struct exec_child child;

    memcpy(start.fds, fds, sizeof(start.fds));
    add_limits(&start, &handler->limits);
    if (!clone_child(&start, &child))
        return fail_from(&start, err);
    if (start.failed != STEP_NONE) {
        exec_child_reap(&child);
        return fail_from(&start, err);
    }
    *ret_child = child;
    return TC_OK;
}

void exec_child_signal(const struct exec_child *child, int number)
{
    kill(-child->pid, number);
}

struct exec_end exec_child_reap(struct exec_child *child)
{
    siginfo_t info = { 0 };
    int answer;

    /* By the pidfd: the number may be another process by now, if somebody else reaped it. */
    do
        answer = waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED);
    while (answer != 0 && errno == EINTR);
    close(child->pidfd);
    child->pidfd = -1;
    return (struct exec_end){
        .is_known = answer == 0,
        .is_exited = info.si_code == CLD_EXITED,
        .number = info.si_status,
    };
}
