/* processes.c - workers that share a cache, threads, and programs that a cache came to otherwise.
 */
#define _GNU_SOURCE
#include "api.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static gosess_cache *shared;

/* Whether the Go half is mapped in this process. */
static int has_core(void)
{
    char line[512];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps);
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, "libgosess-core") != NULL;
    fclose(maps);
    return found;
}

static void start(void)
{
    MUST(!has_core());
    MUST(gosess_start() == GOSESS_OK && has_core());
    MUST(gosess_start() == GOSESS_OK);
}

/* Each visit is to another worker. */
static void workers(void)
{
    shared = new_cache();
    SSL_CTX *ctx = new_served(shared);
    SSL_SESSION *session = NULL;
    const char *again = is_memory() ? "full" : "resumed"; /* live sessions are their process's */
    MUST(FULL(visit_child(ctx, &session, start)));
    for (int i = 0; i < 3; i++)
        MUST(strcmp(visit_child(ctx, &session, i < 2 ? start : NULL), again) == 0);
    MUST(!has_core());
    MUST(stats_of(shared).hits == (is_memory() ? 0 : 3));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(shared);
    say("workers");
}

static void flush_all(void)
{
    MUST(gosess_cache_flush(shared) == GOSESS_OK);
}

/* One process removes what the others have stored. */
static void flush_elsewhere(void)
{
    shared = new_cache();
    SSL_CTX *ctx = new_served(shared);
    SSL_SESSION *session = NULL;
    MUST(FULL(visit_child(ctx, &session, NULL)));
    MUST(RESUMED(visit_child(ctx, &session, NULL)) != is_memory());
    MUST(FULL(visit_child(ctx, &session, flush_all)));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(shared);
    say("flush elsewhere");
}

static void start_fails(void)
{
    struct gosess_stats stats = {.size = sizeof stats};
    MUST(gosess_start() == GOSESS_ERROR_CORE);
    MUST(gosess_cache_stats(shared, &stats) == GOSESS_ERROR_CORE);
    MUST(gosess_cache_flush(shared) == GOSESS_ERROR_CORE);
}

/* Too early: a Go runtime does not come along, and its child serves without a cache. */
static void started_before_fork(void)
{
    shared = new_cache();
    SSL_CTX *ctx = new_served(shared);
    SSL_SESSION *session = NULL;
    MUST(gosess_start() == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    MUST(FULL(visit_child(ctx, &session, start_fails)));
    MUST(FULL(visit_child(ctx, &session, NULL)));
    SSL_SESSION_free(session);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(shared);
    say("started before fork");
}

/* GOSESS_CACHE gives every context a cache, which another can replace. */
static void environment(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    gosess_cache *cache = new_cache();
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    MUST(SSL_CTX_sess_number(ctx) > 0);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(again(ctx, session, NULL)));
    MUST(stats_of(cache).misses == 1);
    MUST(gosess_cache_detach(ctx) == GOSESS_OK && gosess_cache_detach(ctx) == GOSESS_ERROR_CONTEXT);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    ctx = new_server();
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("environment");
}

#define THREADS 64
#define ROUNDS 4

static void *come_and_go(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        gosess_cache *own = new_cache();
        SSL_CTX *ctx = new_served(i % 2 ? own : shared);
        SSL_SESSION *session;
        MUST(FULL(full(ctx, &session, NULL)));
        again(ctx, session, NULL); /* another thread may have flushed it */
        MUST(gosess_cache_attach(own, ctx) == GOSESS_OK);
        gosess_cache_close(own);
        SSL_SESSION_free(session);
        MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
        stats_of(shared);
        MUST(i % 4 != 3 || gosess_cache_flush(shared) == GOSESS_OK);
        MUST(i % 4 != 2 || gosess_cache_detach(ctx) == GOSESS_OK);
        gosess_remove_session(ctx, session);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t all[THREADS];
    shared = new_cache();
    MUST(certificate_of("server")); /* before the threads: it is made at the first use */
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&all[i], NULL, come_and_go, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(all[i], NULL) == 0);
    MUST(gosess_cache_flush(shared) == GOSESS_OK && stats_of(shared).entries == 0);
    gosess_cache_close(shared);
    say("threads");
}

/* What was set after attaching is kept beside gosess only where it is linked before libssl. */
static void mode_later(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    say("%s answered", stats_of(cache).hits ? "gosess" : "libssl");
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"workers", workers},
        {"flush-elsewhere", flush_elsewhere},
        {"started-before-fork", started_before_fork},
        {"environment", environment},
        {"threads", threads},
        {"mode-later", mode_later},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
