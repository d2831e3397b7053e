/*
 * process.c - the interposed functions of libc after which the Go half can no longer be
 * loaded: its file may not be seen (chroot) or read (setuid: user.c), or no thread may be started
 * (HAProxy sets RLIMIT_NPROC to 0 in its workers, S1). A process that goes into a chroot or
 * forbids new threads has become what it will be. A daemon may drop its rights (setuid) or
 * adjust a limit before it forks, so there only one that was forked itself is a worker. In a
 * program that serves no context, and is not about to, all of them only pass on; and in a child
 * that has its parent's memory (gosess_own_process).
 */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <sys/resource.h>

#include "../base/fork.h"
#include "../config/environment.h"
#include "../core/load.h"
#include "../ssl/libssl.h"
#include "cache.h"
#include "context.h"
#include "prepare.h"

/* Opens the environment's cache and loads the Go half, for a context to come. */
static void load_ahead(const void *caller)
{
    int saved = errno;
    if (gosess_prepare(caller) && gosess_cache_of_environment())
        gosess_load();
    errno = saved;
}

/* Loads the Go half where this process holds a context that gosess serves. */
static void load_if_serving(void)
{
    int saved = errno;
    if (gosess_ssl && gosess_serves_any())
        gosess_load();
    errno = saved;
}

int gosess_absent(void)
{
    errno = ENOSYS;
    return -1;
}

/*
 * Dovecot's login processes, each executed for its work, make their context only after they have
 * gone where nothing can be loaded. A process that has loaded libssl by then, and not used it, is
 * one; a process that is merely linked to it may be anything (Postfix's tlsmgr).
 */
static void become_server(const void *caller)
{
    if (!gosess_own_process() || gosess_core_impossible())
        return;
    if (gosess_environment.cache && !gosess_ssl && !gosess_forked() && gosess_has_loaded_libssl())
        load_ahead(caller);
    else
        load_if_serving();
}

/*
 * A process that was forked before is one. In a child of a process that has loaded the Go half
 * nothing is said: it may be about to become another program (squid's helpers), and serves nothing
 * then.
 */
void gosess_may_become_server(void)
{
    if (gosess_forked() && gosess_own_process() && !gosess_core_impossible())
        load_if_serving();
}

GOSESS_EXPORT int chroot(const char *path)
{
    __typeof__(&chroot) next = GOSESS_NEXT(chroot);
    become_server(__builtin_return_address(0));
    return next ? next(path) : gosess_absent();
}

/* The process itself is one. */
static void before_thread_limit(rlim_t limit, const void *caller)
{
    bool none = limit <= 1;
    if (none)
        become_server(caller);
    else
        gosess_may_become_server();
    if (none)
        gosess_core_wait_longer();
}

GOSESS_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    __typeof__(&setrlimit) next = GOSESS_NEXT(setrlimit);
    if (resource == RLIMIT_NPROC)
        before_thread_limit(limit->rlim_cur, __builtin_return_address(0));
    return next ? next(resource, limit) : gosess_absent();
}

GOSESS_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    __typeof__(&setrlimit64) next = GOSESS_NEXT(setrlimit64);
    if (resource == RLIMIT_NPROC)
        before_thread_limit(limit->rlim_cur, __builtin_return_address(0));
    return next ? next(resource, limit) : gosess_absent();
}
