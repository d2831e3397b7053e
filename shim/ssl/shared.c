/*
 * shared.c - contexts in memory that processes share.
 *
 * A host may give OpenSSL memory functions of its own, and with them memory that all of its
 * processes have (Kamailio). What gosess keeps of a context is one process's, and another would
 * follow it into nothing. Functions that only count or wipe are no such thing.
 */
#define _GNU_SOURCE
#include "shared.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/log.h"
#include "libssl.h"

static bool own_functions(void)
{
    CRYPTO_malloc_fn allocate = NULL;
    CRYPTO_realloc_fn reallocate = NULL;
    CRYPTO_free_fn release = NULL;
    gosess_ssl->CRYPTO_get_mem_functions(&allocate, &reallocate, &release);
    return allocate == gosess_ssl->CRYPTO_malloc && reallocate == gosess_ssl->CRYPTO_realloc &&
           release == gosess_ssl->CRYPTO_free;
}

/* proc(5): the fourth letter says whether a mapping is shared. What cannot be seen may be. */
static bool lies_in_shared_mapping(uintptr_t address)
{
    char line[512], access[8];
    unsigned long low, high;
    bool found = false, shared = true, begins = true;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        found = begins && sscanf(line, "%lx-%lx %7s", &low, &high, access) == 3 && address >= low &&
                address < high;
        if (found)
            shared = access[3] == 's';
        begins = strchr(line, '\n') != NULL; /* a name may be long */
    }
    if (maps)
        fclose(maps);
    return shared;
}

bool gosess_shared_memory(const void *object)
{
    int error = errno;
    bool shared = !own_functions() && lies_in_shared_mapping((uintptr_t)object);
    if (shared)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
                   "serving without a cache: this server keeps OpenSSL's objects in memory that "
                   "its processes share");
    errno = error;
    return shared;
}
