/* The store as it runs behind a transaction pooler: nothing is prepared, and all is the same.
 */

#include "tests/adapters/postgres_server.h"
#include "tests/conformance/task_repo_suite.h"

int main(void)
{
    return postgres_server_run(task_repo_suite(&postgres_pooler_driver));
}
