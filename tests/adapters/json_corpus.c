#include "tests/adapters/json_corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)

static void give_up(const char *path, const char *line)
{
    fprintf(stderr, "%s: cannot read: %s\n", path, line);
    abort();
}

/* One piece of `*at`: "%XX", "%(N*text)" or a plain byte. False: badly written. */
static bool append_piece(const char **at, char *out, size_t *len)
{
    char *end = NULL;

    if (**at != '%') {
        out[(*len)++] = *(*at)++;
        return true;
    }
    if ((*at)[1] != '(') {
        char digits[3] = { (*at)[1], (*at)[1] ? (*at)[2] : '\0', '\0' };
        unsigned long byte = strtoul(digits, &end, 16);

        *at += 3;
        out[(*len)++] = (char)byte;
        return end == digits + 2;
    }

    unsigned long count = strtoul(*at + 2, &end, 10);
    const char *close = strchr(end, ')');
    size_t size = close ? (size_t)(close - end - 1) : 0;

    if (*end != '*' || !close || *len + count * size > TEXT_MAX)
        return false;
    for (unsigned long i = 0; i < count; i++, *len += size)
        memcpy(out + *len, end + 1, size);
    *at = close + 1;
    return true;
}

static struct json_case read_line(const char *path, char *line, char *room)
{
    char *tab = strchr(line, '\t');
    struct json_case read = { 0 };
    size_t len = 0;

    if (!tab)
        give_up(path, line);
    for (const char *at = tab + 1; *at;)
        if (!append_piece(&at, room, &len))
            give_up(path, line);
    *tab = '\0';
    read.why = strdup(line);
    read.data = malloc(len);
    read.len = len;
    if (len > 0)
        memcpy(read.data, room, len);
    return read;
}

struct json_corpus json_corpus_read(const char *path)
{
    struct json_corpus corpus = { 0 };
    FILE *file = fopen(path, "r");
    char *room = malloc(TEXT_MAX + 1);
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    if (!file || !room)
        give_up(path, "the file");
    while ((len = getline(&line, &size, file)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        corpus.cases = realloc(corpus.cases, (corpus.count + 1) * sizeof(*corpus.cases));
        corpus.cases[corpus.count++] = read_line(path, line, room);
    }
    free(line);
    free(room);
    fclose(file);
    return corpus;
}

void json_corpus_free(struct json_corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        free(corpus->cases[i].why);
        free(corpus->cases[i].data);
    }
    free(corpus->cases);
    *corpus = (struct json_corpus){ 0 };
}
