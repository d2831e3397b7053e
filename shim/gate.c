/*
 * gate.c - how many threads are in the Go half at once.
 *
 * A thread that has called into Go keeps one of the runtime's processors while it is back in C.
 * Where there are more such threads than processors, two may meet at one, and a new thread finds
 * none: they would wait until the runtime's monitor takes one back, which may be 10 ms
 * (capi/threads.c). Then one goes in at a time, so that nobody meets anybody, and for a new one all
 * processors are taken back first. A call takes about as long as the lock of a server's own cache
 * is held.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_mutex_t gate = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* set in each thread that has called, to hear of its end */
static bool have_key;
static _Atomic int callers; /* threads that have called, and live */
static _Thread_local bool counted, inside, locked;

static void uncount(void *unused)
{
    (void)unused;
    atomic_fetch_sub(&callers, 1);
}

static void make_key(void)
{
    have_key = pthread_key_create(&key, uncount) == 0;
}

/* A thread whose end nobody would hear of is counted for good: the safe side. */
static void count(void)
{
    pthread_once(&once, make_key);
    counted = true;
    atomic_fetch_add(&callers, 1);
    if (have_key)
        pthread_setspecific(key, &key);
}

static bool is_crowded(void)
{
    return atomic_load_explicit(&callers, memory_order_relaxed) > GOSESS_PROCESSORS;
}

void gosess_gate_hold(void)
{
    count();
    inside = true;
}

enum gosess_entry gosess_gate_enter(bool calls)
{
    enum gosess_entry entry = GOSESS_ENTERED;
    if (inside) /* a callback of the host's has brought it back here */
        return GOSESS_INSIDE;
    inside = true;
    if (calls && !counted) {
        count();
        entry = is_crowded() ? GOSESS_ENTERED_NEW : GOSESS_ENTERED;
    }
    locked = is_crowded();
    if (locked)
        pthread_mutex_lock(&gate);
    return entry;
}

void gosess_gate_leave(void)
{
    if (locked)
        pthread_mutex_unlock(&gate);
    inside = locked = false;
}
