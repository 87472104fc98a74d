/* Any bytes as a settings file and as the value of every setting: no crash, and what is
 * refused is refused with a message. */
#include "apps/settings/setting_family.h"
#include "apps/settings/setting_value.h"
#include "apps/settings/settings_table.h"
#include "apps/taskapi/taskapi_settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_value(const struct setting *row, const char *text, void *values)
{
    char again[SETTING_TEXT_SIZE];
    struct tc_error err = { .message = "" };

    if (setting_parse(row, text, values, &err) != TC_OK) {
        assert(strstr(err.message, row->name));
        return;
    }
    setting_format(row, values, again, sizeof(again));
    if (!row->secret) /* what is masked need not be a value any more */
        assert(setting_parse(row, again, values, &err) == TC_OK);
}

/* The text as a name of the family, and as the value of one. */
static void parse_family(const struct setting *row, const char *text, void *values)
{
    char name[SETTING_NAME_SIZE];
    struct tc_error err = { .message = "" };

    snprintf(name, sizeof(name), "%s%.100s", row->name, text);
    if (setting_family_put(row, name, text, values, &err) != TC_OK)
        assert(err.message[0]);
}

static void parse_each_row(const char *text)
{
    static struct taskapi_settings values;
    struct settings_place place = { .group = NULL };

    while (settings_next(&taskapi_settings_table, &place)) {
        void *at = settings_values(&place, &values);

        if (place.row->kind == SETTING_FAMILY)
            parse_family(place.row, text, at);
        else
            parse_value(place.row, text, at);
    }
}

static void load_file(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/taskcore-fuzz-XXXXXX";
    char name[] = "taskapi";
    char flag[] = "--config";
    char *argv[] = { name, flag, path, NULL };
    static struct taskapi_settings values;
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
