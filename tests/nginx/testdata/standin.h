/* standin.h - a Go half in C that never finds a session. */
#include <unistd.h>

#include "../../../shim.h"

_Noreturn void gosess_core_work(void)
{
    for (;;)
        pause();
}

bool gosess_core_owns_thread(pid_t thread)
{
    (void)thread;
    return false;
}

void gosess_core_serve(struct gosess_request *request)
{
    request->result = request->operation == GOSESS_OPEN;
}
