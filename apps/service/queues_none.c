#include "apps/service/queues.h"

bool broker_knows_url(const char *url)
{
    (void)url;
    return false;
}

enum tc_code broker_open(const struct service_config *config, struct broker *ret_broker,
                         struct tc_error *err)
{
    (void)config;
    (void)ret_broker;
    return tc_fail(err, TC_INVALID, "this library was built without a broker");
}

void broker_close(struct broker *broker)
{
    (void)broker;
}
