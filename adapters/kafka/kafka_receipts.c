#include "adapters/kafka/kafka_receipts.h"

#include <stdlib.h>

static struct kafka_receipt *slot_of(struct kafka_receipts *receipts, uint64_t number)
{
    return &receipts->slots[number % KAFKA_RECEIPTS];
}

struct kafka_receipt *kafka_receipts_begin(struct kafka_receipts *receipts)
{
    struct kafka_receipt *receipt = slot_of(receipts, receipts->last);

    if (receipts->last > 0 && receipt->number == receipts->last && receipt->count == 0)
        return receipt; /* it brought nothing */
    receipt = slot_of(receipts, ++receipts->last);
    receipt->number = receipts->last;
    receipt->count = 0;
    return receipt;
}

static bool grow(struct kafka_receipt *receipt)
{
    size_t size = receipt->size ? receipt->size * 2 : 16;
    struct kafka_place *places = realloc(receipt->places, size * sizeof(*places));

    if (!places)
        return false;
    receipt->places = places;
    receipt->size = size;
    return true;
}

/* Messages of one partition mostly come one after the other: look at the latest first. */
bool kafka_receipt_add(struct kafka_receipt *receipt, const struct kafka_place *place)
{
    for (size_t i = receipt->count; i-- > 0;) {
        struct kafka_place *known = &receipt->places[i];

        if (known->partition == place->partition && known->band == place->band) {
            *known = *place;
            return true;
        }
    }
    if (receipt->count == receipt->size && !grow(receipt))
        return false;
    receipt->places[receipt->count++] = *place;
    return true;
}

struct kafka_receipt *kafka_receipts_find(struct kafka_receipts *receipts, uint64_t number)
{
    struct kafka_receipt *receipt = slot_of(receipts, number);

    return number != 0 && receipt->number == number ? receipt : NULL;
}

void kafka_receipts_release(struct kafka_receipts *receipts)
{
    for (size_t i = 0; i < KAFKA_RECEIPTS; i++)
        free(receipts->slots[i].places);
    *receipts = (struct kafka_receipts){ .last = 0 };
}
