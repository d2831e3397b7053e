/* helpers.c - children of a server that are no servers: they become other programs. */
#define _GNU_SOURCE
#include "../lib/hosts.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static SSL_CTX *ctx;

static void end(void)
{
    SSL_CTX_free(ctx);
    ctx = NULL;
}

/* Children that share their parent's memory until they are other programs; they only call one. */
static void borrow(int how)
{
    struct rlimit none = {1, 1};
    pid_t pid = vfork();
    MUST(pid >= 0);
    if (pid == 0) {
        int failed = how == 0   ? setuid(getuid())
                     : how == 1 ? chroot("/")
                     : how == 2 ? seteuid(geteuid())
                                : setrlimit(RLIMIT_NPROC, &none);
        _exit(failed != 0);
    }
    wait_child(pid);
}

static int borrow_without_vfork(void *unused)
{
    (void)unused;
    return setuid(getuid()) != 0 || chroot("/") != 0;
}

static void *serve_in_thread(void *unused)
{
    serve_twice(ctx);
    return unused;
}

static void serve_in_both(void)
{
    pthread_t thread;
    serve_twice(ctx);
    MUST(pthread_create(&thread, NULL, serve_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
}

static void lending_worker(void)
{
    static char stack[1 << 16] __attribute__((aligned(16)));
    for (int how = 0; how < 4; how++)
        borrow(how);
    pid_t pid = clone(borrow_without_vfork, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    MUST(pid >= 0);
    wait_child(pid);
    say_loaded("worker");
    serve_in_both();
    for (int how = 0; how < 4; how++)
        borrow(how);
    serve_in_both();
}

static void borrowed_memory(void)
{
    ctx = new_server();
    borrow(0);
    say_loaded("parent");
    in_child(lending_worker);
    serve_twice(ctx);
    end();
}

/* Helpers of a server that only become another user and another program. */
static void become_program(void)
{
    MUST(setuid(getuid()) == 0 && setrlimit(RLIMIT_NPROC, &(struct rlimit){1000, 1000}) == 0 &&
         chroot("/") == 0);
    execl("/bin/true", "true", NULL);
    _exit(1);
}

static void helpers(void)
{
    ctx = new_server();
    serve_twice(ctx);
    for (int i = 0; i < 3; i++)
        in_child(become_program);
    serve_twice(ctx);
    end();
}

static const struct scenario scenarios[] = {
    {"borrowed-memory", borrowed_memory},
    {"other-programs", helpers},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
