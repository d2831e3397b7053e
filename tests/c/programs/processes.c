/* processes.c - forks, limits, roots and users around the moment when the Go half is loaded. */
#define _GNU_SOURCE
#include "../lib/hosts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define CHILD_SECONDS 60

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void serve_twice(void)
{
    SSL_SESSION *own;
    const char *first = full(ctx, &own, NULL);
    say("%s, %s", first, again(ctx, own, NULL));
    SSL_SESSION_free(own);
}

static void end(void)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    session = NULL;
    ctx = NULL;
}

/* --- forks --- */

static void master(void)
{
    ctx = new_server();
    SSL_CTX_set_timeout(ctx, 1000);
    say_loaded("master");
    say("%s", visit_child(ctx, &session, NULL));
    say("%s", visit_child(ctx, &session, NULL));
    say_loaded("master");
    end();
}

static void child_of_loaded(void)
{
    say("%s, %s", again(ctx, session, NULL), again(ctx, session, NULL));
    serve_twice();
    say("threads %d", count_threads());
}

static void loaded_parent(void)
{
    ctx = new_server();
    full(ctx, &session, NULL);
    say_loaded("parent");
    in_child(child_of_loaded);
    in_child(child_of_loaded);
    say("parent: %s", again(ctx, session, NULL));
    end();
}

static void grandchild(void)
{
    in_child(serve_twice);
    say_loaded("between");
}

static void daemon_style(void)
{
    ctx = new_server();
    in_child(grandchild);
    say_loaded("first");
    end();
}

/* A program that loaded still can start others. */
static void starts_programs(void)
{
    ctx = new_server();
    serve_twice();
    for (int i = 0; i < 20; i++)
        MUST(system("exit 7") == 7 << 8);
    FILE *other = popen("echo out", "r");
    char line[16] = "";
    MUST(other && fgets(line, sizeof line, other) && pclose(other) == 0);
    say("started: %s", strcmp(line, "out\n") == 0 ? "good" : "bad");
    serve_twice();
    end();
}

static void close_all(void)
{
    for (int fd = 3; fd < 256; fd++)
        close(fd);
}

static void closes_files(void)
{
    ctx = new_server();
    close_all();
    serve_twice();
    serve_twice();
    end();
}

/* --- limits: what the kernel is asked for directly, gosess is not told --- */

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
    serve_twice();
    say_loaded("worker");
}

static void nproc_before(void)
{
    ctx = new_server();
    in_child(no_threads_before);
    end();
}

