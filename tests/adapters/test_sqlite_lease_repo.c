#include "tests/adapters/sqlite_folder.h"
#include "tests/conformance/lease_repo_suite.h"
#include "tests/support/run_suite.h"

int main(void)
{
    return run_suite(lease_repo_suite(&sqlite_driver));
}
