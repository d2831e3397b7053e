/*
 * function.c - names a function of the host.
 *
 * dladdr(3) would do, but it waits for a library that is being loaded, as the Go half is for long;
 * and it says argv[0] of a program's own functions, which servers write their titles over.
 */
#define _GNU_SOURCE
#include "function.h"

#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

struct search {
    uintptr_t address;
    struct gosess_function *function;
    bool has_build;
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

static size_t aligned(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/*
 * The build id, which is another one for each build that differs in anything (ld(1), --build-id):
 * the same place in another build may be another function.
 */
static bool read_build(const char *note, size_t size, struct gosess_function *function)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) header;
        memcpy(&header, note, sizeof header);
        size_t name = aligned(header.n_namesz),
               whole = sizeof header + name + aligned(header.n_descsz);
        if (whole > size)
            return false;
        const char *description = note + sizeof header + name;
        if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof "GNU" &&
            memcmp(note + sizeof header, "GNU", sizeof "GNU") == 0 && header.n_descsz > 0) {
            size_t length =
                header.n_descsz < sizeof function->build ? header.n_descsz : sizeof function->build;
            memcpy(function->build, description, length);
            return true;
        }
        note += whole;
        size -= whole;
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
    for (int i = 0; i < object->dlpi_phnum && !search->has_build; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE)
            search->has_build = read_build((const char *)(object->dlpi_addr + segment->p_vaddr),
                                           segment->p_memsz, search->function);
    }
    return 1;
}

bool gosess_function_name(uintptr_t address, struct gosess_function *function)
{
    struct search search = {.address = address, .function = function};
    memset(function, 0, sizeof *function);
    return dl_iterate_phdr(look_in, &search) == 1 && search.has_build;
}

bool gosess_function_is_of(uintptr_t address, const char *const names[], size_t count)
{
    struct gosess_function function;
    struct search search = {.address = address, .function = &function};
    if (dl_iterate_phdr(look_in, &search) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(function.object, names[i], length) == 0 &&
            (function.object[length] == '\0' || function.object[length] == '.'))
            return true;
    }
    return false;
}
