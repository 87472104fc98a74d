#define _DEFAULT_SOURCE 1 /* eventfd's flags come with it on Debian */
#include "adapters/kafka/kafka_task_queue.h"

#include "adapters/kafka/kafka_consumer.h"
#include "adapters/kafka/kafka_keeper.h"
#include "adapters/kafka/kafka_producer.h"
#include "core/domain/container_of.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CLOSE_MS   4500 /* all of close() but the keeper's end */
#define FLUSH_MS   1000
#define OTHERS_MAX 1000 /* messages passed over in one receive() */

struct kafka_task_queue {
    struct tc_task_queue base;
    struct kafka_settings settings;
    struct kafka_link *link;
    struct kafka_producer producer;
    struct kafka_keeper keeper;
    int wake_fd; /* messages, topics, an interrupt */
    _Atomic bool interrupted;

    /* the receiver's */
    bool receives;
    struct kafka_consumer consumers[KAFKA_BANDS];
    struct kafka_receipts receipts;
    size_t uncommitted; /* deliveries since the last commit */
};

static struct kafka_task_queue *self_of(struct tc_task_queue *queue)
{
    return TC_CONTAINER_OF(queue, struct kafka_task_queue, base);
}

static enum tc_code kafka_publish(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, struct tc_error *err)
{
    struct kafka_task_queue *self = self_of(queue);

    if (count == 0)
        return atomic_load(&self->link->state) == KAFKA_LINK_HERE
                   ? TC_OK
                   : tc_fail(err, TC_UNAVAILABLE, "no kafka broker answers");
    return kafka_producer_send(&self->producer, hints, count, NULL, err);
}

static enum tc_code kafka_deliver(struct tc_task_queue *queue, const struct tc_hint *hints,
                                  size_t count, int64_t wait_ms, struct tc_error *err)
{
    struct kafka_ticket *ticket = kafka_ticket_new();
    struct tc_error later;

    if (!ticket)
        return tc_fail(err, TC_NO_MEMORY, "a delivery of hints");

    enum tc_code code =
        kafka_producer_send(&self_of(queue)->producer, hints, count, ticket, err);

    if (code == TC_OK)
        return kafka_ticket_wait(ticket, wait_ms, err);
    (void)!kafka_ticket_wait(ticket, 0, &later);
    return code;
}

/* [Q5] A band holds several priorities; they mostly come in order, or all the same. */
static void put_in_order(struct tc_hint *hints, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct tc_hint hint = hints[i];
        size_t place = i;

        while (place > 0 && hints[place - 1].priority < hint.priority)
            place--;
        if (place == i)
            continue;
        memmove(&hints[place + 1], &hints[place], (i - place) * sizeof(*hints));
        hints[place] = hint;
    }
}

/* Higher bands first. @return how many hints. */
static size_t collect(struct kafka_task_queue *self, size_t max, struct tc_hint *ret_hints,
                      struct kafka_receipt *receipt)
{
    size_t count = 0;
    size_t others = 0;
    struct kafka_place place;

    for (int band = 0; band < KAFKA_BANDS; band++) {
        enum kafka_found found = KAFKA_FOUND_OTHER;

        while (count < max && others < OTHERS_MAX && found != KAFKA_FOUND_NOTHING) {
            found = kafka_consumer_poll(&self->consumers[band], &ret_hints[count], &place);
            if (found != KAFKA_FOUND_NOTHING)
                (void)!kafka_receipt_add(receipt, &place);
            count += found == KAFKA_FOUND_HINT;
            others += found == KAFKA_FOUND_OTHER;
        }
    }
    put_in_order(ret_hints, count);
    return count;
}

static void store(struct kafka_task_queue *self, struct kafka_receipt *receipt)
{
    for (int band = 0; band < KAFKA_BANDS; band++)
        kafka_consumer_store(&self->consumers[band], receipt->places, receipt->count);
    *receipt = (struct kafka_receipt){ .places = receipt->places, .size = receipt->size };
}

static void sleep_until_rung(struct kafka_task_queue *self, int64_t end_ms)
{
    struct pollfd wake = { .fd = self->wake_fd, .events = POLLIN };
    int64_t rest_ms = end_ms - kafka_tick_ms();

    if (rest_ms > 0)
        (void)poll(&wake, 1, rest_ms > INT32_MAX ? INT32_MAX : (int)rest_ms);
}

static enum tc_code kafka_receive(struct tc_task_queue *queue, int64_t wait_ms, size_t max,
                                  struct tc_hint *ret_hints, struct tc_delivery *ret_delivery,
                                  struct tc_error *err)
{
    struct kafka_task_queue *self = self_of(queue);
    struct kafka_receipt *receipt = kafka_receipts_begin(&self->receipts);
    int64_t end_ms = kafka_wait_end_ms(wait_ms);
    uint64_t rings;
    size_t count;

