/*
 * counting.c - the Go half, with the requests that go into it counted, of all processes that load
 * it. Compiled with
 *   -DCORE="PATH"    the Go half
 *   -DCOUNTS="PATH"  a file of a page, where there is a word for each operation of shim.h
 *   -DSPOILS         what is found has bytes that are no session
 */
#define _GNU_SOURCE
#include "../../../shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef CORE
#    define CORE "libgosess-core.so"
#endif
#ifndef COUNTS
#    define COUNTS "counts"
#endif

const unsigned gosess_core_abi = GOSESS_CORE_ABI;

static _Atomic uint64_t *counts;

static __typeof__(&gosess_core_start) start;
static __typeof__(&gosess_core_work) work;
static __typeof__(&gosess_core_serve) serve;
static __typeof__(&gosess_core_owns_thread) owns_thread;

static void resolve(void *core, const char *name, void *function)
{
    void *found = dlsym(core, name);
    if (!found)
        abort();
    memcpy(function, &found, sizeof found);
}

__attribute__((constructor)) static void load(void)
{
    void *core = dlopen(CORE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    int file = open(COUNTS, O_RDWR | O_CLOEXEC);
    counts =
        mmap(NULL, GOSESS_OPERATIONS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (!core || counts == MAP_FAILED)
        abort();
    close(file);
    resolve(core, "gosess_core_start", &start);
    resolve(core, "gosess_core_work", &work);
    resolve(core, "gosess_core_serve", &serve);
    resolve(core, "gosess_core_owns_thread", &owns_thread);
}

int gosess_core_start(const struct gosess_start *given)
{
    return start(given);
}

_Noreturn void gosess_core_work(void)
{
    work();
    abort();
}

void gosess_core_serve(struct gosess_request *request)
{
    atomic_fetch_add(&counts[request->operation], 1);
    serve(request);
#ifdef SPOILS
    if (request->operation == GOSESS_FIND && request->der_length > 0)
        request->der[0] = 0;
#endif
}

bool gosess_core_owns_thread(pid_t thread)
{
    return owns_thread(thread);
}
