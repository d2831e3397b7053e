/*
 * waits.c - what may happen in a process while one of its handshakes waits for the agent, which
 * does not answer: the handshake is a full one, and no slot is lost.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "machines.h"

static unsigned slots_in(uint32_t state)
{
    unsigned count = 0;
    for (unsigned i = 0; i < GOSESS_WINDOW_SLOTS; i++)
        count += (atomic_load(&b.window->slots[i].word) & GOSESS_SLOT_STATE) == state;
    return count;
}

static void await_free_slots(void)
{
    while (slots_in(GOSESS_SLOT_FREE) < GOSESS_WINDOW_SLOTS)
        nap();
}

static void await_waits(unsigned count)
{
    while (slots_in(GOSESS_SLOT_POSTED) < count)
        nap();
}

/* A session that no machine has, so that each look at it waits. */
static SSL_SESSION *strangers(void)
{
    SSL_CTX *stranger = new_server();
    SSL_SESSION *session;
    gosess_cache_detach(stranger);
    MUST(FULL(full(stranger, &session, "one.test")));
    SSL_CTX_free(stranger);
    return session;
}

static SSL_SESSION *session; /* of a stranger */

static void shake(void)
{
    MUST(FULL(again(b.ctx, session, "one.test")));
}

/* A wait that was in vain closes the gate for others, in the end. */
static void shake_again(void)
{
    atomic_store(&b.window->strikes, 0);
    atomic_fetch_or(&b.window->gate, GOSESS_GATE_OPEN);
    shake();
}

static void *shake_in_thread(void *type)
{
    pthread_setcanceltype(*(int *)type, NULL);
    shake_again();
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    pthread_testcancel();
    return NULL;
}

static int deferred = PTHREAD_CANCEL_DEFERRED;

static pthread_t waiting_thread(int *type)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, shake_in_thread, type) == 0);
    await_waits(1);
    return thread;
}

/*
 * The signal comes all the time; what is to be done then is done once, in a wait of this thread. It
 * holds no lock of libc or libssl there, and so may do anything.
 */
static void (*volatile in_wait)(void);
static volatile unsigned suspended; /* waits that this thread has left */

static void on_alarm(int number)
{
    (void)number;
    void (*act)(void) = in_wait;
    if (act && slots_in(GOSESS_SLOT_POSTED) > suspended) {
        in_wait = NULL;
        act();
    }
}

static void ring(long microseconds)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_NODEFER | SA_RESTART};
    struct itimerval every = {{.tv_usec = microseconds}, {.tv_usec = microseconds}};
    MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static void while_waiting(void (*act)(void))
{
    in_wait = act;
    ring(1000);
    while (in_wait) /* on a busy machine the signal may come after the wait */
        shake_again();
    ring(0);
    await_free_slots();
}

/* --- a handler that shakes hands too --- */

static void shake_with_both(void)
{
    SSL_SESSION *near;
    shake_again();
    MUST(FULL(full(b.ctx, &near, "one.test")));
    MUST(RESUMED(again(b.ctx, near, "one.test")));
    SSL_SESSION_free(near);
}

static void handler(void)
{
    while_waiting(shake_with_both);
    say("handler");
}

/* --- new processes --- */

static void spawn(void)
{
    int child = vfork(), status;
    if (child == 0) {
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    MUST(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

/* The child serves as well as it can: without a Go half, which does not survive that. */
static void split(void)
{
    int child = fork(), status;
    MUST(child >= 0);
    if (child == 0) {
        SSL_SESSION *near;
        ring(0);
        MUST(FULL(full(b.ctx, &near, "one.test")));
        MUST(FULL(again(b.ctx, session, "one.test")));
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
}

/* By the thread that waits, and by another one. */
static void by_both(void (*act)(void))
{
    while_waiting(act);
    pthread_t thread = waiting_thread(&deferred);
    act();
    MUST(pthread_join(thread, NULL) == 0);
    await_free_slots();
}

static void spawned(void)
{
    by_both(spawn);
    say("spawned");
}

static void forked(void)
{
    by_both(split);
    say("forked");
}

/* The agent takes the slots back of who is killed in the wait. */
static void killed(void)
{
    for (int i = 0; i < 3; i++) {
        int worker = fork();
        MUST(worker >= 0);
        while (worker == 0)
            shake_again();
        await_waits(1);
        kill(worker, SIGKILL);
        MUST(waitpid(worker, NULL, 0) == worker);
        await_free_slots();
    }
    say("killed");
}

/* --- cancellation --- */

/* It comes when the wait is over, and the slot is free. */
static void cancelled(void)
{
    int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};
    for (int i = 0; i < 2; i++) {
        void *result;
        uint64_t waited = counted(&b, GOSESS_WINDOW_TIMEOUTS);
        pthread_t thread = waiting_thread(&types[i]);
        pthread_cancel(thread);
        MUST(pthread_join(thread, &result) == 0);
        MUST(result == PTHREAD_CANCELED || i == 1); /* glibc 2.36 may forget it there */
        MUST(counted(&b, GOSESS_WINDOW_TIMEOUTS) > waited && slots_in(GOSESS_SLOT_POSTED) == 0);
    }
    shake_again();
    say("cancelled");
}

/* --- fibres --- */

#define FIBRES 4
#define STACK_SIZE (256 << 10)

static ucontext_t fibres[FIBRES], home;
static bool over[FIBRES];
static volatile unsigned running, most;

/*
 * From the wait of a fibre to another one. All wait on one thread then, and whoever is gone back to
 * finds its time over.
 */
static void next_fibre(void)
{
    unsigned from = running, to = from;
    do
        to = (to + 1) % FIBRES;
    while (over[to]);
    in_wait = next_fibre;
    if (to == from)
        return;
    suspended = slots_in(GOSESS_SLOT_POSTED);
    most = suspended > most ? suspended : most;
    running = to;
    swapcontext(&fibres[from], &fibres[to]);
    suspended = slots_in(GOSESS_SLOT_POSTED); /* its own too: it is left alone from here on */
}

static void run_fibre(void)
{
    shake();
    over[running] = true;
    setcontext(&home);
}

static void make_fibre(ucontext_t *fibre)
{
    MUST(getcontext(fibre) == 0);
    fibre->uc_stack.ss_sp = malloc(STACK_SIZE);
    fibre->uc_stack.ss_size = STACK_SIZE;
    makecontext(fibre, run_fibre, 0);
}

static void in_fibres(void)
{
    for (volatile unsigned i = 0; i < FIBRES; i++)
        make_fibre(&fibres[i]);
    shake(); /* the Go half is there */
    atomic_store(&b.window->strikes, 0);
    in_wait = next_fibre;
    ring(1000);
    for (volatile unsigned i = 0; i < FIBRES; i++) {
        if (over[i])
            continue;
        running = i;
        swapcontext(&home, &fibres[i]);
    }
    ring(0);
    await_free_slots();
    MUST(most > 1);
    say("fibres");
}

int main(int argc, char **argv)
{
    const struct scenario scenarios[] = {
        {"handler", handler}, {"spawned", spawned},     {"forked", forked},
        {"killed", killed},   {"cancelled", cancelled}, {"fibres", in_fibres},
    };
    start_machines(argc, argv);
    session = strangers();
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
