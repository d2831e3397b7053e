/*
 * function.c - names a function of the host.
 *
 * dladdr(3) would do, but it waits for a library that is being loaded, as the Go half is for long;
 * and it says argv[0] of a program's own functions, which servers write their titles over.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

struct search {
    uintptr_t address;
    struct gosess_function *function;
};

static bool holds(const struct dl_phdr_info *object, uintptr_t address)
{
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD &&
            address - object->dlpi_addr - segment->p_vaddr < segment->p_memsz)
            return true;
    }
    return false;
}

static int look_in(struct dl_phdr_info *object, size_t size, void *data)
{
    struct search *search = data;
    (void)size;
    if (!holds(object, search->address))
        return 0;
    const char *path = *object->dlpi_name ? object->dlpi_name /* the program itself has none */
                                          : (const char *)getauxval(AT_EXECFN);
    snprintf(search->function->object, sizeof search->function->object, "%s",
             path ? basename(path) : "");
    search->function->offset = search->address - object->dlpi_addr;
    return 1;
}

bool gosess_function_name(uintptr_t address, struct gosess_function *function)
{
    struct search search = {address, function};
    return dl_iterate_phdr(look_in, &search) == 1;
}
