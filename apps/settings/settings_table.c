#include "apps/settings/settings_table.h"

#include "apps/settings/setting_family.h"

#include <ctype.h>
#include <string.h>

extern char **environ;

#define FILE_SUFFIX "_FILE"

bool settings_next(const struct settings *settings, struct settings_place *place)
{
    if (!place->group) {
        place->group = settings->groups;
        place->row = place->group->rows;
    } else {
        place->row++;
    }
    while (place->row && !place->row->name) {
        place->group++;
        place->row = place->group->rows;
    }
    return place->row != NULL;
}

static bool has_name(const struct setting *row, const char *name)
{
    if (row->kind == SETTING_FAMILY)
        return setting_family_has(row, name);
    return strcmp(row->name, name) == 0;
}

bool settings_find(const struct settings *settings, const char *name,
                   struct settings_place *ret_place)
{
    struct settings_place place = { .group = NULL };

    while (settings_next(settings, &place))
        if (has_name(place.row, name)) {
            *ret_place = place;
            return true;
        }
    return false;
}

void *settings_values(const struct settings_place *place, void *values)
{
    return (char *)values + place->group->offset;
}

bool settings_make_name(const char *section, const char *key, char *ret_name, size_t size)
{
    int len = snprintf(ret_name, size, "%s%s%s%s", SETTINGS_PREFIX, section,
                       section[0] ? "_" : "", key);

    if (len < 0 || (size_t)len >= size)
        return false;
    for (char *at = ret_name; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    return true;
}

/* NAME_FILE without its suffix. */
static bool cut_file_suffix(const char *name, char *ret_name, size_t size)
{
    size_t len = strlen(name);
    size_t suffix = sizeof(FILE_SUFFIX) - 1;

    if (len <= suffix || len >= size || strcmp(name + len - suffix, FILE_SUFFIX) != 0)
        return false;
    memcpy(ret_name, name, len - suffix);
    ret_name[len - suffix] = '\0';
    return true;
}

bool settings_know(const struct settings *settings, const char *name)
{
    struct settings_place place;
    char secret[SETTING_NAME_SIZE];

    if (strcmp(name, SETTINGS_CONFIG) == 0 || settings_find(settings, name, &place))
        return true;
    return cut_file_suffix(name, secret, sizeof(secret)) &&
           settings_find(settings, secret, &place) && place.row->secret;
}

const char *settings_next_unknown(const struct settings *settings, size_t *at)
{
    static char name[SETTING_NAME_SIZE];

    while (environ[*at]) {
        const char *entry = environ[(*at)++];
        size_t len = strcspn(entry, "=");

        if (strncmp(entry, SETTINGS_PREFIX, SETTINGS_PREFIX_LEN) != 0 || len >= sizeof(name))
            continue;
        memcpy(name, entry, len);
        name[len] = '\0';
        if (!settings_know(settings, name))
            return name;
    }
    return NULL;
}
