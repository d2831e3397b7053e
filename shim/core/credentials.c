/*
 * credentials.c - what threads may do, where those of the Go half and of the host differ.
 *
 * Every other thread is told by the signal that libc has for this, SIGSETXID, which no host can
 * block or handle; its handler is ours meanwhile, and passes on what is libc's. A thread of the
 * host makes the call as libc would have it make. One of the Go half's becomes what the caller
 * is, or, where it may not, less: it never keeps root or a capability that the host has not.
 */
#define _GNU_SOURCE
#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/log.h"
#include "../base/once.h"
#include "load.h"
#include "state.h"
#include "threads.h"

#define SIGNAL_OF_LIBC (__SIGRTMIN + 1)
#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */
#define PATIENCE_NS (20 * 1000 * 1000)

typedef struct __user_cap_data_struct capabilities[2];

/* What the threads are told by the one that changes the user. */
static struct {
    const struct gosess_change *change;
    struct gosess_identifiers target; /* the caller's */
    capabilities allowed;
    gid_t groups[GROUPS_MAX];
    int group_count;
    struct gosess_action libc;
    unsigned number;
    _Atomic int answered;
    _Atomic bool news, failed, behind;
} order;

/* A library that is preloaded has room for it in every thread: nothing is allocated in a handler.
 */
static _Thread_local unsigned obeyed __attribute__((tls_model("initial-exec")));

/* --- what a thread is --- */

static bool capabilities_of(pid_t thread, capabilities *found)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, thread};
    return syscall(SYS_capget, &header, found) == 0;
}

static void set_capabilities(capabilities *wanted)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    syscall(SYS_capset, &header, wanted);
}

bool gosess_change_agrees(void)
{
    capabilities callers = {{0}}, loaders = {{0}}; /* valgrind knows of the first half only */
    struct gosess_identifiers caller = gosess_own_identifiers();
    return gosess_threads_have(&caller) && capabilities_of(0, &callers) &&
           capabilities_of(gosess_core_thread(), &loaders) &&
           memcmp(&callers, &loaders, sizeof callers) == 0;
}

bool gosess_change_here(const struct gosess_change *change)
{
    return syscall(change->number, change->argument[0], change->argument[1], change->argument[2]) ==
           0;
}

/* --- in a thread of the Go half --- */

/*
 * For a thread that has not the right to become what the caller is: where none of the caller's
 * three users (real, effective, saved) is root, none of this thread's stays root either.
 */
static void shed(long number, const uid_t own[3], const uid_t callers[3])
{
    uid_t left = 0;
    for (int i = 0; i < 3; i++) {
        if (callers[i] == 0)
            return;
        left = own[i] != 0 ? own[i] : left;
    }
    if (left != 0)
        syscall(number, left, left, left);
}

static void follow(void)
{
    const struct gosess_identifiers *target = &order.target;
    capabilities own = {0}, all;
    bool known = capabilities_of(0, &own);
    memcpy(&all, &own, sizeof all);
    for (int i = 0; i < 2; i++)
        all[i].effective = all[i].permitted;
    if (known)
        set_capabilities(&all);
    syscall(SYS_setgroups, order.group_count, order.groups);
    struct gosess_identifiers now = gosess_own_identifiers();
    if (syscall(SYS_setresgid, target->group[0], target->group[1], target->group[2]) != 0)
        shed(SYS_setresgid, now.group, target->group);
    if (syscall(SYS_setresuid, target->user[0], target->user[1], target->user[2]) != 0)
        shed(SYS_setresuid, now.user, target->user);
    if (capabilities_of(0, &own)) {
        for (int i = 0; i < 2; i++) {
            own[i].permitted &= order.allowed[i].permitted;
            own[i].effective = own[i].permitted & order.allowed[i].effective;
            own[i].inheritable &= order.allowed[i].inheritable;
        }
        set_capabilities(&own);
    }
    now = gosess_own_identifiers();
    if (!gosess_same_identifiers(&now, target))
        atomic_store(&order.behind, true);
}

static void obey(void)
{
    if (obeyed == order.number)
        return;
    obeyed = order.number;
    atomic_store(&order.news, true);
    if (gosess_core_owns(gettid()))
        follow();
    else if (order.change->number && !gosess_change_here(order.change))
        atomic_store(&order.failed, true);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    int error = errno;
    if (info->si_code != SI_QUEUE || info->si_value.sival_ptr != &order) {
        void (*libc)(int, siginfo_t *, void *);
        memcpy(&libc, &order.libc.handler, sizeof libc);
        libc(signal, info, context);
        return;
    }
    obey();
    atomic_store(&order.answered, 1);
    syscall(SYS_futex, &order.answered, FUTEX_WAKE_PRIVATE, 1);
    errno = error;
}

