/*
 * gate.c - the way into the Go half.
 *
 * A thread that has been in Go keeps one of the runtime's processors while it is back in C. Where
 * there are more such threads than processors, two may meet at one, and a new thread finds none:
 * they would wait until the runtime's monitor takes one back, which may be 100 ms (capi/threads.c).
 * Then one goes in at a time, so that nobody meets anybody, and for a new one all processors are
 * taken back first, which stops the world. What is done inside takes about as long as the lock of
 * a server's own cache is held.
 *
 * A thread that soon ends is not worth that: what a thread does first, and all that an ASYNC job
 * does, on 32 KiB of heap without a guard page (L44), is done by the relay. That sleeps the rest of
 * the time, and does what nobody asks for.
 */
#define _GNU_SOURCE
#include "glue.h"

#include "_cgo_export.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

/* More than a thread needs that serves one connection. The first thread of a process stays. */
#define RELAYED_FIRST 32

/* What is done inside takes about as long as falling asleep. */
#define GATE_SPINS 100

/* Go keeps some 50 KB for each thread that goes in. */
#define CALLERS_LIMITED 32

static sem_t gate;        /* 1 where nobody is in; no mutex, as the relay takes it for others */
static pthread_key_t key; /* set in each thread that goes in, to hear of its end */
static bool have_key;
static _Atomic int callers = 1; /* threads that have been in, and live; one is the relay */
static _Thread_local bool counted, ending;
static _Thread_local int relayed;
static _Thread_local stack_t inside; /* the alternate signal stack that Go gave this thread */

/* A request that a thread has served for it, and waits for. */
struct errand {
    struct gosess_request *request; /* NULL: that the processors are taken back, and the gate too */
    bool done;
    pthread_cond_t answered;
    struct errand *next;
};

static pthread_cond_t handed = PTHREAD_COND_INITIALIZER;
static struct errand *first, **last = &first; /* with the lock of the relay, as each errand */
static const struct gosess_start *start;
static sigset_t asynchronous; /* what no thread takes while it is in */

static bool is_crowded(void)
{
    return atomic_load_explicit(&callers, memory_order_relaxed) > GOSESS_PROCESSORS;
}

static void take_gate(void)
{
    for (int i = 0; i < GATE_SPINS; i++)
        if (sem_trywait(&gate) == 0)
            return;
    while (sem_wait(&gate) != 0)
        ; /* a signal */
}

/* --- the relay --- */

static void run(const struct errand *errand)
{
    bool alone = is_crowded();
    if (!errand->request) {
        take_gate(); /* for the thread that waits: else others take what is free by then */
        gosess_go_make_room();
        return;
    }
    if (alone)
        take_gate();
    gosess_go_serve(errand->request);
    if (alone)
        sem_post(&gate);
}

static _Thread_local bool is_relay;

static void tidy(struct timespec *again)
{
    int64_t seconds = start->tidy();
    clock_gettime(CLOCK_MONOTONIC, again);
    again->tv_sec += seconds;
}

_Noreturn void gosess_gate_serve(void)
{
    struct timespec again;
    is_relay = true;
    tidy(&again);
    start->lock(GOSESS_LOCK_RELAY);
    for (;;) {
        while (!first) {
            if (start->wait_until(GOSESS_LOCK_RELAY, &handed, &again))
                continue;
            start->unlock(GOSESS_LOCK_RELAY);
            tidy(&again);
            start->lock(GOSESS_LOCK_RELAY);
        }
        struct errand *errand = first;
        first = errand->next;
        if (!first)
            last = &first;
        start->unlock(GOSESS_LOCK_RELAY);
        run(errand);
        start->lock(GOSESS_LOCK_RELAY);
        errand->done = true;
        pthread_cond_signal(&errand->answered);
    }
}

static void relay(struct gosess_request *request)
{
    struct errand errand = {.request = request, .answered = PTHREAD_COND_INITIALIZER};
    start->lock(GOSESS_LOCK_RELAY);
    *last = &errand;
    last = &errand.next;
    if (first == &errand)
        pthread_cond_signal(&handed);
    while (!errand.done)
        start->wait(GOSESS_LOCK_RELAY, &errand.answered);
    start->unlock(GOSESS_LOCK_RELAY);
    pthread_cond_destroy(&errand.answered);
}

/* --- the gate --- */

static void uncount(void *unused)
{
    (void)unused;
    counted = false; /* another destructor may call again: not in this thread */
    ending = true;
    atomic_fetch_sub(&callers, 1);
}

/*
 * The key is made before the Go runtime's, which takes what it gave a thread back when that one is
 * called; the runtime makes it in the first call into Go (runtime/cgo/gcc_libinit.c).
 */
void gosess_gate_prepare(const struct gosess_start *given)
{
    start = given;
    gosess_asynchronous_signals(&asynchronous);
    sem_init(&gate, 0, 1);
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
    if (ending || start->current_job())
        return false;
    if (counted || getpid() == gettid())
        return true;
    if (start->limited && atomic_load(&callers) >= CALLERS_LIMITED)
        return false;
    return relayed == RELAYED_FIRST;
}

/*
 * Go handles faults of its own on an alternate stack that it gives a thread in its first call,
 * where the thread has none. The host's is what it was between the calls. A call within a
 * handler that runs on the host's stack cannot change it, and has it to the end.
 */
static void serve_on_own_stack(struct gosess_request *request)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    stack_t hosts;
    bool first_time = !inside.ss_sp;
    bool changed = sigaltstack(first_time ? &none : &inside, &hosts) == 0;
    gosess_go_serve(request);
    if (changed)
        sigaltstack(&hosts, first_time ? &inside : NULL);
}

static void pass(struct gosess_request *request)
{
    if (is_relay) {
        run(&(struct errand){.request = request});
        return;
    }
    if (!goes_itself()) {
        relayed += relayed < RELAYED_FIRST;
        relay(request);
        return;
    }
    bool is_new = !counted;
    if (is_new)
        count();
    bool alone = is_crowded();
    if (alone && is_new)
        relay(NULL);
    else if (alone)
        take_gate();
    serve_on_own_stack(request);
    if (alone)
        sem_post(&gate);
}

void gosess_gate_pass(struct gosess_request *request)
{
    sigset_t before;
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    /* A handler of the host that ran while in Go would run on a goroutine's small stack. */
    pthread_sigmask(SIG_SETMASK, &asynchronous, &before);
    pass(request);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setcancelstate(cancel, NULL);
}
