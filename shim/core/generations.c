/*
 * generations.c - whether a host forks a process for each connection.
 *
 * A Go runtime takes 10 to 20 ms to load, which is worth it for a process that serves for a while
 * and longer than a full handshake for one that serves once (mini_httpd, socat). So the processes
 * of a host that load it say in a page that they share how many connections they have served, and
 * where nearly all of those that have ended within a minute have served one, no more load it until
 * the minute is over: a server that keeps its processes may have ended idle ones all at once (httpd
 * after a burst), and what a few more cost each minute does not matter.
 */
#define _GNU_SOURCE
#include "generations.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../base/fork.h"
#include "../base/log.h"

#define SLOTS 64
#define ENOUGH 8  /* that have ended */
#define WINDOW 60 /* seconds; where they are fewer in that time, what they cost does not matter */

/* One that lives, or has ended and was not noticed yet. Its number may have another owner by then.
 */
struct slot {
    _Atomic pid_t process; /* 0: free */
    _Atomic unsigned connections;
};

struct generations {
    struct slot slots[SLOTS];
    _Atomic long began; /* the window, in seconds of the monotonic clock */
    _Atomic unsigned ended, once;
    _Atomic bool over; /* the host is one of a process for each connection, in this window */
    _Atomic bool said;
};

static struct generations *shared; /* NULL: no memory */
static struct slot *_Atomic mine;  /* of this process; NULL where it has none */
static _Atomic unsigned connections;
static bool heard; /* each child forgets what it has of its parent */

static void forget(void)
{
    mine = NULL;
    connections = 0;
}

/* Not later, with a lock: libc holds one of its own while a fork waits for ours. */
__attribute__((constructor)) static void hear_of_forks(void)
{
    heard = pthread_atfork(NULL, NULL, forget) == 0;
}

void gosess_generations_prepare(void)
{
    if (!heard)
        return;
    void *page = mmap(NULL, sizeof(struct generations), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page != MAP_FAILED)
        shared = page;
}

/* Two are many. */
void gosess_generations_connection(void)
{
    if (connections > 1)
        return;
    unsigned now = atomic_fetch_add(&connections, 1) + 1;
    struct slot *slot = mine;
    if (slot)
        slot->connections = now;
}

static void begin_window(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long before = shared->began;
    if (now.tv_sec - before < WINDOW ||
        !atomic_compare_exchange_strong(&shared->began, &before, (long)now.tv_sec))
        return;
    shared->ended = 0;
    shared->once = 0;
    shared->over = false;
}

/* The process that frees a slot counts it. */
static void count_ended(void)
{
    for (struct slot *slot = shared->slots; slot < shared->slots + SLOTS; slot++) {
        pid_t process = slot->process;
        if (process == 0 || kill(process, 0) == 0 || errno != ESRCH)
            continue;
        unsigned served = slot->connections;
        if (!atomic_compare_exchange_strong(&slot->process, &process, 0))
            continue;
        /* None is no sign: it loaded before it became another user, and had no client of TLS. */
        if (served > 0)
            atomic_fetch_add(&shared->ended, 1);
        if (served == 1)
            atomic_fetch_add(&shared->once, 1);
    }
}

/* Where none is free, this process is not counted. */
static void take_slot(void)
{
    for (struct slot *slot = shared->slots; slot < shared->slots + SLOTS; slot++) {
        pid_t none = 0;
        if (!atomic_compare_exchange_strong(&slot->process, &none, getpid()))
            continue;
        slot->connections = connections;
        mine = slot;
        return;
    }
}

bool gosess_generations_over(void)
{
    if (!shared || !atomic_load_explicit(&shared->over, memory_order_relaxed))
        return false;
    begin_window();
    return shared->over;
}

bool gosess_generation_begins(void)
{
    if (!shared || !gosess_forked())
        return true;
    int saved = errno;
    begin_window();
    if (shared->over)
        return false;
    count_ended();
    if (shared->ended >= ENOUGH && 4 * shared->once > 3 * shared->ended)
        shared->over = true;
    if (shared->over && !atomic_exchange(&shared->said, true))
        gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CORE,
                   "serving without a cache: this server forks a process for each connection, and "
                   "loading the Go half takes longer than a full handshake");
    if (!shared->over)
        take_slot();
    errno = saved;
    return !shared->over;
}
