/*
 * process.c - the interposed functions of libc after which the Go half can no longer be
 * loaded: its file may not be seen (chroot) or read (setuid), or no thread may be started
 * (HAProxy sets RLIMIT_NPROC to 0 in its workers, S1). A process that goes into a chroot or
 * forbids new threads has become what it will be. A daemon may drop its rights (setuid) or
 * adjust a limit before it forks, so there only one that was forked itself is a worker. In a
 * program without a served context all of them only pass on.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static int absent(void)
{
    errno = ENOSYS;
    return -1;
}

GOSESS_EXPORT int chroot(const char *path)
{
    __typeof__(&chroot) next = GOSESS_NEXT(chroot);
    gosess_load_if_serving();
    return next ? next(path) : absent();
}

GOSESS_EXPORT int setuid(uid_t uid)
{
    __typeof__(&setuid) next = GOSESS_NEXT(setuid);
    if (gosess_forked())
        gosess_load_if_serving();
    return next ? next(uid) : absent();
}

static void before_thread_limit(bool none)
{
    if (none || gosess_forked())
        gosess_load_if_serving();
    if (none)
        gosess_core_wait_longer();
}

GOSESS_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    __typeof__(&setrlimit) next = GOSESS_NEXT(setrlimit);
    if (resource == RLIMIT_NPROC)
        before_thread_limit(limit->rlim_cur == 0);
    return next ? next(resource, limit) : absent();
}

GOSESS_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    __typeof__(&setrlimit64) next = GOSESS_NEXT(setrlimit64);
    if (resource == RLIMIT_NPROC)
        before_thread_limit(limit->rlim_cur == 0);
    return next ? next(resource, limit) : absent();
}