/* --- in the caller --- */

/* It has ended, or only its number is left: the first thread of a process that goes on without. */
static bool has_ended(pid_t thread)
{
    char name[32], text[128] = "";
    snprintf(name, sizeof name, "%d/stat", (int)thread);
    int fd = openat(gosess_threads_listed(), name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    const char *state = strrchr(text, ')');
    return length <= 0 || (state && (state[2] == 'Z' || state[2] == 'X'));
}

static bool tell(pid_t thread)
{
    const struct timespec patience = {.tv_nsec = PATIENCE_NS};
    siginfo_t info = {.si_signo = SIGNAL_OF_LIBC, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = &order;
    atomic_store(&order.answered, 0);
    while (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, SIGNAL_OF_LIBC, &info) != 0) {
        if (errno != EAGAIN)
            return errno == ESRCH;
        nanosleep(&patience, NULL);
    }
    while (!atomic_load(&order.answered)) {
        syscall(SYS_futex, &order.answered, FUTEX_WAIT_PRIVATE, 0, &patience);
        if (!atomic_load(&order.answered) && has_ended(thread))
            return true;
    }
    return true;
}

/* Every thread but the caller; false where that is not known. */
static bool tell_each(void)
{
    struct {
        ino64_t inode;
        off64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    } * entry;
    _Alignas(8) char entries[4096];
    long length;
    int tasks = gosess_threads_listed();
    if (lseek(tasks, 0, SEEK_SET) != 0)
        return false;
    while ((length = syscall(SYS_getdents64, tasks, entries, sizeof entries)) > 0) {
        for (long at = 0; at < length; at += entry->length) {
            entry = (void *)(entries + at);
            pid_t thread = (pid_t)strtol(entry->name, NULL, 10);
            if (thread > 0 && thread != gettid() && !tell(thread))
                return false;
        }
    }
    return length == 0;
}

static bool tell_all(void)
{
    struct gosess_action during;
    bool told = gosess_action_get(SIGNAL_OF_LIBC, &order.libc);
    during = order.libc;
    void (*handler)(int, siginfo_t *, void *) = on_signal;
    memcpy(&during.handler, &handler, sizeof handler);
    during.flags |= SA_SIGINFO | SA_RESTART | SA_ONSTACK; /* a goroutine's stack is small */
    told = told && gosess_action_set(SIGNAL_OF_LIBC, &during);
    /* A thread that begins meanwhile was made by one that has not been told, or is that one. */
    do {
        atomic_store(&order.news, false);
        told = told && tell_each();
    } while (told && atomic_load(&order.news));
    gosess_action_set(SIGNAL_OF_LIBC, &order.libc);
    return told;
}

bool gosess_change_others(const struct gosess_change *change)
{
    int error = errno;
    order.change = change;
    order.target = gosess_own_identifiers();
    if (!capabilities_of(0, &order.allowed))
        memset(&order.allowed, 0, sizeof order.allowed);
    order.group_count = getgroups(GROUPS_MAX, order.groups);
    order.number++;
    atomic_store(&order.failed, false);
    atomic_store(&order.behind, false);
    /* As libc ends a process whose threads are not of one user. */
    if (!tell_all() || atomic_load(&order.failed)) {
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
                   "ending: the threads of this process cannot be made one user's");
        abort();
    }
    gosess_threads_note(&order.target, !atomic_load(&order.behind));
    errno = error;
    return true;
}

static struct gosess_once change = GOSESS_ONCE; /* never done: one thread after the other */

bool gosess_change_begin(sigset_t *mask)
{
    sigset_t all;
    if (!gosess_core_here())
        return false;
    sigfillset(&all); /* a handler may change the user too */
    pthread_sigmask(SIG_BLOCK, &all, mask);
    gosess_once_begin(&change);
    if (gosess_threads_listed() >= 0)
        return true;
    gosess_once_end(&change, false);
    pthread_sigmask(SIG_SETMASK, mask, NULL);
    return false;
}

int gosess_change_passed(int result)
{
    struct gosess_identifiers own = gosess_own_identifiers();
    gosess_threads_note(&own, true);
    return result;
}

void gosess_change_end(const sigset_t *mask)
{
    gosess_once_end(&change, false);
    pthread_sigmask(SIG_SETMASK, mask, NULL);
}
