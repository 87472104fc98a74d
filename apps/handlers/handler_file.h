#ifndef TASKCORE_APPS_HANDLERS_HANDLER_FILE_H
#define TASKCORE_APPS_HANDLERS_HANDLER_FILE_H

/**
 * @file handler_file.h
 * The handlers file (INI): one section per type says what does its work (docs/handlers.md).
 *
 *     [email.send]
 *     kind = exec
 *     command = /usr/local/bin/send-mail --fast
 *     timeout = 30s
 *
 * Nothing is guessed: an unknown key, one that is not of this kind, one that comes twice, a
 * type that comes twice are refused with file, line and reason, and nothing of the file holds.
 */

#include "core/domain/policy.h"

#define HANDLER_SECTIONS_MAX 1000 /**< as many types as a worker takes */
#define HANDLER_ENV_MAX      64

enum handler_kind {
    HANDLER_EXEC = 1, /**< a program per task */
    HANDLER_PULL,     /**< somebody leases it over HTTP; this service only knows its defaults */
};

/** Words, all of them in `text`. */
struct handler_words {
    char *text;   /**< owned */
    char **items; /**< owned; NULL behind the last one */
    size_t count;
};

struct handler_section {
    struct tc_type_policy policy; /**< its name among it; unset is what it does not say */
    int line;                     /**< where it begins */
    int64_t kind;                 /**< enum handler_kind */
    struct handler_words command; /**< the first word is an absolute path */
    struct handler_words env;     /**< NAME=VALUE each */
    struct handler_words dir;     /**< one absolute path, or none */
    int64_t grace_ms;             /**< 0 here and below: by default */
    int64_t output_max;           /**< bytes */
    int64_t memory_max;           /**< bytes */
    int64_t file_size_max;        /**< bytes */
    int64_t cpu_ms;
    int64_t open_files_max;
    int64_t processes_max;
    uint32_t given; /**< which keys were there, by their number; the reader's own */
};

/** By rising types. */
struct handler_file {
    struct handler_section *sections; /**< owned */
    struct tc_type_policy *policies;  /**< owned; those of the sections, for tc_policy.types */
    size_t count;
};

/**
 * Read and check all of `path`. Blocks for the file. Release with handler_file_release().
 * @return TC_OK; TC_INVALID: "PATH:LINE: reason", or the file cannot be read; TC_NO_MEMORY.
 */
enum tc_code handler_file_read(const char *path, struct handler_file *ret_file,
                               struct tc_error *err) TC_MUST_CHECK;

/** NULL and zeroed files are fine. */
void handler_file_release(struct handler_file *file);

/** "exec", …; "unknown". */
const char *handler_kind_name(int64_t kind);

#endif
