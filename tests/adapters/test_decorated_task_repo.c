#include "tests/adapters/decorated_store.h"
#include "tests/conformance/task_repo_suite.h"
#include "tests/support/run_suite.h"

int main(void)
{
    return run_suite(task_repo_suite(&decorated_store_driver));
}
