/*
 * core.c - what libgosess-core.so exports: shim.h says what each does.
 *
 * A request goes into Go once, and comes back with its answer. What needs libssl is done by the C
 * half before and after: it may call functions of the host (CRYPTO_get_ex_new_index(3)), which must
 * not run in Go.
 */
#include "glue.h"

#include "_cgo_export.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT const unsigned gosess_core_abi = GOSESS_CORE_ABI;

GOSESS_MARK(mark);

EXPORT int gosess_core_start(const struct gosess_start *start)
{
    gosess_gate_prepare(start); /* before the Go runtime makes a key of its own: gate.c */
    gosess_glue_start(start);
    return gosess_go_start();
}

EXPORT void gosess_core_work(void)
{
    gosess_gate_serve();
}

EXPORT void gosess_core_serve(struct gosess_request *request)
{
    gosess_gate_pass(request);
}

EXPORT bool gosess_core_owns_thread(pid_t thread)
{
    return gosess_is_own_thread(thread);
}
