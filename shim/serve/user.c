/*
 * user.c - the interposed functions of libc that change the user, the groups and the capabilities.
 *
 * To the kernel they are a thread's own. libc changes every thread, and ends the process where one
 * of them gets another answer (nptl(7)): a host with one thread that has kept or dropped
 * capabilities, which no library does in other threads, would die of the Go half's. There the
 * call is made in the host's threads, and the Go half's follow as far as they may (credentials.c).
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../core/credentials.h"
#include "../ssl/libssl.h"
#include "process.h"

/* Declared by libcap only. */
GOSESS_EXPORT int capset(cap_user_header_t header, const cap_user_data_t data);

/*
 * Whether libc may make the call: it would get the same answer in every thread. What fails in the
 * caller, for reasons that may be its own (seccomp(2)), is not tried in others.
 */
static bool may_pass(const struct gosess_change *change)
{
    return gosess_change_agrees() && gosess_change_here(change);
}

static int change_all(const struct gosess_change *change)
{
    return gosess_change_here(change) && gosess_change_others(change) ? 0 : -1;
}

/*
 * A change in all threads: by libc, or by ourselves as a system call of each. by_libc: libc's own
 * business whatever the threads are.
 */
#define INTERPOSE(function, parameters, arguments, by_libc, number, ...)                    \
    GOSESS_EXPORT int function parameters                                                   \
    {                                                                                       \
        __typeof__(&(function)) next = GOSESS_NEXT(function);                               \
        const struct gosess_change change = {number, {__VA_ARGS__}};                        \
        sigset_t mask;                                                                      \
        bool alone = by_libc;                                                               \
        if (!next)                                                                          \
            return gosess_absent();                                                         \
        if (alone || !gosess_change_begin(&mask))                                           \
            return next arguments;                                                          \
        int result =                                                                        \
            may_pass(&change) ? gosess_change_passed(next arguments) : change_all(&change); \
        gosess_change_end(&mask);                                                           \
        return result;                                                                      \
    }

#define KEEP ((uid_t)-1) /* is for libc to refuse, where it is all that is asked for */

INTERPOSE(setuid, (uid_t uid), (uid), (gosess_may_become_server(), false), SYS_setuid, uid)
INTERPOSE(seteuid, (uid_t uid), (uid), uid == KEEP, SYS_setresuid, KEEP, uid, KEEP)
INTERPOSE(setreuid, (uid_t real, uid_t effective), (real, effective), false, SYS_setreuid, real,
          effective)
INTERPOSE(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved), false,
          SYS_setresuid, real, effective, saved)
INTERPOSE(setgid, (gid_t gid), (gid), false, SYS_setgid, gid)
INTERPOSE(setegid, (gid_t gid), (gid), gid == KEEP, SYS_setresgid, KEEP, gid, KEEP)
INTERPOSE(setregid, (gid_t real, gid_t effective), (real, effective), false, SYS_setregid, real,
          effective)
INTERPOSE(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved), false,
          SYS_setresgid, real, effective, saved)
INTERPOSE(setgroups, (size_t count, const gid_t *groups), (count, groups), false, SYS_setgroups,
          (long)count, (long)groups)

/* libc's own calls its own setgroups. */
GOSESS_EXPORT int initgroups(const char *user, gid_t group)
{
    __typeof__(&initgroups) next = GOSESS_NEXT(initgroups);
    int count = (int)sysconf(_SC_NGROUPS_MAX);
    sigset_t mask;
    if (!next)
        return gosess_absent();
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
        return gosess_absent();
    if (!gosess_change_begin(&mask))
        return next(header, data);
    int result = next(header, data);
    if (result == 0 && !gosess_change_agrees())
        gosess_change_others(&nothing);
    gosess_change_end(&mask);
    return result;
}
