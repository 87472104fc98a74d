#include "apps/settings/settings.h"

#include "apps/settings/setting_value.h"

#include <ctype.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

#define PREFIX     "TASK_"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

static const struct setting *find(const struct settings *settings, const char *name)
{
    for (const struct setting *row = settings->rows; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* "lease-ms" or "lease_ms", with a section before it or not, to "TASK_LEASE_MS". */
static bool make_name(const char *section, const char *key, char *ret_name, size_t size)
{
    int len = snprintf(ret_name, size, "%s%s%s%s", PREFIX, section, section[0] ? "_" : "", key);

    if (len < 0 || (size_t)len >= size)
        return false;
    for (char *at = ret_name; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return true;
}

static enum tc_code load_defaults(const struct settings *settings, void *values,
                                  struct tc_error *err)
{
    for (const struct setting *row = settings->rows; row->name; row++)
        if (setting_parse(row, row->fallback, values, err) != TC_OK)
            return err->code;
    return TC_OK;
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
    char name[128];
    const struct setting *row =
        make_name(section, key, name, sizeof(name)) ? find(load->settings, name) : NULL;

    if (!row)
        load->code = tc_fail(load->err, TC_INVALID, "%s: no setting '%s%s%s'", load->path,
                             section, section[0] ? "." : "", key);
    else if (value[0])
        load->code = setting_parse(row, value, load->values, load->err);
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

/* NAME_FILE: the secret stands in a file, so that no process list shows it. */
static enum tc_code load_secret_file(const struct setting *row, void *values,
                                     struct tc_error *err)
{
    char name[128];
    char value[SETTING_TEXT_SIZE];

    snprintf(name, sizeof(name), "%s_FILE", row->name);

    const char *path = getenv(name);

    if (!path || !path[0])
        return TC_OK;

    FILE *file = fopen(path, "re");
    size_t len = file ? fread(value, 1, sizeof(value) - 1, file) : 0;

    if (file)
        fclose(file);
    while (len > 0 && (value[len - 1] == '\n' || value[len - 1] == '\r'))
        len--;
    value[len] = '\0';
    if (len == 0)
        return tc_fail(err, TC_INVALID, "%s: cannot read '%s'", name, path);
    return setting_parse(row, value, values, err);
}

static enum tc_code load_environment(const struct settings *settings, void *values,
                                     struct tc_error *err)
{
    for (const struct setting *row = settings->rows; row->name; row++) {
        const char *value = getenv(row->name);
        enum tc_code code = row->secret ? load_secret_file(row, values, err) : TC_OK;

        if (code == TC_OK && value && value[0])
            code = setting_parse(row, value, values, err);
        if (code != TC_OK)
            return code;
    }
    return TC_OK;
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

/* Visit "--name value" and "--name=value"; `row` is NULL for --config. */
typedef enum tc_code take_flag_fn(const struct setting *row, const char *value, void *ctx,
                                  struct tc_error *err);

static enum tc_code split_flag(const struct settings *settings, int argc, char **argv, int *at,
                               take_flag_fn *take, void *ctx, struct tc_error *err)
{
    const char *arg = argv[*at];
    const char *equals = strchr(arg, '=');
    char key[128];
    char name[140];
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    if (strncmp(arg, "--", 2) != 0 || len - 2 >= sizeof(key))
        return tc_fail(err, TC_INVALID, "unknown argument '%s', see --help", arg);
    memcpy(key, arg + 2, len - 2);
    key[len - 2] = '\0';

    bool is_config = strcmp(key, "config") == 0;
    const struct setting *row =
        !is_config && make_name("", key, name, sizeof(name)) ? find(settings, name) : NULL;

    if (!row && !is_config)
        return tc_fail(err, TC_INVALID, "unknown flag '--%s', see --help", key);
    if (!equals && *at + 1 >= argc)
        return tc_fail(err, TC_INVALID, "--%s: a value must follow", key);
    return take(row, equals ? equals + 1 : argv[++*at], ctx, err);
}

static enum tc_code each_flag(const struct settings *settings, int argc, char **argv,
                              take_flag_fn *take, void *ctx, struct tc_error *err)
{
    enum settings_request ignored;

    for (int at = 1; at < argc; at++) {
        if (is_request(argv[at], &ignored))
            continue;

        enum tc_code code = split_flag(settings, argc, argv, &at, take, ctx, err);

        if (code != TC_OK)
            return code;
    }
    return TC_OK;
}

static enum tc_code take_config_path(const struct setting *row, const char *value, void *ctx,
                                     struct tc_error *err)
{
    const char **path = ctx;

    (void)err;
    if (!row)
        *path = value;
    return TC_OK;
}

static enum tc_code take_value(const struct setting *row, const char *value, void *ctx,
                               struct tc_error *err)
{
    return row ? setting_parse(row, value, ctx, err) : TC_OK;
}

enum tc_code settings_load(const struct settings *settings, int argc, char **argv, void *values,
                           enum settings_request *ret_request, struct tc_error *err)
{
    const char *path = getenv(PREFIX "CONFIG");
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

const char *settings_next_unknown(const struct settings *settings, size_t *at)
{
    static char name[128];

    while (environ[*at]) {
        const char *entry = environ[(*at)++];
        size_t len = strcspn(entry, "=");

        if (strncmp(entry, PREFIX, PREFIX_LEN) != 0 || len >= sizeof(name))
            continue;
        memcpy(name, entry, len);
        name[len] = '\0';
        if (!find(settings, name) && strcmp(name, PREFIX "CONFIG") != 0)
            return name;
    }
    return NULL;
}
