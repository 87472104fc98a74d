#ifndef TASKCORE_APPS_HANDLERS_HANDLER_VALUE_H
#define TASKCORE_APPS_HANDLERS_HANDLER_VALUE_H

/** @file handler_value.h Single values of the handlers file. */

#include "apps/handlers/handler_file.h"

/** "250ms", "30s", "5min", "2h", "1d": a whole number with its unit, in milliseconds. */
bool handler_duration_parse(const char *text, int64_t *ret_ms);

/** "512B", "64KiB", "10MiB", "2GiB", in bytes. */
bool handler_size_parse(const char *text, int64_t *ret_bytes);

/** A whole number without sign. */
bool handler_count_parse(const char *text, int64_t *ret_count);

/**
 * Split at blanks; 'single' or "double" quotes hold a word together, and nothing else has a
 * meaning: there is no shell. `*ret_words` is released by handler_words_release().
 * @return TC_OK; TC_INVALID: a quote does not end, or there is no word; TC_NO_MEMORY.
 */
enum tc_code handler_words_split(const char *text, struct handler_words *ret_words);

/** One more word, as it is. @return TC_OK or TC_NO_MEMORY; then nothing has changed. */
enum tc_code handler_words_add(struct handler_words *words, const char *word);

void handler_words_release(struct handler_words *words);

#endif
