/* serving.c - caches that are attached to contexts, and what becomes of them. */
#include "api.h"

#include <stddef.h>

static void attached(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    struct gosess_stats before = stats_of(cache);
    MUST(before.hits == 0 && before.stores == 0 && before.entries == 0 && before.used == 0);
    MUST(before.capacity > 0);
    MUST(FULL(full(ctx, &session, "one.test")));
    MUST(RESUMED(again(ctx, session, "one.test")));
    MUST(RESUMED(again(ctx, session, "other.test")) == 0); /* another name is another session */
    struct gosess_stats after = stats_of(cache);
    MUST(after.hits == 1 && after.misses == 1 && after.evictions == 0 && after.errors == 0);
    /* TLS 1.2 resumes a session, and TLS 1.3 makes a new one each time. */
    MUST(after.stores == (tls_version == TLS1_2_VERSION ? 2 : 3));
    MUST(after.entries == after.stores && after.used > 0 && after.used < after.capacity);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("attached");
}

/* A struct of another version of the header is shorter or longer. */
static void stats_sizes(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    struct {
        struct gosess_stats known;
        unsigned char beyond[64];
    } longer;
    for (size_t size = sizeof(size_t); size <= sizeof longer; size++) {
        memset(&longer, '#', sizeof longer);
        longer.known.size = size;
        MUST(gosess_cache_stats(cache, &longer.known) == GOSESS_OK && longer.known.size == size);
        const unsigned char *bytes = (const unsigned char *)&longer;
        size_t written = size < sizeof longer.known ? size : sizeof longer.known;
        for (size_t i = written; i < sizeof longer; i++)
            MUST(bytes[i] == '#');
        MUST(size < offsetof(struct gosess_stats, misses) || longer.known.hits == 1);
        MUST(size < sizeof longer.known || longer.known.capacity > 0);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("stats sizes");
}

/* The context keeps its cache. */
static void close_while_attached(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    gosess_cache_close(cache);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("close while attached");
}

static void attach_twice(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    SSL_SESSION_free(session);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    MUST(gosess_cache_detach(ctx) == GOSESS_ERROR_CONTEXT);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("attach twice");
}

static void attach_replaces(void)
{
    gosess_cache *first = new_cache(), *second = new_cache();
    SSL_CTX *ctx = new_served(first);
    SSL_SESSION *session, *later;
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(gosess_cache_attach(second, ctx) == GOSESS_OK);
    gosess_cache_close(first);
    MUST(FULL(again(ctx, session, NULL)));
    MUST(FULL(full(ctx, &later, NULL)) && RESUMED(again(ctx, later, NULL)));
    struct gosess_stats stats = stats_of(second);
    MUST(stats.hits == 1 && stats.misses == 1);
    SSL_SESSION_free(session);
    SSL_SESSION_free(later);
    SSL_CTX_free(ctx);
    gosess_cache_close(second);
    say("attach replaces");
}

static void two_caches(void)
{
    gosess_cache *caches[2] = {new_cache(), new_cache()};
    SSL_CTX *contexts[2] = {new_served(caches[0]), new_served(caches[1])};
    SSL_SESSION *sessions[2];
    for (int i = 0; i < 2; i++)
        MUST(FULL(full(contexts[i], &sessions[i], NULL)));
    for (int i = 0; i < 2; i++) {
        MUST(RESUMED(again(contexts[i], sessions[i], NULL)));
        MUST(FULL(again(contexts[i], sessions[1 - i], NULL)));
    }
    MUST(gosess_cache_flush(caches[0]) == GOSESS_OK);
    MUST(FULL(again(contexts[0], sessions[0], NULL)));
    MUST(RESUMED(again(contexts[1], sessions[1], NULL)));
    MUST(stats_of(caches[0]).hits == 1 && stats_of(caches[1]).hits == 2);
    for (int i = 0; i < 2; i++) {
        SSL_SESSION_free(sessions[i]);
        SSL_CTX_free(contexts[i]);
        gosess_cache_close(caches[i]);
    }
    say("two caches");
}

/* Contexts of one certificate and policy share a store, as two workers would. */
static void two_contexts(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *one = new_served(cache), *other = new_served(cache);
    SSL_SESSION *session;
    MUST(FULL(full(one, &session, NULL)));
    MUST(RESUMED(again(other, session, NULL)) != is_memory());
    SSL_CTX_free(one);
    MUST(RESUMED(again(other, session, NULL)) != is_memory());
    SSL_SESSION_free(session);
    SSL_CTX_free(other);
    gosess_cache_close(cache);
    say("two contexts");
}

static void flush(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *sessions[3];
    MUST(gosess_cache_flush(cache) == GOSESS_OK); /* an empty one */
    for (int i = 0; i < 3; i++)
        MUST(FULL(full(ctx, &sessions[i], NULL)));
    MUST(stats_of(cache).entries == 3);
    MUST(gosess_cache_flush(cache) == GOSESS_OK);
    MUST(stats_of(cache).entries == 0 && stats_of(cache).used == 0);
    for (int i = 0; i < 3; i++) {
        MUST(FULL(again(ctx, sessions[i], NULL)));
        SSL_SESSION_free(sessions[i]);
    }
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("flush");
}

static int removals;
static SSL_SESSION *newest; /* the server's session, which in TLS 1.3 is not the client's */

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(ctx && session);
    removals++;
}

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl);
    SSL_SESSION_free(newest);
    newest = session;
    return 1;
}

static void remove_session(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session, *other;
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    MUST(FULL(full(ctx, &other, NULL)) && FULL(full(ctx, &session, NULL)));
    MUST(gosess_remove_session(ctx, newest) == GOSESS_OK);
    MUST(gosess_remove_session(ctx, newest) == GOSESS_NOT_FOUND);
    MUST(removals == 0);
    MUST(FULL(again(ctx, session, NULL)) && RESUMED(again(ctx, other, NULL)));
    SSL_SESSION_free(session);
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(SSL_CTX_remove_session(ctx, newest) == 1 && removals == 1);
    MUST(gosess_remove_session(ctx, newest) == GOSESS_NOT_FOUND);
    MUST(FULL(again(ctx, session, NULL)));
    MUST(stats_of(cache).removals == 2);
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    SSL_SESSION_free(newest);
    SSL_SESSION_free(session);
    SSL_SESSION_free(other);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("remove session");
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"attached", attached},
        {"stats-sizes", stats_sizes},
        {"close-while-attached", close_while_attached},
        {"attach-twice", attach_twice},
        {"attach-replaces", attach_replaces},
        {"two-caches", two_caches},
        {"two-contexts", two_contexts},
        {"flush", flush},
        {"remove-session", remove_session},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
