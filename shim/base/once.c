/*
 * once.c - what a process does once, or one thread of it at a time, which may take long: files are
 * opened, a child is waited for.
 *
 * pthread_once(3) would do, but for a process that forks meanwhile: its child would wait for ever.
 */
#define _GNU_SOURCE
#include "once.h"

#include "fork.h"
#include "locks.h"

bool gosess_once_begin(struct gosess_once *once)
{
    gosess_no_lock_is_held();
    gosess_lock(GOSESS_LOCK_ONCE);
    while (once->state == GOSESS_ONCE_BEGUN && once->process == gosess_process())
        gosess_lock_wait(GOSESS_LOCK_ONCE, &once->ended);
    bool begins = once->state != GOSESS_ONCE_DONE;
    if (once->state == GOSESS_ONCE_BEGUN) /* in a child, where nobody waits for it yet */
        once->ended = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    if (begins) {
        once->state = GOSESS_ONCE_BEGUN;
        once->process = gosess_process();
    }
    gosess_unlock(GOSESS_LOCK_ONCE);
    /* Others would wait for ever for a thread that is cancelled. */
    if (begins)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &once->cancel);
    return begins;
}

void gosess_once_end(struct gosess_once *once, bool done)
{
    int cancel = once->cancel;
    gosess_lock(GOSESS_LOCK_ONCE);
    once->state = done ? GOSESS_ONCE_DONE : GOSESS_ONCE_TO_DO;
    pthread_cond_broadcast(&once->ended);
    gosess_unlock(GOSESS_LOCK_ONCE);
    pthread_setcancelstate(cancel, NULL);
}
