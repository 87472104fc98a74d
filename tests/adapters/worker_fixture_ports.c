#include "tests/adapters/worker_fixture.h"

#include "ports/task_events.h"
#include "ports/task_queue.h"

#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t rung = PTHREAD_COND_INITIALIZER;
static bool bell;
static bool interrupted;
static struct tc_hint named[8]; /* for those who carry ids */
static size_t hint_count;

/* --- a queue that is only a bell */

static enum tc_code bell_publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                                 size_t count, struct tc_error *error)
{
    (void)queue;
    (void)hints;
    (void)count;
    (void)error;
    pthread_mutex_lock(&lock);
    bell = true;
    pthread_cond_broadcast(&rung);
    pthread_mutex_unlock(&lock);
    return TC_OK;
}

void fixture_hint(struct tc_id id)
{
    pthread_mutex_lock(&lock);
    named[hint_count++] = (struct tc_hint){ .id = id };
    pthread_cond_broadcast(&rung);
    pthread_mutex_unlock(&lock);
}

static enum tc_code bell_receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                                 struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                 struct tc_error *error)
{
    struct timespec end = fixture_in_ms(wait_ms);
    size_t count = 0;

    (void)queue;
    if (atomic_load(&fixture.faults.receive_code) != TC_OK)
        return tc_fail(error, (enum tc_code)atomic_exchange(&fixture.faults.receive_code, 0),
                       "the test's queue is away");
    pthread_mutex_lock(&lock);
    while (!bell && !interrupted && hint_count == 0)
        if (pthread_cond_timedwait(&rung, &lock, &end) != 0)
            break;
    while (count < max && hint_count > 0)
        ret_hints[count++] = named[--hint_count];
    *ret_delivery = (struct tc_delivery){ .count = count, .look = bell, .receipt = 1 };
    bell = false;
    interrupted = false;
    pthread_mutex_unlock(&lock);
    return TC_OK;
}

static enum tc_code bell_commit(struct tc_task_queue *queue, uint64_t receipt,
                                struct tc_error *error)
{
    (void)queue;
    (void)error;
    atomic_fetch_add(&fixture.faults.commits, (int)receipt);
    fixture_changed();
    return TC_OK;
}

static void bell_interrupt(struct tc_task_queue *queue)
{
    (void)queue;
    pthread_mutex_lock(&lock);
    interrupted = true;
    pthread_cond_broadcast(&rung);
    pthread_mutex_unlock(&lock);
}

static enum tc_code bell_deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                                 size_t count, int64_t wait_ms, struct tc_error *error)
{
    (void)wait_ms;
    return bell_publish(queue, hints, count, error);
}

static const struct tc_task_queue_ops bell_ops = {
    .name = "bell",
    .publish = bell_publish,
    .deliver = bell_deliver,
    .receive = bell_receive,
    .commit = bell_commit,
    .interrupt = bell_interrupt,
};
struct tc_task_queue fixture_queue = { &bell_ops };

static void quiet_notify(struct tc_task_events *events, const struct tc_id *ids, size_t count)
{
    (void)events;
    (void)ids;
    (void)count;
    fixture_changed();
}

static const struct tc_task_events_ops quiet_ops = { .notify = quiet_notify };
struct tc_task_events fixture_events = { &quiet_ops };

/* --- a store that can be away */

static bool fails_now(_Atomic int *failures)
{
    if (atomic_load(failures) == 0)
        return false;
    if (atomic_load(failures) > 0)
        atomic_fetch_sub(failures, 1);
    return true;
}

static bool is_refused(const struct tc_outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].result.kind != TC_CONTENT_NONE)
            return atomic_load(&fixture.faults.refuse_results);
    return false;
}

static enum tc_code faulty_claim(struct tc_lease_repo *repo, const struct tc_claim *claim,
                                 struct tc_task *ret_tasks, size_t *ret_count,
                                 struct tc_error *error)
{
    struct tc_lease_repo *inner = fixture.inner;
    enum tc_code code = (enum tc_code)atomic_load(&fixture.faults.claim_code);

    (void)repo;
    atomic_fetch_add(&fixture.faults.claims, 1);
    if (claim->id_count > 0)
        atomic_fetch_add(&fixture.faults.named_claims, 1);
    fixture_changed();
    if (code != TC_OK)
        return tc_fail(error, code, "the test's store is away");
    code = inner->ops->claim(inner, claim, ret_tasks, ret_count, error);
    fixture_changed();
    return code;
}

static enum tc_code faulty_extend(struct tc_lease_repo *repo, const struct tc_renewal *renewals,
                                  size_t count, struct tc_renewed *ret_renewed,
                                  struct tc_error *error)
{
    struct tc_lease_repo *inner = fixture.inner;
    enum tc_code code;

    (void)repo;
    if (fails_now(&fixture.faults.extend_failures))
        return tc_fail(error, TC_UNAVAILABLE, "the test's store is away");
    code = inner->ops->extend(inner, renewals, count, ret_renewed, error);
    for (size_t i = 0; code == TC_OK && i < count; i++)
        atomic_fetch_add(ret_renewed[i].stale == TC_STALE_NONE ? &fixture.faults.extends
                                                               : &fixture.faults.stale_extends,
                         1);
    fixture_changed();
    return code;
}

static enum tc_code faulty_finish(struct tc_lease_repo *repo, const struct tc_outcome *outcomes,
                                  size_t count, struct tc_verdict *ret_verdicts,
                                  struct tc_error *error)
{
    struct tc_lease_repo *inner = fixture.inner;
    bool fails = fails_now(&fixture.faults.finish_failures);
    enum tc_code code = TC_OK;

    (void)repo;
    atomic_fetch_add(&fixture.faults.finishes, 1);
    if (is_refused(outcomes, count))
        return tc_fail(error, TC_INTERNAL, "the test's store refuses results");
    if (!fails || atomic_load(&fixture.faults.finish_applies))
        code = inner->ops->finish(inner, outcomes, count, ret_verdicts, error);
    fixture_changed();
    if (fails)
        return tc_fail(error, (enum tc_code)atomic_load(&fixture.faults.finish_code),
                       "the test's store is away");
    return code;
}

static enum tc_code faulty_take_ended(struct tc_lease_repo *repo, const char *owner, size_t max,
                                      int64_t lease_ms, struct tc_task *ret_tasks,
                                      size_t *ret_count, struct tc_error *error)
{
    struct tc_lease_repo *inner = fixture.inner;

    (void)repo;
    return inner->ops->take_ended(inner, owner, max, lease_ms, ret_tasks, ret_count, error);
}

static enum tc_code faulty_wake(struct tc_lease_repo *repo, size_t max, size_t *ret_count,
                                int64_t *ret_next_ms, struct tc_error *error)
{
    struct tc_lease_repo *inner = fixture.inner;
    enum tc_code code = inner->ops->wake(inner, max, ret_count, ret_next_ms, error);

    (void)repo;
    fixture_changed();
    return code;
}

static const struct tc_lease_repo_ops faulty_ops = { "faulty",          faulty_claim,
                                                     faulty_extend,     faulty_finish,
                                                     faulty_take_ended, faulty_wake };

struct tc_lease_repo fixture_leases = { &faulty_ops };