/* Nobody waits long for a set of the store, so a busy machine may cost a session (lock.go). */
static void *many(void *unused)
{
    const int times = 1000;
    int resumed = 0;
    (void)unused;
    SSL_CTX *client = new_client();
    for (int i = 0; i < times; i++) {
        SSL_SESSION *own = NULL;
        MUST(strcmp(visit(ctx, client, &own, NULL), "full") == 0);
        const char *second = visit(ctx, client, &own, NULL);
        MUST(strcmp(second, "failed") != 0);
        resumed += strcmp(second, "resumed") == 0;
        SSL_SESSION_free(own);
    }
    MUST(resumed >= times - times / 50);
    SSL_CTX_free(client);
    return NULL;
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
    pthread_t thread[3];
    struct rlimit limit = {0, 0};
    MUST(pthread_barrier_init(&limited, NULL, 4) == 0);
    MUST(setuid(getuid()) == 0);
    say_loaded("worker");
    for (int i = 0; i < 3; i++)
        MUST(pthread_create(&thread[i], NULL, wait_and_serve, NULL) == 0);
    MUST(setuid(NOBODY) == 0);
    MUST(setrlimit(RLIMIT_NPROC, &limit) == 0);
    pthread_t none;
    MUST(pthread_create(&none, NULL, many, NULL) != 0);
    wait_and_serve(NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    serve_twice();
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
    serve_twice();
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
    serve_twice();
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
    serve_twice();
    end();
}

/* --- roots and users --- */

static void in_empty_root(void)
{
    const char *root = getenv("TEST_ROOT");
    MUST(root && chroot(root) == 0 && chdir("/") == 0);
}

static void chroots(void)
{
    ctx = new_server();
    for (int i = 0; i < 2; i++)
        say("%s", visit_child(ctx, &session, in_empty_root));
    end();
}

/* Who is linked to libssl may yet be no server. */
static void linked(void)
{
    MUST(chroot("/") == 0);
    say_loaded("linked");
}

static void become_nobody(void)
{
    MUST(setuid(NOBODY) == 0);
}

static void setuids(void)
{
    ctx = new_server();
    for (int i = 0; i < 2; i++)
        say("%s", visit_child(ctx, &session, become_nobody));
    end();
}

static void setuids_unseen(void)
{
    ctx = new_server();
    for (int i = 0; i < 2; i++)
        say("%s", visit_child(ctx, &session, become_nobody_unseen));
    end();
}

/* The process that configures may change its limits and loads nothing by it. */
static void configuring(void)
{
    struct rlimit limit;
    ctx = new_server();
    MUST(getrlimit(RLIMIT_NPROC, &limit) == 0 && setrlimit(RLIMIT_NPROC, &limit) == 0);
    MUST(setuid(getuid()) == 0);
    say_loaded("master");
    end();
}

/* A child that serves nothing may be about to become another program. */
static void not_a_worker(void)
{
    MUST(setuid(getuid()) == 0);
    say_loaded("child");
}

static void no_context(void)
{
    in_child(not_a_worker);
    ctx = new_server();
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    in_child(not_a_worker);
    SSL_CTX_free(ctx);
    ctx = new_client();
    in_child(not_a_worker);
    SSL_CTX_free(ctx);
}

/* --- the store's file --- */

static void truncated(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    serve_twice();
    MUST(path && truncate(path, 0) == 0);
    serve_twice();
    serve_twice();
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
    serve_twice();
    MUST(signal(SIGBUS, on_bus) != SIG_ERR);
    MUST(path && truncate(path, 4096) == 0);
    serve_twice();
    end();
}

static void truncated_default(void)
{
    const char *path = getenv("TEST_STORE");
    ctx = new_server();
    serve_twice();
    MUST(signal(SIGBUS, SIG_DFL) != SIG_ERR);
    MUST(path && truncate(path, 4096) == 0);
    serve_twice();
    end();
}

/* What a signal is handled on has no room for it. */
static void *serve_on_little_stack(void *unused)
{
    const char *path = getenv("TEST_STORE");
    static char little[2048]; /* the least: MINSIGSTKSZ */
    stack_t stack = {.ss_sp = little, .ss_size = sizeof little};
    MUST(sigaltstack(&stack, NULL) == 0);
    serve_twice();
    MUST(path && truncate(path, 4096) == 0);
    for (int i = 0; i < 40; i++) { /* longer than the relay works for a thread */
        MUST(strcmp(full(ctx, &session, NULL), "full") == 0);
        SSL_SESSION_free(session);
    }
    session = NULL;
    serve_twice();
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
    in_child(serve_twice);
    end();
}

/* --- a Go half that takes its time --- */

/* A host that makes a client's context meanwhile does not wait for the Go half. */
static void late_setter(void)
{
    ctx = new_server();
    serve_twice();
    SSL_CTX *client = new_client();
    SSL_CTX_sess_set_new_cb(client, host_new);
    SSL_CTX_sess_set_remove_cb(client, host_remove);
    say("%s", getenv("STANDIN_LOADED") ? "waited" : "did not wait");
    SSL_CTX_free(client);
    end();
}

static void late(void)
{
    ctx = new_server();
    serve_twice();
    const char *result = "full";
    time_t deadline = time(NULL) + CHILD_SECONDS;
    while (strcmp(result, "full") == 0 && time(NULL) < deadline) {
        SSL_SESSION_free(session);
        full(ctx, &session, NULL);
        result = again(ctx, session, NULL);
        usleep(20000);
    }
    say("later: %s", result);
    serve_twice();
    end();
}

static const struct scenario scenarios[] = {
    {"master", master},
    {"loaded-parent", loaded_parent},
    {"daemon-style", daemon_style},
    {"starts-programs", starts_programs},
    {"closes-files", closes_files},
    {"nproc-before", nproc_before},
    {"nproc-after", nproc_after},
    {"as-before", as_before},
    {"data-before", data_before},
    {"spaces", spaces},
    {"chroots", chroots},
    {"linked", linked},
    {"setuids", setuids},
    {"setuids-unseen", setuids_unseen},
    {"configuring", configuring},
    {"no-context", no_context},
    {"truncated", truncated},
    {"truncated-handled", truncated_handled},
    {"truncated-default", truncated_default},
    {"truncated-little-stack", truncated_little_stack},
    {"truncated-little-stack-of-thread", truncated_little_stack_of_thread},
    {"truncated-blocked", truncated_blocked},
    {"late", late},
    {"late-setter", late_setter},
    {"truncated-before", truncated_before},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
