/*
 * attaching.c - contexts that are attached, changed and given back by one thread while others
 * use theirs. It calls the C API, so it is compiled together with the C half.
 */
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../../include/gosess.h"

static gosess_cache *cache;
static _Atomic bool done;
static _Atomic int met;

static int times(void)
{
    return atoi(getenv("TIMES"));
}

static gosess_cache *new_cache(void)
{
    gosess_cache *opened = NULL;
    MUST(gosess_cache_open("shm:?size=1m", &opened, NULL, 0) == GOSESS_OK);
    return opened;
}

/* --- the callbacks of one context, first used by two threads at once --- */

static void *look_up(void *ssl)
{
    unsigned char id[32] = {1};
    int copy = 1;
    met++;
    while (met % 2)
        ;
    MUST(!gosess_get_session_cb(ssl, id, sizeof id, &copy) && copy == 1);
    return NULL;
}

static void first_used(void)
{
    pthread_t thread[2];
    cache = new_cache();
    for (int i = 0; i < times(); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        SSL *ssl[2] = {SSL_new(ctx), SSL_new(ctx)};
        for (int j = 0; j < 2; j++)
            MUST(pthread_create(&thread[j], NULL, look_up, ssl[j]) == 0);
        for (int j = 0; j < 2; j++) {
            pthread_join(thread[j], NULL);
            SSL_free(ssl[j]);
        }
        SSL_CTX_free(ctx);
    }
    /* Goes through all contexts that are known: none of them may be one that was freed. */
    MUST(chroot("/nonexistent") != 0);
    gosess_cache_close(cache);
    say("looked up");
}

/* --- attaching --- */

static void *attach_and_detach(void *ctx)
{
    for (int i = 0; i < times(); i++) {
        MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
        SSL_CTX_set_session_cache_mode(ctx, i % 2 ? SSL_SESS_CACHE_OFF : SSL_SESS_CACHE_SERVER);
        SSL_CTX_sess_set_new_cb(ctx, i % 2 ? host_new : NULL);
        MUST(SSL_CTX_sess_get_new_cb(ctx) == (i % 2 ? host_new : NULL));
        MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    }
    done = true;
    return NULL;
}

/* In this thread all contexts are gone through: a worker that is about to serve, and SSL_new. */
static void attaches(void)
{
    pthread_t thread;
    cache = new_cache();
    SSL_CTX *ctx = new_server(), *other = SSL_CTX_new(TLS_server_method());
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(pthread_create(&thread, NULL, attach_and_detach, other) == 0);
    while (!done) {
        SSL_free(SSL_new(ctx));
        MUST(chroot("/nonexistent") != 0);
    }
    pthread_join(thread, NULL);
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
    gosess_cache_close(cache);
    say("attached");
}

static const struct scenario scenarios[] = {
    {"first-used", first_used},
    {"attaches", attaches},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
