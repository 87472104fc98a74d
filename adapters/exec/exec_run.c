#define _GNU_SOURCE /* sigabbrev_np() */

#include "adapters/exec/exec_internal.h"
#include "core/domain/container_of.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_MS           50 /* how often a running program's task is asked for a stop */
#define TEMPORARY_FAILURE 75 /* EX_TEMPFAIL */

/* One run. On the stack of its thread: some 20 KiB. */
struct attempt {
    const struct exec_handler *handler;
    struct tc_run *run;
    struct exec_child child;
    struct exec_streams streams;
    enum tc_stop_reason stop; /* as we have passed it on to the program */
    int64_t kill_at_ms;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct tc_report given_back(void)
{
    return (struct tc_report){ .kind = TC_REPORT_RELEASED, .delay_ms = TC_UNSET };
}

static struct tc_report failed(bool retryable, const char *message)
{
    return tc_report_failed(TC_REASON_HANDLER, retryable, tc_bytes_of(message));
}

/* --- while it runs */

static int64_t grace_ms(const struct attempt *self)
{
    int64_t grace = self->handler->grace_ms;

    /* The worker gives the task to others in a second: the program must be gone by then. */
    if (self->stop == TC_STOP_SHUTDOWN && grace > EXEC_SHUTDOWN_GRACE_MS)
        grace = EXEC_SHUTDOWN_GRACE_MS;
    return grace;
}

/* A program that is stopped (SIGSTOP) would get SIGTERM only after its SIGKILL. */
static void ask_to_end(struct attempt *self, enum tc_stop_reason reason)
{
    self->stop = reason;
    self->kill_at_ms = now_ms() + grace_ms(self);
    exec_child_signal(&self->child, SIGTERM);
    exec_child_signal(&self->child, SIGCONT);
}

static bool is_to_be_killed(const struct attempt *self)
{
    return self->streams.state != EXEC_OUTPUT_KEPT ||
           (self->stop != TC_STOP_NONE && now_ms() >= self->kill_at_ms);
}

static void steer(struct attempt *self)
{
    enum tc_stop_reason reason = self->run->ops->should_stop(self->run);

    if (self->stop == TC_STOP_NONE && reason != TC_STOP_NONE)
        ask_to_end(self, reason);
    if (is_to_be_killed(self)) /* again each time: a second one does no harm */
        exec_child_signal(&self->child, SIGKILL);
}

static int wait_ms(const struct attempt *self)
{
    int64_t left_ms = self->kill_at_ms - now_ms();

    if (self->stop == TC_STOP_NONE || left_ms <= 0 || left_ms > LOOK_MS)
        return LOOK_MS;
    return (int)left_ms;
}

/* Until it has been reaped. Its group is killed before that: until then no other group can
 * have the number. */
static struct exec_end attend(struct attempt *self)
{
    while (!exec_streams_attend(&self->streams, self->child.pidfd, wait_ms(self)))
        steer(self);
    exec_child_signal(&self->child, SIGKILL);
    exec_streams_drain(&self->streams);
    return exec_child_reap(&self->child);
}

/* --- what follows from its end */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct tc_bytes trimmed(struct tc_bytes bytes)
{
    const char *at = bytes.data;
    const char *end = at + bytes.len;

    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    return (struct tc_bytes){ at, (size_t)(end - at) };
}

static bool is_text(struct tc_bytes bytes)
{
    return !memchr(bytes.data, '\0', bytes.len) && tc_utf8_is_valid(bytes);
}

static struct tc_content content_of(const struct exec_handler *handler, struct tc_bytes bytes)
{
    const char *data = bytes.data;

    if (handler->is_json && handler->is_json(bytes))
        return (struct tc_content){ TC_CONTENT_JSON, trimmed(bytes) };
    if (!is_text(bytes))
        return (struct tc_content){ TC_CONTENT_BYTES, bytes };
    if (data[bytes.len - 1] == '\n')
        bytes.len--;
    return (struct tc_content){ bytes.len ? TC_CONTENT_TEXT : TC_CONTENT_NONE, bytes };
}

static struct tc_report done(struct attempt *self)
{
    struct exec_streams *streams = &self->streams;
    struct tc_report report = tc_report_done();

