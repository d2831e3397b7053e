/* generations.c - servers that fork a process for each connection, and others that fork. */
#define _GNU_SOURCE
#include "../../c/lib/tls.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 60

static SSL_CTX *ctx;
static long ahead; /* seconds, of this program's clock and that of its children */

/* In the place of libc's, for all that is in the process. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_MONOTONIC)
        now->tv_sec += ahead;
    return result;
}

/* A process that serves so many connections, and exits with whether it has loaded the Go half. */
static pid_t fork_server(int connections)
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid > 0)
        return pid;
    alarm(CHILD_SECONDS);
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < connections; i++)
        MUST(strcmp(visit(ctx, client, &session, NULL), i ? "resumed" : "full") == 0);
    _exit(is_loaded());
}

static int end_of(pid_t pid)
{
    int status;
    MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status);
}

/* Processes one after the other, of which each "several"-th has more than one connection. */
static int one_after_the_other(int processes, int several)
{
    int loaded = 0;
    for (int i = 1; i <= processes; i++)
        loaded += end_of(fork_server(several && i % several == 0 ? 3 : 1));
    return loaded;
}

static void say_each(void)
{
    int loaded = one_after_the_other(40, 0);
    say("%s", loaded == 8 ? "8 of 40 loaded" : loaded < 8 ? "fewer" : "more");
}

static void each_connection(void)
{
    ctx = new_server();
    say_each();
    SSL_CTX_free(ctx);
}

/* What was seen is forgotten after a minute, and seen again; and not earlier. */
static void a_minute_later(void)
{
    ctx = new_server();
    say_each();
    ahead = 30;
    say("%d of 8 loaded", one_after_the_other(8, 0));
    ahead = 61;
    say_each();
    SSL_CTX_free(ctx);
}

/* As FTP: a connection of control, and others. */
static void some_several(void)
{
    ctx = new_server();
    say("%d of 24 loaded", one_after_the_other(24, 3));
    SSL_CTX_free(ctx);
}

/* Eight at a time, and all of them replaced. */
static void prefork(void)
{
    ctx = new_server();
    int loaded = 0;
    for (int generation = 0; generation < 4; generation++) {
        pid_t pids[8];
        for (int i = 0; i < 8; i++)
            pids[i] = fork_server(4);
        for (int i = 0; i < 8; i++)
            loaded += end_of(pids[i]);
    }
    say("%d of 32 loaded", loaded);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"each-connection", each_connection},
    {"a-minute-later", a_minute_later},
    {"some-several", some_several},
    {"prefork", prefork},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
