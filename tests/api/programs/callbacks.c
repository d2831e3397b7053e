/* callbacks.c - programs that register gosess's three callbacks themselves. */
#include "api.h"

static int news, gets, removals;

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    news++;
    return gosess_new_session_cb(ssl, session);
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    MUST(*copy == 1); /* libssl's value (L17) */
    SSL_SESSION *session = gosess_get_session_cb(ssl, id, length, copy);
    MUST(*copy == (session ? 0 : 1));
    gets++;
    return session;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    removals++;
    gosess_remove_session_cb(ctx, session);
}

static SSL_CTX *new_with(int own)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, own ? on_new : gosess_new_session_cb);
    SSL_CTX_sess_set_get_cb(ctx, own ? on_get : gosess_get_session_cb);
    SSL_CTX_sess_set_remove_cb(ctx, own ? on_remove : gosess_remove_session_cb);
    news = gets = removals = 0;
    return ctx;
}

/* Nothing is attached: the cache is the one that was opened first. */
static void registered(void)
{
    for (int own = 0; own < 2; own++) {
        gosess_cache *cache = new_cache(), *second = new_cache();
        SSL_CTX *ctx = new_with(own);
        SSL_SESSION *session;
        MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
        MUST(SSL_CTX_get_session_cache_mode(ctx) ==
             (SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL));
        MUST(SSL_CTX_sess_get_new_cb(ctx) == (own ? on_new : gosess_new_session_cb));
        struct gosess_stats stats = stats_of(cache);
        MUST(stats.hits == 1 && stats.misses == 0);
        MUST(stats.stores == (tls_version == TLS1_2_VERSION ? 1 : 2));
        MUST(stats_of(second).stores == 0);
        MUST(!own || (gets == 1 && news == (int)stats.stores));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        gosess_cache_close(cache);
        gosess_cache_close(second);
    }
    say("registered");
}

/* A client that goes without a farewell: libssl removes the session. */
static void removed(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_with(1), *client = new_client();
    SSL_SESSION *session;
    MUST(FULL(full(ctx, &session, NULL)));
    struct connection c = open_connection(ctx, client, session, NULL);
    MUST(shake_hands(&c) && RESUMED(outcome(&c)));
    close_connection(&c, ALERT);
    MUST(removals == 1 && stats_of(cache).removals == 1);
    /* The alert ended the session of that connection: in TLS 1.3 a new one. */
    MUST(RESUMED(again(ctx, session, NULL)) == (tls_version == TLS1_3_VERSION));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("removed");
}

/* Without a cache, and with one that was closed, they do nothing. */
static void without_cache(void)
{
    SSL_CTX *ctx = new_with(1);
    SSL_SESSION *session;
    MUST(FULL(full(ctx, &session, NULL)) && FULL(again(ctx, session, NULL)));
    gosess_cache_close(new_cache());
    MUST(FULL(again(ctx, session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("without cache");
}

/* A context that is attached too uses its own cache, and stores each session once. */
static void attached_too(void)
{
    gosess_cache *first = new_cache(), *cache = new_cache();
    SSL_CTX *ctx = new_with(1);
    SSL_SESSION *session;
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, gosess_new_session_cb);
    SSL_CTX_sess_set_get_cb(ctx, gosess_get_session_cb);
    SSL_CTX_sess_set_remove_cb(ctx, gosess_remove_session_cb);
    MUST(FULL(full(ctx, &session, NULL)) && RESUMED(again(ctx, session, NULL)));
    struct gosess_stats stats = stats_of(cache);
    MUST(stats.hits == 1 && stats.stores == (tls_version == TLS1_2_VERSION ? 1 : 2));
    MUST(stats_of(first).stores == 0 && stats_of(first).misses == 0);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    gosess_cache_close(first);
    say("attached too");
}

/* A context that gosess knows from a callback, and that got others since, is attached with these.
 */
static void changed_then_attached(void)
{
    gosess_cache *cache = new_cache();
    SSL_CTX *ctx = new_with(0);
    SSL_SESSION *session;
    MUST(FULL(full(ctx, &session, NULL)));
    SSL_SESSION_free(session);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(SSL_CTX_sess_get_new_cb(ctx) == on_new && !SSL_CTX_sess_get_get_cb(ctx));
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("changed then attached");
}

static int asked; /* the host's callback for the keys of tickets */

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seals)
{
    MUST(ssl && name && iv && cipher && mac);
    asked++;
    return seals ? -1 : 0; /* no handshake gets past it */
}

/* A callback of the host's from before gosess knew the context: libssl goes on calling it. */
static void ticket_keys(void)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    gosess_cache *cache = new_cache();
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    MUST(SSL_CTX_set_tlsext_ticket_key_cb(ctx, NULL) == 1); /* of the other kind */
    struct connection c = open_connection(ctx, client, NULL, NULL);
    shake_hands(&c);
    MUST(asked > 0);
    close_connection(&c, UNCLEAN);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
    say("ticket keys");
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        {"registered", registered},
        {"removed", removed},
        {"without-cache", without_cache},
        {"attached-too", attached_too},
        {"changed-then-attached", changed_then_attached},
        {"ticket-keys", ticket_keys},
    };
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
