/* locks.c - the locks of the C half and what is done once, by themselves, in a debug build. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../shim/base/fork.h"
#include "../../../shim/base/locks.h"
#include "../../../shim/base/once.h"

#define MUST(true_of_it) ((true_of_it) ? (void)0 : abort_at(__LINE__))

static void abort_at(int line)
{
    printf("line %d\n", line);
    exit(1);
}

static void in_order(void)
{
    for (int lock = 0; lock < GOSESS_LOCKS; lock++)
        gosess_lock((enum gosess_lock)lock);
    for (int lock = 0; lock < GOSESS_LOCKS; lock++)
        gosess_unlock((enum gosess_lock)lock);
    gosess_no_lock_is_held();
}

static void out_of_order(void)
{
    gosess_lock(GOSESS_LOCK_TERMS);
    gosess_lock(GOSESS_LOCK_SETUP);
}

static void twice(void)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    gosess_lock(GOSESS_LOCK_SETUP);
}

static void call_host(void)
{
    gosess_lock(GOSESS_LOCK_TABLE);
    GOSESS_HOST(in_order)();
}

/* --- in other threads and processes --- */

static struct gosess_once once = GOSESS_ONCE;
static _Atomic int stage; /* what has come to pass */

static void wait_for(int wanted)
{
    while (stage < wanted)
        usleep(1000);
}

static int status_of_child(pid_t child)
{
    int status = 0;
    MUST(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *hold_and_give_back(void *unused)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    stage = 1;
    wait_for(2);
    usleep(20000); /* the other thread is in fork by now, or soon */
    gosess_unlock(GOSESS_LOCK_SETUP);
    return unused;
}

/* A child finds no lock taken that a thread of its parent held. */
static void forked(void)
{
    pthread_t thread;
    MUST(gosess_fork_prepare() && gosess_locks_prepare() && gosess_own_process());
    MUST(pthread_create(&thread, NULL, hold_and_give_back, NULL) == 0);
    wait_for(1);
    stage = 2;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        gosess_lock(GOSESS_LOCK_SETUP);
        gosess_lock(GOSESS_LOCK_TABLE);
        _exit(gosess_forked() && gosess_own_process() ? 0 : 1);
    }
    MUST(status_of_child(child) == 0 && !gosess_forked());
    pthread_join(thread, NULL);
}

static void *do_once(void *done)
{
    if (gosess_once_begin(&once)) {
        stage = 1;
        wait_for(2);
        gosess_once_end(&once, done != NULL);
    }
    return NULL;
}

static void *ask_once(void *asked)
{
    bool begins = gosess_once_begin(&once);
    if (begins)
        gosess_once_end(&once, true);
    *(int *)asked = begins ? 'b' : 'd';
    return NULL;
}

/* Whether the next thread is to do it: where the one that does it succeeds, or fails. */
static char next_after(bool done)
{
    pthread_t first, second;
    int asked = 0;
    once = (struct gosess_once)GOSESS_ONCE;
    stage = 0;
    MUST(pthread_create(&first, NULL, do_once, done ? &once : NULL) == 0);
    wait_for(1);
    MUST(pthread_create(&second, NULL, ask_once, &asked) == 0);
    usleep(20000);
    MUST(asked == 0); /* it waits */
    stage = 2;
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    return (char)asked;
}

static void done_once(void)
{
    MUST(gosess_fork_prepare() && gosess_locks_prepare());
    MUST(next_after(true) == 'd');
    MUST(next_after(false) == 'b');
}

/* A child does what a thread of its parent was doing, and does not wait for it; nor does the fork.
 */
static void once_and_fork(void)
{
    pthread_t thread;
    MUST(gosess_fork_prepare() && gosess_locks_prepare());
    MUST(pthread_create(&thread, NULL, do_once, &once) == 0);
    wait_for(1);
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        MUST(gosess_once_begin(&once));
        gosess_once_end(&once, true);
        _exit(gosess_once_begin(&once));
    }
    MUST(status_of_child(child) == 0);
    stage = 2;
    pthread_join(thread, NULL);
    MUST(!gosess_once_begin(&once));
}

static void *be_cancelled(void *unused)
{
    int state;
    gosess_lock(GOSESS_LOCK_SETUP);
    pthread_testcancel();
    gosess_unlock(GOSESS_LOCK_SETUP);
    MUST(gosess_once_begin(&once));
    pthread_testcancel();
    gosess_once_end(&once, true);
    stage = 1;
    pthread_testcancel();
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
    abort_at(__LINE__);
    return unused;
}

static void cancelled(void)
{
    pthread_t thread;
    void *result;
    gosess_lock(GOSESS_LOCK_SETUP);
    MUST(pthread_create(&thread, NULL, be_cancelled, NULL) == 0);
    MUST(pthread_cancel(thread) == 0);
    gosess_unlock(GOSESS_LOCK_SETUP);
    pthread_join(thread, &result);
    MUST(result == PTHREAD_CANCELED && stage == 1);
    gosess_lock(GOSESS_LOCK_SETUP);
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"in-order", in_order},
    {"out-of-order", out_of_order},
    {"twice", twice},
    {"host", call_host},
    {"forked", forked},
    {"once", done_once},
    {"once-and-fork", once_and_fork},
    {"cancelled", cancelled},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof scenarios / sizeof *scenarios; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        scenarios[i].run();
        puts("done");
        return 0;
    }
    return 2;
}
