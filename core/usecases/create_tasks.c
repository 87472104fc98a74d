#include "core/usecases/create_tasks.h"

#include "ports/ids.h"
#include "ports/task_queue.h"

#include <stdlib.h>
#include <string.h>

#define SETTLE_TRIES 2

/* One request's tasks while they are being made; small requests stay on the stack. */
struct draft {
    struct tc_task *tasks;
    struct tc_task one;
    struct tc_id one_id;
};

void tc_create_tasks_result_release(struct tc_create_tasks_result *result)
{
    if (!result)
        return;
    free(result->answer);
    *result = (struct tc_create_tasks_result){ 0 };
}

static enum tc_code make_many(const struct tc_create_tasks_ports *ports,
                              const struct tc_create_tasks_input *input, struct draft *draft,
                              struct tc_error *err)
{
    struct tc_id *ids = malloc(input->count * sizeof(*ids));

    draft->tasks = malloc(input->count * sizeof(*draft->tasks));
    if (!ids || !draft->tasks) {
        free(ids);
        free(draft->tasks);
        draft->tasks = NULL;
        return tc_fail(err, TC_NO_MEMORY, "a batch of %zu tasks", input->count);
    }
    tc_ids_make(ports->ids, input->count, ids);
    for (size_t i = 0; i < input->count; i++)
        draft->tasks[i] = tc_task_from_spec(&input->specs[i], ports->policy, ids[i]);
    free(ids);
    return TC_OK;
}

static enum tc_code make_draft(const struct tc_create_tasks_ports *ports,
                               const struct tc_create_tasks_input *input, struct draft *draft,
                               struct tc_error *err)
{
    if (input->count > 1)
        return make_many(ports, input, draft, err);
    tc_ids_make(ports->ids, 1, &draft->one_id);
    draft->one = tc_task_from_spec(&input->specs[0], ports->policy, draft->one_id);
    draft->tasks = &draft->one;
    return TC_OK;
}

static void release_draft(struct draft *draft)
{
    if (draft->tasks != &draft->one)
        free(draft->tasks);
}

/* A lost answer is settled by asking for the same again: the ids make that harmless. */
static enum tc_code insert(struct tc_task_repo *repo, const struct tc_creation *creation,
                           struct tc_inserted *ret_inserted, struct tc_error *err)
{
    enum tc_code code = repo->ops->insert(repo, creation, 1, ret_inserted, err);

    for (int i = 0; i < SETTLE_TRIES && code == TC_UNKNOWN; i++) {
        enum tc_code again = repo->ops->insert(repo, creation, 1, ret_inserted, err);

        /* "Nothing applied" is true of the second call only; the first stays unknown. */
        if (again == TC_OK)
            code = TC_OK;
    }
    return code == TC_UNKNOWN ? tc_fail(err, code, "the task may have been stored") : code;
}

static void announce(struct tc_task_queue *queue, const struct tc_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i].status == TC_STATUS_NEW)
            tc_task_queue_tell(queue, &tasks[i]);
}

static enum tc_code store(const struct tc_create_tasks_ports *ports,
                          const struct tc_creation *creation, char **answer,
                          struct tc_create_tasks_result *ret_result, struct tc_error *err)
{
    struct tc_inserted inserted = { 0 };
    enum tc_code code = insert(ports->repo, creation, &inserted, err);

    if (code != TC_OK)
        return code;
    *ret_result = (struct tc_create_tasks_result){
        .verdict = inserted.verdict,
        .first_id = inserted.first_id,
    };
    /* An id of ours can only be there because an unknown outcome was a success. */
    if (tc_id_compare(&inserted.first_id, &creation->tasks[0].id) == 0)
        ret_result->verdict = TC_INSERT_CREATED;
    if (ret_result->verdict == TC_INSERT_EXISTING) {
        ret_result->answer = inserted.answer;
        ret_result->answer_len = inserted.answer_len;
        return TC_OK;
    }
    if (ret_result->verdict == TC_INSERT_CREATED) {
        ret_result->answer = *answer;
        ret_result->answer_len = creation->answer.len;
        *answer = NULL;
        announce(ports->queue, creation->tasks, creation->task_count);
    }
    tc_inserted_release(&inserted);
    return TC_OK;
}

enum tc_code tc_create_tasks(const struct tc_create_tasks_ports *ports,
                             const struct tc_create_tasks_input *input,
                             struct tc_create_tasks_result *ret_result, struct tc_error *err)
{
    struct draft draft;
    struct tc_creation creation = { .task_count = input->count, .key = input->key };
    char *answer = NULL;
    enum tc_code code = make_draft(ports, input, &draft, err);

    if (code != TC_OK)
        return code;
    creation.tasks = draft.tasks;
    memcpy(creation.request_hash, input->request_hash, sizeof(creation.request_hash));
    if (input->write_answer)
        code = input->write_answer(input->write_answer_ctx, draft.tasks, input->count, &answer,
                                   &creation.answer.len, err);
    creation.answer.data = answer;
    if (code == TC_OK)
        code = store(ports, &creation, &answer, ret_result, err);
    free(answer);
    release_draft(&draft);
    return code;
}
