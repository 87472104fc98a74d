#ifndef TASKCORE_ADAPTERS_KAFKA_RECEIPTS_H
#define TASKCORE_ADAPTERS_KAFKA_RECEIPTS_H

/**
 * @file kafka_receipts.h
 * How far each delivery reached: the last offset of every partition that it had messages of.
 * Several deliveries may be outstanding; the oldest are forgotten beyond KAFKA_RECEIPTS.
 * One thread.
 */

#include "adapters/kafka/kafka_settings.h"

#define KAFKA_RECEIPTS 64

/** Where a message was found. */
struct kafka_place {
    enum kafka_band band;
    unsigned consumer; /**< which of the band's consumers, one after the other */
    int32_t partition;
    int64_t offset;
};

struct kafka_receipt {
    uint64_t number; /**< 0: empty */
    struct kafka_place *places;
    size_t count;
    size_t size;
};

struct kafka_receipts {
    uint64_t last; /**< number of the delivery that is being made, or was made last */
    struct kafka_receipt slots[KAFKA_RECEIPTS];
};

/** Begin a delivery. @return its receipt. */
struct kafka_receipt *kafka_receipts_begin(struct kafka_receipts *receipts);

/** The delivery has a message from `place`. @return false: no memory. */
bool kafka_receipt_add(struct kafka_receipt *receipt, const struct kafka_place *place);

/** @return the receipt; NULL: committed, or forgotten. */
struct kafka_receipt *kafka_receipts_find(struct kafka_receipts *receipts, uint64_t number);

void kafka_receipts_release(struct kafka_receipts *receipts);

#endif
