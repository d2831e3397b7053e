/* chained.c - the host's callbacks and gosess's sessions, together, in the order of the mode. */
#include "../../c/lib/hosts.h"

#include <string.h>

static void visits(SSL_CTX *ctx)
{
    SSL_SESSION *session;
    const char *first = full(ctx, &session, NULL);
    say("%s: %s", first, host_trace());
    const char *second = again(ctx, session, NULL);
    say("%s: %s", second, host_trace());
    SSL_SESSION_free(session);
}

static void with_mode(long mode, bool keeps)
{
    SSL_CTX *ctx = new_server();
    host = (struct host){.keeps = keeps};
    use_host_callbacks(ctx);
    SSL_CTX_set_session_cache_mode(ctx, mode);
    visits(ctx);
    SSL_CTX_free(ctx);
    host_forget();
}

/* Where the host allows an internal cache gosess is that cache, and is asked first. */
static void ours_first(void)
{
    with_mode(SSL_SESS_CACHE_SERVER, true);
}

static void theirs_first(void)
{
    with_mode(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP, true);
}

static void theirs_misses(void)
{
    with_mode(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL, false);
}

static void off(void)
{
    with_mode(SSL_SESS_CACHE_OFF, false);
}

static void client_mode(void)
{
    with_mode(SSL_SESS_CACHE_CLIENT, false);
}

static void both(void)
{
    with_mode(SSL_SESS_CACHE_BOTH, false);
}

