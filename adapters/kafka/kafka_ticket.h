#ifndef TASKCORE_ADAPTERS_KAFKA_TICKET_H
#define TASKCORE_ADAPTERS_KAFKA_TICKET_H

/**
 * @file kafka_ticket.h
 * Who waits for the acknowledgement of some messages. Each of them carries the ticket, which
 * therefore outlives a waiter that has lost its patience.
 */

#include "core/domain/error.h"

#include <stddef.h>
#include <stdint.h>

struct kafka_ticket;

/** @return NULL: no memory, mutex or condition. The caller holds one reference. */
struct kafka_ticket *kafka_ticket_new(void);

/** A message is about to carry it, or could not be sent after all. */
void kafka_ticket_add(struct kafka_ticket *ticket);
void kafka_ticket_take_back(struct kafka_ticket *ticket);

/**
 * Wait up to `wait_ms` for all that was added, then give up the caller's reference.
 * @return TC_OK: all acknowledged; TC_UNAVAILABLE: some were not, and will not arrive;
 *         TC_UNKNOWN: some may still arrive, or have.
 */
enum tc_code kafka_ticket_wait(struct kafka_ticket *ticket, int64_t wait_ms,
                               struct tc_error *err) TC_MUST_CHECK;

#endif