    if (streams->output_len == 0)
        return report;
    report.result =
        content_of(self->handler, (struct tc_bytes){ streams->output, streams->output_len });
    report.result_storage = streams->output;
    streams->output = NULL;
    return report;
}

static void describe(struct exec_end end, char *ret_text, size_t size)
{
    const char *name = end.is_exited ? NULL : sigabbrev_np(end.number);

    if (end.is_exited)
        snprintf(ret_text, size, "exit status %d", end.number);
    else if (name)
        snprintf(ret_text, size, "killed by signal SIG%s", name);
    else
        snprintf(ret_text, size, "killed by signal %d", end.number);
}

static struct tc_report not_done(const struct attempt *self, struct exec_end end)
{
    bool retryable = !end.is_exited || end.number == TEMPORARY_FAILURE;
    struct tc_bytes message = exec_tail_text(&self->streams.tail);
    char text[64];

    if (message.len > 0)
        return tc_report_failed(TC_REASON_HANDLER, retryable, message);
    describe(end, text, sizeof(text));
    return failed(retryable, text);
}

static struct tc_report too_large(const struct attempt *self)
{
    char text[96];

    snprintf(text, sizeof(text), "result_too_large: the output is over %zu bytes",
             self->handler->output_max);
    return failed(false, text);
}

static struct tc_report judge(struct attempt *self, struct exec_end end)
{
    if (self->stop != TC_STOP_NONE)
        return given_back();
    if (self->streams.state == EXEC_OUTPUT_TOO_LARGE)
        return too_large(self);
    if (self->streams.state == EXEC_OUTPUT_NO_MEMORY)
        return failed(true, "no memory for the output");
    if (!end.is_known)
        return failed(true, "the end of the program was not seen: SIGCHLD is ignored, or "
                            "another part of this process waits for every child");
    if (end.is_exited && end.number == 0)
        return done(self);
    return not_done(self, end);
}

static void note_left_out(const struct attempt *self)
{
    const struct exec_streams *streams = &self->streams;
    char text[160];

    if (streams->error_lines > EXEC_LOG_LINES_MAX) {
        snprintf(text, sizeof(text), "%zu more lines of stderr are left out",
                 streams->error_lines - EXEC_LOG_LINES_MAX);
        self->run->ops->log(self->run, text);
    }
    if (streams->progress_ignored > 0) {
        snprintf(text, sizeof(text),
                 "%zu lines of progress are left out: each must be one JSON object of up to %d "
                 "bytes",
                 streams->progress_ignored, TC_PROGRESS_MAX);
        self->run->ops->log(self->run, text);
    }
}

/* --- the handler */

static bool start(struct attempt *self, struct tc_error *err)
{
    struct exec_environment environment;

    exec_environment_init(&environment, self->handler, self->run);
    if (exec_streams_open(&self->streams, self->handler, self->run, err) != TC_OK ||
        exec_spawn(self->handler, environment.list, self->streams.theirs, &self->child, err) !=
            TC_OK)
        return false;
    exec_streams_started(&self->streams);
    return true;
}

void exec_run(struct tc_handler *handler, struct tc_run *run, struct tc_report *ret_report)
{
    struct attempt self;
    struct tc_error err;

    if (run->ops->should_stop(run) != TC_STOP_NONE) {
        *ret_report = given_back();
        return;
    }
    self.handler = TC_CONTAINER_OF(handler, struct exec_handler, base);
    self.run = run;
    self.stop = TC_STOP_NONE;
    self.kill_at_ms = 0;
    if (start(&self, &err)) {
        *ret_report = judge(&self, attend(&self));
        note_left_out(&self);
    } else {
        *ret_report = failed(true, err.message);
    }
    exec_streams_close(&self.streams);
}
