#include "apps/settings/settings.h"

#include "apps/settings/setting_family.h"
#include "apps/settings/setting_value.h"
#include "apps/settings/settings_table.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

/* `name` tells which one of a family. */
static enum tc_code set(const struct settings_place *place, const char *name, const char *text,
                        void *values, struct tc_error *err)
{
    void *at = settings_values(place, values);

    if (place->row->kind == SETTING_FAMILY)
        return setting_family_put(place->row, name, text, at, err);
    return setting_parse(place->row, text, at, err);
}

static enum tc_code load_defaults(const struct settings *settings, void *values,
                                  struct tc_error *err)
{
    struct settings_place place = { .group = NULL };
    enum tc_code code = TC_OK;

    while (code == TC_OK && settings_next(settings, &place)) {
        void *at = settings_values(&place, values);

        if (place.row->kind == SETTING_FAMILY)
            memset((char *)at + place.row->offset, 0, sizeof(struct setting_family));
        else
            code = setting_parse(place.row, place.row->fallback, at, err);
    }
    return code;
}

struct file_load {
    const struct settings *settings;
    const char *path;
    void *values;
    struct tc_error *err;
    enum tc_code code;
};

/* Called by inih per line; 0 stops. */
static int take_line(void *user, const char *section, const char *key, const char *value)
{
    struct file_load *load = user;
    char name[SETTING_NAME_SIZE];
    struct settings_place place;

    if (!settings_make_name(section, key, name, sizeof(name)) ||
        !settings_find(load->settings, name, &place))
        load->code = tc_fail(load->err, TC_INVALID, "%s: no setting '%s%s%s'", load->path,
                             section, section[0] ? "." : "", key);
    else if (value[0])
        load->code = set(&place, name, value, load->values, load->err);
    return load->code == TC_OK;
}

static enum tc_code load_file(const struct settings *settings, const char *path, void *values,
                              struct tc_error *err)
{
    struct file_load load = { settings, path, values, err, TC_OK };
    int line = ini_parse(path, take_line, &load);

    if (load.code != TC_OK)
        return load.code;
    if (line < 0)
        return tc_fail(err, TC_INVALID, "TASK_CONFIG: cannot read '%s'", path);
    if (line > 0)
        return tc_fail(err, TC_INVALID, "%s:%d: not 'name = value'", path, line);
    return TC_OK;
}

/* From NAME_FILE or from NAME, which beats it. */
static enum tc_code load_variable(const struct setting *row, void *values, struct tc_error *err)
{
    char name[SETTING_NAME_SIZE];
    char text[SETTING_TEXT_SIZE];
    const char *value = getenv(row->name);

    if (value && value[0])
        return setting_parse(row, value, values, err);
    if (!row->secret)
        return TC_OK;
    snprintf(name, sizeof(name), "%s_FILE", row->name);

    const char *path = getenv(name);

    if (!path || !path[0])
        return TC_OK;

    enum tc_code code = setting_read_file(name, path, text, sizeof(text), err);

    return code == TC_OK ? setting_parse(row, text, values, err) : code;
}

static enum tc_code load_environment(const struct settings *settings, void *values,
                                     struct tc_error *err)
{
    struct settings_place place = { .group = NULL };
    enum tc_code code = TC_OK;

    while (code == TC_OK && settings_next(settings, &place)) {
        void *at = settings_values(&place, values);

        if (place.row->kind == SETTING_FAMILY)
            code = setting_family_load(place.row, at, err);
        else
            code = load_variable(place.row, at, err);
    }
    return code;
}

static bool is_request(const char *arg, enum settings_request *ret_request)
{
    static const struct {
        const char *flag;
        enum settings_request request;
    } requests[] = {
        { "--help", SETTINGS_HELP },
        { "-h", SETTINGS_HELP },
        { "--version", SETTINGS_VERSION },
        { "--print-config", SETTINGS_PRINT_CONFIG },
        { "--print-config-docs", SETTINGS_PRINT_DOCS },
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (strcmp(arg, requests[i].flag) == 0) {
            *ret_request = requests[i].request;
            return true;
        }
    return false;
}

/* "--name value" or "--name=value". */
struct flag {
    char name[SETTING_NAME_SIZE]; /* of the variable */
    struct settings_place place;
    bool is_config;
    const char *value; /* NULL: the next argument */
};

/* True when `arg` is a flag of ours; `*ret_flag` is then filled. */
static bool parse_flag(const struct settings *settings, const char *arg, struct flag *ret_flag)
{
    const char *equals = strchr(arg, '=');
    char key[SETTING_NAME_SIZE];
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    if (strncmp(arg, "--", 2) != 0 || len - 2 >= sizeof(key))
        return false;
    memcpy(key, arg + 2, len - 2);
    key[len - 2] = '\0';
    ret_flag->value = equals ? equals + 1 : NULL;
    ret_flag->is_config = strcmp(key, "config") == 0;
    return ret_flag->is_config ||
           (settings_make_name("", key, ret_flag->name, sizeof(ret_flag->name)) &&
            settings_find(settings, ret_flag->name, &ret_flag->place));
}

int settings_flag_length(const struct settings *settings, int argc, char **argv, int at)
{
    enum settings_request ignored;
    struct flag flag;

    if (is_request(argv[at], &ignored))
        return 1;
    if (!parse_flag(settings, argv[at], &flag))
        return 0;
    return flag.value || at + 1 >= argc ? 1 : 2;
}

typedef enum tc_code take_flag_fn(const struct flag *flag, void *ctx, struct tc_error *err);

static enum tc_code each_flag(const struct settings *settings, int argc, char **argv,
                              take_flag_fn *take, void *ctx, struct tc_error *err)
{
    enum settings_request ignored;
    enum tc_code code = TC_OK;

    for (int at = 1; code == TC_OK && at < argc; at++) {
        struct flag flag;

        if (is_request(argv[at], &ignored))
            continue;
        if (!parse_flag(settings, argv[at], &flag))
            return tc_fail(err, TC_INVALID, "unknown argument '%s', see --help", argv[at]);
        if (!flag.value && at + 1 >= argc)
            return tc_fail(err, TC_INVALID, "%s: a value must follow", argv[at]);
        if (!flag.value)
            flag.value = argv[++at];
        code = take(&flag, ctx, err);
    }
    return code;
}

static enum tc_code take_config_path(const struct flag *flag, void *ctx, struct tc_error *err)
{
    const char **path = ctx;

    (void)err;
    if (flag->is_config)
        *path = flag->value;
    return TC_OK;
}

static enum tc_code take_value(const struct flag *flag, void *ctx, struct tc_error *err)
{
    return flag->is_config ? TC_OK : set(&flag->place, flag->name, flag->value, ctx, err);
}

enum tc_code settings_load(const struct settings *settings, int argc, char **argv, void *values,
                           enum settings_request *ret_request, struct tc_error *err)
{
    const char *path = getenv(SETTINGS_CONFIG);
    enum settings_request request = SETTINGS_RUN;
    enum tc_code code = load_defaults(settings, values, err);

    for (int at = 1; at < argc; at++)
        (void)is_request(argv[at], &request);
    if (code == TC_OK)
        code = each_flag(settings, argc, argv, take_config_path, &path, err);
    if (code == TC_OK && path && path[0])
        code = load_file(settings, path, values, err);
    if (code == TC_OK)
        code = load_environment(settings, values, err);
    if (code == TC_OK)
        code = each_flag(settings, argc, argv, take_value, values, err);
    if (code == TC_OK)
        *ret_request = request;
    return code;
}
