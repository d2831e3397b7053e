/* leaving.c - contexts that are given back to libssl, and sessions that leave with them. */
#include "api.h"

static int news, gets, removals;

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl && session);
    news++;
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    MUST(ssl && id && length > 0 && copy);
    gets++;
    return NULL;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(ctx && session);
    removals++;
}

static SSL_CTX *new_with_callbacks(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    /* Whoever has one of these keeps account of libssl's cache, and shares nothing. */
    if (is_memory()) {
        SSL_CTX_sess_set_get_cb(ctx, on_get);
        SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    }
    news = gets = removals = 0;
    return ctx;
}

static int keeps_callbacks(SSL_CTX *ctx)
{
    return SSL_CTX_sess_get_new_cb(ctx) == on_new &&
           SSL_CTX_sess_get_get_cb(ctx) == (is_memory() ? on_get : NULL) &&
           SSL_CTX_sess_get_remove_cb(ctx) == (is_memory() ? on_remove : NULL);
}

/* libssl's own cache serves a context that has none of ours. */
static void detach(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_with_callbacks();
    SSL_SESSION *session, *later;
    long mode = SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_AUTO_CLEAR;
    SSL_CTX_set_session_cache_mode(ctx, mode);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(SSL_CTX_get_session_cache_mode(ctx) == mode && keeps_callbacks(ctx));
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    MUST(gets == 0); /* as libssl's own cache, ours answers first */
    long made = tls_version == TLS1_2_VERSION ? 1 : 2;
    MUST(news == made && removals == 0);
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    MUST(removals == (is_memory() ? made : 0));
    MUST(SSL_CTX_get_session_cache_mode(ctx) == mode && keeps_callbacks(ctx));
    MUST(SSL_CTX_sess_number(ctx) == 0);
    struct gosess_stats before = stats_of(cache);
    MUST(before.hits == 1 && before.entries == (is_memory() ? 0 : (uint64_t)made));
    MUST(FULL(again(ctx, session, NULL)) && gets == is_memory());
    MUST(FULL(full(ctx, &later, NULL)) && RESUMED(again(ctx, later, NULL)));
    MUST(SSL_CTX_sess_number(ctx) == (tls_version == TLS1_2_VERSION ? 2 : 3));
    struct gosess_stats after = stats_of(cache);
    MUST(after.hits == before.hits && after.misses == before.misses);
    MUST(after.stores == before.stores);
    SSL_SESSION_free(session);
    SSL_SESSION_free(later);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("detach");
}

/* And it is served again when it is attached again. */
static void detach_and_attach(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_with_callbacks();
    SSL_SESSION *session, *theirs;
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &theirs, NULL)));
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK && keeps_callbacks(ctx));
    /* A shared store has kept it; live sessions have left. */
    MUST(RESUMED(again(ctx, session, NULL)) != is_memory());
    SSL_SESSION_free(session);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    SSL_SESSION_free(session);
    SSL_SESSION_free(theirs);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("detach and attach");
}

static int detach_in_new(SSL *ssl, SSL_SESSION *session)
{
    (void)session;
    gosess_cache_detach(SSL_get_SSL_CTX(ssl));
    return 0;
}

static SSL_SESSION *detach_in_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)id, (void)length, (void)copy;
    gosess_cache_detach(SSL_get_SSL_CTX(ssl));
    return NULL;
}

