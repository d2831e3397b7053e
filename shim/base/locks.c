/* locks.c - every lock of gosess in C. */
#define _GNU_SOURCE
#include "locks.h"

#include <string.h>

#ifdef GOSESS_DEBUG
#    include <stdio.h>
#    include <stdlib.h>
#endif

static pthread_mutex_t mutexes[] = {
    [0 ... GOSESS_LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER,
};
static int cancel[GOSESS_LOCKS]; /* what the holder had allowed; under its lock, where used */

/* --- debugging --- */

#ifdef GOSESS_DEBUG

static _Thread_local bool held[GOSESS_LOCKS];

/* From a lock on, none is held. */
static void none_is_held(int from, const char *problem)
{
    for (int lock = from; lock < GOSESS_LOCKS; lock++) {
        if (held[lock]) {
            fprintf(stderr, "gosess: %s with lock %d held\n", problem, lock);
            abort();
        }
    }
}

void gosess_no_lock_is_held(void)
{
    none_is_held(0, "what may take long, or the host, is called");
}

static void note_taken(enum gosess_lock lock)
{
    none_is_held((int)lock, "a lock is taken out of order");
    held[lock] = true;
}

static void note_given_back(enum gosess_lock lock)
{
    held[lock] = false;
}

#else

static void note_taken(enum gosess_lock lock)
{
    (void)lock;
}

static void note_given_back(enum gosess_lock lock)
{
    (void)lock;
}

#endif

/* --- locks --- */

/*
 * With these nothing is called that is a cancellation point (pthreads(7)), so the holder need not
 * switch cancellation off: each handshake takes them several times. A thread that may be cancelled
 * at any instruction can call no function of libssl either.
 */
static bool is_never_cancelled(enum gosess_lock lock)
{
    return lock == GOSESS_LOCK_TERMS || (lock >= GOSESS_LOCK_TABLE && lock < GOSESS_LOCK_LOADED);
}

void gosess_lock(enum gosess_lock lock)
{
    int before = 0;
    note_taken(lock);
    if (is_never_cancelled(lock)) {
        pthread_mutex_lock(&mutexes[lock]);
        return;
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&mutexes[lock]);
    cancel[lock] = before;
}

void gosess_unlock(enum gosess_lock lock)
{
    note_given_back(lock);
    if (is_never_cancelled(lock)) {
        pthread_mutex_unlock(&mutexes[lock]);
        return;
    }
    int before = cancel[lock];
    pthread_mutex_unlock(&mutexes[lock]);
    pthread_setcancelstate(before, NULL);
}

void gosess_lock_wait(enum gosess_lock lock, pthread_cond_t *condition)
{
    int before = cancel[lock];
    pthread_cond_wait(condition, &mutexes[lock]);
    cancel[lock] = before;
}

bool gosess_lock_wait_until(enum gosess_lock lock, pthread_cond_t *condition,
                            const struct timespec *deadline)
{
    int before = cancel[lock];
    int timed = pthread_cond_clockwait(condition, &mutexes[lock], CLOCK_MONOTONIC, deadline);
    cancel[lock] = before;
    return timed == 0;
}

/* --- fork --- */

/*
 * A child takes none of the other locks: they are for what is done with the Go half, which a fork
 * does not take along.
 */
static bool is_for_children(int lock)
{
    return lock <= GOSESS_LOCK_ONCE || (lock >= GOSESS_LOCK_TERMS && lock < GOSESS_LOCK_LOADED);
}

static __attribute__((noinline)) void lock_for_fork(void)
{
    for (int lock = 0; lock < GOSESS_LOCKS; lock++)
        if (is_for_children(lock))
            gosess_lock((enum gosess_lock)lock);
}

static void (*in_each_child)(void);

void gosess_locks_in_child(void (*work)(void))
{
    in_each_child = work;
}

static __attribute__((noinline)) void unlock_after_fork(void)
{
    for (int lock = GOSESS_LOCKS - 1; lock >= 0; lock--)
        if (is_for_children(lock))
            gosess_unlock((enum gosess_lock)lock);
}

/*
 * Leaves zeros where the handlers' calls have been: mod_ssl makes the MACs of its tickets with what
 * lies on the stack about there, and children that find something else each refuse the others'
 * (S12).
 */
static __attribute__((noinline)) void wipe_stack(void)
{
    char used[512];
    explicit_bzero(used, sizeof used);
}

static void before_fork(void)
{
    lock_for_fork();
    wipe_stack();
}

static void in_parent(void)
{
    unlock_after_fork();
    wipe_stack();
}

static void in_child(void)
{
    if (in_each_child)
        in_each_child();
    unlock_after_fork();
    wipe_stack();
}

bool gosess_locks_prepare(void)
{
    return pthread_atfork(before_fork, in_parent, in_child) == 0;
}
