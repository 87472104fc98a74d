#include "tests/adapters/postgres_server.h"
#include "tests/conformance/task_repo_suite.h"

int main(void)
{
    return postgres_server_run(task_repo_suite(&postgres_driver));
}
