#include "core/domain/announcement.h"

int64_t tc_announce_wait_ms(int times)
{
    int64_t wait_ms = TC_ANNOUNCE_AGAIN_MS;

    for (int i = 0; i < times && wait_ms < TC_ANNOUNCE_AGAIN_MAX_MS; i++)
        wait_ms *= 2;
    return wait_ms < TC_ANNOUNCE_AGAIN_MAX_MS ? wait_ms : TC_ANNOUNCE_AGAIN_MAX_MS;
}
