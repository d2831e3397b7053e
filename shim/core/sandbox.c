/*
 * sandbox.c - whether the system calls of a Go runtime are allowed here (seccomp(2)).
 *
 * A Go runtime ends its process where a call that it needs is denied, and a filter may kill what
 * makes one. So where a process was started under a filter (a container, systemd) each is made
 * beforehand, harmlessly, in a child that dies in its place. A process that puts a filter on
 * itself is left alone from then on, as its filter knows only what the host calls, and may kill
 * even for a child.
 */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../shim.h" /* before a header of libssl */

#include "../../include/gosess.h"
#include "../base/log.h"
#include "../base/once.h"
#include "../config/environment.h"

#define PAGE 4096
#define CHILD_SECONDS 1 /* within which a child that lives has made its first calls */

/* How far the calls have been tried: in memory that a child that tries them shares. */
struct trial {
    const char *_Atomic call; /* the one that is tried */
    _Atomic bool can_say;     /* wait4 and those that a log line needs are allowed */
    _Atomic int error;        /* that the call failed with */
};

/* --- trying --- */

#define ANY (-1) /* no error of the call matters */

/* The result; fails the trial for an error but the one that is expected. After that, nothing. */
static long attempt(struct trial *trial, const char *call, int expected, long number,
                    const long a[6])
{
    if (trial->error)
        return -1;
    trial->call = call;
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    bool used_up = errno == EMFILE || errno == ENFILE || errno == ENOMEM; /* room.c says that */
    if (result < 0 && expected != ANY && errno != expected && !used_up)
        trial->error = errno;
    return result;
}

#define TRY_OR(error, call, ...) \
    attempt(trial, #call, error, SYS_##call, (const long[6]){__VA_ARGS__})
#define TRY(call, ...) TRY_OR(0, call, __VA_ARGS__)
#define AT(object) ((long)(object))

/* Those that a log line, and the parent of the child that tries, cannot do without. */
static void try_saying(struct trial *trial)
{
    struct stat status;
    sigset_t set;
    struct timespec none = {0};
    sigemptyset(&set);
    TRY_OR(ECHILD, wait4, -1, 0, WNOHANG | __WCLONE, 0);
    TRY(rt_sigprocmask, SIG_BLOCK, 0, AT(&set), NSIG / 8);
    TRY_OR(EAGAIN, rt_sigtimedwait, AT(&set), 0, AT(&none), NSIG / 8);
    TRY(rt_sigpending, AT(&set), NSIG / 8);
    TRY(getpid, 0);
    TRY_OR(EBADF, newfstatat, -1, AT(""), AT(&status), AT_EMPTY_PATH);
    TRY_OR(EBADF, fstat, -1, AT(&status));
    TRY_OR(EBADF, write, -1, AT(""), 0);
    TRY_OR(EBADF, fcntl, -1, F_GETFL);
    TRY_OR(EFAULT, openat, AT_FDCWD, 0, O_RDONLY);
    TRY_OR(EBADF, close, -1);
    void *page = (void *)TRY(mmap, 0, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED) {
        TRY(mprotect, AT(page), PAGE, PROT_READ | PROT_WRITE);
        TRY(madvise, AT(page), PAGE, MADV_DONTNEED);
        TRY(munmap, AT(page), PAGE);
    }
    if (!trial->error)
        trial->can_say = true;
}

/* Those that open a store, which looks at their errors itself. */
static void try_store(struct trial *trial)
{
    TRY_OR(ANY, memfd_create, 0, 0);
    TRY_OR(ANY, ftruncate, -1, 0);
    TRY_OR(ANY, fallocate, -1, 0, 0, 0);
    TRY_OR(ANY, fchmod, -1, 0);
    TRY_OR(ANY, fsync, -1);
    TRY_OR(ANY, pwrite64, -1, 0, 0, 0);
    TRY_OR(ANY, statfs, 0, 0);
    TRY_OR(ANY, sysinfo, 0);
    TRY_OR(ANY, flock, -1, 0);
    TRY_OR(ANY, mlock, 0, 0);
    TRY_OR(ANY, brk, 0);
}

static void try_threads(struct trial *trial)
{
    unsigned char processors[PAGE];
    uint32_t word = 1;
    struct timespec none = {0};
    /* Both without what they need. glibc falls back from clone3 to clone only where there is none.
     */
    TRY_OR(EINVAL, clone, CLONE_THREAD, 0, 0, 0, 0);
    if (TRY_OR(ANY, clone3, 0, 0) < 0 && errno != ENOSYS && errno != EINVAL && !trial->error)
        trial->error = errno;
    TRY_OR(ANY, set_robust_list, 0, 0);
    TRY_OR(ANY, rseq, 0, 0, 0, 0);
    TRY(gettid, 0);
    TRY_OR(EINVAL, sched_getaffinity, 0, sizeof(processors), AT(processors));
    TRY(sched_yield, 0);
    TRY(futex, AT(&word), FUTEX_WAKE_PRIVATE, 1);
    TRY_OR(EAGAIN, futex, AT(&word), FUTEX_WAIT_PRIVATE, 0, AT(&none));
    TRY(nanosleep, AT(&none), 0);
    TRY_OR(ANY, clock_nanosleep, CLOCK_REALTIME, 0, AT(&none), 0);
    TRY_OR(ANY, tgkill, getpid(), gettid(), 0);
}

static void try_signals(struct trial *trial)
{
    unsigned char action[256];
    stack_t stack;
    TRY(rt_sigaction, SIGURG, 0, AT(action), NSIG / 8);
    TRY(sigaltstack, 0, AT(&stack));
}

static void try_poller(struct trial *trial)
{
    uint64_t value = 1;
    struct epoll_event event = {.events = EPOLLIN};
    long ready = TRY(eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
    long poller = TRY(epoll_create1, EPOLL_CLOEXEC);
    if (ready < 0 || poller < 0)
        return; /* the child ends soon */
    TRY(epoll_ctl, poller, EPOLL_CTL_ADD, ready, AT(&event));
    TRY(epoll_pwait, poller, AT(&event), 1, 0, 0, NSIG / 8);
    TRY(write, ready, AT(&value), sizeof(value));
    TRY(read, ready, AT(&value), sizeof(value));
    TRY_OR(ESPIPE, pread64, ready, AT(&value), sizeof(value), 0);
}

/* What strace(1) shows of a process from loading the Go half to its end, but for its last call. */
static void try_all(struct trial *trial)
{
    struct rlimit limit;
    struct utsname name;
    try_saying(trial);
    try_store(trial);
    try_threads(trial);
    try_signals(trial);
    try_poller(trial);
    TRY_OR(EAGAIN, getrandom, AT(&limit), 1, GRND_NONBLOCK);
    TRY(prlimit64, 0, RLIMIT_STACK, 0, AT(&limit));
    TRY_OR(ANY, prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
    TRY_OR(ANY, uname, AT(&name));
}

/* --- in a child --- */

/* It has a copy of the memory of a process whose other threads may hold any lock. */
_Noreturn static void be_child(struct trial *trial)
{
    sigset_t all;
    sigfillset(&all);
    TRY(rt_sigprocmask, SIG_SETMASK, AT(&all), 0, NSIG / 8); /* no handler of the host's */
    TRY_OR(ANY, prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);         /* no core dump where it is killed */
    try_all(trial);
    int failed = trial->error != 0;
    TRY(exit, failed);
    syscall(SYS_exit_group, 1);
    __builtin_trap();
}

/* Until the child has shown that waiting is allowed, without a system call. False: it has not. */
static bool may_say(struct trial *trial)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        if (trial->can_say)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec <= CHILD_SECONDS);
    return false;
}

/* No signal and no wait of the host ever sees a child that has no signal for its end: clone(2). */
static bool child_lives(struct trial *trial)
{
    int status = 0;
    long child = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0)
        be_child(trial);
    if (child < 0) {
        trial->call = "clone";
        trial->error = errno;
        return false;
    }
    if (!may_say(trial))
        return false;
    pid_t ended;
    do
        ended = (pid_t)syscall(SYS_wait4, child, &status, __WCLONE, NULL);
    while (ended < 0 && errno == EINTR);
    return ended == child && status == 0;
}

