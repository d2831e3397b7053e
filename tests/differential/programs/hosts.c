/* hosts.c - servers with session caches of their own, registered as they register them. */
#include "record.h"

#include <string.h>
#include <time.h>

/* All that their clients do. */
static void serve(SSL_CTX *ctx)
{
    SSL_SESSION *sessions[4];
    for (int i = 0; i < 4; i++)
        sessions[i] = begin(ctx);
    for (int i = 0; i < 4; i++)
        come_back(ctx, sessions[i]);
    say_counters(ctx);
    come_back_and(ctx, sessions[0], UNCLEAN);
    come_back(ctx, sessions[0]);
    come_back_and(ctx, sessions[1], ALERT);
    come_back(ctx, sessions[1]);
    say_counters(ctx);
    pass(400);
    come_back(ctx, sessions[2]);
    meet(ctx, (struct visit){.session = &sessions[3], .replace = true});
    come_back(ctx, sessions[3]);
    say_counters(ctx);
    for (int i = 0; i < 4; i++)
        SSL_SESSION_free(sessions[i]);
    SSL_CTX_free(ctx);
}

static SSL_CTX *server(long mode, int which)
{
    SSL_CTX *ctx = new_server();
    use_callbacks(ctx, which);
    SSL_CTX_set_session_cache_mode(ctx, mode);
    app.keeping = KEEPS_COPIES;
    app.giving = GIVES;
    app.forgets = true;
    return ctx;
}

/* nginx, ssl_session_cache shared: its options come last. */
static void nginx_shared(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, ALL);
    SSL_CTX_set_timeout(ctx, 300);
    serve(ctx);
}

/* builtin and shared: libssl's own cache in front. */
static void nginx_both(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_SERVER, ALL);
    set_size(ctx, 3);
    SSL_CTX_set_timeout(ctx, 300);
    serve(ctx);
}

static void nginx_builtin(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_SERVER, 0);
    SSL_CTX_set_timeout(ctx, 300);
    set_size(ctx, 3);
    serve(ctx);
}

static void nginx_off(void)
{
    serve(server(SSL_SESS_CACHE_OFF, 0));
}

static void httpd(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, ALL);
    SSL_CTX_set_timeout(ctx, 300);
    serve(ctx);
}

/* HAProxy stores the session without its id and its context, which its cache has already. */
static SSL_SESSION *stripped[64];
static unsigned char stripped_ids[64][SSL_MAX_SSL_SESSION_ID_LENGTH];
static int stripped_count;

static int haproxy_new(SSL *ssl, SSL_SESSION *session)
{
    unsigned length = 0, context_length = 0;
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH], context[SSL_MAX_SID_CTX_LENGTH];
    memcpy(id, SSL_SESSION_get_id(session, &length), SSL_MAX_SSL_SESSION_ID_LENGTH);
    memcpy(context, SSL_SESSION_get0_id_context(session, &context_length), SSL_MAX_SID_CTX_LENGTH);
    app_new(ssl, session);
    MUST(SSL_SESSION_set1_id(session, id, 0) && SSL_SESSION_set1_id_context(session, context, 0) &&
         stripped_count < 64);
    memcpy(stripped_ids[stripped_count], id, sizeof id);
    stripped[stripped_count++] = SSL_SESSION_dup(session);
    MUST(SSL_SESSION_set1_id(session, id, length) &&
         SSL_SESSION_set1_id_context(session, context, context_length));
    return 0;
}

static SSL_SESSION *haproxy_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    SSL_SESSION *found = NULL;
    for (int i = 0; i < stripped_count; i++) {
        if (length == SSL_MAX_SSL_SESSION_ID_LENGTH &&
            memcmp(stripped_ids[i], id, (size_t)length) == 0)
            found = SSL_SESSION_dup(stripped[i]);
    }
    say("  get #%d, copy %d: %s", serial(id, (unsigned)length), *copy, found ? "found" : "none");
    *copy = 0;
    if (found)
        MUST(SSL_SESSION_set1_id(found, id, (unsigned)length) &&
             SSL_SESSION_set1_id_context(found, (const unsigned char *)"test", 4));
    (void)ssl;
    return found;
}

static void haproxy_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    app_remove(ctx, session);
    for (int i = 0; i < stripped_count; i++) {
        if (memcmp(stripped_ids[i], id, length) == 0)
            memset(stripped_ids[i], 0, sizeof *stripped_ids);
    }
}

static void haproxy(void)
{
    SSL_CTX *ctx = server(
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_NO_AUTO_CLEAR, 0);
    app.keeping = KEEPS_NOTHING;
    SSL_CTX_sess_set_new_cb(ctx, haproxy_new);
    SSL_CTX_sess_set_get_cb(ctx, haproxy_get);
    SSL_CTX_sess_set_remove_cb(ctx, haproxy_remove);
    SSL_CTX_set_timeout(ctx, 300);
    serve(ctx);
    while (stripped_count > 0)
        SSL_SESSION_free(stripped[--stripped_count]);
}

static void s_server(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_OFF, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_NO_INTERNAL | SSL_SESS_CACHE_SERVER);
    use_callbacks(ctx, ALL);
    serve(ctx);
}

/* A cache of one session in front of its own, and no remove callback (L30). */
static int postfix_new(SSL *ssl, SSL_SESSION *session)
{
    app_new(ssl, session);
    SSL_SESSION_free(session);
    return 1;
}

static void postfix(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_OFF, 0);
    set_size(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    use_callbacks(ctx, GET);
    SSL_CTX_sess_set_new_cb(ctx, postfix_new);
    SSL_CTX_set_timeout(ctx, 300);
    serve(ctx);
}

/* A cache of live objects, with the references that the manual pages describe. */
static void live_objects(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, ALL);
    app.keeping = KEEPS_REFERENCES;
    serve(ctx);
}

/* gosess is attached when a context is made: what is set before the first SSL is all there. */
static void configured_twice(void)
{
    SSL_CTX *ctx = server(SSL_SESS_CACHE_OFF, ALL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    use_callbacks(ctx, 0);
    use_callbacks(ctx, ALL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    say_settings(ctx);
    serve(ctx);
}

static const struct scenario scenarios[] = {
    {"nginx-shared", nginx_shared},
    {"nginx-both", nginx_both},
    {"nginx-builtin", nginx_builtin},
    {"nginx-off", nginx_off},
    {"httpd", httpd},
    {"haproxy", haproxy},
    {"s_server", s_server},
    {"postfix", postfix},
    {"live-objects", live_objects},
    {"configured-twice", configured_twice},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
