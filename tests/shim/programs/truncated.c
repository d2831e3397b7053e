/* truncated.c - a store whose file is cut short under the process, whatever that does with SIGBUS.
 */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void end(void)
{
    SSL_CTX_free(ctx);
    ctx = NULL;
}

static void serve(void)
{
    serve_twice(ctx);
}

static void truncated(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    serve_twice(ctx);
    MUST(path && truncate(path, 0) == 0);
    serve_twice(ctx);
    serve_twice(ctx);
    end();
}

static void on_bus(int signal)
{
    (void)signal;
    _exit(70);
}

/* The host takes the signal over that the Go half would survive by. */
static void truncated_handled(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    serve_twice(ctx);
    MUST(signal(SIGBUS, on_bus) != SIG_ERR);
    MUST(path && truncate(path, 4096) == 0);
    serve_twice(ctx);
    end();
}

static void truncated_default(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    serve_twice(ctx);
    MUST(signal(SIGBUS, SIG_DFL) != SIG_ERR);
    MUST(path && truncate(path, 4096) == 0);
    serve_twice(ctx);
    end();
}

/* What a signal is handled on has no room for it. */
static void *serve_on_little_stack(void *unused)
{
    const char *path = getenv("TEST_STORE");
    static char little[2048]; /* the least: MINSIGSTKSZ */
    stack_t stack = {.ss_sp = little, .ss_size = sizeof little};
    MUST(sigaltstack(&stack, NULL) == 0);
    serve_twice(ctx);
    MUST(path && truncate(path, 4096) == 0);
    for (int i = 0; i < 40; i++) { /* longer than the relay works for a thread */
        MUST(strcmp(full(ctx, &session, NULL), "full") == 0);
        SSL_SESSION_free(session);
    }
    session = NULL;
    serve_twice(ctx);
    stack.ss_flags = SS_DISABLE;
    MUST(sigaltstack(&stack, NULL) == 0);
    return unused;
}

static void truncated_little_stack(void)
{
    ctx = new_server();
    serve_on_little_stack(NULL);
    end();
}

static void truncated_little_stack_of_thread(void)
{
    pthread_t thread;
    ctx = new_server();
    MUST(pthread_create(&thread, NULL, serve_on_little_stack, NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
    end();
}

/* A host with tickets, which are counted in the store. */
static void tickets_handled(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    serve_twice(ctx);
    MUST(signal(SIGBUS, on_bus) != SIG_ERR);
    MUST(path && truncate(path, 4096) == 0);
    serve_twice(ctx);
    serve_twice(ctx);
    end();
}

static void truncated_blocked(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGBUS);
    MUST(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    truncated();
}

static void truncated_before(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    MUST(path && truncate(path, 0) == 0);
    in_child(serve);
    end();
}

static const struct scenario scenarios[] = {
    {"truncated", truncated},
    {"truncated-handled", truncated_handled},
    {"truncated-default", truncated_default},
    {"truncated-little-stack", truncated_little_stack},
    {"truncated-little-stack-of-thread", truncated_little_stack_of_thread},
    {"tickets-handled", tickets_handled},
    {"truncated-blocked", truncated_blocked},
    {"truncated-before", truncated_before},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
