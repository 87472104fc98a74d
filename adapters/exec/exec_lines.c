#include "adapters/exec/exec_internal.h"

#include <string.h>

static void end_line(struct exec_lines *self)
{
    self->text[self->len] = '\0';
    self->take(self->ctx, self->text, self->len, self->is_cut);
    self->len = 0;
    self->is_cut = false;
}

static void add(struct exec_lines *self, const char *data, size_t len)
{
    size_t room = self->max - self->len;
    size_t fits = len < room ? len : room;

    if (fits > 0)
        memcpy(self->text + self->len, data, fits);
    self->len += fits;
    self->is_cut = self->is_cut || fits < len;
}

void exec_lines_feed(struct exec_lines *self, const char *data, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(data, '\n', len);
        size_t part = newline ? (size_t)(newline - data) : len;

        add(self, data, part);
        if (!newline)
            return;
        end_line(self);
        data += part + 1;
        len -= part + 1;
    }
}

void exec_lines_end(struct exec_lines *self)
{
    if (self->len > 0)
        end_line(self);
}

void exec_tail_feed(struct exec_tail *self, const char *data, size_t len)
{
    size_t size = sizeof(self->text);
    size_t fresh = len < size ? len : size;
    size_t kept = self->len < size - fresh ? self->len : size - fresh;

    if (self->len + len > size)
        self->is_cut = true;
    memmove(self->text, self->text + self->len - kept, kept);
    memcpy(self->text + kept, data + len - fresh, fresh);
    self->len = kept + fresh;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct tc_bytes exec_tail_text(const struct exec_tail *self)
{
    const char *at = self->text;
    const char *end = self->text + self->len;

    while (end > at && is_space(end[-1]))
        end--;
    if (self->is_cut) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));

        /* The first line is not whole: the next begins the text, if there is one. */
        at = newline ? newline + 1 : at;
        while (at < end && ((unsigned char)*at & 0xC0) == 0x80)
            at++;
    }
    while (at < end && is_space(*at))
        at++;
    return (struct tc_bytes){ at, (size_t)(end - at) };
}
