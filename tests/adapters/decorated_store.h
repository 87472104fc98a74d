#ifndef TESTS_ADAPTERS_DECORATED_STORE_H
#define TESTS_ADAPTERS_DECORATED_STORE_H

/**
 * @file decorated_store.h
 * The memory store behind every decorator, as a service would have it: what holds for a
 * store must hold for it as well.
 */

#include "tests/conformance/store_fixture.h"

extern const struct store_driver decorated_store_driver;

#endif
