#include "apps/process/process.h"
#include "apps/service/service.h"
#include "ports/logger.h"

#include <pthread.h>

/* The drain blocks, so it gets a thread of its own while this one listens for a signal. */
struct draining {
    struct service *service;
    int64_t drain_ms;
    pthread_t waiter;
};

static void *drain_thread(void *arg)
{
    struct draining *draining = arg;

    service_drain(draining->service, draining->drain_ms);
    /* Ends the wait below; SIGTERM is blocked in every thread and taken by sigwaitinfo().
     * NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread,cert-pos44-c) */
    pthread_kill(draining->waiter, SIGTERM);
    return NULL;
}

void process_drain(struct process *process, struct service *service, int64_t drain_ms)
{
    struct draining draining = { service, drain_ms, pthread_self() };
    siginfo_t info;
    pthread_t thread;

    tc_log(process->logger, TC_LOG_INFO, NULL, "told to stop; running tasks get %lld ms",
           (long long)drain_ms);
    if (pthread_create(&thread, NULL, drain_thread, &draining) != 0) {
        service_drain(service, drain_ms);
        return;
    }
    /* Our own signal comes from this process by tkill; a user's comes by kill. */
    if (sigwaitinfo(&process->stop_signals, &info) > 0 && info.si_code != SI_TKILL)
        service_drain(service, 0);
    pthread_join(thread, NULL);
}
