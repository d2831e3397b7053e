/*
 * fipsmode.c - what libcrypto 1.1.1 does in FIPS mode where a vendor has put a FIPS module into it:
 * who calls a digest directly is ended. It calls its own by itself, which goes on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int FIPS_mode(void);
int SHA256_Init(void *context);

int FIPS_mode(void)
{
    return 1;
}

int SHA256_Init(void *context)
{
    Dl_info caller;
    int (*next)(void *);
    void *found = dlsym(RTLD_NEXT, "SHA256_Init");
    if (!found || !dladdr(__builtin_return_address(0), &caller) ||
        !strstr(caller.dli_fname, "libcrypto"))
        abort();
    memcpy(&next, &found, sizeof next);
    return next(context);
}
