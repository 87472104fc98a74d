#include "tests/adapters/sqlite_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sqlite_folder_make(struct sqlite_folder *folder)
{
    char name[] = "/tmp/taskcore-sqlite-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(name));
    snprintf(folder->folder, sizeof(folder->folder), "%s", name);
    snprintf(folder->path, sizeof(folder->path), "%s/tasks.db", name);
}

void sqlite_folder_remove(const struct sqlite_folder *folder)
{
    DIR *dir = opendir(folder->folder);

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder->folder);
}

/* --- for the tests of this store alone --- */

struct sqlite_folder sqlite_folder;
struct sqlite_store *sqlite_now;

void sqlite_folder_setup(void)
{
    sqlite_folder_make(&sqlite_folder);
    fake_clock_init(&store.clock, STORE_START_MS);
}

void sqlite_close_now(void)
{
    sqlite_store_close(sqlite_now);
    sqlite_now = NULL;
}

void sqlite_folder_teardown(void)
{
    sqlite_close_now();
    sqlite_folder_remove(&sqlite_folder);
}

enum tc_code sqlite_try_open(const char *path, struct sqlite_store **ret_store)
{
    const struct sqlite_store_config config = { .path = path, .clock = &store.clock.base };

    return sqlite_store_open(&config, ret_store, &store.err);
}

void sqlite_open_again(void)
{
    sqlite_close_now();
    ck_assert_msg(sqlite_try_open(sqlite_folder.path, &sqlite_now) == TC_OK, "%s",
                  store.err.message);
    store.tasks = sqlite_store_task_repo(sqlite_now);
    store.leases = sqlite_store_lease_repo(sqlite_now);
}

void sqlite_assert_refused(const char *path, enum tc_code code, const char *word)
{
    struct sqlite_store *sqlite = NULL;

    ck_assert_int_eq(sqlite_try_open(path, &sqlite), code);
    ck_assert_msg(strstr(store.err.message, word), "no '%s' in: %s", word, store.err.message);
    ck_assert_ptr_null(sqlite);
}

void sqlite_make_file(void)
{
    sqlite_open_again();
    store_create((struct store_wish){ 0 });
    sqlite_close_now();
}

const char *sqlite_with_end(const char *path, const char *end)
{
    static char name[128];

    snprintf(name, sizeof(name), "%s%s", path, end);
    return name;
}

/* --- for the conformance suites --- */

struct file_store {
    struct sqlite_folder folder;
    struct sqlite_store *sqlite;
};

static enum tc_code open_file(struct file_store *file, struct tc_clock *clock,
                              struct store_under_test *ret_store, struct tc_error *err)
{
    const struct sqlite_store_config config = { .path = file->folder.path, .clock = clock };
    enum tc_code code = sqlite_store_open(&config, &file->sqlite, err);

    if (code == TC_OK)
        *ret_store = (struct store_under_test){
            .tasks = sqlite_store_task_repo(file->sqlite),
            .leases = sqlite_store_lease_repo(file->sqlite),
            .ctx = file,
        };
    return code;
}

static enum tc_code driver_open(struct tc_clock *clock, struct store_under_test *ret_store,
                                struct tc_error *err)
{
    struct file_store *file = calloc(1, sizeof(*file));

    ck_assert_ptr_nonnull(file);
    sqlite_folder_make(&file->folder);
    return open_file(file, clock, ret_store, err);
}

static enum tc_code driver_reopen(struct store_under_test *under_test, struct tc_clock *clock,
                                  struct tc_error *err)
{
    struct file_store *file = under_test->ctx;

    sqlite_store_close(file->sqlite);
    return open_file(file, clock, under_test, err);
}

static void driver_close(struct store_under_test *under_test)
{
    struct file_store *file = under_test->ctx;

    sqlite_store_close(file->sqlite);
    sqlite_folder_remove(&file->folder);
    free(file);
}

const struct store_driver sqlite_driver = {
    .name = "sqlite",
    .open = driver_open,
    .close = driver_close,
    .reopen = driver_reopen,
};
