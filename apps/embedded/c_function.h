#ifndef TASKCORE_APPS_EMBEDDED_C_FUNCTION_H
#define TASKCORE_APPS_EMBEDDED_C_FUNCTION_H

/** @file c_function.h The handler port for a function of the host program. */

#include "include/taskcore.h"
#include "ports/handler.h"

/** Where one registered function stands; the port's handle is `base`. */
struct c_function {
    struct tc_handler base;
    taskcore_function *function;
    void *ctx;
    char type[TC_NAME_MAX + 1];
};

/** Fill `*ret_function`; `type` is tc_name_is_valid(). */
void c_function_init(struct c_function *ret_function, const char *type,
                     taskcore_function *function, void *ctx);

#endif
