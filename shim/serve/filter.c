/*
 * filter.c - the interposed functions by which a process filters its own system calls (seccomp(2)):
 * then it is left alone, as core/sandbox.c says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <sys/prctl.h>

#include "../base/fork.h"
#include "../base/log.h"
#include "../core/load.h"
#include "../core/sandbox.h"
#include "../ssl/libssl.h"
#include "cache.h"

/* Not in a child of vfork, or a handler, that calls it. */
__attribute__((constructor)) static void find_early(void)
{
    gosess_next(GOSESS_AT_prctl, NULL);
}

/* Said before, as what a line needs may be denied after it. A child of vfork says nothing. */
static void before_filter(void)
{
    if (!gosess_own_process() || !gosess_filter_comes())
        return;
    struct gosess_cache *cache = gosess_cache_first();
    if (gosess_core_forbid() && cache)
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
                   "serving without a cache: this process filters its own system calls (seccomp)");
    gosess_cache_unref(cache);
}

GOSESS_EXPORT int prctl(int option, ...)
{
    __typeof__(&prctl) next = GOSESS_NEXT(prctl);
    unsigned long a[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(list, unsigned long);
    va_end(list);
    if (option == PR_SET_SECCOMP)
        before_filter();
    if (option == PR_SET_NO_NEW_PRIVS && gosess_own_process())
        gosess_filter_may_come(); /* a process without privilege says this first: seccomp(2) */
    if (!next) {
        errno = ENOSYS;
        return -1;
    }
    return next(option, a[0], a[1], a[2], a[3]);
}

/* libseccomp's, which makes the call by its number. */
int seccomp_load(void *context);

GOSESS_EXPORT int seccomp_load(void *context)
{
    __typeof__(&seccomp_load) next = GOSESS_NEXT(seccomp_load);
    before_filter();
    return next ? next(context) : -ENOSYS;
}
