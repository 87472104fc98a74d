/* Reading. inih tells sections, keys and values but no lines, and says nothing of a section
 * without keys: so it reads through take(), which counts lines and looks at what begins them.
 */

#include "apps/handlers/handler_file.h"

#include "apps/handlers/handler_key.h"
#include "apps/handlers/handler_value.h"
#include "core/domain/task_spec.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_MAX 48 /* what inih keeps whole of a section's name */
#define NOT_INI  "neither '[type]' nor 'key = value'"

struct reading {
    const char *path;
    FILE *stream;
    struct handler_file *file;
    int line;         /* the one that was read last */
    int section_line; /* where the section of that line began; 0: before the first */
    bool section_is_empty;
    bool continues; /* the line goes on with the value of the one before */
    struct tc_error *err;
    enum tc_code code;
};

/* The first thing that is wrong is told. */
static void refuse(struct reading *reading, int line, enum tc_code code, const char *reason)
{
    char copy[TC_ERROR_MESSAGE_SIZE];

    if (reading->code != TC_OK)
        return;
    snprintf(copy, sizeof(copy), "%s", reason); /* it may be what tc_fail() writes to */
    reading->code = tc_fail(reading->err, code, "%s:%d: %s", reading->path, line, copy);
}

/* --- lines */

static bool is_too_long(const struct reading *reading, const char *line)
{
    return !strchr(line, '\n') && !feof(reading->stream);
}

/* A mark of UTF-8 may stand before all. */
static bool begins_section(const char *line)
{
    return line[strspn(line, "\xEF\xBB\xBF \t")] == '[';
}

static void begin_section(struct reading *reading)
{
    if (reading->section_is_empty)
        refuse(reading, reading->section_line, TC_INVALID, "a section without keys");
    reading->section_line = reading->line;
    reading->section_is_empty = true;
}

/* Called by inih for each line, as fgets(). */
static char *take_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;

    if (reading->code != TC_OK || !fgets(line, size, reading->stream))
        return NULL;
    reading->line++;
    reading->continues = line[0] == ' ' || line[0] == '\t';
    if (is_too_long(reading, line))
        refuse(reading, reading->line, TC_INVALID, "a line is too long, it may go on indented");
    if (begins_section(line)) {
        if (!strchr(line, ']'))
            refuse(reading, reading->line, TC_INVALID, NOT_INI);
        begin_section(reading);
    }
    return line;
}

/* --- sections */

static enum tc_code grow(struct handler_file *file)
{
    size_t size = file->count ? 2 * file->count : 8;
    struct handler_section *more;

    if (file->count & (file->count - 1) || (file->count > 0 && file->count < 8))
        return TC_OK; /* there is room up to the next power of two */
    more = realloc(file->sections, size * sizeof(*more));
    if (!more)
        return TC_NO_MEMORY;
    file->sections = more;
    return TC_OK;
}

static const struct handler_section *find(const struct handler_file *file, const char *type)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->sections[i].policy.type, type) == 0)
            return &file->sections[i];
    return NULL;
}

static bool may_be_added(struct reading *reading, const char *type)
{
    const struct handler_section *other = find(reading->file, type);
    char reason[160];

    if (reading->section_line == 0) {
        refuse(reading, reading->line, TC_INVALID, "a key before the first [type]");
    } else if (strlen(type) > TYPE_MAX || !tc_name_is_valid(tc_bytes_of(type))) {
        snprintf(reason, sizeof(reason),
                 "[%.64s]: a type is 1 to %d of a-z, 0-9, '.', '_', '-' here", type, TYPE_MAX);
        refuse(reading, reading->section_line, TC_INVALID, reason);
    } else if (other) {
        snprintf(reason, sizeof(reason), "[%s] comes twice, first in line %d", type,
                 other->line);
        refuse(reading, reading->section_line, TC_INVALID, reason);
    } else if (reading->file->count == HANDLER_SECTIONS_MAX) {
        refuse(reading, reading->section_line, TC_INVALID, "more than 1000 types");
    }
    return reading->code == TC_OK;
}

