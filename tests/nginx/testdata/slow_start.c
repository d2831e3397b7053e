/* A Go half that is loaded and started in its own good time. */
#include "standin.h"

#include <unistd.h>

const unsigned gosess_core_abi = GOSESS_CORE_ABI;

__attribute__((constructor)) static void hang(void)
{
    for (unsigned left = 3; left > 0;)
        left = sleep(left);
}

int gosess_core_start(const struct gosess_start *start)
{
    (void)start;
    return 0;
}
