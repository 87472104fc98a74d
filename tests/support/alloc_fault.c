#include "tests/support/alloc_fault.h"

#include <stddef.h>

void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

static int calls_left = -1;
static int fired;

void alloc_fault_arm(int nth)
{
    calls_left = nth;
    fired = 0;
}

int alloc_fault_disarm(void)
{
    calls_left = -1;
    return fired;
}

void *__wrap_malloc(size_t size)
{
    if (calls_left < 0 || calls_left-- > 0)
        return __real_malloc(size);
    fired = 1;
    return NULL;
}
