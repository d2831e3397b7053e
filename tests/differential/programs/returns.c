/* returns.c - what the application's callbacks may return. */
#include "record.h"

#include <string.h>
#include <time.h>

static SSL_CTX *external(long mode, enum keeping keeping, enum giving giving)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_session_cache_mode(ctx, mode);
    use_callbacks(ctx, ALL);
    app.keeping = keeping;
    app.giving = giving;
    return ctx;
}

static const long all_modes[] = {
    SSL_SESS_CACHE_SERVER,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
};
#define MODES (sizeof all_modes / sizeof *all_modes)

/* Something is wrong with what get returns, in each mode, and however it is returned. */
static void changed(SSL_SESSION *(*change)(SSL_SESSION *))
{
    for (size_t i = 0; i < MODES; i++) {
        for (enum giving giving = LENDS_SILENTLY; giving <= GIVES; giving++) {
            part("mode %#lx, giving %d", all_modes[i], giving);
            SSL_CTX *ctx = external(all_modes[i], KEEPS_COPIES, giving);
            SSL_SESSION *session = begin(ctx);
            /* So that the application is asked. */
            app.collects = true;
            SSL_CTX_flush_sessions(ctx, 0);
            app.collects = false;
            say_removed();
            app.change = change;
            come_back(ctx, session);
            say_counters(ctx);
            come_back(ctx, session);
            say_counters(ctx);
            SSL_SESSION_free(session);
            app.collects = true; /* as in modes.c */
            SSL_CTX_free(ctx);
            say_removed();
            say("freed, live %ld", live());
        }
    }
}

static SSL_SESSION *same(SSL_SESSION *session)
{
    return session;
}

static void unchanged(void)
{
    changed(same);
}

static SSL_SESSION *none(SSL_SESSION *session)
{
    SSL_SESSION_free(session);
    return NULL;
}

static void returning_null(void)
{
    changed(none);
}

static SSL_SESSION *old(SSL_SESSION *session)
{
    SSL_SESSION_set_time(session, 1000);
    return session;
}

static void returning_expired(void)
{
    changed(old);
}

static SSL_SESSION *of_another_context(SSL_SESSION *session)
{
    MUST(SSL_SESSION_set1_id_context(session, (const unsigned char *)"else", 4));
    return session;
}

static void returning_foreign(void)
{
    changed(of_another_context);
}

static SSL_SESSION *of_another_version(SSL_SESSION *session)
{
    MUST(SSL_SESSION_set_protocol_version(session, TLS1_1_VERSION));
    return session;
}

static void returning_other_version(void)
{
    changed(of_another_version);
}

/* libssl does not look at the id of what it was given. */
static SSL_SESSION *of_another_id(SSL_SESSION *session)
{
    MUST(SSL_SESSION_set1_id(session, (const unsigned char *)"another id", 10));
    return session;
}

static void returning_other_id(void)
{
    changed(of_another_id);
}

/* An object that was removed from another context. */
static SSL_SESSION *spent(SSL_SESSION *session)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_remove_session(ctx, session);
    SSL_CTX_free(ctx);
    return session;
}

static void returning_not_resumable(void)
{
    changed(spent);
}

/* --- new --- */

static void keeping(void)
{
    for (size_t i = 0; i < MODES; i++) {
        for (enum keeping how = KEEPS_NOTHING; how <= KEEPS_COPIES; how++) {
            part("mode %#lx, keeping %d", all_modes[i], how);
            SSL_CTX *ctx = external(all_modes[i], how, GIVES);
            use_callbacks(ctx, NEW);
            SSL_SESSION *session = begin(ctx);
            say_counters(ctx);
            come_back(ctx, session);
            say_counters(ctx);
            SSL_SESSION_free(session);
            SSL_CTX_free(ctx);
            say("freed, live %ld", live());
        }
    }
}

static int minus_one(SSL *ssl, SSL_SESSION *session)
{
    app_new(ssl, session);
    return -1;
}

