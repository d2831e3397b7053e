/* ask.c - workers that ask the agent through a window, whatever happens to them meanwhile. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../shim/far/ask.h"
#include "../../../shim/far/window.h"
#include "../../c/lib/tls.h"

static struct gosess_window *window;

/* The agent has what is of an even number. */
static struct gosess_far request_of(unsigned number)
{
    struct gosess_far far = {.operation = GOSESS_FAR_GET, .count = 2};
    for (unsigned i = 0; i < far.count; i++) {
        memcpy(far.keys[i], &number, sizeof number);
        memcpy(far.keys[i] + 11, &number, sizeof number);
        far.keys[i][8] = (unsigned char)i; /* the place of the note of a miss */
    }
    return far;
}

static enum gosess_far_answer ask(unsigned number, unsigned wait)
{
    struct gosess_far far = request_of(number);
    errno = 123;
    enum gosess_far_answer answer = gosess_far_ask(window, &far, wait);
    MUST(errno == 123);
    return answer;
}

static void is_answered(unsigned number)
{
    MUST(ask(number, 30000) == (number % 2 == 0 ? GOSESS_FAR_HIT : GOSESS_FAR_NONE));
}

static uint64_t counted(enum gosess_window_counter counter)
{
    return atomic_load(&window->counters[counter]);
}

static unsigned free_slots(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < GOSESS_WINDOW_SLOTS; i++)
        count += (atomic_load(&window->slots[i].word) & GOSESS_SLOT_STATE) == GOSESS_SLOT_FREE;
    return count;
}

static void nap(long microseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

static void await_free_slots(void)
{
    while (free_slots() < GOSESS_WINDOW_SLOTS)
        nap(10000);
}

/* The gate may be closed for a while, and this process silent, where others were late. */
static void is_served_again(void)
{
    while (ask(2, 30000) != GOSESS_FAR_HIT)
        nap(10000);
}

static void answers(void)
{
    for (unsigned i = 0; i < 2000; i++)
        is_answered(i);
    MUST(counted(GOSESS_WINDOW_HITS) == 1000 && counted(GOSESS_WINDOW_MISSED) == 1000);
    MUST(free_slots() == GOSESS_WINDOW_SLOTS);
    say("answers");
}

/* What is noted as a miss is not asked for. */
static void missed(void)
{
    struct gosess_far far = request_of(7);
    uint64_t asked = counted(GOSESS_WINDOW_MISSED);
    while (gosess_far_ask(window, &far, 30000) == GOSESS_FAR_NONE &&
           counted(GOSESS_WINDOW_MISSED) != asked)
        asked = counted(GOSESS_WINDOW_MISSED); /* until the agent's note of it is there */
    far.keys[1][15] = 1;
    MUST(gosess_far_ask(window, &far, 30000) == GOSESS_FAR_NONE);
    MUST(counted(GOSESS_WINDOW_MISSED) == asked + 1);
    say("missed");
}

/* --- workers that end --- */

static void work_for_ever(void)
{
    for (unsigned i = (unsigned)getpid();; i++)
        ask(i, 50);
}

/* A thousand workers are killed at any moment: no slot is lost, and the next ones are served. */
static void kills(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        int worker = fork();
        MUST(worker >= 0);
        if (worker == 0)
            work_for_ever();
        nap(100 + rand() % 400);
        kill(worker, SIGKILL);
        waitpid(worker, NULL, 0);
    }
    await_free_slots();
    is_served_again();
    say("kills");
}

/* A worker that is stopped for longer than its slot is left to it finds that out, and goes on. */
static void stops(void)
{
    int workers[8];
    for (size_t i = 0; i < 8; i++) {
        workers[i] = fork();
        MUST(workers[i] >= 0);
        if (workers[i] == 0)
            work_for_ever();
    }
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 8; i++)
            kill(workers[i], SIGSTOP);
        await_free_slots();
        for (size_t i = 0; i < 8; i++)
            kill(workers[i], SIGCONT);
        nap(2000);
    }
    for (size_t i = 0; i < 8; i++) {
        kill(workers[i], SIGKILL);
        waitpid(workers[i], NULL, 0);
    }
    await_free_slots();
    is_served_again();
    say("stops");
}

/* --- signals --- */

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    (void)number;
    signals++;
}

static int parent;
static volatile sig_atomic_t forks;

/* The child goes on in the middle of the request, where its parent was. */
static void on_signal_fork(int number)
{
    (void)number;
    if (getpid() == parent && forks < 200) {
        forks++;
        if (fork() == 0)
            setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0}}, NULL);
    }
}

static void with_signals(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    struct itimerval every = {{.tv_usec = 150}, {.tv_usec = 150}};
    MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
}

static void interrupted(void)
{
    with_signals(on_signal);
    for (unsigned i = 0; i < 3000 || signals < 100; i++)
        is_answered(i);
    MUST(free_slots() == GOSESS_WINDOW_SLOTS);
    say("interrupted");
}

