#define _GNU_SOURCE /* pipe2(), strerrordesc_np() */

#include "adapters/exec/exec_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUTPUT_FIRST_SIZE 4096
#define PIECE_SIZE        16384

static void close_at(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void take_error(void *ctx, const char *line, size_t len, bool is_cut)
{
    struct exec_streams *self = ctx;
    char text[sizeof("stderr: ") + EXEC_LOG_LINE_MAX];

    (void)len;
    (void)is_cut; /* a line too long is shown as far as it goes */
    if (line[0] == '\0' || ++self->error_lines > EXEC_LOG_LINES_MAX)
        return;
    snprintf(text, sizeof(text), "stderr: %s", line);
    self->run->ops->log(self->run, text);
}

static bool is_object(const struct exec_handler *handler, const char *line, size_t len)
{
    size_t blank = strspn(line, " \t\r");

    return line[blank] == '{' && handler->is_json &&
           handler->is_json((struct tc_bytes){ line, len });
}

static void take_progress(void *ctx, const char *line, size_t len, bool is_cut)
{
    struct exec_streams *self = ctx;

    if (is_cut || !is_object(self->handler, line, len))
        self->progress_ignored++;
    else
        self->run->ops->progress(self->run, (struct tc_bytes){ line, len });
}

static void init(struct exec_streams *self, const struct exec_handler *handler,
                 struct tc_run *run)
{
    memset(self, 0, sizeof(*self));
    self->handler = handler;
    self->run = run;
    self->input = run->task->payload.bytes;
    for (int i = 0; i < EXEC_FD_COUNT; i++)
        self->ours[i] = self->theirs[i] = -1;
    self->errors.max = EXEC_LOG_LINE_MAX;
    self->errors.take = take_error;
    self->errors.ctx = self;
    self->progress.max = TC_PROGRESS_MAX;
    self->progress.take = take_progress;
    self->progress.ctx = self;
}

/* All are born O_CLOEXEC: a program that another thread starts now does not get them. Only
 * our ends do not block; the other end is a file of its own. */
static bool open_pipe(struct exec_streams *self, int number)
{
    int ends[2];
    int ours = number == EXEC_IN ? 1 : 0;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    self->ours[number] = ends[ours];
    self->theirs[number] = ends[1 - ours];
    return fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
}

/*
 * Write what the pipe takes now. There is no EPIPE and no SIGPIPE to think of, since the
 * reading end stays open here as well until everything is written or the program has ended.
 */
static void write_input(struct exec_streams *self)
{
    while (self->input.len > 0) {
        ssize_t len = write(self->ours[EXEC_IN], self->input.data, self->input.len);

        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return; /* full */
        self->input.data = (const char *)self->input.data + len;
        self->input.len -= (size_t)len;
    }
    close_at(&self->ours[EXEC_IN]);
}

enum tc_code exec_streams_open(struct exec_streams *self, const struct exec_handler *handler,
                               struct tc_run *run, struct tc_error *err)
{
    init(self, handler, run);
    for (int i = 0; i < EXEC_FD_COUNT; i++)
        if (!open_pipe(self, i))
            return tc_fail(err, TC_UNAVAILABLE, "cannot open the pipes of '%s': %s",
                           handler->argv[0], strerrordesc_np(errno));
    write_input(self);
    return TC_OK;
}

static void drop_input(struct exec_streams *self)
{
    close_at(&self->ours[EXEC_IN]);
    close_at(&self->theirs[EXEC_IN]);
}

void exec_streams_started(struct exec_streams *self)
{
    for (int i = EXEC_OUT; i < EXEC_FD_COUNT; i++)
        close_at(&self->theirs[i]);
    if (self->input.len == 0)
        drop_input(self);
}

/* One byte more than the limit is kept, so that what goes over it is seen. */
static bool make_room(struct exec_streams *self)
{
    size_t most = self->handler->output_max + 1;
    size_t size = self->output_size ? self->output_size * 2 : OUTPUT_FIRST_SIZE;

    if (self->output_len < self->output_size)
        return true;
    size = size < most ? size : most;

    char *output = realloc(self->output, size);

    if (!output) {
        self->state = EXEC_OUTPUT_NO_MEMORY;
        return false;
    }
    self->output = output;
    self->output_size = size;
    return true;
}

static ssize_t read_output(struct exec_streams *self)
{
    if (!make_room(self))
        return 0;

    ssize_t len = read(self->ours[EXEC_OUT], self->output + self->output_len,
                       self->output_size - self->output_len);

    if (len > 0)
        self->output_len += (size_t)len;
    if (self->output_len > self->handler->output_max)
        self->state = EXEC_OUTPUT_TOO_LARGE;
    return len;
}

static ssize_t read_lines(struct exec_streams *self, int number)
{
    char piece[PIECE_SIZE];
    ssize_t len = read(self->ours[number], piece, sizeof(piece));

    if (len <= 0)
        return len;
    if (number == EXEC_ERR) {
        exec_tail_feed(&self->tail, piece, (size_t)len);
        exec_lines_feed(&self->errors, piece, (size_t)len);
    } else if (number == EXEC_PROGRESS) {
        exec_lines_feed(&self->progress, piece, (size_t)len);
    }
    return len;
}

/* Read one piece; the number of its bytes. 0: the stream has ended and is closed, or holds
 * nothing now. */
static size_t read_piece(struct exec_streams *self, int number)
{
    ssize_t len = number == EXEC_OUT && self->state == EXEC_OUTPUT_KEPT
                      ? read_output(self)
                      : read_lines(self, number);

    if (len > 0)
        return (size_t)len;
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_at(&self->ours[number]);
    return 0;
}

bool exec_streams_attend(struct exec_streams *self, int pidfd, int wait_ms)
{
    struct pollfd set[EXEC_FD_COUNT + 1]; /* those that are closed are -1: left out */

    for (int i = 0; i < EXEC_FD_COUNT; i++)
        set[i] = (struct pollfd){ .fd = self->ours[i], .events = POLLIN };
    set[EXEC_IN].events = POLLOUT;
    set[EXEC_FD_COUNT] = (struct pollfd){ .fd = pidfd, .events = POLLIN };
    if (poll(set, EXEC_FD_COUNT + 1, wait_ms) <= 0)
        return false;
    if (set[EXEC_FD_COUNT].revents)
        return true; /* what it wrote last is for exec_streams_drain() */
    if (set[EXEC_IN].revents)
        write_input(self);
    if (self->input.len == 0)
        drop_input(self);
    for (int i = EXEC_OUT; i < EXEC_FD_COUNT; i++) {
        if (set[i].revents & POLLIN)
            read_piece(self, i);
        else if (set[i].revents)
            close_at(&self->ours[i]); /* every writer is gone: there is nothing more */
    }
    return false;
}

/* As much as there is at this moment, so that one who goes on writing does not keep us. */
static void drain_one(struct exec_streams *self, int number)
{
    int held = 0;

    if (self->ours[number] < 0 || ioctl(self->ours[number], FIONREAD, &held) != 0)
        return;
    for (size_t left = (size_t)held; left > 0;) {
        size_t len = read_piece(self, number);

        if (len == 0)
            return;
        left -= len < left ? len : left;
    }
}

void exec_streams_drain(struct exec_streams *self)
{
    for (int i = EXEC_OUT; i < EXEC_FD_COUNT; i++)
        drain_one(self, i);
    exec_lines_end(&self->errors);
    exec_lines_end(&self->progress);
}

void exec_streams_close(struct exec_streams *self)
{
    for (int i = 0; i < EXEC_FD_COUNT; i++) {
        close_at(&self->ours[i]);
        close_at(&self->theirs[i]);
    }
    free(self->output);
    self->output = NULL;
}
