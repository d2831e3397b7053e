/* locks.h - every lock of gosess in C. */
#ifndef GOSESS_BASE_LOCKS_H
#define GOSESS_BASE_LOCKS_H

#include <pthread.h>
#include <stdbool.h>

#define GOSESS_TABLE_LOCKS 16 /* a power of 2 */

/*
 * In the order in which a thread takes them: with one held, only those that follow it. Meanwhile
 * it calls no function of the host, opens no file and waits for no process. What takes long is done
 * with none (base/once.h).
 */
enum gosess_lock {
    /* The configuration, the caches, the table of libssl, the contexts and what libssl holds of
     * ours. */
    GOSESS_LOCK_SETUP,
    GOSESS_LOCK_ONCE,    /* what is done once: base/once.c */
    GOSESS_LOCK_OPENING, /* a cache is being opened in the Go half */
    GOSESS_LOCK_TERMS,   /* what contexts keep of their policies and certificates */
    GOSESS_LOCK_SECRETS, /* those of tickets, and what is derived of them */
    GOSESS_LOCK_ROUTES,  /* what server names lead to */
    GOSESS_LOCK_TABLE,   /* of ssl/table.c; as many as follow */
    GOSESS_LOCK_LOADED = GOSESS_LOCK_TABLE + GOSESS_TABLE_LOCKS, /* of core/load.c */
    GOSESS_LOCK_RELAY, /* of capi/gate.c: what is handed to the relay */
    GOSESS_LOCKS,
};

/* No thread is cancelled while it holds one, because it would keep it for ever. */
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

/*
 * In a debug build (make DEBUG=1) the process ends where a lock is taken out of order, and here,
 * where one is held.
 */
#ifdef GOSESS_DEBUG
void gosess_no_lock_is_held(void);
#else
static inline void gosess_no_lock_is_held(void)
{
}
#endif

/* A function of the host's, to be called. */
#define GOSESS_HOST(function) (gosess_no_lock_is_held(), (function))

#endif
