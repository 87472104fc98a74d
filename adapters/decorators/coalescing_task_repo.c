#include "adapters/decorators/coalescing_task_repo.h"

#include "adapters/decorators/futex.h"
#include "core/domain/container_of.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_CREATIONS_MAX 256
#define GROUP_TASKS_MAX     1000
#define GROUP_BYTES_MAX     ((size_t)4 * 1024 * 1024)
#define GROUPS_MAX          128 /* a power of two: group numbers wrap around */

/* What a waiting caller is told through its own word. */
enum turn {
    TURN_WAIT,
    TURN_LEAD, /* the way is free: carry your group */
};

/* One insert() in progress, on its caller's stack. */
struct request {
    struct request *next;
    const struct tc_creation *creations;
    size_t count;
    struct tc_inserted *inserted;
    struct tc_error *err;
    enum tc_code code;
    _Atomic uint32_t turn; /* of a group's first request */
};

/* Requests that go together; the first one's caller will carry them. */
struct group {
    struct request *first;
    struct request *last;
    size_t creations;
    size_t tasks;
    size_t bytes;
    /* The number of the group that was carried last in this place. Its callers wait on it. */
    _Atomic uint32_t carried;
};

struct coalescing_task_repo {
    struct tc_task_repo base;
    struct tc_task_repo *inner;

    pthread_mutex_t lock;
    struct group groups[GROUPS_MAX]; /* a ring: numbers oldest..newest are in use */
    uint32_t oldest;                 /* in flight, or next to be carried */
    uint32_t newest;                 /* the last one that was formed */
    uint32_t started;                /* whose leader has begun: closed to newcomers */

    /* The leader's, outside the lock: there is one at a time. */
    struct tc_creation creations[GROUP_CREATIONS_MAX];
    struct tc_inserted inserted[GROUP_CREATIONS_MAX];
};

static struct coalescing_task_repo *self_of(struct tc_task_repo *repo)
{
    return TC_CONTAINER_OF(repo, struct coalescing_task_repo, base);
}

static struct group *group_of(struct coalescing_task_repo *self, uint32_t number)
{
    return &self->groups[number % GROUPS_MAX];
}

/* How much a request adds to a group. */
struct weight {
    size_t tasks;
    size_t bytes;
};

static struct weight weigh(const struct request *request)
{
    struct weight weight = { 0 };

    for (size_t i = 0; i < request->count; i++) {
        const struct tc_creation *creation = &request->creations[i];

        weight.tasks += creation->task_count;
        weight.bytes += creation->answer.len;
        for (size_t t = 0; t < creation->task_count; t++)
            weight.bytes += creation->tasks[t].payload.bytes.len;
    }
    return weight;
}

static bool has_room(const struct group *group, const struct request *request,
                     struct weight weight)
{
    return group->creations + request->count <= GROUP_CREATIONS_MAX &&
           group->tasks + weight.tasks <= GROUP_TASKS_MAX &&
           group->bytes + weight.bytes <= GROUP_BYTES_MAX;
}

static bool is_empty(const struct coalescing_task_repo *self)
{
    return self->newest + 1 == self->oldest;
}

/* Can the newest group still grow? It can until its leader is at its list. */
static bool is_open(const struct coalescing_task_repo *self)
{
    return !is_empty(self) && self->newest != self->started;
}

/* The lock is held. The number of the group that the request joined; false: too many wait. */
static bool join(struct coalescing_task_repo *self, struct request *request,
                 struct weight weight, uint32_t *ret_number)
{
    struct group *group = group_of(self, self->newest);

    if (is_open(self) && has_room(group, request, weight)) {
        group->last->next = request;
    } else {
        if (self->newest + 1 - self->oldest == GROUPS_MAX)
            return false;
        group = group_of(self, ++self->newest);
        group->first = request;
        group->creations = group->tasks = group->bytes = 0;
    }
    group->last = request;
    group->creations += request->count;
    group->tasks += weight.tasks;
    group->bytes += weight.bytes;
    *ret_number = self->newest;
    return true;
}

static enum tc_code insert_alone(struct coalescing_task_repo *self, struct request *request)
{
    return self->inner->ops->insert(self->inner, request->creations, request->count,
                                    request->inserted, request->err);
}

/* Errors that every member shares: the store was away, or its answer was lost. */
static bool is_common(enum tc_code code)
{
    return code == TC_UNAVAILABLE || code == TC_UNKNOWN;
}

static void answer_all(struct group *group, enum tc_code code, const struct tc_error *err)
{
    for (struct request *request = group->first; request; request = request->next) {
        request->code = code;
        if (request->err)
            *request->err = *err;
    }
}

static void hand_out(struct coalescing_task_repo *self, struct group *group)
{
    size_t at = 0;

    for (struct request *request = group->first; request; request = request->next) {
        memcpy(request->inserted, &self->inserted[at],
               request->count * sizeof(*request->inserted));
        at += request->count;
        request->code = TC_OK;
    }
}

/* Carry a group of several to the store. Only the leader runs this. */
static void insert_together(struct coalescing_task_repo *self, struct group *group)
{
    struct tc_error err = { 0 };
    size_t count = 0;

    for (struct request *request = group->first; request; request = request->next) {
        memcpy(&self->creations[count], request->creations,
               request->count * sizeof(*request->creations));
        count += request->count;
    }

    enum tc_code code =
        self->inner->ops->insert(self->inner, self->creations, count, self->inserted, &err);

    if (code == TC_OK) {
        hand_out(self, group);
    } else if (is_common(code)) {
        answer_all(group, code, &err);
    } else {
        for (struct request *request = group->first; request; request = request->next)
            request->code = insert_alone(self, request);
    }
}

