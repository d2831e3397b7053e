/* A Go half that finds the store unusable, says so, and does not start. */
#include "standin.h"

const unsigned gosess_core_abi = GOSESS_CORE_ABI;

int gosess_core_start(const struct gosess_start *start)
{
    start->log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE, "the core will not start");
    return -1;
}
