/* The C API of include/taskcore.h on the embedded service. */
#include "include/taskcore.h"

#include "apps/embedded/c_function.h"
#include "apps/service/service.h"
#include "core/domain/container_of.h"
#include "ports/task_events.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)TASKCORE_OK == (int)TC_OK && (int)TASKCORE_INVALID == (int)TC_INVALID &&
                  (int)TASKCORE_NOT_FOUND == (int)TC_NOT_FOUND &&
                  (int)TASKCORE_CONFLICT == (int)TC_CONFLICT &&
                  (int)TASKCORE_UNAVAILABLE == (int)TC_UNAVAILABLE &&
                  (int)TASKCORE_UNKNOWN == (int)TC_UNKNOWN &&
                  (int)TASKCORE_NO_MEMORY == (int)TC_NO_MEMORY &&
                  (int)TASKCORE_INTERNAL == (int)TC_INTERNAL,
              "the public codes are the core's");
static_assert((int)TASKCORE_CANCELLED == (int)TC_STATUS_CANCELLED &&
                  (int)TASKCORE_SCHEDULED == (int)TC_STATUS_SCHEDULED,
              "the public statuses are the core's");

#define DEFAULT_WORKERS 2
#define WORKERS_MAX     256
#define FUNCTIONS_MAX   1000

struct taskcore {
    struct service *service;
    struct c_function *functions; /* owned; at their final place once started */
    struct tc_handler_entry *entries;
    size_t function_count;
    size_t workers;
    bool started;
    struct tc_logger logger;
    void (*log)(void *ctx, const char *line);
    void *log_ctx;
};

static _Thread_local struct tc_error last_error;

const char *tc_error_message(void)
{
    return last_error.message;
}

static int fail(enum tc_code code, const char *message)
{
    return (int)tc_fail(&last_error, code, "%s", message);
}

static void write_log(struct tc_logger *logger, enum tc_log_level level,
                      const struct tc_log_subject *subject, const char *message)
{
    struct taskcore *self = TC_CONTAINER_OF(logger, struct taskcore, logger);
    char id[TC_ID_TEXT_SIZE] = "-";
    char line[1100];

    if (subject && subject->task_id)
        tc_id_format(subject->task_id, id);
    snprintf(line, sizeof(line), "%s %s %s", tc_log_level_name(level), id, message);
    self->log(self->log_ctx, line);
}

static bool set_time(int64_t given, int64_t min, int64_t max, int64_t *value)
{
    if (given == 0)
        return true;
    *value = given;
    return given >= min && given <= max;
}

static int check_options(const struct taskcore_options *options, struct tc_policy *ret_policy)
{
    *ret_policy = tc_policy_default();
    if (!options->store)
        return fail(TC_INVALID, "store is required");
    if (options->workers < -1 || options->workers > WORKERS_MAX)
        return fail(TC_INVALID, "workers must be -1..256");
    if (!set_time(options->lease_ms, TC_LEASE_MIN_MS, TC_LEASE_MAX_MS, &ret_policy->lease_ms))
        return fail(TC_INVALID, "lease_ms must be 1000..3600000");
    if (!set_time(options->retry_min_ms, 1, TC_DELAY_MAX_MS, &ret_policy->retry_min_ms) ||
        !set_time(options->retry_max_ms, 1, TC_DELAY_MAX_MS, &ret_policy->retry_max_ms) ||
        ret_policy->retry_max_ms < ret_policy->retry_min_ms)
        return fail(TC_INVALID, "retry_min_ms and retry_max_ms must be 1.. and in order");
    return TASKCORE_OK;
}

int tc_open(const struct taskcore_options *options, struct taskcore **ret_taskcore)
{
    static const struct tc_logger_ops log_ops = { .write = write_log };
    struct service_config config = { .database_url = options->store };
    int code = check_options(options, &config.policy);
    struct taskcore *self = code == TASKCORE_OK ? calloc(1, sizeof(*self)) : NULL;

    if (code != TASKCORE_OK)
        return code;
    if (!self)
        return fail(TC_NO_MEMORY, "out of memory");
    self->workers = options->workers < 0 ? 0 : (size_t)options->workers;
    if (options->workers == 0)
        self->workers = DEFAULT_WORKERS;
    self->logger = (struct tc_logger){ .ops = &log_ops, .threshold = TC_LOG_INFO };
    self->log = options->log;
    self->log_ctx = options->log_ctx;
    config.logger = options->log ? &self->logger : NULL;
    code = (int)service_open(&config, &self->service, &last_error);
    if (code != TASKCORE_OK) {
        free(self);
        return code == (int)TC_CONFLICT ? (int)TC_UNAVAILABLE : code;
    }
    *ret_taskcore = self;
    return TASKCORE_OK;
}