/* Let the next group's first caller lead, then wake the callers of this one. */
static void pass_on(struct coalescing_task_repo *self, uint32_t number)
{
    struct group *group = group_of(self, number);
    bool others = group->first->next != NULL;
    struct request *next = NULL;

    pthread_mutex_lock(&self->lock);
    self->oldest = number + 1;
    if (!is_empty(self))
        next = group_of(self, self->oldest)->first;
    /* From here on the place may be used again, 128 groups later; `carried` only grows. */
    atomic_store(&group->carried, number);
    if (next)
        atomic_store(&next->turn, TURN_LEAD);
    pthread_mutex_unlock(&self->lock);
    if (next)
        futex_wake(&next->turn, 1);
    if (others)
        futex_wake(&group->carried, INT_MAX);
}

static void lead(struct coalescing_task_repo *self, uint32_t number)
{
    struct group *group = group_of(self, number);

    if (group->first->next)
        insert_together(self, group);
    else
        group->first->code = insert_alone(self, group->first);
    pass_on(self, number);
}

/* Wait until the way is free; who comes while this thread wakes up still joins. */
static void await_turn(struct coalescing_task_repo *self, struct request *request,
                       uint32_t number)
{
    while (atomic_load(&request->turn) != TURN_LEAD)
        futex_wait(&request->turn, TURN_WAIT);
    pthread_mutex_lock(&self->lock);
    self->started = number;
    pthread_mutex_unlock(&self->lock);
}

static void await_carried(struct group *group, uint32_t number)
{
    uint32_t carried = atomic_load(&group->carried);

    while ((int32_t)(carried - number) < 0) {
        futex_wait(&group->carried, carried);
        carried = atomic_load(&group->carried);
    }
}

static enum tc_code coalescing_insert(struct tc_task_repo *repo,
                                      const struct tc_creation *creations, size_t count,
                                      struct tc_inserted *ret_inserted, struct tc_error *err)
{
    struct coalescing_task_repo *self = self_of(repo);
    struct request request = {
        .creations = creations, .count = count, .inserted = ret_inserted, .err = err
    };
    struct weight weight = weigh(&request);
    uint32_t number = 0;

    if (count == 0 || count > GROUP_CREATIONS_MAX)
        return insert_alone(self, &request);
    pthread_mutex_lock(&self->lock);

    bool at_once = is_empty(self);
    bool joined = join(self, &request, weight, &number);
    bool first = joined && group_of(self, number)->first == &request;

    if (at_once)
        self->started = number;
    pthread_mutex_unlock(&self->lock);
    if (!joined)
        return tc_fail(err, TC_UNAVAILABLE, "too many creations wait to be stored");
    if (first) {
        if (!at_once)
            await_turn(self, &request, number);
        lead(self, number);
    } else {
        await_carried(group_of(self, number), number);
    }
    return request.code;
}

static enum tc_code coalescing_get(struct tc_task_repo *repo, const struct tc_id *id,
                                   struct tc_task *ret_task, struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->get(inner, id, ret_task, err);
}

static enum tc_code coalescing_list(struct tc_task_repo *repo,
                                    const struct tc_task_filter *filter,
                                    struct tc_task_page *ret_page, struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->list(inner, filter, ret_page, err);
}

static enum tc_code coalescing_change(struct tc_task_repo *repo, const struct tc_change *change,
                                      struct tc_task *ret_task, struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->change(inner, change, ret_task, err);
}

static enum tc_code coalescing_counts(struct tc_task_repo *repo,
                                      struct tc_queue_count **ret_counts, size_t *ret_count,
                                      struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->counts(inner, ret_counts, ret_count, err);
}

static enum tc_code coalescing_check(struct tc_task_repo *repo, struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->check(inner, err);
}

static enum tc_code coalescing_forget_keys(struct tc_task_repo *repo, int64_t before_ms,
                                           size_t max, size_t *ret_count, struct tc_error *err)
{
    struct tc_task_repo *inner = self_of(repo)->inner;

    return inner->ops->forget_keys(inner, before_ms, max, ret_count, err);
}

static const struct tc_task_repo_ops coalescing_task_repo_ops = {
    .name = "coalescing",
    .insert = coalescing_insert,
    .get = coalescing_get,
    .list = coalescing_list,
    .change = coalescing_change,
    .counts = coalescing_counts,
    .check = coalescing_check,
    .forget_keys = coalescing_forget_keys,
};

enum tc_code coalescing_task_repo_open(struct tc_task_repo *inner,
                                       struct tc_task_repo **ret_repo, struct tc_error *err)
{
    struct coalescing_task_repo *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "the group commit");
    self->base.ops = &coalescing_task_repo_ops;
    self->inner = inner;
    self->oldest = 1; /* number 0 is what every fresh place has carried */
    pthread_mutex_init(&self->lock, NULL);
    *ret_repo = &self->base;
    return TC_OK;
}

void coalescing_task_repo_close(struct tc_task_repo *repo)
{
    if (!repo)
        return;

    struct coalescing_task_repo *self = self_of(repo);

    pthread_mutex_destroy(&self->lock);
    free(self);
}
