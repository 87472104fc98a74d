#include "tests/adapters/postgres_server.h"
#include "tests/conformance/lease_repo_suite.h"

int main(void)
{
    return postgres_server_run(lease_repo_suite(&postgres_driver));
}
