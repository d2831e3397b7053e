/* libssl.c - finds the host's libssl, and what lies behind the functions that we interpose. */
#define _GNU_SOURCE
#include "libssl.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

const struct gosess_libssl *_Atomic gosess_ssl;

static int note_libssl(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *base = slash ? slash + 1 : info->dlpi_name;
    if (strncmp(base, "libssl.so", strlen("libssl.so")) != 0)
        return 0;
    *(const char **)name = info->dlpi_name;
    return 1;
}

static bool has_libssl(void)
{
    const char *name;
    return dl_iterate_phdr(note_libssl, &name) != 0;
}

static bool linked;

__attribute__((constructor)) static void look_once(void)
{
    linked = has_libssl();
}

bool gosess_has_loaded_libssl(void)
{
    return !linked && has_libssl();
}

static void *lookup_in(const char *object, const char *name)
{
    void *handle = object && *object ? dlopen(object, RTLD_LAZY | RTLD_NOLOAD) : NULL;
    if (!handle)
        return NULL;
    void *found = dlsym(handle, name);
    dlclose(handle); /* only the reference of this lookup */
    return found;
}

/*
 * A libssl that came with a dependency of the host is in the global scope, behind us. One
 * that a scripting language's extension brought (RTLD_LOCAL) is in no scope of ours: it is
 * found through the object that called, whose dependencies it is among, or else by its name:
 * a libssl that ends SSL_CTX_new with a jump to SSL_CTX_new_ex leaves us as the caller.
 */
void *gosess_find(const char *name, const void *caller)
{
    void *found = dlsym(RTLD_NEXT, name);
    Dl_info of_caller, of_us;
    if (!found && dladdr(caller, &of_caller) != 0 && dladdr((void *)&linked, &of_us) != 0 &&
        of_caller.dli_fbase != of_us.dli_fbase)
        found = lookup_in(of_caller.dli_fname, name);
    if (!found) {
        const char *libssl = NULL;
        dl_iterate_phdr(note_libssl, &libssl);
        found = lookup_in(libssl, name);
    }
    return found;
}

static const char *const interposed[] = {
#define X(name) #name,
    GOSESS_INTERPOSED(X)
#undef X
};
static void *_Atomic next[sizeof(interposed) / sizeof(*interposed)];

void *gosess_next(enum gosess_interposed function, const void *caller)
{
    void *found = atomic_load_explicit(&next[function], memory_order_acquire);
    if (!found) {
        found = gosess_find(interposed[function], caller);
        atomic_store_explicit(&next[function], found, memory_order_release);
    }
    return found;
}

void gosess_find_all(const void *caller)
{
    for (size_t i = 0; i < sizeof(interposed) / sizeof(*interposed); i++)
        gosess_next((enum gosess_interposed)i, caller);
}

/* Its range of addresses, which no other object lies in. */
static uintptr_t first, end;

static int note_range(struct dl_phdr_info *object, size_t size, void *inside)
{
    uintptr_t from = UINTPTR_MAX, to = 0;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t begin = object->dlpi_addr + segment->p_vaddr;
        from = begin < from ? begin : from;
        to = begin + segment->p_memsz > to ? begin + segment->p_memsz : to;
    }
    if ((uintptr_t)inside < from || (uintptr_t)inside >= to)
        return 0;
    first = from;
    end = to;
    return 1;
}

bool gosess_is_libssl(const void *address)
{
    return (uintptr_t)address >= first && (uintptr_t)address < end;
}

const char *gosess_find_libssl(struct gosess_libssl *table, const void *caller)
{
    void *found;
#define X(name)                                 \
    found = gosess_find(#name, caller);         \
    memcpy(&table->name, &found, sizeof found); \
    if (!found)                                 \
        return #name;
    GOSESS_LIBSSL_FUNCTIONS(X)
#undef X
#define X(name)                         \
    found = gosess_find(#name, caller); \
    memcpy(&table->name, &found, sizeof found);
    GOSESS_OPTIONAL_FUNCTIONS(X)
#undef X
    void *inside;
    memcpy(&inside, &table->SSL_CTX_free, sizeof inside);
    dl_iterate_phdr(note_range, inside);
    return NULL;
}
