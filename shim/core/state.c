/*
 * state.c - what loading the Go half changes of the process, and is put back.
 *
 * A Go runtime takes the process for its own: it sets handlers, raises the limit of open files
 * and opens descriptors. After loading, what proc(5) and the getters show of the host is what it
 * was, but for threads, mappings, descriptors above 2 and two handlers that are handed on.
 * What another thread of the host has set meanwhile is the host's, and stays.
 */
#define _GNU_SOURCE
#include "state.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../config/environment.h"
#include "../ssl/function.h"

#define SIGNALS 64

/* The state of before; loading happens once in a process. */
static struct gosess_action actions[SIGNALS + 1];
static bool known[SIGNALS + 1];
static struct rlimit files;
static bool files_known;
static struct stat held[STDERR_FILENO + 1];
static bool holds[STDERR_FILENO + 1];

bool gosess_action_get(int signal, struct gosess_action *action)
{
    memset(action, 0, sizeof *action);
    return syscall(SYS_rt_sigaction, signal, NULL, action, sizeof action->mask) == 0;
}

bool gosess_action_set(int signal, const struct gosess_action *action)
{
    return syscall(SYS_rt_sigaction, signal, action, NULL, sizeof action->mask) == 0;
}

/*
 * Go keeps these, and hands on to the host what was not its own fault: a store that is cut short
 * (SIGBUS) and a mistake in its code (SIGSEGV) are a miss then, and not the end of the host. It
 * does not need SIGFPE, as it looks at every divisor. The other two are libc's.
 */
static bool keeps(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == __SIGRTMIN ||
           signal == __SIGRTMIN + 1;
}

static bool of_core(const void *handler)
{
    struct gosess_function function;
    return gosess_function_name((uintptr_t)handler, &function) &&
           strcmp(function.object, basename(gosess_core_path())) == 0;
}

static void give_signals_back(void)
{
    struct gosess_action now;
    for (int i = 1; i <= SIGNALS; i++) {
        if (!known[i] || keeps(i) || !gosess_action_get(i, &now) ||
            memcmp(&now, &actions[i], sizeof now) == 0)
            continue;
        if (now.handler == actions[i].handler || of_core(now.handler))
            gosess_action_set(i, &actions[i]);
    }
}

/* Package syscall raises the soft limit to one less than the hard one. */
static void give_limit_back(void)
{
    struct rlimit now;
    if (files_known && getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max == files.rlim_max &&
        now.rlim_cur != files.rlim_cur && now.rlim_cur == now.rlim_max - 1)
        prlimit(0, RLIMIT_NOFILE, &files, NULL);
}

/*
 * The Go half keeps descriptors, and a host that runs without the first three and later puts its
 * own there (dup2) would close them under it. To read and write, and for poll, an O_PATH is a
 * descriptor that is closed.
 */
static void hold_descriptors(void)
{
    int fd;
    while ((fd = open("/", O_PATH | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
        holds[fd] = fstat(fd, &held[fd]) == 0;
    if (fd >= 0)
        close(fd);
}

static bool still_held(int fd)
{
    struct stat now;
    return holds[fd] && fcntl(fd, F_GETFL) & O_PATH && fstat(fd, &now) == 0 &&
           now.st_dev == held[fd].st_dev && now.st_ino == held[fd].st_ino;
}

void gosess_state_note(void)
{
    for (int i = 1; i <= SIGNALS; i++)
        known[i] = gosess_action_get(i, &actions[i]);
    files_known = getrlimit(RLIMIT_NOFILE, &files) == 0;
    hold_descriptors();
}

void gosess_state_restore(void)
{
    give_signals_back();
    give_limit_back();
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (still_held(fd))
            close(fd);
    }
}
