/* Any bytes as a message: no crash, and what is taken for a hint is written back as the same
 * bytes, but for the case of the id's letters. */
#include "adapters/kafka/kafka_hint.h"

#include <assert.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct tc_hint hint = { .priority = -1 };
    char again[KAFKA_HINT_SIZE];

    if (kafka_hint_parse(text, size, &hint) != KAFKA_HINT_GOOD) {
        assert(hint.priority == -1);
        return 0;
    }
    assert(hint.priority >= 0 && hint.priority <= TC_PRIORITY_MAX);
    assert(kafka_hint_format(&hint, again) == size);
    assert(strncasecmp(again, text, size) == 0);
    return 0;
}
