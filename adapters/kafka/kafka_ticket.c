#include "adapters/kafka/kafka_ticket.h"

#include "adapters/kafka/kafka_client.h"

#include <stdlib.h>

struct kafka_ticket {
    pthread_mutex_t mutex;
    pthread_cond_t settled;
    size_t refs;   /* messages on their way, and the caller */
    size_t open;   /* messages without report */
    size_t failed; /* of those reported */
    size_t maybe;  /* of the failed: a broker may have them nevertheless */
    rd_kafka_resp_err_t why;
};

struct kafka_ticket *kafka_ticket_new(void)
{
    struct kafka_ticket *ticket = calloc(1, sizeof(*ticket));

    if (!ticket)
        return NULL;
    ticket->refs = 1;
    if (kafka_wait_init(&ticket->mutex, &ticket->settled))
        return ticket;
    free(ticket);
    return NULL;
}

/* Gives the mutex back. */
static void unref_locked(struct kafka_ticket *ticket)
{
    bool last = --ticket->refs == 0;

    pthread_mutex_unlock(&ticket->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&ticket->settled);
    pthread_mutex_destroy(&ticket->mutex);
    free(ticket);
}

void kafka_ticket_add(struct kafka_ticket *ticket)
{
    pthread_mutex_lock(&ticket->mutex);
    ticket->refs++;
    ticket->open++;
    pthread_mutex_unlock(&ticket->mutex);
}

void kafka_ticket_take_back(struct kafka_ticket *ticket)
{
    pthread_mutex_lock(&ticket->mutex);
    ticket->open--;
    unref_locked(ticket);
}

static void settle(struct kafka_ticket *ticket, const rd_kafka_message_t *message)
{
    pthread_mutex_lock(&ticket->mutex);
    ticket->open--;
    if (message->err) {
        ticket->failed++;
        ticket->why = message->err;
        if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
            ticket->maybe++;
    }
    if (ticket->open == 0)
        pthread_cond_signal(&ticket->settled);
    unref_locked(ticket);
}

void kafka_ticket_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka_client *client = opaque;

    (void)rk;
    if (!message->err)
        kafka_link_good(client->link);
    else
        kafka_link_drop(client->link, rd_kafka_err2str(message->err));
    if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
        atomic_store(&client->link->topics_missing, true);
    if (message->_private)
        settle(message->_private, message);
}

static enum tc_code verdict(const struct kafka_ticket *ticket, struct tc_error *err)
{
    if (ticket->open > 0)
        return tc_fail(err, TC_UNKNOWN, "%zu hints are not acknowledged in time", ticket->open);
    if (ticket->failed == 0)
        return TC_OK;
    return tc_fail(err, ticket->maybe > 0 ? TC_UNKNOWN : TC_UNAVAILABLE,
                   "%zu hints were not delivered: %s", ticket->failed,
                   rd_kafka_err2str(ticket->why));
}

enum tc_code kafka_ticket_wait(struct kafka_ticket *ticket, int64_t wait_ms,
                               struct tc_error *err)
{
    struct timespec end = kafka_wait_timespec(kafka_wait_end_ms(wait_ms));
    int over = 0;

    pthread_mutex_lock(&ticket->mutex);
    while (ticket->open > 0 && over == 0)
        over = pthread_cond_timedwait(&ticket->settled, &ticket->mutex, &end);

    enum tc_code code = verdict(ticket, err);

    unref_locked(ticket);
    return code;
}