/* A host may set the mode after the callbacks, and more than once. */
static void mode_changes(void)
{
    SSL_CTX *ctx = new_server();
    use_host_callbacks(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    visits(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    visits(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    visits(ctx);
    SSL_CTX_free(ctx);
}

/* A session that was stored is not handed out while the cache is off. */
static void switched_off(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    say("off: %s", again(ctx, session, NULL));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    say("on: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static int other_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    trace("other-new");
    return 0;
}

static void two_contexts(void)
{
    SSL_CTX *first = new_server(), *second = new_server();
    SSL_CTX_sess_set_new_cb(first, host_new);
    SSL_CTX_sess_set_new_cb(second, other_new);
    SSL_CTX_sess_set_get_cb(second, host_get);
    visits(first);
    visits(second);
    say("getters %d %d %d", SSL_CTX_sess_get_new_cb(first) == host_new,
        SSL_CTX_sess_get_new_cb(second) == other_new, !SSL_CTX_sess_get_get_cb(first));
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* A context that is both ends: its own client's sessions are the host's alone. */
static void own_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(ctx, tls_version);
    use_certificate(ctx, "server");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    SSL_SESSION *session = NULL;
    const char *first = visit(ctx, ctx, &session, NULL);
    say("%s: %s", first, host_trace());
    const char *second = visit(ctx, ctx, &session, NULL);
    say("%s: %s", second, host_trace());
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* A client's context made by TLS_method: its callbacks are called as by libssl. */
static void general_client(void)
{
    SSL_CTX *server = new_server(), *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_max_proto_version(ctx, tls_version);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    SSL_CTX_sess_set_remove_cb(ctx, host_remove);
    SSL_SESSION *session = NULL;
    const char *first = visit(server, ctx, &session, NULL);
    say("%s: %s, %ld inside", first, host_trace(), SSL_CTX_sess_number(ctx));
    const char *second = visit(server, ctx, &session, NULL);
    say("%s: %s, %ld inside", second, host_trace(), SSL_CTX_sess_number(ctx));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("freed: %s", host_trace());
    SSL_CTX_free(server);
}

/* --- a host that rewrites the session, as HAProxy does to store less of it --- */

static struct {
    unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
    unsigned id_length;
    unsigned char *der;
    int der_length;
} stripped;

static int strip_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    unsigned char context[SSL_MAX_SID_CTX_LENGTH];
    unsigned context_length;
    const unsigned char *id = SSL_SESSION_get_id(session, &stripped.id_length);
    memcpy(stripped.id, id, stripped.id_length);
    const unsigned char *given = SSL_SESSION_get0_id_context(session, &context_length);
    memcpy(context, given, context_length);
    SSL_SESSION_set1_id(session, stripped.id, 0);
    SSL_SESSION_set1_id_context(session, context, 0);
    OPENSSL_free(stripped.der);
    stripped.der = NULL;
    stripped.der_length = i2d_SSL_SESSION(session, &stripped.der);
    SSL_SESSION_set1_id(session, stripped.id, stripped.id_length);
    SSL_SESSION_set1_id_context(session, context, context_length);
    trace("strip");
    return 0;
}

static SSL_SESSION *unstrip_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl;
    const unsigned char *at = stripped.der;
    trace("unstrip");
    *copy = 0;
    if (!at || (unsigned)length != stripped.id_length ||
        memcmp(id, stripped.id, stripped.id_length) != 0)
        return NULL;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, stripped.der_length);
    MUST(session);
    SSL_SESSION_set1_id(session, id, stripped.id_length);
    SSL_SESSION_set1_id_context(session, (const unsigned char *)"test", 4);
    return session;
}

static void rewriting_host(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, strip_new);
    SSL_CTX_sess_set_get_cb(ctx, unstrip_get);
    visits(ctx); /* from the host's store */
    SSL_CTX_sess_set_get_cb(ctx, NULL);
    visits(ctx); /* from ours, which saw the session before it was rewritten */
    OPENSSL_free(stripped.der);
    stripped.der = NULL;
    SSL_CTX_free(ctx);
}

/* A session that the host adds itself is found, as it would be by libssl. */
static void added_by_host(void)
{
    SSL_CTX *ctx = new_server(), *donor = new_server();
    SSL_CTX_set_num_tickets(donor, 1);
    SSL_CTX_set_session_cache_mode(donor, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(donor, strip_new);
    use_certificate(donor, "another"); /* what gosess stores of it is not for ctx */
    SSL_SESSION *session;
    full(donor, &session, NULL);
    host_trace();
    int copy;
    SSL_SESSION *own = unstrip_get(NULL, stripped.id, (int)stripped.id_length, &copy);
    say("added %d", SSL_CTX_add_session(ctx, own));
    SSL_SESSION_free(own);
    say("%s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    OPENSSL_free(stripped.der);
    stripped.der = NULL;
    SSL_CTX_free(ctx);
    SSL_CTX_free(donor);
}

/* A session that the host removes is gone, and it is told that there was one. */
static void removed_by_host(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session, *kept = NULL;
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    SSL_CTX_set_num_tickets(ctx, 1);
    full(ctx, &session, NULL);
    struct connection c = open_connection(ctx, SSL_CTX_new(TLS_client_method()), NULL, NULL);
    SSL_CTX_free(SSL_get_SSL_CTX(c.client)); /* the connection holds it */
    shake_hands(&c);
    kept = SSL_get1_session(c.server);
    SSL_SESSION *of_client = client_session(&c);
    close_connection(&c, CLEAN);
    say("removed %d", SSL_CTX_remove_session(ctx, kept));
    say("it: %s", again(ctx, of_client, NULL));
    say("another: %s", again(ctx, session, NULL));
    SSL_SESSION_free(kept);
    SSL_SESSION_free(of_client);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* Flushing all of them is how a host revokes every session. */
static void flushed_by_host(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    SSL_CTX_flush_sessions(ctx, 0);
    say("%s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void say_stateless(SSL_CTX *ctx)
{
    SSL_SESSION *session;
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    for (int i = 0; i < 3; i++) {
        full(ctx, &session, NULL);
        SSL_SESSION_free(session);
    }
    say("%ld inside", SSL_CTX_sess_number(ctx));
    SSL_CTX_free(ctx);
}

/* libssl keeps stateless sessions of TLS 1.3 only for a remove callback (L6). */
static void stateless(void)
{
    SSL_CTX *stateful = new_server(), *before = new_server();
    visits(stateful); /* this asks for the Go half */
    SSL_CTX_free(stateful);
    say_stateless(new_server());
    say_stateless(before);
    say_stateless(new_server());
}

static const struct scenario scenarios[] = {
    {"ours-first", ours_first},
    {"theirs-first", theirs_first},
    {"theirs-misses", theirs_misses},
    {"off", off},
    {"switched-off", switched_off},
    {"client-mode", client_mode},
    {"both", both},
    {"mode-changes", mode_changes},
    {"two-contexts", two_contexts},
    {"own-client", own_client},
    {"general-client", general_client},
    {"rewriting-host", rewriting_host},
    {"added-by-host", added_by_host},
    {"removed-by-host", removed_by_host},
    {"flushed-by-host", flushed_by_host},
    {"stateless", stateless},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
