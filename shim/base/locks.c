/* locks.c - every lock of the C half. */
#define _GNU_SOURCE
#include "locks.h"

static pthread_mutex_t mutexes[] = {
    [0 ... GOSESS_LOCK_GATE - 1] = PTHREAD_MUTEX_INITIALIZER,
    /* It is held for so short a time that a thread rather waits for it than sleeps. */
    [GOSESS_LOCK_GATE] = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP,
    [GOSESS_LOCK_GATE + 1 ... GOSESS_LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER,
};
static int cancel[GOSESS_LOCKS]; /* what the holder had allowed; each under its lock */

void gosess_lock(enum gosess_lock lock)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_mutex_lock(&mutexes[lock]);
    cancel[lock] = before;
}

void gosess_unlock(enum gosess_lock lock)
{
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
 * Of the others a child has no need: it opens no cache in the Go half, which did not come along,
 * and calls nothing of it.
 */
static bool is_for_children(int lock)
{
    return lock <= GOSESS_LOCK_SETUP || (lock >= GOSESS_LOCK_TERMS && lock < GOSESS_LOCK_ERRANDS);
}

static void before_fork(void)
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

static void in_parent(void)
{
    for (int lock = GOSESS_LOCKS - 1; lock >= 0; lock--)
        if (is_for_children(lock))
            gosess_unlock((enum gosess_lock)lock);
}

static void in_child(void)
{
    if (in_each_child)
        in_each_child();
    in_parent();
}

bool gosess_locks_prepare(void)
{
    return pthread_atfork(before_fork, in_parent, in_child) == 0;
}
