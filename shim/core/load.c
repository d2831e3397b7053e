/*
 * load.c - loads the Go half, after the last fork, and calls it.
 *
 * A Go runtime does not survive fork (S10), may not lose a race for a thread
 * (S1), and takes signals: so it is loaded in the process that serves, on a thread of its
 * own that blocks every signal, and what it changes of the host's is put back (state.c).
 */
#define _GNU_SOURCE
#include "load.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../base/fork.h"
#include "../base/locks.h"
#include "../base/log.h"
#include "../config/environment.h"
#include "generations.h"
#include "room.h"
#include "sandbox.h"
#include "state.h"
#include "threads.h"

/* How long the first caller waits for the Go half; it takes about 5 ms. */
#define START_DEADLINE_SECONDS 2
/* And a host that is about to forbid new threads, without all of which the Go half would end. */
#define LAST_DEADLINE_SECONDS 10

enum core_state { CORE_NONE, CORE_LOADING, CORE_READY, CORE_FAILED };

static _Atomic int state = CORE_NONE;
static _Atomic pid_t owner; /* the process whose state this is: a fork inherits it */
static struct page {        /* empty in a process that was forked from this one */
    _Atomic bool owner;
    _Atomic pid_t process;
} * page;                    /* NULL where the kernel cannot wipe it */
static _Atomic pid_t loader; /* the thread that loads it, and stays */
static _Atomic bool waited;  /* somebody waited out the deadline: nobody waits again */
static pthread_cond_t loaded = PTHREAD_COND_INITIALIZER; /* state left CORE_LOADING */

#define CORE_FUNCTIONS(X) \
    X(start)              \
    X(work)               \
    X(serve)              \
    X(owns_thread)

static struct gosess_start start;
static struct {
#define X(name) __typeof__(&gosess_core_##name) name;
    CORE_FUNCTIONS(X)
#undef X
} core;

/* --- loading --- */

static const char *resolve(void *handle)
{
    const unsigned *abi = dlsym(handle, "gosess_core_abi");
    if (!abi || *abi != GOSESS_CORE_ABI)
        return "it is of another version than libgosess.so; restart after an upgrade";
    void *found;
#define X(name)                                  \
    found = dlsym(handle, "gosess_core_" #name); \
    if (!found)                                  \
        return "it lacks gosess_core_" #name;    \
    memcpy(&core.name, &found, sizeof(found));
    CORE_FUNCTIONS(X)
#undef X
    return NULL;
}

/*
 * One process at a time tries what there is room for and takes it: of two that tried at once,
 * one could be left without. Not for long, as anybody who can read the file can lock it.
 */
static int lock_core_file(void)
{
    int fd = open(gosess_core_path(), O_RDONLY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < 50 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    return fd;
}

static bool open_core(void)
{
    const char *problem = gosess_lack_of_room();
    if (problem) {
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE, "serving without a cache: %s", problem);
        return false;
    }
    void *handle = dlopen(gosess_core_path(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    problem = handle ? resolve(handle) : dlerror();
    if (problem) {
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
                   "serving without a cache: cannot use %s: %s; allowed: that of the same build, "
                   "beside libgosess.so or where GOSESS_CORE says",
                   gosess_core_path(), problem);
        return false;
    }
    /* Returns when the Go runtime has begun and owns its threads; dlopen alone does not wait. */
    start.limited = gosess_room_limited();
    return core.start(&start) == 0;
}

static bool load_keeping_state(void)
{
    gosess_state_note();
    int fd = lock_core_file();
    bool ok = open_core();
    if (ok)
        gosess_threads_prepare();
    if (fd >= 0) {
        flock(fd, LOCK_UN); /* a child forked meanwhile has the descriptor too */
        close(fd);
    }
    gosess_state_restore();
    return ok;
}

static void *load_thread(void *unused)
{
    (void)unused;
    atomic_store(&loader, gettid());
    /* Its own threads inherit this: nothing is kept that a change of user takes. */
    syscall(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
    bool ok = load_keeping_state();
    gosess_lock(GOSESS_LOCK_LOADED);
    atomic_store_explicit(&state, ok ? CORE_READY : CORE_FAILED, memory_order_release);
    pthread_cond_broadcast(&loaded);
    gosess_unlock(GOSESS_LOCK_LOADED);
    if (ok) {
        if (atomic_load(&waited))
            gosess_log(GOSESS_LOG_INFO, GOSESS_CAUSE_CORE, "the Go half has started, late");
        core.work();
    }
    return NULL;
}

static void load(void)
{
    if (!gosess_generation_begins() || !gosess_calls_allowed()) {
        atomic_store(&state, CORE_FAILED);
        return;
    }
    sigset_t before, during;
    pthread_attr_t detached;
    pthread_t thread;
    gosess_asynchronous_signals(&during); /* the new threads inherit this */
    pthread_sigmask(SIG_SETMASK, &during, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &detached, load_thread, NULL);
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return;
    atomic_store(&state, CORE_FAILED);
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE, "serving without a cache: %s",
               gosess_no_threads);
}

/*
 * Makes a page that is empty in the child of any fork (Linux 4.14), so that each call can tell
 * whether this is a child: getpid(2) would be a system call for each of them.
 */
void gosess_core_prepare(const struct gosess_start *given)
{
    start = *given;
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    gosess_generations_prepare();
    if (memory == MAP_FAILED)
        return;
    /* What emulates a kernel may say yes to any advice: then no to none. */
    if (madvise(memory, size, -1) != 0 && madvise(memory, size, MADV_WIPEONFORK) == 0) {
        page = memory;
        atomic_store(&page->process, getpid());
    } else {
        munmap(memory, size);
    }
}

/* False in a child that has its parent's memory (gosess_own_process), for which nothing is loaded.
 */
static bool become_owner(void)
{
    pid_t process = page ? atomic_load(&page->process) : 0;
    if (page ? process != 0 && process != getpid() : !gosess_own_process())
        return false;
    atomic_store(&owner, getpid());
    if (page) {
        atomic_store(&page->process, getpid());
        atomic_store(&page->owner, true);
    }
    return true;
}

static bool is_owner(void)
{
    return page ? atomic_load_explicit(&page->owner, memory_order_relaxed)
                : atomic_load_explicit(&owner, memory_order_relaxed) == getpid();
}

/* The parent's Go half did not come along; nothing may be called in the copy of it. */
static bool inherited(void)
{
    if (is_owner())
        return false;
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
               "serving without a cache: this process was forked from one that had loaded the Go "
               "half");
    return true;
}

/* Waits so long until the Go half is ready or has failed; true when it is or has. */
static bool wait_for(int seconds)
{
    struct timespec deadline;
    bool in_time = true;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += seconds;
    gosess_lock(GOSESS_LOCK_LOADED);
    while (atomic_load(&state) == CORE_LOADING && in_time)
        in_time = gosess_lock_wait_until(GOSESS_LOCK_LOADED, &loaded, &deadline);
    gosess_unlock(GOSESS_LOCK_LOADED);
    return in_time;
}

void gosess_core_wait_longer(void)
{
    if (atomic_load(&state) == CORE_LOADING && gosess_own_process() && is_owner())
        wait_for(LAST_DEADLINE_SECONDS);
}

/* Only the first callers wait, and not for long. */
static void wait_loaded(void)
{
    if (!wait_for(START_DEADLINE_SECONDS) && !atomic_exchange(&waited, true))
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
                   "serving without a cache until it starts: %s has not within %d s",
                   gosess_core_path(), START_DEADLINE_SECONDS);
}

