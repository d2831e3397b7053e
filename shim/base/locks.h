/* locks.h - every lock of the C half. */
#ifndef GOSESS_BASE_LOCKS_H
#define GOSESS_BASE_LOCKS_H

#include <pthread.h>
#include <stdbool.h>

#define GOSESS_TABLE_LOCKS 64 /* a power of 2 */

/*
 * In the order in which a thread takes them: with one held, only those below it. No function of
 * the host is called with one held, and no other thread waits for long.
 */
enum gosess_lock {
    /* A callback that a program registered itself attaches its context. */
    GOSESS_LOCK_ATTACH,
    /* The configuration, the caches, the table of libssl, the contexts and what libssl holds of
     * ours. */
    GOSESS_LOCK_SETUP,
    GOSESS_LOCK_OPENING, /* a cache is being opened in the Go half */
    GOSESS_LOCK_CHANGE,  /* the user of all threads is being changed */
    GOSESS_LOCK_GATE,    /* one thread is in Go, where there are many */
    GOSESS_LOCK_TERMS,   /* what contexts keep of their policies and certificates */
    GOSESS_LOCK_TABLE,   /* of ssl/table.c; as many as follow */
    GOSESS_LOCK_ERRANDS = GOSESS_LOCK_TABLE + GOSESS_TABLE_LOCKS, /* of core/gate.c */
    GOSESS_LOCK_LOADED,                                           /* of core/load.c */
    GOSESS_LOCKS,
};

/*
 * No thread is cancelled while it holds one, because it would keep it for ever: there are files
 * that are read and lines that are written with some.
 */
void gosess_lock(enum gosess_lock lock);
void gosess_unlock(enum gosess_lock lock);

/* Waits, with the lock, for a condition or until then on the monotonic clock: pthread_cond_wait. */
void gosess_lock_wait(enum gosess_lock lock, pthread_cond_t *condition);
bool gosess_lock_wait_until(enum gosess_lock lock, pthread_cond_t *condition,
                            const struct timespec *deadline);

/*
 * When the library is loaded: a fork waits for some of the locks, so that a child never finds them
 * taken. What the others are for, no child does. False where memory has run out.
 */
bool gosess_locks_prepare(void);

/* What is done in each child, with the locks that the fork has waited for. With one of them. */
void gosess_locks_in_child(void (*work)(void));

#endif
