/*
 * threads.c - the threads of the Go runtime, and those of the host that it gets to know.
 *
 * The runtime decides some things that cannot be told it, and are wrong in somebody else's
 * process. Two functions of the C library that it calls at the right moments are linked to
 * those below (-Wl,--wrap in the Makefile).
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "glue.h"

#define MONITOR_SLACK_NS (100UL * 1000 * 1000)

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

static void block_signals(void)
{
    sigset_t set;
    gosess_asynchronous_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* --- which threads are the runtime's --- */

#define THREADS_MAX 64 /* shim/core/room.c: it makes a dozen */

static _Atomic pid_t own[THREADS_MAX];

struct beginning {
    void *(*start)(void *);
    void *argument;
    sem_t noted;
};

static void replace_thread(pid_t old, pid_t new)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        pid_t expected = old;
        if (atomic_compare_exchange_strong(&own[i], &expected, new))
            return;
    }
}

static void *begin(void *argument)
{
    struct beginning *beginning = argument;
    void *(*start)(void *) = beginning->start;
    argument = beginning->argument;
    replace_thread(0, gettid());
    sem_post(&beginning->noted);
    void *result = start(argument);
    replace_thread(gettid(), 0);
    return result;
}

/* Whoever has started the Go half has all of its threads noted. */
static int make_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                       void *argument)
{
    struct beginning beginning = {.start = start, .argument = argument};
    sem_init(&beginning.noted, 0, 0);
    int failed = __real_pthread_create(thread, attributes, begin, &beginning);
    while (!failed && sem_wait(&beginning.noted) != 0)
        ; /* a signal */
    sem_destroy(&beginning.noted);
    return failed;
}

bool gosess_is_own_thread(pid_t thread)
{
    for (int i = 0; i < THREADS_MAX; i++) {
        if (atomic_load(&own[i]) == thread)
            return true;
    }
    return false;
}

/*
 * The runtime's monitor takes back what callers hold as soon as they are in C again, and for 50
 * rounds after that sleeps 20 us at a time: with a call every 30 us that is for ever, and cost 6 %
 * of a processor and a preemption of the host's threads each time. A thread inherits the timer
 * slack of the one that makes it: with this one its sleeps are as long as those of a quiet runtime
 * (runtime/proc.go, sysmon). It is the second thread that is made, after the one for main.
 */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    static int made;
    if (__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED) != 2)
        return make_thread(thread, attributes, start, argument);
    int slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    prctl(PR_SET_TIMERSLACK, MONITOR_SLACK_NS, 0, 0, 0);
    int result = make_thread(thread, attributes, start, argument);
    prctl(PR_SET_TIMERSLACK, slack > 0 ? slack : 0, 0, 0, 0);
    return result;
}

/*
 * When a thread of the host calls for the first time, the runtime unblocks SIGCHLD, SIGPROF and
 * two more in it (minitSignalMask), and then remembers that it knows the thread, by this function
 * and still on the thread's own stack. They are blocked again before anything runs on a
 * goroutine's stack.
 */
int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    block_signals();
    return __real_pthread_setspecific(key, value);
}

void gosess_settle_thread(int threads)
{
    static _Atomic int settled;
    block_signals();
    int now = atomic_fetch_add(&settled, 1) + 1;
    if (now == threads)
        syscall(SYS_futex, &settled, FUTEX_WAKE_PRIVATE, threads);
    for (; now < threads; now = atomic_load(&settled))
        syscall(SYS_futex, &settled, FUTEX_WAIT_PRIVATE, now);
}
