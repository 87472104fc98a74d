#include "ports/handler.h"

const char *tc_stop_reason_name(enum tc_stop_reason reason)
{
    switch (reason) {
    case TC_STOP_NONE:
        return "none";
    case TC_STOP_CANCELLED:
        return "cancelled";
    case TC_STOP_LOST:
        return "lost";
    case TC_STOP_TIMEOUT:
        return "timeout";
    case TC_STOP_SHUTDOWN:
        return "shutdown";
    }
    return "none";
}