static struct handler_section *add_section(struct reading *reading, const char *type)
{
    struct handler_file *file = reading->file;
    struct handler_section *section;

    if (!may_be_added(reading, type))
        return NULL;
    if (grow(file) != TC_OK) {
        refuse(reading, reading->line, TC_NO_MEMORY, "no memory for a section");
        return NULL;
    }
    section = &file->sections[file->count++];
    *section = (struct handler_section){ .line = reading->section_line };
    section->policy = (struct tc_type_policy){
        .priority = TC_UNSET,
        .timeout_ms = TC_UNSET,
        .max_attempts = TC_UNSET,
        .retry_min_ms = TC_UNSET,
        .retry_max_ms = TC_UNSET,
    };
    snprintf(section->policy.type, sizeof(section->policy.type), "%s", type);
    return section;
}

/* Called by inih per value; 0 stops. */
static int take_value(void *user, const char *type, const char *key, const char *value)
{
    struct reading *reading = user;
    struct handler_file *file = reading->file;
    struct handler_section *section = NULL;
    struct tc_error err;

    if (reading->code != TC_OK)
        return 0;
    if (file->count > 0 && file->sections[file->count - 1].line == reading->section_line)
        section = &file->sections[file->count - 1];
    if (!section)
        section = add_section(reading, type);
    reading->section_is_empty = false;
    if (section) {
        enum tc_code code = handler_key_set(section, key, value, reading->continues, &err);

        if (code != TC_OK)
            refuse(reading, reading->line, code, err.message);
    }
    return reading->code == TC_OK;
}

/* --- the file */

static int by_type(const void *a, const void *b)
{
    return strcmp(((const struct handler_section *)a)->policy.type,
                  ((const struct handler_section *)b)->policy.type);
}

static void check_sections(struct reading *reading)
{
    struct tc_error err;

    for (size_t i = 0; i < reading->file->count && reading->code == TC_OK; i++) {
        const struct handler_section *section = &reading->file->sections[i];
        enum tc_code code = handler_section_check(section, &err);

        if (code != TC_OK)
            refuse(reading, section->line, code, err.message);
    }
}

static void sort(struct reading *reading)
{
    struct handler_file *file = reading->file;

    if (reading->code != TC_OK || file->count == 0)
        return;
    file->policies = malloc(file->count * sizeof(*file->policies));
    if (!file->policies) {
        refuse(reading, reading->line, TC_NO_MEMORY, "no memory for its types");
        return;
    }
    qsort(file->sections, file->count, sizeof(*file->sections), by_type);
    for (size_t i = 0; i < file->count; i++)
        file->policies[i] = file->sections[i].policy;
}

static void read_all(struct reading *reading)
{
    int line = ini_parse_stream(take_line, reading, take_value, reading);

    if (ferror(reading->stream))
        refuse(reading, reading->line, TC_INVALID, "cannot be read");
    else if (line != 0)
        refuse(reading, line, TC_INVALID, NOT_INI);
    begin_section(reading); /* the end of the last one */
    check_sections(reading);
    sort(reading);
}

enum tc_code handler_file_read(const char *path, struct handler_file *ret_file,
                               struct tc_error *err)
{
    struct handler_file file = { 0 };
    struct reading reading = { .path = path, .file = &file, .err = err, .code = TC_OK };

    char reason[128];

    reading.stream = fopen(path, "re");
    if (!reading.stream) {
        if (strerror_r(errno, reason, sizeof(reason)) != 0)
            reason[0] = '\0';
        return tc_fail(err, TC_INVALID, "%s: %s", path, reason);
    }
    read_all(&reading);
    fclose(reading.stream);
    if (reading.code == TC_OK)
        *ret_file = file;
    else
        handler_file_release(&file);
    return reading.code;
}

void handler_file_release(struct handler_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++) {
        handler_words_release(&file->sections[i].command);
        handler_words_release(&file->sections[i].env);
        handler_words_release(&file->sections[i].dir);
    }
    free(file->sections);
    free(file->policies);
    *file = (struct handler_file){ 0 };
}
