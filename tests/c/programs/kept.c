/*
 * kept.c - what a host keeps on the object of a session, or decides itself: it has it again when
 * that session is resumed in the same process, as libssl's own cache would have it.
 */
#include "../lib/hosts.h"

#include <string.h>

/* An ex_data slot of sessions that nobody has reserved. libssl lets it be written all the same. */
#define UNRESERVED 23

static char alice[] = "alice may read", trusted[] = "trusted";

static struct connection connected(SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session)
{
    struct connection c = open_connection(server, client, session, NULL);
    MUST(shake_hands(&c));
    return c;
}

static SSL_CTX *one_ticket(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1); /* so that the connection's session is the client's */
    return ctx;
}

static void say_kept(struct connection *c, int slot)
{
    const char *data = SSL_SESSION_get_ex_data(SSL_get_session(c->server), slot);
    say("%s: %s", outcome(c), data ? data : "nothing");
}

/* hostapd, FreeRADIUS: the data is known, and set, when the handshake is over. */
static void say_data_of(int slot)
{
    SSL_CTX *server = one_ticket(), *client = new_client();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++) {
        struct connection c = connected(server, client, session);
        say_kept(&c, slot);
        if (i == 0) {
            session = client_session(&c);
            MUST(SSL_SESSION_set_ex_data(SSL_get_session(c.server), slot, alice));
        }
        close_connection(&c, CLEAN);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void set_later(void)
{
    int slot = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    MUST(slot >= 0);
    say_data_of(slot);
}

/* TLS 1.2 only: in 1.3 libssl copies the object, which fails with an unreserved slot alone. */
static void unreserved_slot(void)
{
    say_data_of(UNRESERVED);
}

/* The same from within the host's own callback for new sessions. */
static int own_slot;

static int mark_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    MUST(SSL_SESSION_set_ex_data(session, own_slot, alice));
    return 0;
}

static void set_in_callback(void)
{
    SSL_CTX *server = one_ticket(), *client = new_client();
    own_slot = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    MUST(own_slot >= 0);
    SSL_CTX_sess_set_new_cb(server, mark_new);
    struct connection c = connected(server, client, NULL);
    SSL_SESSION *session = client_session(&c);
    close_connection(&c, CLEAN);
    SSL_CTX_sess_set_new_cb(server, NULL); /* what 1.3 makes anew is not marked again */
    c = connected(server, client, session);
    say_kept(&c, own_slot);
    close_connection(&c, CLEAN);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/*
 * stunnel's redirect: a session is trusted from its birth, until the client turns out to be a
 * stranger. A new object for the same session would be trusted again.
 */
static void born(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)argl, (void)argp;
    CRYPTO_set_ex_data(data, index, trusted);
}

static void set_at_birth(void)
{
    int slot = SSL_SESSION_get_ex_new_index(0, NULL, born, NULL, NULL);
    MUST(slot >= 0);
    SSL_CTX *server = one_ticket(), *client = new_client();
    struct connection c = connected(server, client, NULL);
    SSL_SESSION *session = client_session(&c);
    say_kept(&c, slot);
    MUST(SSL_SESSION_set_ex_data(SSL_get_session(c.server), slot, NULL)); /* a stranger */
    close_connection(&c, CLEAN);
    for (int i = 0; i < 2; i++) {
        c = connected(server, client, session);
        say_kept(&c, slot);
        close_connection(&c, CLEAN);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/*
 * hostapd: what is kept with a session is freed when the session leaves the cache. In TLS 1.3 that
 * is the cache's too where its ticket carries it, so that the host hears of its end.
 */
static int freed_data;

static void free_data(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    freed_data += SSL_SESSION_get_ex_data(session, own_slot) == alice;
    SSL_SESSION_set_ex_data(session, own_slot, NULL);
}

static void freed_when_removed(void)
{
    SSL_CTX *server = one_ticket(), *client = new_client();
    own_slot = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    MUST(own_slot >= 0);
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_remove_cb(server, free_data);
    for (int i = 0; i < 3; i++) {
        struct connection c = connected(server, client, NULL);
        MUST(SSL_SESSION_set_ex_data(SSL_get_session(c.server), own_slot, alice));
        close_connection(&c, CLEAN);
    }
    SSL_CTX_flush_sessions(server, 0);
    say("%d of 3", freed_data);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* The client's chain is on the object too, and in no encoding of it. */
static void chain_of_client(void)
{
    client_name = "client";
    SSL_CTX *server = one_ticket(), *client = new_client();
    MUST(SSL_CTX_add1_chain_cert(client, certificate_of("between")));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server), certificate_of(client_name));
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        struct connection c = connected(server, client, session);
        STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c.server);
        say("%s: %d above the client's own, verified %ld", outcome(&c),
            chain ? sk_X509_num(chain) : -1, SSL_get_verify_result(c.server));
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* hostapd, httpd in a Location: how a client is verified is set on the connection. */
static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok, (void)store;
    return 1;
}

static void verified_by_connection(void)
{
    client_name = "client";
    SSL_CTX *server = one_ticket(), *client = new_client();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++) {
        struct connection c = open_connection(server, client, session, NULL);
        SSL_set_verify(c.server, SSL_VERIFY_PEER, accept_all);
        MUST(shake_hands(&c));
        X509 *certificate = SSL_get_peer_certificate(c.server);
        say("%s, %s", outcome(&c), certificate ? "certificate known" : "no certificate");
        X509_free(certificate);
        if (!session)
            session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* --- a host that decides by itself, and may refuse (FreeRADIUS, Node) --- */

static bool revoked;

static SSL_SESSION *get_or_refuse(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    return revoked ? NULL : host_get(ssl, id, length, copy);
}

static void refused_by_host(void)
{
    SSL_CTX *server = one_ticket();
    SSL_SESSION *session;
    host.keeps = host.transfers = host.quiet = true;
    use_host_callbacks(server);
    SSL_CTX_sess_set_get_cb(server, get_or_refuse);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    say("known: %s", again(server, session, NULL));
    revoked = true;
    say("revoked: %s", again(server, session, NULL));
    revoked = false;
    say("pardoned: %s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    host_forget();
}

/* A host that never keeps a session by itself, and whose callback refuses every one. */
static int keep_none(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    return 0;
}

static void never_kept_by_host(void)
{
    SSL_CTX *server = one_ticket();
    SSL_SESSION *session;
    revoked = true;
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(server, keep_none);
    SSL_CTX_sess_set_get_cb(server, get_or_refuse);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* A host that has switched every cache off, and has no callback, resumes nothing. */
static void switched_off(void)
{
    SSL_CTX *server = one_ticket();
    SSL_SESSION *session;
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"set-later", set_later},
    {"unreserved-slot", unreserved_slot},
    {"set-in-callback", set_in_callback},
    {"set-at-birth", set_at_birth},
    {"freed-when-removed", freed_when_removed},
    {"chain-of-client", chain_of_client},
    {"verified-by-connection", verified_by_connection},
    {"refused-by-host", refused_by_host},
    {"never-kept-by-host", never_kept_by_host},
    {"switched-off", switched_off},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
