/* Background work inside a C program: cc embed.c $(pkg-config --cflags --libs taskcore) */
#include <stdio.h>
#include <taskcore.h>

static enum taskcore_end greet(struct taskcore_run *run, void *ctx)
{
    char text[128];
    size_t len;
    const char *name = tc_run_payload(run, &len);
    int written = snprintf(text, sizeof(text), "hello, %.*s", (int)len, name);

    (void)ctx;
    if (tc_run_set_result(run, text, (size_t)written) != TASKCORE_OK)
        return TASKCORE_RUN_RETRY;
    return TASKCORE_RUN_DONE;
}

int main(int argc, char **argv)
{
    struct taskcore_options options = { .store = argc > 1 ? argv[1] : "memory:" };
    struct taskcore_task task = { .type = "greet", .payload = "world", .payload_len = 5 };
    struct taskcore_result result = { .status = TASKCORE_NEW };
    struct taskcore *taskcore = NULL;
    char id[TASKCORE_ID_SIZE];

    if (tc_open(&options, &taskcore) != TASKCORE_OK ||
        tc_register(taskcore, "greet", greet, NULL) != TASKCORE_OK ||
        tc_start(taskcore) != TASKCORE_OK || tc_submit(taskcore, &task, id) != TASKCORE_OK ||
        tc_wait(taskcore, id, 10000, &result) != TASKCORE_OK) {
        fprintf(stderr, "embed: %s\n", tc_error_message());
        tc_close(taskcore);
        return 1;
    }
    printf("%s: %s\n", id, result.data ? result.data : "(no result)");
    int ok = result.status == TASKCORE_DONE;

    tc_result_release(&result);
    tc_close(taskcore);
    return ok ? 0 : 1;
}