/* A host may give the context back to libssl in the middle of a handshake, in its own callbacks. */
static void detach_in_callback(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)));
    SSL_CTX_sess_set_new_cb(ctx, detach_in_new);
    SSL_SESSION_free(session);
    MUST(FULL(full(ctx, &session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_sess_set_new_cb(ctx, NULL);
    SSL_CTX_sess_set_get_cb(ctx, detach_in_get);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)) && FULL(again(ctx, session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("detach in callback");
}

static long stateless_sessions(gosess_cache *cache)
{
    SSL_SESSION *session;
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    if (cache) {
        MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
        MUST(gosess_cache_detach(ctx) == GOSESS_OK);
    }
    MUST(FULL(full(ctx, &session, NULL)));
    long kept = SSL_CTX_sess_number(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return kept;
}

/* libssl keeps stateless sessions of TLS 1.3 only where a remove callback is set (L6). */
static void detach_stateless(void)
{
    gosess_cache *cache = new_cache();
    MUST(stateless_sessions(NULL) == 0);
    MUST(stateless_sessions(cache) == 0);
    gosess_cache_close(cache);
    say("detach stateless");
}

/* Live sessions leave with their context, as libssl's do, and what is shared stays. */
static void free_context(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_with_callbacks();
    SSL_SESSION *session;
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(stats_of(cache).entries == 1);
    SSL_CTX_free(ctx);
    MUST(stats_of(cache).entries == (is_memory() ? 0 : 1));
    MUST(removals == (is_memory() ? 1 : 0));
    SSL_SESSION_free(session);
    gosess_cache_close(cache);
    say("free context");
}

/* Open caches come and go without contexts, before and after the Go half is there. */
static void many_caches(void)
{
    for (int round = 0; round < 3; round++) {
        gosess_cache *caches[20];
        for (int i = 0; i < 20; i++)
            caches[i] = new_cache();
        for (int i = 0; i < 20; i++) {
            MUST(round == 0 || stats_of(caches[i]).entries == 0);
            gosess_cache_close(caches[i]);
        }
        MUST(gosess_start() == GOSESS_OK);
    }
    say("many caches");
}

/* The application's references to what the cache has, in the order in which they came. */
static SSL_SESSION *kept[2];

static int keep(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl);
    int at = kept[0] ? 1 : 0;
    if (kept[at])
        return 0;
    kept[at] = session;
    return 1;
}

/* While one session leaves, the application removes another: no lock is held. */
static void remove_another(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (removals++ == 0)
        MUST(session == kept[0] && SSL_CTX_remove_session(ctx, kept[1]) == 1);
}

static void remove_in_remove(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *sessions[3];
    removals = 0;
    SSL_CTX_sess_set_new_cb(ctx, keep);
    MUST(FULL(full(ctx, &sessions[0], NULL)) && FULL(full(ctx, &sessions[1], NULL)));
    SSL_CTX_sess_set_remove_cb(ctx, remove_another);
    SSL_CTX_sess_set_cache_size(ctx, 2);
    if (!is_memory()) /* which has no such size */
        MUST(SSL_CTX_remove_session(ctx, kept[0]) == 1);
    MUST(FULL(full(ctx, &sessions[2], NULL)) && removals == 2);
    MUST(FULL(again(ctx, sessions[1], NULL)));
    MUST(FULL(again(ctx, sessions[0], NULL)));
    SSL_CTX_sess_set_remove_cb(ctx, NULL);
    for (int i = 0; i < 3; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_SESSION_free(kept[0]);
    SSL_SESSION_free(kept[1]);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("remove in remove");
}

/* Each removal is told whether there was something to remove, whatever happens inside it. */
static SSL_SESSION *inside;
static int answer_inside;

static void remove_inside(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_SESSION *other = inside;
    inside = NULL;
    if (other && other != session)
        answer_inside = SSL_CTX_remove_session(ctx, other);
}

static void must_answer(SSL_CTX *ctx, int outer, int inner)
{
    inside = kept[1];
    answer_inside = -1;
    MUST(SSL_CTX_remove_session(ctx, kept[0]) == outer && answer_inside == inner);
}

static void keep_one(SSL_CTX *ctx, int at)
{
    SSL_SESSION *session;
    SSL_SESSION_free(kept[at]);
    kept[at] = NULL;
    MUST(FULL(full(ctx, &session, NULL)) && kept[at]);
    SSL_SESSION_free(session);
}

static void nested_answers(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_CTX_sess_set_new_cb(ctx, keep);
    SSL_CTX_sess_set_remove_cb(ctx, remove_inside);
    keep_one(ctx, 0);
    keep_one(ctx, 1);
    must_answer(ctx, 1, 1);
    must_answer(ctx, 0, 0);
    keep_one(ctx, 1);
    must_answer(ctx, 0, 1);
    keep_one(ctx, 0);
    must_answer(ctx, 1, 0);
    SSL_SESSION_free(kept[0]);
    SSL_SESSION_free(kept[1]);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("nested answers");
}

/* What a remove callback adds to a context that ends, or is given back, does not stay behind. */
static void add_kept(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(session != kept[0]);
    removals++;
    SSL_CTX_add_session(ctx, kept[0]);
}

static void add_in_remove(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *donor = new_server();
    SSL_CTX_set_num_tickets(donor, 1);
    SSL_CTX_sess_set_new_cb(donor, keep);
    keep_one(donor, 0);
    for (int detaches = 0; detaches < 2; detaches++) {
        SSL_CTX *ctx = new_served(cache);
        SSL_SESSION *session;
        MUST(FULL(full(ctx, &session, NULL)));
        SSL_CTX_sess_set_remove_cb(ctx, add_kept);
        uint64_t entries = stats_of(cache).entries;
        removals = 0;
        if (detaches)
            MUST(gosess_cache_detach(ctx) == GOSESS_OK);
        SSL_CTX_sess_set_remove_cb(ctx, detaches ? NULL : add_kept);
        SSL_CTX_free(ctx);
        MUST(removals == (is_memory() ? 1 : 0));
        MUST(stats_of(cache).entries == (is_memory() ? 0 : entries));
        SSL_SESSION_free(session);
    }
    SSL_CTX_free(donor);
    SSL_SESSION_free(kept[0]);
    gosess_cache_close(cache);
    say("add in remove");
}

/*
 * A context that no SSL was made of says as well as another one which session leaves a shared
 * store. It flushes its own ones, of which there are none.
 */
static void never_used(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_served(cache);
    SSL_SESSION *session;
    SSL_CTX_sess_set_new_cb(ctx, keep);
    for (int flushes = 0; flushes < 2; flushes++) {
        SSL_CTX *unused = new_served(cache);
        MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
        SSL_SESSION *copy = SSL_SESSION_dup(kept[0]); /* removing spoils the object itself */
        if (flushes)
            SSL_CTX_flush_sessions(unused, 0);
        else
            MUST(SSL_CTX_remove_session(unused, copy) == !is_memory());
        MUST(RESUMED(again(ctx, session, NULL)) == (flushes || is_memory()));
        SSL_CTX_free(unused);
        SSL_SESSION_free(copy);
        SSL_SESSION_free(session);
        SSL_SESSION_free(kept[0]);
        SSL_SESSION_free(kept[1]);
        kept[0] = kept[1] = NULL;
    }
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("never used");
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"detach", detach},
        {"detach-and-attach", detach_and_attach},
        {"detach-in-callback", detach_in_callback},
        {"detach-stateless", detach_stateless},
        {"free-context", free_context},
        {"remove-in-remove", remove_in_remove},
        {"nested-answers", nested_answers},
        {"add-in-remove", add_in_remove},
        {"never-used", never_used},
        {"many-caches", many_caches},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
