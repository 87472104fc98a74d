#ifndef TESTS_SUPPORT_ALLOC_FAULT_H
#define TESTS_SUPPORT_ALLOC_FAULT_H

/**
 * @file alloc_fault.h
 * Makes one malloc() of the program fail. Works in programs that are linked with
 * -Wl,--wrap=malloc and alloc_fault.c; calls inside shared libraries are not seen.
 * One thread.
 */

/** From now on the `nth` malloc (from 0) returns NULL, once. */
void alloc_fault_arm(int nth);

/** Back to normal. @return 1 when one was made to fail since arming, else 0. */
int alloc_fault_disarm(void);

#endif
