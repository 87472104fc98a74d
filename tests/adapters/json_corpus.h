#ifndef TESTS_ADAPTERS_JSON_CORPUS_H
#define TESTS_ADAPTERS_JSON_CORPUS_H

/** @file json_corpus.h Reading the files of tests/adapters/json_corpus/. */

#include "core/domain/content.h"

struct json_case {
    char *why;
    char *data; /* malloc'ed in exactly `len` bytes */
    size_t len;
};

struct json_corpus {
    struct json_case *cases;
    size_t count;
};

/** Read a file; a bad line ends the program with a message. */
struct json_corpus json_corpus_read(const char *path);

void json_corpus_free(struct json_corpus *corpus);

#endif
