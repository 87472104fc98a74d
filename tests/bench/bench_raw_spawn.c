/* The denominator of exec: threads that do nothing but posix_spawn() a program and wait for it.
 *
 * Usage: bench_raw_spawn PROGRAM COUNT THREADS; prints runs per second. */

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#define THREADS_MAX 64

static char *program;
static atomic_long left;

static void *work(void *arg)
{
    while (atomic_fetch_sub(&left, 1) > 0) {
        char *const argv[] = { program, NULL };
        char *const env[] = { NULL };
        pid_t pid;
        int status;

        if (posix_spawn(&pid, program, NULL, NULL, argv, env) != 0 ||
            waitpid(pid, &status, 0) != pid || status != 0) {
            fprintf(stderr, "bench_raw_spawn: %s does not run\n", program);
            exit(EXIT_FAILURE);
        }
    }
    return arg;
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    long thread_count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;

    if (count < 1 || thread_count < 1 || thread_count > THREADS_MAX) {
        fprintf(stderr, "usage: bench_raw_spawn PROGRAM COUNT THREADS\n");
        return EXIT_FAILURE;
    }
    program = argv[1];
    atomic_store(&left, count);

    double began = now_seconds();

    for (long i = 0; i < thread_count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return EXIT_FAILURE;
    for (long i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    printf("%.0f\n", (double)count / (now_seconds() - began));
    return EXIT_SUCCESS;
}
