#include "apps/process/programs.h"

#include "apps/taskapi/taskapi_settings.h"
#include "apps/taskctl/taskctl_settings.h"
#include "apps/taskpublisher/taskpublisher_settings.h"
#include "apps/taskworker/taskworker_settings.h"

const struct settings *const programs[] = {
    &taskapi_settings_table,
    &taskworker_settings_table,
    &taskpublisher_settings_table,
    &taskctl_settings_table,
    NULL,
};

bool programs_know(const char *name)
{
    for (size_t i = 0; programs[i]; i++)
        if (settings_know(programs[i], name))
            return true;
    return false;
}
