/*
 * processes.c - forks, roots and users around the moment when the Go half is loaded, and hosts for
 * which it takes its time to start.
 */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534
#define LATE_SECONDS 60

static SSL_CTX *ctx;
static SSL_SESSION *session;

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
    serve_twice(ctx);
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

static void serve(void)
{
    serve_twice(ctx);
}

static void grandchild(void)
{
    in_child(serve);
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
    serve_twice(ctx);
    for (int i = 0; i < 20; i++)
        MUST(system("exit 7") == 7 << 8);
    FILE *other = popen("echo out", "r");
    char line[16] = "";
    MUST(other && fgets(line, sizeof line, other) && pclose(other) == 0);
    say("started: %s", strcmp(line, "out\n") == 0 ? "good" : "bad");
    serve_twice(ctx);
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
    serve_twice(ctx);
    serve_twice(ctx);
    end();
}

/* --- roots and users --- */

/* The kernel is asked for it directly: gosess is not told. */
static void become_nobody_unseen(void)
{
    /* In all threads there is: this one. */
    MUST(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
}

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

/* --- a Go half that takes its time --- */

/* A host that makes a client's context meanwhile does not wait for the Go half. */
static void late_setter(void)
{
    ctx = new_server();
    serve_twice(ctx);
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
    serve_twice(ctx);
    const char *result = "full";
    time_t deadline = time(NULL) + LATE_SECONDS;
    while (strcmp(result, "full") == 0 && time(NULL) < deadline) {
        SSL_SESSION_free(session);
        full(ctx, &session, NULL);
        result = again(ctx, session, NULL);
        usleep(20000);
    }
    say("later: %s", result);
    serve_twice(ctx);
    end();
}

static const struct scenario scenarios[] = {
    {"master", master},
    {"loaded-parent", loaded_parent},
    {"daemon-style", daemon_style},
    {"starts-programs", starts_programs},
    {"closes-files", closes_files},
    {"chroots", chroots},
    {"linked", linked},
    {"setuids", setuids},
    {"setuids-unseen", setuids_unseen},
    {"configuring", configuring},
    {"no-context", no_context},
    {"late", late},
    {"late-setter", late_setter},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
