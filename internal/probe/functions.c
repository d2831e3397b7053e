/* functions.c - loads libssl: see functions.h. */
#include "functions.h"

#include <dlfcn.h>
#include <stdio.h>

struct probe_functions probe_ssl;

static const struct {
    const char *name;
    size_t place;
} wanted[] = {
#define X(name) {#name, offsetof(struct probe_functions, name)},
    PROBE_CALLS(X)
#undef X
};

bool probe_load(char *error, size_t size)
{
    static const char *const names[] = {"libssl.so.3", "libssl.so.1.1", "libssl.so"};
    void *libssl = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && libssl == NULL; i++)
        libssl = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (libssl == NULL) {
        snprintf(error, size, "there is no libssl: %s", dlerror());
        return false;
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
        /* libcrypto's are found too: it is what libssl depends on (dlsym(3)). */
        void *found = dlsym(libssl, wanted[i].name);
        if (found == NULL) {
            snprintf(error, size, "this libssl lacks %s", wanted[i].name);
            return false;
        }
        *(void **)((char *)&probe_ssl + wanted[i].place) = found;
    }
    return true;
}