/* One of both has the slot, and neither waits for ever nor disturbs what comes later. */
static void forked(void)
{
    parent = getpid();
    with_signals(on_signal_fork);
    for (unsigned i = 0; forks < 200; i++) {
        enum gosess_far_answer answer = ask(i, 50);
        if (getpid() != parent)
            _exit(0);
        MUST(answer != GOSESS_FAR_HIT || i % 2 == 0);
    }
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {0}}, NULL);
    for (int status; wait(&status) > 0;)
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    await_free_slots();
    is_served_again();
    say("forked");
}

static void *ask_in_thread(void *type)
{
    pthread_setcanceltype(*(int *)type, NULL);
    ask(1, 50);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    pthread_testcancel();
    return NULL;
}

/* A thread that is cancelled while it waits frees its slot first. The agent does not answer. */
static void cancelled(void)
{
    for (int type = 0; type < 2; type++) {
        int types[] = {PTHREAD_CANCEL_DEFERRED, PTHREAD_CANCEL_ASYNCHRONOUS};
        pthread_t thread;
        void *result;
        MUST(pthread_create(&thread, NULL, ask_in_thread, &types[type]) == 0);
        while (free_slots() == GOSESS_WINDOW_SLOTS)
            nap(100);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        MUST(free_slots() == GOSESS_WINDOW_SLOTS);
        MUST(result == PTHREAD_CANCELED || type == 1); /* glibc 2.36 may forget it there */
    }
    say("cancelled");
}

/* --- an agent that does not answer, or worse --- */

/* Five waits, and the gate is closed for all. */
static void silent(void)
{
    for (int i = 0; i < 5; i++)
        MUST(ask(2, 1) == GOSESS_FAR_LATE);
    MUST(!gosess_far_is_open(window));
    MUST(ask(2, 1) == GOSESS_FAR_NONE && counted(GOSESS_WINDOW_TIMEOUTS) == 5);
    /* Whoever opens it again has each process wait once in a while. */
    for (int i = 0; i < 1000; i++) {
        atomic_fetch_or(&window->gate, GOSESS_GATE_OPEN);
        ask(2, 1);
    }
    MUST(counted(GOSESS_WINDOW_TIMEOUTS) < 50);
    say("silent");
}

static void *scribble(void *ended)
{
    const size_t words = offsetof(struct gosess_window, news) / sizeof(uint32_t);
    unsigned seed = 1;
    while (!atomic_load((_Atomic bool *)ended)) {
        _Atomic uint32_t *at = (_Atomic uint32_t *)(void *)window + (size_t)rand_r(&seed) % words;
        atomic_store(at, (uint32_t)rand_r(&seed));
        atomic_store(&window->gate, GOSESS_GATE_OPEN);
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        atomic_store(&window->lease, (uint64_t)(now.tv_sec + 5) * 1000000000);
    }
    return NULL;
}

/* Truncates the file once a request is posted in its window. */
static void *cut(void *fd)
{
    uint64_t posted = 0;
    while (posted == 0)
        for (unsigned i = 0; i < GOSESS_WINDOW_SLOTS / 64; i++)
            posted |= atomic_load(&window->posted[i]);
    MUST(ftruncate(*(int *)fd, 4096) == 0);
    return NULL;
}

/* The file of a window without an agent is cut short while a worker waits. */
static void truncated(void)
{
    struct timespec now;
    pthread_t thread;
    int fd = memfd_create("window", MFD_CLOEXEC);
    MUST(fd >= 0 && ftruncate(fd, GOSESS_WINDOW_SIZE) == 0);
    window = mmap(NULL, GOSESS_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(window != MAP_FAILED && clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    atomic_store(&window->lease, (uint64_t)(now.tv_sec + GOSESS_LEASE_MAX - 1) * 1000000000);
    atomic_store(&window->gate, GOSESS_GATE_OPEN);
    MUST(pthread_create(&thread, NULL, cut, &fd) == 0);
    MUST(ask(1, 1000) == GOSESS_FAR_LATE);
    pthread_join(thread, NULL);
    say("truncated");
}

/* Whatever stands in the window, each request ends. */
static void hostile(void)
{
    _Atomic bool ended = false;
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, scribble, &ended) == 0);
    for (unsigned i = 0; i < 20000; i++)
        ask(i, 1);
    atomic_store(&ended, true);
    pthread_join(thread, NULL);
    say("hostile");
}

/* What a request that may not wait costs, in nanoseconds of this thread. */
static void costs(void)
{
    struct timespec begun, ended;
    const int count = 2000000;
    struct gosess_far far = request_of(1);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
    for (int i = 0; i < count; i++)
        if (gosess_far_is_open(window))
            gosess_far_ask(window, &far, 2);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended);
    double taken =
        (double)(ended.tv_sec - begun.tv_sec) * 1e9 + (double)(ended.tv_nsec - begun.tv_nsec);
    say("%.1f", taken / count);
}

int main(int argc, char **argv)
{
    const struct scenario scenarios[] = {
        {"answers", answers},     {"missed", missed},           {"kills", kills},
        {"stops", stops},         {"interrupted", interrupted}, {"forked", forked},
        {"cancelled", cancelled}, {"silent", silent},           {"hostile", hostile},
        {"costs", costs},         {"truncated", truncated},
    };
    int fd = open(getenv("WINDOW"), O_RDWR | O_CLOEXEC);
    window = mmap(NULL, GOSESS_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(fd >= 0 && window != MAP_FAILED);
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