/* --- filters --- */

static _Atomic bool had_filter; /* when the library was loaded, if /proc could be read then */
static _Atomic bool own;        /* this process has put a filter on itself */
static _Atomic bool suspect;    /* or has said that it will */

/* The number after "Seccomp:" is 0 without a filter. prctl says it too, but may kill for that. */
static bool read_filter(void)
{
    char text[PAGE];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *line = strstr(text, "\nSeccomp:\t");
    return line && line[sizeof("\nSeccomp:\t") - 1] != '0';
}

__attribute__((constructor)) static void look_once(void)
{
    int saved = errno;
    had_filter = read_filter();
    errno = saved;
}

static void say(const struct trial *trial)
{
    char ignored[GOSESS_ERROR_SIZE];
    gosess_configure(ignored, sizeof(ignored)); /* where to */
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
               "serving without a cache: the system call %s is denied here (seccomp): %s",
               trial->call, trial->error ? strerror(trial->error) : "it kills");
}

static bool try_in_child(void)
{
    struct trial *trial =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trial == MAP_FAILED)
        return false;
    bool lives = child_lives(trial);
    if (!lives && trial->can_say)
        say(trial);
    if (trial->can_say)
        munmap(trial, PAGE);
    return lives;
}

/* Whether a filter has come without a call of prctl or seccomp_load: then not a word is safe. */
static bool has_hidden_filter(void)
{
    if (!suspect || had_filter)
        return false;
    long found = syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0, 0);
    return found > 0 || (found < 0 && errno != EINVAL);
}

bool gosess_calls_allowed(void)
{
    static struct gosess_once trying = GOSESS_ONCE;
    static bool allowed; /* what the child has found */
    if (own || has_hidden_filter())
        return false;
    if (!had_filter)
        return true;
    if (gosess_once_begin(&trying)) {
        allowed = try_in_child();
        gosess_once_end(&trying, true);
    }
    return allowed;
}

bool gosess_filter_comes(void)
{
    return !atomic_exchange(&own, true);
}

void gosess_filter_may_come(void)
{
    suspect = true;
}