static bool is_registered(const struct taskcore *taskcore, const char *type)
{
    for (size_t i = 0; i < taskcore->function_count; i++)
        if (strcmp(taskcore->functions[i].type, type) == 0)
            return true;
    return false;
}

int tc_register(struct taskcore *taskcore, const char *type, taskcore_function *function,
                void *ctx)
{
    if (taskcore->started)
        return fail(TC_INVALID, "functions are registered before tc_start()");
    if (!type || !function || !tc_name_is_valid(tc_bytes_of(type)))
        return fail(TC_INVALID, "type must be 1..64 of a-z, 0-9, '.', '_' and '-'");
    if (is_registered(taskcore, type) || taskcore->function_count == FUNCTIONS_MAX)
        return fail(TC_INVALID, "the type is taken, or there are 1000 already");

    struct c_function *functions = realloc(
        taskcore->functions, (taskcore->function_count + 1) * sizeof(*taskcore->functions));

    if (!functions)
        return fail(TC_NO_MEMORY, "out of memory");
    taskcore->functions = functions;
    c_function_init(&functions[taskcore->function_count++], type, function, ctx);
    return TASKCORE_OK;
}

int tc_start(struct taskcore *taskcore)
{
    if (taskcore->started)
        return fail(TC_INVALID, "it was started before");

    size_t count = taskcore->function_count;

    taskcore->entries = calloc(count + 1, sizeof(*taskcore->entries));
    if (!taskcore->entries)
        return fail(TC_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        taskcore->entries[i] = (struct tc_handler_entry){ taskcore->functions[i].type,
                                                          &taskcore->functions[i].base };

    /* With nothing registered there is nothing to run, only to keep. */
    const struct service_work work = {
        .slots = count ? taskcore->workers : 0,
        .handlers = taskcore->entries,
        .handler_count = count,
    };
    enum tc_code code = service_start(taskcore->service, &work, &last_error);

    taskcore->started = code == TC_OK;
    return (int)code;
}

static int spec_from(const struct taskcore_task *task, const struct tc_policy *policy,
                     struct tc_task_spec *ret_spec)
{
    struct tc_violations violations = { .kept = 0 };

    if (!task->type || !task->payload)
        return fail(TC_INVALID, "type and payload are required");
    tc_task_spec_init(ret_spec);
    ret_spec->payload.bytes = (struct tc_bytes){ task->payload, task->payload_len };
    ret_spec->payload.kind =
        tc_utf8_is_valid(ret_spec->payload.bytes) ? TC_CONTENT_TEXT : TC_CONTENT_BYTES;
    ret_spec->type = tc_bytes_of(task->type);
    ret_spec->queue = tc_bytes_of(task->queue);
    ret_spec->priority = task->priority;
    ret_spec->delay_ms = task->delay_ms;
    if (task->max_attempts != 0)
        ret_spec->max_attempts = task->max_attempts;
    if (task->timeout_ms != 0)
        ret_spec->timeout_ms = task->timeout_ms;
    tc_task_spec_validate(ret_spec, policy, "", &violations);
    if (violations.total > 0)
        return (int)tc_fail(&last_error, TC_INVALID, "%s %s", violations.items[0].pointer + 1,
                            violations.items[0].detail);
    if (task->key && !tc_key_is_valid(tc_bytes_of(task->key)))
        return fail(TC_INVALID, "key must be 1..255 visible ASCII characters");
    return TASKCORE_OK;
}

/* "The same task" for a key: everything that was asked for. */
static bool hash_task(const struct taskcore_task *task,
                      unsigned char ret_hash[TC_REQUEST_HASH_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const char *queue = task->queue ? task->queue : "";
    const int64_t numbers[] = { task->priority, task->delay_ms, task->max_attempts,
                                task->timeout_ms };
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
              EVP_DigestUpdate(ctx, task->type, strlen(task->type) + 1) &&
              EVP_DigestUpdate(ctx, queue, strlen(queue) + 1) &&
              EVP_DigestUpdate(ctx, numbers, sizeof(numbers)) &&
              EVP_DigestUpdate(ctx, task->payload, task->payload_len) &&
              EVP_DigestFinal_ex(ctx, ret_hash, NULL);

    EVP_MD_CTX_free(ctx);
    return ok;
}

int tc_submit(struct taskcore *taskcore, const struct taskcore_task *task,
              char ret_id[TASKCORE_ID_SIZE])
{
    const struct service_ports *ports = service_ports(taskcore->service);
    const struct tc_create_tasks_ports create = { ports->repo, ports->queue, ports->ids,
                                                  ports->policy };
    struct tc_task_spec spec;
    struct tc_create_tasks_input input = { .specs = &spec, .count = 1, .key = task->key };
    struct tc_create_tasks_result result = { .answer = NULL };
    int code = spec_from(task, ports->policy, &spec);

    if (code != TASKCORE_OK)
        return code;
    if (task->key && !hash_task(task, input.request_hash))
        return fail(TC_NO_MEMORY, "out of memory");
    code = (int)tc_create_tasks(&create, &input, &result, &last_error);
    if (code != TASKCORE_OK)
        return code;
    if (result.verdict == TC_INSERT_MISMATCH)
        code = fail(TC_CONFLICT, "the key was used for another task");
    else
        tc_id_format(&result.first_id, ret_id);
    tc_create_tasks_result_release(&result);
    return code;
}

static bool copy_text(struct tc_bytes bytes, char **ret_text)
{
    char *text = malloc(bytes.len + 1);

    if (!text)
        return false;
    if (bytes.len > 0)
        memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    *ret_text = text;
    return true;
}

static int result_from(const struct tc_task *task, struct taskcore_result *ret_result)
{
    struct taskcore_result result = {
        .status = (enum taskcore_status)task->status,
        .attempt = task->attempt,
        .len = task->result.bytes.len,
    };

    if ((task->result.kind != TC_CONTENT_NONE &&
         !copy_text(task->result.bytes, &result.data)) ||
        (task->error.reason != TC_REASON_NONE &&
         !copy_text(task->error.message, &result.error))) {
        tc_result_release(&result);
        return fail(TC_NO_MEMORY, "out of memory");
    }
    *ret_result = result;
    return TASKCORE_OK;
}

static int parse_id(const char *text, struct tc_id *ret_id)
{
    if (!text || !tc_id_parse(text, strlen(text), ret_id))
        return fail(TC_INVALID, "that is no task id");
    return TASKCORE_OK;
}

int tc_wait(struct taskcore *taskcore, const char *id, int64_t wait_ms,
            struct taskcore_result *ret_result)
{
    const struct service_ports *ports = service_ports(taskcore->service);
    const struct tc_get_task_ports get = { ports->repo, ports->events, ports->clock };
    struct tc_id key;
    struct tc_task task;
    int code = parse_id(id, &key);

    if (code == TASKCORE_OK)
        code = (int)tc_get_task(&get, &key, wait_ms, &task, &last_error);
    if (code != TASKCORE_OK)
        return code;
    code = result_from(&task, ret_result);
    tc_task_release(&task);
    return code;
}

void tc_result_release(struct taskcore_result *result)
{
    if (!result)
        return;
    free(result->data);
    free(result->error);
    *result = (struct taskcore_result){ .data = NULL };
}

int tc_cancel(struct taskcore *taskcore, const char *id)
{
    const struct service_ports *ports = service_ports(taskcore->service);
    const struct tc_change_task_ports change = { ports->repo, ports->events, ports->queue };
    struct tc_id key;
    struct tc_task task;
    int code = parse_id(id, &key);

    if (code == TASKCORE_OK)
        code = (int)tc_cancel_task(&change, &key, &task, &last_error);
    if (code == TASKCORE_OK)
        tc_task_release(&task);
    return code;
}

void tc_stop(struct taskcore *taskcore, int64_t drain_ms)
{
    service_drain(taskcore->service, drain_ms);
}

void tc_close(struct taskcore *taskcore)
{
    if (!taskcore)
        return;
    service_drain(taskcore->service, 0);
    service_interrupt_waits(taskcore->service);
    if (!service_close(taskcore->service))
        return; /* a function still runs: all that it may touch is left to it */
    free(taskcore->entries);
    free(taskcore->functions);
    free(taskcore);
}
