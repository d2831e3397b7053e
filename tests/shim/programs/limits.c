/* limits.c - threads, memory and address space that a process may not have, before and after the Go
 * half is loaded. */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534
#define CHILD_SECONDS 60

static SSL_CTX *ctx;

static void end(void)
{
    SSL_CTX_free(ctx);
    ctx = NULL;
}

/* What the kernel is asked for directly, gosess is not told. */

static void become_nobody_unseen(void)
{
    /* In all threads there is: this one. */
    MUST(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
}

static void limit_unseen(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    MUST(syscall(SYS_prlimit64, 0, resource, &limit, NULL) == 0);
}

static void no_threads_before(void)
{
    become_nobody_unseen();
    limit_unseen(RLIMIT_NPROC, 0);
    serve_twice(ctx);
    say_loaded("worker");
}

static void nproc_before(void)
{
    ctx = new_server();
    in_child(no_threads_before);
    end();
}

#define SERVING 4
#define TIMES 200

static _Atomic int missed;

static void *many(void *unused)
{
    SSL_CTX *client = new_client();
    for (int i = 0; i < TIMES; i++) {
        SSL_SESSION *own = NULL;
        MUST(strcmp(visit(ctx, client, &own, NULL), "full") == 0);
        const char *second = visit(ctx, client, &own, NULL);
        MUST(strcmp(second, "failed") != 0);
        missed += strcmp(second, "resumed") != 0;
        SSL_SESSION_free(own);
    }
    SSL_CTX_free(client);
    return unused;
}

static pthread_barrier_t limited;

static void *wait_and_serve(void *unused)
{
    pthread_barrier_wait(&limited);
    return many(unused);
}

/* As HAProxy does: a user of its own, its threads, and then no more. */
static void no_threads_after(void)
{
    pthread_t thread[SERVING - 1];
    struct rlimit limit = {0, 0};
    MUST(pthread_barrier_init(&limited, NULL, SERVING) == 0);
    MUST(setuid(getuid()) == 0);
    say_loaded("worker");
    for (int i = 0; i < SERVING - 1; i++)
        MUST(pthread_create(&thread[i], NULL, wait_and_serve, NULL) == 0);
    MUST(setuid(NOBODY) == 0);
    MUST(setrlimit(RLIMIT_NPROC, &limit) == 0);
    pthread_t none;
    MUST(pthread_create(&none, NULL, many, NULL) != 0);
    wait_and_serve(NULL);
    for (int i = 0; i < SERVING - 1; i++)
        pthread_join(thread[i], NULL);
    say("%d of %d not resumed", missed, SERVING * TIMES);
    serve_twice(ctx);
}

static void nproc_after(void)
{
    ctx = new_server();
    in_child(no_threads_after);
    end();
}

static void little_space(void)
{
    limit_unseen(RLIMIT_AS, 300 << 20);
    serve_twice(ctx);
    say_loaded("worker");
}

static void as_before(void)
{
    ctx = new_server();
    in_child(little_space);
    end();
}

/* Enough for what Go may write, and not for the stacks of its threads. */
static void little_data(void)
{
    limit_unseen(RLIMIT_DATA, 330 << 20);
    serve_twice(ctx);
}

static void data_before(void)
{
    ctx = new_server();
    in_child(little_data);
    end();
}

static void serve_in(rlim_t space)
{
    SSL_SESSION *own;
    alarm(CHILD_SECONDS);
    limit_unseen(RLIMIT_AS, space);
    full(ctx, &own, NULL);
    for (int i = 0; i < 50; i++)
        again(ctx, own, NULL);
    _exit(0);
}

#define SPACES 48 /* from 1 GiB, in steps of 64 MiB */

/*
 * Wherever it is too little, that is seen before the Go half is loaded. All at once, because libc
 * takes the more of it, the more threads there are at a time.
 */
static void spaces(void)
{
    pid_t children[SPACES];
    ctx = new_server();
    for (int i = 0; i < SPACES; i++) {
        children[i] = fork();
        MUST(children[i] >= 0);
        if (children[i] == 0)
            serve_in(((rlim_t)1 << 30) + ((rlim_t)i << 26));
    }
    for (int i = 0; i < SPACES; i++)
        wait_child(children[i]);
    serve_twice(ctx);
    end();
}

static const struct scenario scenarios[] = {
    {"nproc-before", nproc_before}, {"nproc-after", nproc_after}, {"as-before", as_before},
    {"data-before", data_before},   {"spaces", spaces},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
