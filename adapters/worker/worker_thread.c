#include "adapters/worker/worker_internal.h"

#include <signal.h>
#include <time.h>

int64_t worker_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void worker_wait_until(struct worker *worker, pthread_cond_t *cond, int64_t end_us)
{
    struct timespec end = { .tv_sec = (time_t)(end_us / 1000000),
                            .tv_nsec = (long)(end_us % 1000000) * 1000 };

    if (end_us == WORKER_NEVER_US)
        pthread_cond_wait(cond, &worker->lock);
    else
        pthread_cond_timedwait(cond, &worker->lock, &end);
}

void worker_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool worker_thread_start(struct worker *worker, struct worker_thread *thread, size_t stack_size,
                         void *(*main)(void *), void *arg)
{
    pthread_attr_t attributes;
    sigset_t every;
    sigset_t before;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size);
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);

    bool started = pthread_create(&thread->id, &attributes, main, arg) == 0;

    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (started) {
        thread->state = THREAD_ALIVE;
        worker->threads_alive++;
    }
    return started;
}

void worker_thread_leave(struct worker *worker, struct worker_thread *thread)
{
    thread->state = THREAD_ENDED;
    worker->threads_alive--;

    bool last = worker->closed && worker->threads_alive == 0;

    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    if (last)
        worker_free(worker);
}

void worker_note_store(struct worker *worker, enum tc_code code, const struct tc_error *err)
{
    bool is_down = code != TC_OK;

    if (atomic_load_explicit(&worker->store_is_down, memory_order_relaxed) == is_down ||
        atomic_exchange(&worker->store_is_down, is_down) == is_down)
        return;
    if (is_down)
        tc_log(worker->ports.logger, TC_LOG_WARN, NULL, "the store fails: %s: %s",
               tc_code_name(code), err->message);
    else
        tc_log(worker->ports.logger, TC_LOG_INFO, NULL, "the store is back");
}
