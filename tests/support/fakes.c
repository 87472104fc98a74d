#include "tests/support/fakes.h"

#include "core/domain/container_of.h"

#include <stdio.h>
#include <string.h>

#define FIRST_TICK_MS 5000000 /* so that mixing up the two clocks shows */

static int64_t fake_now_ms(struct tc_clock *clock)
{
    return TC_CONTAINER_OF(clock, struct fake_clock, base)->now_ms;
}

static int64_t fake_tick_ms(struct tc_clock *clock)
{
    return TC_CONTAINER_OF(clock, struct fake_clock, base)->tick_ms;
}

void fake_clock_init(struct fake_clock *clock, int64_t now_ms)
{
    static const struct tc_clock_ops ops = { .now_ms = fake_now_ms, .tick_ms = fake_tick_ms };

    clock->base.ops = &ops;
    clock->now_ms = now_ms;
    clock->tick_ms = FIRST_TICK_MS;
}

void fake_clock_advance(struct fake_clock *clock, int64_t ms)
{
    clock->now_ms += ms;
    clock->tick_ms += ms;
}

static struct fake_ids *ids_of(struct tc_ids *ids)
{
    return TC_CONTAINER_OF(ids, struct fake_ids, base);
}

static void fake_make(struct tc_ids *ids, size_t count, struct tc_id *ret_ids)
{
    struct fake_ids *self = ids_of(ids);
    int64_t now_ms = tc_clock_now_ms(self->clock);

    if (now_ms > self->latest_ms)
        self->latest_ms = now_ms;
    for (size_t i = 0; i < count; i++)
        ret_ids[i] = tc_id_make(self->latest_ms, FAKE_IDS_BUCKET, ++self->made);
}

static uint64_t fake_random(struct tc_ids *ids)
{
    struct fake_ids *self = ids_of(ids);
    size_t at = self->drawn++;

    return self->script_len ? self->script[at % self->script_len] : 0;
}

void fake_ids_init(struct fake_ids *ids, struct tc_clock *clock)
{
    static const struct tc_ids_ops ops = { .make = fake_make, .random = fake_random };

    *ids = (struct fake_ids){ .base.ops = &ops, .clock = clock };
}

static struct fake_queue *queue_of(struct tc_task_queue *queue)
{
    return TC_CONTAINER_OF(queue, struct fake_queue, base);
}

static enum tc_code fake_publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                                 size_t count, struct tc_error *err)
{
    struct fake_queue *self = queue_of(queue);

    if (self->answer != TC_OK) {
        self->refused++;
        return tc_fail(err, self->answer, "fake queue says no");
    }
    if (count == 0)
        self->looks++;
    for (size_t i = 0; i < count; i++, self->count++)
        if (self->count < FAKE_QUEUE_MAX)
            self->hints[self->count] = hints[i];
    return TC_OK;
}

static enum tc_code fake_deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                                 size_t count, int64_t wait_ms, struct tc_error *err)
{
    struct fake_queue *self = queue_of(queue);

    self->deliver_ms = wait_ms;
    if (self->deliver_answer != TC_OK) {
        self->undelivered++;
        return tc_fail(err, self->deliver_answer, "fake queue does not acknowledge");
    }
    self->deliveries++;
    return fake_publish(queue, hints, count, err);
}

static enum tc_code fake_receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                                 struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                 struct tc_error *err)
{
    struct fake_queue *self = queue_of(queue);
    struct tc_delivery delivery = { .look = self->looked < self->looks };

    (void)wait_ms;
    (void)err;
    self->looked = self->looks;
    while (delivery.count < max && self->taken < self->count && self->taken < FAKE_QUEUE_MAX)
        ret_hints[delivery.count++] = self->hints[self->taken++];
    delivery.receipt = self->taken;
    *ret_delivery = delivery;
    return TC_OK;
}

static enum tc_code fake_commit(struct tc_task_queue *queue, uint64_t receipt,
                                struct tc_error *err)
{
    (void)err;
    queue_of(queue)->commit = receipt;
    return TC_OK;
}

static void fake_queue_interrupt(struct tc_task_queue *queue)
{
    (void)queue; /* receive() never waits */
}

void fake_queue_init(struct fake_queue *queue)
{
    static const struct tc_task_queue_ops ops = {
        .name = "fake",
        .publish = fake_publish,
        .deliver = fake_deliver,
        .receive = fake_receive,
        .commit = fake_commit,
        .interrupt = fake_queue_interrupt,
    };

    memset(queue, 0, sizeof(*queue));
    queue->base.ops = &ops;
}

static struct fake_events *events_of(struct tc_task_events *events)
{
    return TC_CONTAINER_OF(events, struct fake_events, base);
}

static void fake_notify(struct tc_task_events *events, const struct tc_id *ids, size_t count)
{
    struct fake_events *self = events_of(events);

    for (size_t i = 0; i < count; i++, self->count++)
        if (self->count < FAKE_EVENTS_MAX)
            self->notified[self->count] = ids[i];
}

static uint64_t fake_watch(struct tc_task_events *events, const struct tc_id *id)
{
    struct fake_events *self = events_of(events);

    (void)id;
    self->watches++;
    return self->count;
}

static void fake_wait(struct tc_task_events *events, const struct tc_id *id, uint64_t *ticket,
                      int64_t wait_ms)
{
    struct fake_events *self = events_of(events);

    (void)id;
    self->waits++;
    if (wait_ms > self->longest_ms)
        self->longest_ms = wait_ms;
    if (self->during)
        self->during(self->during_ctx);
    if (!self->interrupted && *ticket == self->count)
        fake_clock_advance(self->clock, wait_ms);
    *ticket = self->interrupted ? TC_EVENTS_INTERRUPTED : self->count;
}

static void fake_events_interrupt(struct tc_task_events *events)
{
    events_of(events)->interrupted = true;
}

void fake_events_init(struct fake_events *events, struct fake_clock *clock)
{
    static const struct tc_task_events_ops ops = {
        .notify = fake_notify,
        .watch = fake_watch,
        .wait = fake_wait,
        .interrupt = fake_events_interrupt,
    };

    memset(events, 0, sizeof(*events));
    events->base.ops = &ops;
    events->clock = clock;
}

bool fake_events_saw(const struct fake_events *events, const struct tc_id *id)
{
    size_t kept = events->count < FAKE_EVENTS_MAX ? events->count : FAKE_EVENTS_MAX;

    for (size_t i = 0; i < kept; i++)
        if (tc_id_compare(&events->notified[i], id) == 0)
            return true;
    return false;
}

static void fake_write(struct tc_logger *logger, enum tc_log_level level,
                       const struct tc_log_subject *subject, const char *message)
{
    struct fake_logger *self = TC_CONTAINER_OF(logger, struct fake_logger, base);
    const char *request_id = subject && subject->request_id ? subject->request_id : "";

    self->level = level;
    self->count++;
    snprintf(self->message, sizeof(self->message), "%s", message);
    snprintf(self->request_id, sizeof(self->request_id), "%s", request_id);
    self->task_id = subject && subject->task_id ? *subject->task_id : (struct tc_id){ { 0 } };
}

void fake_logger_init(struct fake_logger *logger, enum tc_log_level threshold)
{
    static const struct tc_logger_ops ops = { .write = fake_write };

    *logger = (struct fake_logger){ .base = { .ops = &ops, .threshold = threshold } };
}