bool gosess_load(void)
{
    int now = atomic_load_explicit(&state, memory_order_acquire);
    if (now == CORE_NONE) {
        if (!become_owner())
            return false;
        if (atomic_compare_exchange_strong(&state, &now, CORE_LOADING))
            load();
        now = atomic_load(&state);
    } else if (now == CORE_FAILED || inherited()) {
        return false;
    }
    if (now == CORE_LOADING && !atomic_load(&waited)) {
        wait_loaded();
        now = atomic_load_explicit(&state, memory_order_acquire);
    }
    return now == CORE_READY;
}

bool gosess_core_forbid(void)
{
    int none = CORE_NONE;
    return atomic_compare_exchange_strong(&state, &none, CORE_FAILED);
}

bool gosess_core_impossible(void)
{
    int now = atomic_load_explicit(&state, memory_order_acquire);
    if (now == CORE_NONE)
        return gosess_forked() && gosess_generations_over();
    return now == CORE_FAILED || !is_owner();
}

bool gosess_core_ready(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == CORE_READY && !inherited();
}

bool gosess_core_here(void)
{
    static _Atomic bool asked; /* one call waits, in a host that makes many */
    int now = atomic_load_explicit(&state, memory_order_acquire);
    if (now == CORE_NONE || now == CORE_FAILED || !gosess_own_process() || !is_owner())
        return false;
    if (now == CORE_LOADING && !atomic_exchange(&asked, true))
        wait_for(LAST_DEADLINE_SECONDS);
    return atomic_load_explicit(&state, memory_order_acquire) == CORE_READY;
}

pid_t gosess_core_thread(void)
{
    return atomic_load(&loader);
}

bool gosess_core_owns(pid_t thread)
{
    return thread == atomic_load(&loader) || core.owns_thread(thread);
}

bool gosess_core_ask(struct gosess_request *request)
{
    if (!gosess_core_ready())
        return false;
    core.serve(request);
    return true;
}
