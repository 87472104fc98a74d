/* Any bytes as a settings file and as the value of every setting: no crash, and what is
 * refused is refused with a message. */
#include "apps/settings/setting_value.h"
#include "apps/taskapi/taskapi_settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_each_row(const char *text)
{
    static struct taskapi_settings values;
    char again[SETTING_TEXT_SIZE];

    for (const struct setting *row = taskapi_settings_table.rows; row->name; row++) {
        struct tc_error err = { .message = "" };

        if (setting_parse(row, text, &values, &err) == TC_OK) {
            setting_format(row, &values, again, sizeof(again));
            assert(setting_parse(row, again, &values, &err) == TC_OK);
        } else {
            assert(strstr(err.message, row->name));
        }
    }
}

static void load_file(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/taskcore-fuzz-XXXXXX";
    char name[] = "taskapi";
    char flag[] = "--config";
    char *argv[] = { name, flag, path, NULL };
    struct taskapi_settings values;
    enum settings_request request;
    struct tc_error err = { .message = "" };
    int fd = mkstemp(path);

    assert(fd >= 0);

    bool written = write(fd, data, size) == (ssize_t)size;

    close(fd);
    if (written &&
        settings_load(&taskapi_settings_table, 3, argv, &values, &request, &err) != TC_OK)
        assert(err.message[0]);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    parse_each_row(text);
    free(text);
    load_file(data, size);
    return 0;
}
