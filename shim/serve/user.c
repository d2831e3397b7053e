/*
 * user.c - the interposed functions of libc that change the user, the groups and the capabilities.
 *
 * To the kernel they are a thread's own. libc changes every thread, and ends the process where one
 * of them gets another answer (nptl(7)): a host with one thread that has kept or dropped
 * capabilities, which no library does in other threads, would die of the Go half's. There the
 * call is made in the host's threads, and the Go half's follow as far as they may (credentials.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/credentials.h"
#include "../ssl/libssl.h"
#include "process.h"

#define KEEP ((uid_t)-1)

/* Declared by libcap only. */
GOSESS_EXPORT int capset(cap_user_header_t header, const cap_user_data_t data);

static int absent(void)
{
    errno = ENOSYS;
    return -1;
}

/*
 * Whether libc may make the call: it would get the same answer in every thread. What fails in the
 * caller, for reasons that may be its own (seccomp(2)), is not tried in others.
 */
static bool may_pass(const struct gosess_change *change)
{
    return gosess_change_agrees() && gosess_change_here(change);
}

/* The change in all threads: by libc, next, or by ourselves. */
#define CHANGE(next, ...)                                                                  \
    {                                                                                      \
        const struct gosess_change change = {__VA_ARGS__};                                 \
        sigset_t mask;                                                                     \
        if (!gosess_change_begin(&mask))                                                   \
            return next;                                                                   \
        int result = may_pass(&change) ? gosess_change_passed(next) : change_all(&change); \
        gosess_change_end(&mask);                                                          \
        return result;                                                                     \
    }

static int change_all(const struct gosess_change *change)
{
    return gosess_change_here(change) && gosess_change_others(change) ? 0 : -1;
}

GOSESS_EXPORT int setuid(uid_t uid)
{
    __typeof__(&setuid) next = GOSESS_NEXT(setuid);
    gosess_may_become_server();
    if (!next)
        return absent();
    CHANGE(next(uid), SYS_setuid, {uid})
}

GOSESS_EXPORT int seteuid(uid_t uid)
{
    __typeof__(&seteuid) next = GOSESS_NEXT(seteuid);
    if (!next)
        return absent();
    if (uid == KEEP) /* is for libc to refuse */
        return next(uid);
    CHANGE(next(uid), SYS_setresuid, {KEEP, uid, KEEP})
}

GOSESS_EXPORT int setreuid(uid_t real, uid_t effective)
{
    __typeof__(&setreuid) next = GOSESS_NEXT(setreuid);
    if (!next)
        return absent();
    CHANGE(next(real, effective), SYS_setreuid, {real, effective})
}

GOSESS_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    __typeof__(&setresuid) next = GOSESS_NEXT(setresuid);
    if (!next)
        return absent();
    CHANGE(next(real, effective, saved), SYS_setresuid, {real, effective, saved})
}

GOSESS_EXPORT int setgid(gid_t gid)
{
    __typeof__(&setgid) next = GOSESS_NEXT(setgid);
    if (!next)
        return absent();
    CHANGE(next(gid), SYS_setgid, {gid})
}

GOSESS_EXPORT int setegid(gid_t gid)
{
    __typeof__(&setegid) next = GOSESS_NEXT(setegid);
    if (!next)
        return absent();
    if (gid == KEEP)
        return next(gid);
    CHANGE(next(gid), SYS_setresgid, {KEEP, gid, KEEP})
}

GOSESS_EXPORT int setregid(gid_t real, gid_t effective)
{
    __typeof__(&setregid) next = GOSESS_NEXT(setregid);
    if (!next)
        return absent();
    CHANGE(next(real, effective), SYS_setregid, {real, effective})
}

GOSESS_EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved)
{
    __typeof__(&setresgid) next = GOSESS_NEXT(setresgid);
    if (!next)
        return absent();
    CHANGE(next(real, effective, saved), SYS_setresgid, {real, effective, saved})
}

GOSESS_EXPORT int setgroups(size_t count, const gid_t *groups)
{
    __typeof__(&setgroups) next = GOSESS_NEXT(setgroups);
    if (!next)
        return absent();
    CHANGE(next(count, groups), SYS_setgroups, {(long)count, (long)groups})
}

/* libc's own calls its own setgroups. */
GOSESS_EXPORT int initgroups(const char *user, gid_t group)
{
    __typeof__(&initgroups) next = GOSESS_NEXT(initgroups);
    int count = (int)sysconf(_SC_NGROUPS_MAX);
    sigset_t mask;
    if (!next)
        return absent();
    if (!gosess_change_begin(&mask))
        return next(user, group);
    bool agree = gosess_change_agrees();
    int result = agree ? gosess_change_passed(next(user, group)) : -1;
    gosess_change_end(&mask);
    gid_t *groups = agree ? NULL : calloc((size_t)count + 1, sizeof *groups);
    if (groups) {
        getgrouplist(user, group, groups, &count);
        result = setgroups((size_t)count, groups);
        free(groups);
    }
    return result;
}

/* Changes the calling thread only; the Go half's shall not have what the host has given away. */
GOSESS_EXPORT int capset(cap_user_header_t header, const cap_user_data_t data)
{
    __typeof__(&capset) next = GOSESS_NEXT(capset);
    const struct gosess_change nothing = {0};
    sigset_t mask;
    if (!next)
        return absent();
    if (!gosess_change_begin(&mask))
        return next(header, data);
    int result = next(header, data);
    if (result == 0 && !gosess_change_agrees())
        gosess_change_others(&nothing);
    gosess_change_end(&mask);
    return result;
}
