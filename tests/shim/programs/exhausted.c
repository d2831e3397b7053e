/*
 * exhausted.c - a server whose memory runs out wherever gosess asks for some, which
 * tests/shim/plain/exhaust.c does: every handshake succeeds, and when there is memory again,
 * sessions are resumed again.
 */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <dlfcn.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* Of exhaust.so. */
int exhaust_stop(void) __attribute__((weak));

#define LARGE 4000 /* bytes: more than an ordinary session has */

static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

/* With all that a policy for client certificates can have. */
static SSL_CTX *new_verifying_server(void)
{
    SSL_CTX *ctx = new_server();
    X509 *certificate = certificate_of("client");
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate) == 1);
    MUST(SSL_CTX_add_client_CA(ctx, certificate) == 1);
    MUST(X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), "client", 0) == 1);
    MUST(X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(ctx), "192.0.2.1") == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
    return ctx;
}

/* A server that accepts early data, and so takes the session of each handshake. */
static SSL_CTX *new_early_server(void)
{
    SSL_CTX *ctx = new_server();
    MUST(SSL_CTX_set_max_early_data(ctx, 1000) == 1);
    return ctx;
}

/* One that has no room for a second session, and hears of those that leave. */
static SSL_CTX *new_small_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_sess_set_cache_size(ctx, 1);
    SSL_CTX_sess_set_remove_cb(ctx, host_remove);
    return ctx;
}

static void must_shake_hands(struct connection *c)
{
    shake_hands(c);
    MUST(strcmp(outcome(c), "failed") != 0);
}

static void come_again(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(strcmp(again(ctx, session, NULL), "failed") != 0);
}

/* A session that the host makes large, adds, and removes. */
static void change_session(SSL_CTX *ctx)
{
    static const unsigned char large[LARGE];
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, NULL, NULL);
    must_shake_hands(&c);
    SSL_SESSION *own = client_session(&c), *session = SSL_SESSION_dup(SSL_get_session(c.server));
    MUST(session && SSL_SESSION_set1_ticket_appdata(session, large, sizeof large) == 1);
    SSL_CTX_remove_session(ctx, session);
    SSL_CTX_add_session(ctx, session);
    close_connection(&c, CLEAN);
    come_again(ctx, own);
    SSL_CTX_remove_session(ctx, session);
    SSL_SESSION_free(session);
    SSL_SESSION_free(own);
    SSL_CTX_free(client);
}

static void copy_connection(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    SSL *copy = ssl ? SSL_dup(ssl) : NULL;
    MUST(copy);
    SSL_free(copy);
    SSL_free(ssl);
}

static void serve(SSL_CTX *(*make)(void))
{
    SSL_CTX *ctx = make();
    SSL_SESSION *session;
    MUST(strcmp(full(ctx, &session, NULL), "full") == 0);
    come_again(ctx, session);
    come_again(ctx, session);
    SSL_SESSION_free(session);
    change_session(ctx);
    copy_connection(ctx);
    SSL_CTX_sess_number(ctx);
    SSL_CTX_flush_sessions(ctx, 0);
    SSL_CTX_free(ctx);
}

/* Whether libssl holds callbacks, of which the host has set none. */
static bool is_served(SSL_CTX *ctx)
{
    int (*(*get)(SSL_CTX *))(SSL *, SSL_SESSION *);
    void *libssl = dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
    MUST(libssl);
    *(void **)&get = dlsym(libssl, "SSL_CTX_sess_get_new_cb");
    MUST(get);
    dlclose(libssl);
    return get(ctx) != NULL;
}

static void say_resumed(SSL_CTX *(*make)(void))
{
    SSL_CTX *ctx = make();
    SSL_SESSION *session;
    MUST(strcmp(full(ctx, &session, NULL), "full") == 0);
    say("%s: %s", is_served(ctx) ? "served" : "not served", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* One that has what it seals tickets with made and looked up. */
static SSL_CTX *new_ticket_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static SSL_CTX *(*const servers[])(void) = {new_server, new_verifying_server, new_early_server,
                                            new_small_server, NULL};
static SSL_CTX *(*const ticket_servers[])(void) = {new_ticket_server, NULL};

static void run_out(SSL_CTX *(*const of[])(void))
{
    live_sessions();
    host.quiet = true;
    for (size_t i = 0; of[i]; i++) {
        client_name = of[i] == new_verifying_server ? "client" : NULL;
        serve(of[i]);
    }
    say("%d", exhaust_stop ? exhaust_stop() : 0);
    for (size_t i = 0; of[i]; i++) {
        client_name = of[i] == new_verifying_server ? "client" : NULL;
        say_resumed(of[i]);
    }
    say("%ld left", live_sessions());
}

static void exhausted(void)
{
    run_out(servers);
}

static void tickets(void)
{
    run_out(ticket_servers);
}

static const struct scenario scenarios[] = {
    {"exhausted", exhausted},
    {"tickets", tickets},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