/* Anything but 0 keeps the reference. */
static void keeping_with_minus_one(void)
{
    SSL_CTX *ctx = external(SSL_SESS_CACHE_SERVER, KEEPS_REFERENCES, GIVES);
    SSL_CTX_sess_set_new_cb(ctx, minus_one);
    SSL_SESSION *session = begin(ctx);
    come_back(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("freed, live %ld", live());
}

/* Postfix gives the reference back itself. */
static int free_and_keep(SSL *ssl, SSL_SESSION *session)
{
    app_new(ssl, session);
    SSL_SESSION_free(session);
    return 1;
}

static void freeing_in_new(void)
{
    SSL_CTX *ctx = external(SSL_SESS_CACHE_SERVER, KEEPS_COPIES, GIVES);
    SSL_CTX_sess_set_new_cb(ctx, free_and_keep);
    SSL_SESSION *session = begin(ctx);
    come_back(ctx, session);
    SSL_CTX_flush_sessions(ctx, 0);
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("freed, live %ld", live());
}

/* --- callbacks that call libssl --- */

static SSL_CTX *inner;

static void remove_it(SSL *ssl, SSL_SESSION *session)
{
    say("  inner remove: %d", SSL_CTX_remove_session(SSL_get_SSL_CTX(ssl), session));
}

static void removing_in_new(void)
{
    SSL_CTX *ctx = external(SSL_SESS_CACHE_SERVER, KEEPS_NOTHING, GIVES);
    app.on_new = remove_it;
    SSL_SESSION *session = begin(ctx);
    say_counters(ctx);
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void add_it(SSL *ssl, SSL_SESSION *session)
{
    say("  inner add: %d", SSL_CTX_add_session(SSL_get_SSL_CTX(ssl), session));
}

static void adding_in_new(void)
{
    for (size_t i = 0; i < MODES; i++) {
        part("mode %#lx", all_modes[i]);
        SSL_CTX *ctx = external(all_modes[i], KEEPS_NOTHING, GIVES);
        app.on_new = add_it;
        SSL_SESSION *session = begin(ctx);
        say_counters(ctx);
        come_back(ctx, session);
        say_counters(ctx);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
        say("freed, live %ld", live());
    }
}

static void add_to_inner(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (ctx != inner)
        say("  inner add: %d", SSL_CTX_add_session(inner, session));
}

/* A context whose removals go to another one. */
static void adding_in_remove(void)
{
    SSL_CTX *ctx = external(SSL_SESS_CACHE_SERVER, KEEPS_NOTHING, GIVES);
    inner = new_server();
    use_callbacks(inner, ALL);
    app.on_remove = add_to_inner;
    SSL_SESSION *session = begin(ctx);
    say("remove: %d", SSL_CTX_remove_session(ctx, session));
    SSL_SESSION *another = begin(ctx);
    come_back_and(ctx, another, UNCLEAN);
    say_counters(ctx);
    say_counters(inner);
    SSL_SESSION_free(session);
    SSL_SESSION_free(another);
    SSL_CTX_free(ctx);
    SSL_CTX_free(inner);
    say("freed, live %ld", live());
}

/* The callbacks change between handshakes. */
static void changing_callbacks(void)
{
    SSL_CTX *ctx = external(SSL_SESS_CACHE_SERVER, KEEPS_NOTHING, GIVES);
    SSL_SESSION *session = NULL;
    for (int which = 0; which <= ALL; which++) {
        use_callbacks(ctx, which);
        say_settings(ctx);
        meet(ctx, (struct visit){.session = &session, .replace = true});
        say("remove: %d", SSL_CTX_remove_session(ctx, session));
        SSL_SESSION_free(session);
        session = NULL;
        meet(ctx, (struct visit){.session = &session, .replace = true});
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"unchanged", unchanged},
    {"returning-null", returning_null},
    {"returning-expired", returning_expired},
    {"returning-foreign", returning_foreign},
    {"returning-other-version", returning_other_version},
    {"returning-other-id", returning_other_id},
    {"returning-not-resumable", returning_not_resumable},
    {"keeping", keeping},
    {"keeping-with-minus-one", keeping_with_minus_one},
    {"freeing-in-new", freeing_in_new},
    {"removing-in-new", removing_in_new},
    {"adding-in-new", adding_in_new},
    {"adding-in-remove", adding_in_remove},
    {"changing-callbacks", changing_callbacks},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
