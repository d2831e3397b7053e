/* once.h - what a process does once, or one thread of it at a time, which may take long. */
#ifndef GOSESS_BASE_ONCE_H
#define GOSESS_BASE_ONCE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct gosess_once {
    enum { GOSESS_ONCE_TO_DO, GOSESS_ONCE_BEGUN, GOSESS_ONCE_DONE } state;
    pid_t process; /* whose thread has begun it */
    int cancel;    /* what that thread had allowed */
    pthread_cond_t ended;
};

#define GOSESS_ONCE                       \
    {                                     \
        .ended = PTHREAD_COND_INITIALIZER \
    }

/*
 * Whether this thread is to do it, with no lock, and then to call gosess_once_end. Else it is done,
 * if need be after a wait for the thread that was doing it. A fork does not wait for that: a child
 * begins anew what another thread of its parent had begun.
 */
bool gosess_once_begin(struct gosess_once *once);

/* done: nobody is to do it again. Else the next thread is, one after the other. */
void gosess_once_end(struct gosess_once *once, bool done);

#endif