    (void)err;
    assert(self->receives);
    for (;;) {
        (void)!read(self->wake_fd, &rings, sizeof(rings)); /* what rings from here on counts */
        for (int band = 0; band < KAFKA_BANDS; band++)
            kafka_consumer_tend(&self->consumers[band]);
        count = collect(self, max, ret_hints, receipt);
        if (atomic_exchange(&self->interrupted, false) || count > 0 ||
            kafka_tick_ms() >= end_ms)
            break;
        sleep_until_rung(self, end_ms);
    }
    if (count > 0)
        self->uncommitted++;
    else if (self->uncommitted == 0)
        store(self, receipt); /* only messages that nobody will ask about */
    *ret_delivery = (struct tc_delivery){ .count = count, .receipt = receipt->number };
    return TC_OK;
}

static enum tc_code kafka_commit(struct tc_task_queue *queue, uint64_t number,
                                 struct tc_error *err)
{
    struct kafka_task_queue *self = self_of(queue);
    struct kafka_receipt *receipt = kafka_receipts_find(&self->receipts, number);

    (void)err;
    if (receipt && receipt->count > 0) {
        store(self, receipt);
        self->uncommitted = 0; /* Kafka knows offsets: earlier deliveries are committed, too */
    }
    return TC_OK;
}

static void ring(struct kafka_task_queue *self)
{
    static const uint64_t one = 1;

    (void)!write(self->wake_fd, &one, sizeof(one));
}

static void kafka_interrupt(struct tc_task_queue *queue)
{
    struct kafka_task_queue *self = self_of(queue);

    atomic_store(&self->interrupted, true);
    ring(self);
}

static enum tc_code open_consumers(struct kafka_task_queue *self, struct tc_error *err)
{
    enum tc_code code = TC_OK;

    self->receives = true;
    for (int band = 0; band < KAFKA_BANDS && code == TC_OK; band++)
        code = kafka_consumer_open(&self->consumers[band], &self->settings, self->link,
                                   (enum kafka_band)band, self->wake_fd, err);
    return code;
}

static enum tc_code open_parts(struct kafka_task_queue *self,
                               const struct kafka_task_queue_config *config,
                               struct tc_error *err)
{
    enum tc_code code = kafka_settings_init(&self->settings, config, err);

    if (code != TC_OK)
        return code;
    self->link = kafka_link_new(config->logger);
    if (!self->link)
        return tc_fail(err, TC_NO_MEMORY, "a kafka queue");
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->wake_fd < 0)
        return tc_fail(err, TC_UNAVAILABLE, "no eventfd for a kafka queue");
    code = kafka_producer_open(&self->producer, &self->settings, self->link, err);
    if (code == TC_OK && config->receives)
        code = open_consumers(self, err);
    if (code == TC_OK)
        code = kafka_keeper_open(&self->keeper, &self->producer, self->wake_fd, err);
    return code;
}

enum tc_code kafka_task_queue_open(const struct kafka_task_queue_config *config,
                                   struct tc_task_queue **ret_queue, struct tc_error *err)
{
    static const struct tc_task_queue_ops ops = {
        .name = "kafka",
        .publish = kafka_publish,
        .deliver = kafka_deliver,
        .receive = kafka_receive,
        .commit = kafka_commit,
        .interrupt = kafka_interrupt,
    };
    struct kafka_task_queue *self = calloc(1, sizeof(*self));

    if (!self)
        return tc_fail(err, TC_NO_MEMORY, "a kafka queue");
    self->base.ops = &ops;
    self->wake_fd = -1;

    enum tc_code code = open_parts(self, config, err);

    if (code != TC_OK) {
        kafka_task_queue_close(&self->base);
        return code;
    }
    *ret_queue = &self->base;
    return TC_OK;
}

static void flush(struct kafka_task_queue *self)
{
    struct kafka_client *client = self->producer.client;

    if (client && atomic_load(&self->link->state) == KAFKA_LINK_HERE)
        (void)rd_kafka_flush(client->rk, FLUSH_MS);
}

static void close_clients(struct kafka_task_queue *self)
{
    int64_t end_ms = kafka_wait_end_ms(CLOSE_MS);

    kafka_keeper_close(&self->keeper);
    for (int band = 0; band < KAFKA_BANDS; band++)
        kafka_consumer_close(&self->consumers[band]);
    flush(self);
    kafka_producer_close(&self->producer);
    if (!kafka_link_await_burials(self->link, end_ms))
        kafka_link_log(self->link, TC_LOG_WARN,
                       "kafka: a client does not end in time and is left behind");
    kafka_link_mute(self->link);
    kafka_link_unref(self->link);
}

void kafka_task_queue_close(struct tc_task_queue *queue)
{
    if (!queue)
        return;

    struct kafka_task_queue *self = self_of(queue);

    if (self->link)
        close_clients(self);
    if (self->wake_fd >= 0)
        close(self->wake_fd);
    kafka_receipts_release(&self->receipts);
    kafka_settings_release(&self->settings);
    free(self);
}
