/*
 * unseen.c - tickets of connections and contexts that gosess has not seen made, and of datagrams:
 * GOSESS_TICKETS=shared.
 */
#define _GNU_SOURCE
#include "../lib/tls.h"

#include <dlfcn.h>
#include <string.h>

static SSL_CTX *new_ticket_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static __typeof__(&SSL_set_SSL_CTX) switch_it;
static SSL_CTX *switched_to;

static int on_name(SSL *ssl, int *alert, void *argument)
{
    MUST(alert && !argument && switch_it(ssl, switched_to));
    return SSL_TLSEXT_ERR_OK;
}

/* A function of libssl's own, not the one that is in its place. */
static bool find_own(const char *name, void *function)
{
    Dl_info libssl;
    MUST(dladdr(SSL_get_version, &libssl));
    void *handle = dlopen(libssl.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    void *found = handle ? dlsym(handle, name) : NULL;
    memcpy(function, &found, sizeof found);
    return found;
}

/* In 3.0 SSL_CTX_new calls the other one, and that may be the one in its place. */
static SSL_CTX *make_unseen(void)
{
    SSL_CTX *(*make)(const SSL_METHOD *);
    SSL_CTX *(*make_ex)(void *, const char *, const SSL_METHOD *);
    if (find_own("SSL_CTX_new_ex", &make_ex))
        return make_ex(NULL, NULL, TLS_server_method());
    MUST(find_own("SSL_CTX_new", &make));
    return make(TLS_server_method());
}

/* Connections that libssl's own function has made, each with the ticket of the one before. */
static void visit_unseen(SSL_CTX *first)
{
    __typeof__(&SSL_new) make;
    SSL_SESSION *session;
    MUST(find_own("SSL_new", &make));
    say("%s", full(first, &session, NULL)); /* from then on libssl asks for keys */
    SSL_CTX_set_tlsext_servername_callback(first, on_name);
    for (int i = 0; i < 2; i++) {
        SSL_CTX *client = new_client();
        struct connection c = open_connection(first, client, session, "a.test");
        BIO *far = SSL_get_rbio(c.server);
        MUST(BIO_up_ref(far) && BIO_up_ref(far));
        SSL_free(c.server);
        MUST(c.server = make(first));
        SSL_set_bio(c.server, far, far);
        SSL_set_accept_state(c.server);
        shake_hands(&c);
        say("not seen: %s", outcome(&c));
        if (c.done) {
            SSL_SESSION_free(session);
            session = client_session(&c);
        }
        close_connection(&c, CLEAN);
        SSL_CTX_free(client);
    }
    SSL_SESSION_free(session);
}

/* Of a connection and the context that it is switched to nothing was seen: its handshakes are good.
 */
static void never_seen(void)
{
    SSL_CTX *first = new_ticket_server();
    MUST(find_own("SSL_set_SSL_CTX", &switch_it));
    MUST(switched_to = make_unseen());
    use_certificate(switched_to, "server");
    visit_unseen(first);
    SSL_CTX_free(switched_to);
    SSL_CTX_free(first);
}

/* The switch is seen: its tickets have the first context's own key, as without gosess. */
static void seen_late(void)
{
    SSL_CTX *first = new_ticket_server();
    switch_it = SSL_set_SSL_CTX;
    switched_to = new_ticket_server();
    visit_unseen(first);
    SSL_CTX_free(switched_to);
    SSL_CTX_free(first);
}

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned *length)
{
    MUST(ssl);
    memcpy(cookie, "cookie", *length = 6);
    return 1;
}

static int is_cookie(SSL *ssl, const unsigned char *cookie, unsigned length)
{
    return ssl && length == 6 && memcmp(cookie, "cookie", 6) == 0;
}

static SSL_CTX *new_datagram_server(bool with_cookie, const char *certificate)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    MUST(ctx && SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4));
    use_certificate(ctx, certificate);
    if (with_cookie) {
        SSL_CTX_set_options(ctx, SSL_OP_COOKIE_EXCHANGE);
        SSL_CTX_set_cookie_generate_cb(ctx, make_cookie);
        SSL_CTX_set_cookie_verify_cb(ctx, is_cookie);
    }
    return ctx;
}

/* DTLS 1.2, also where a client has to say all twice. */
static void datagrams(void)
{
    SSL_CTX *client = SSL_CTX_new(DTLS_client_method());
    for (int with_cookie = 0; with_cookie < 2; with_cookie++) {
        SSL_CTX *first = new_datagram_server(with_cookie, "server");
        SSL_CTX *second = new_datagram_server(with_cookie, "server");
        SSL_CTX *another = new_datagram_server(with_cookie, "another");
        SSL_SESSION *session = NULL;
        say("%s", visit(first, client, &session, "a.test"));
        const char *there = visit(second, client, &session, "a.test");
        say("alike: %s, at its own: %s", there, visit(first, client, &session, "a.test"));
        say("another certificate: %s", visit(another, client, &session, "a.test"));
        SSL_SESSION_free(session);
        SSL_CTX_free(first);
        SSL_CTX_free(second);
        SSL_CTX_free(another);
    }
    SSL_CTX_free(client);
}

static const struct scenario scenarios[] = {
    {"never-seen", never_seen}, {"seen-late", seen_late}, {"datagrams", datagrams}};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
