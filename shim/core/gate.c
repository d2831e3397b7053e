/*
 * gate.c - the way into the Go half.
 *
 * A thread that has been in Go keeps one of the runtime's processors while it is back in C. Where
 * there are more such threads than processors, two may meet at one, and a new thread finds none:
 * they would wait until the runtime's monitor takes one back, which may be 10 ms (capi/threads.c).
 * Then one goes in at a time, so that nobody meets anybody, and for a new one all processors are
 * taken back first, which stops the world. What is done inside takes about as long as the lock of
 * a server's own cache is held.
 *
 * A thread that soon ends is not worth that: what a thread does first, and all that an ASYNC job
 * does, on 32 KiB of heap without a guard page (L44), is done by the relay.
 */
#define _GNU_SOURCE
#include "gate.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../base/locks.h"
#include "../ssl/libssl.h"
#include "room.h"

/* More than a thread needs that serves one connection. The first thread of a process stays. */
#define RELAYED_FIRST 32

/* Go keeps some 50 KB for each thread that goes in. */
#define CALLERS_LIMITED 32

static pthread_key_t key; /* set in each thread that goes in, to hear of its end */
static bool have_key;
static _Atomic int callers = 1; /* threads that have been in, and live; one is the relay */
static _Thread_local bool counted, ending;
static _Thread_local int relayed;
static _Thread_local stack_t inside; /* the alternate signal stack that Go gave this thread */

/* What a thread has done for it, and waits for. */
struct errand {
    void (*work)(void *);
    void *argument;
    bool done;
    pthread_cond_t answered;
    struct errand *next;
};

/* With the lock of errands. */
static pthread_cond_t handed = PTHREAD_COND_INITIALIZER;
static struct errand *first, **last = &first;
static void (*make_room)(void);

static bool is_crowded(void)
{
    return atomic_load_explicit(&callers, memory_order_relaxed) > GOSESS_PROCESSORS;
}

/* --- the relay --- */

static void run(const struct errand *errand)
{
    bool alone = is_crowded();
    if (alone)
        gosess_lock(GOSESS_LOCK_GATE);
    errand->work(errand->argument);
    if (alone)
        gosess_unlock(GOSESS_LOCK_GATE);
}

_Noreturn void gosess_gate_serve(void (*room)(void))
{
    make_room = room;
    gosess_lock(GOSESS_LOCK_ERRANDS);
    for (;;) {
        while (!first)
            gosess_lock_wait(GOSESS_LOCK_ERRANDS, &handed);
        struct errand *errand = first;
        first = errand->next;
        if (!first)
            last = &first;
        gosess_unlock(GOSESS_LOCK_ERRANDS);
        run(errand);
        gosess_lock(GOSESS_LOCK_ERRANDS);
        errand->done = true;
        pthread_cond_signal(&errand->answered);
    }
}

static void relay(void (*work)(void *), void *argument)
{
    struct errand errand = {
        .work = work, .argument = argument, .answered = PTHREAD_COND_INITIALIZER};
    gosess_lock(GOSESS_LOCK_ERRANDS);
    *last = &errand;
    last = &errand.next;
    if (first == &errand)
        pthread_cond_signal(&handed);
    while (!errand.done)
        gosess_lock_wait(GOSESS_LOCK_ERRANDS, &errand.answered);
    gosess_unlock(GOSESS_LOCK_ERRANDS);
    pthread_cond_destroy(&errand.answered);
}

static void take_processors_back(void *unused)
{
    (void)unused;
    make_room();
}

/* --- the gate --- */

static void uncount(void *unused)
{
    (void)unused;
    counted = false; /* another destructor may call again: not in this thread */
    ending = true;
    atomic_fetch_sub(&callers, 1);
}

/* Made before the Go runtime's, which takes what it gave a thread back when that one is called. */
void gosess_gate_prepare(void)
{
    have_key = pthread_key_create(&key, uncount) == 0;
}

/* A thread whose end nobody would hear of is counted for good: the safe side. */
static void count(void)
{
    counted = true;
    atomic_fetch_add(&callers, 1);
    if (have_key)
        pthread_setspecific(key, &key);
}

static bool goes_itself(void)
{
    if (ending || gosess_ssl->ASYNC_get_current_job())
        return false;
    if (counted || getpid() == gettid())
        return true;
    if (gosess_room_limited() && atomic_load(&callers) >= CALLERS_LIMITED)
        return false;
    return relayed == RELAYED_FIRST;
}

/*
 * Go handles faults of its own on an alternate stack that it gives a thread in its first call,
 * where the thread has none. The host's is what it was between the calls. Who is called in a
 * handler that runs on the host's cannot change it, and has it to the end.
 */
static void work_on_own_stack(void (*work)(void *), void *argument)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t hosts;
    bool first_time = !inside.ss_sp;
    bool changed = sigaltstack(first_time ? &none : &inside, &hosts) == 0;
    work(argument);
    if (changed)
        sigaltstack(&hosts, first_time ? &inside : NULL);
}

static void pass(void (*work)(void *), void *argument)
{
    if (!goes_itself()) {
        relayed += relayed < RELAYED_FIRST;
        relay(work, argument);
        return;
    }
    bool is_new = !counted;
    if (is_new)
        count();
    bool alone = is_crowded();
    if (alone && is_new)
        relay(take_processors_back, NULL); /* before the gate, which the relay may wait for */
    if (alone)
        gosess_lock(GOSESS_LOCK_GATE);
    work_on_own_stack(work, argument);
    if (alone)
        gosess_unlock(GOSESS_LOCK_GATE);
}

void gosess_gate_pass(void (*work)(void *), void *argument)
{
    sigset_t before, during;
    int cancel;
    /* A handler of the host that ran while in Go would run on a goroutine's small stack. */
    gosess_asynchronous_signals(&during);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_sigmask(SIG_SETMASK, &during, &before);
    pass(work, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setcancelstate(cancel, NULL);
}
