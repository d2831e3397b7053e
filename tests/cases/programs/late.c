/*
 * late.c - hosts that choose after libssl has looked for the session: by the server name although
 * they have a ClientHello callback, without a name, by the protocol, or with the status of their
 * certificate; and what they change of a context meanwhile.
 */
#include "../../c/lib/sites.h"

#include <string.h>

#include <openssl/x509v3.h>

static SSL_CTX *server, *second;

/* What the clients send. */
static const char *name = "b.test";
static bool wants_protocol, wants_status;

static SSL_CTX *client_of_kind(void)
{
    SSL_CTX *client = new_client();
    if (wants_protocol)
        MUST(SSL_CTX_set_alpn_protos(client, (const unsigned char *)"\5admin", 6) == 0);
    if (wants_status)
        SSL_CTX_set_tlsext_status_type(client, TLSEXT_STATUSTYPE_ocsp);
    return client;
}

static const char *meet(SSL_CTX *ctx, SSL_SESSION *offered, SSL_SESSION **made)
{
    SSL_CTX *client = client_of_kind();
    struct connection connection = open_connection(ctx, client, offered, name);
    return meet_once(&connection, client, made);
}

static SSL_SESSION *made_at(SSL_CTX *ctx)
{
    SSL_SESSION *session;
    MUST(strcmp(meet(ctx, NULL, &session), "full") == 0);
    return session;
}

static void say_offered(const char *what, SSL_CTX *ctx, SSL_SESSION *session)
{
    say("%s: %s", what, meet(ctx, session, NULL));
    SSL_SESSION_free(session);
}

static void begin(void)
{
    server = new_server();
    second = new_server();
}

static void end(void)
{
    SSL_CTX_free(server);
    SSL_CTX_free(second);
}

/* --- by the protocol --- */

static int select_first(SSL *ssl, const unsigned char **out, unsigned char *length,
                        const unsigned char *in, unsigned in_length, void *unused)
{
    (void)ssl, (void)in_length, (void)unused;
    *length = in[0];
    *out = in + 1;
    return SSL_TLSEXT_ERR_OK;
}

static int select_and_demand(SSL *ssl, const unsigned char **out, unsigned char *length,
                             const unsigned char *in, unsigned in_length, void *unused)
{
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return select_first(ssl, out, length, in, in_length, unused);
}

static int select_and_switch(SSL *ssl, const unsigned char **out, unsigned char *length,
                             const unsigned char *in, unsigned in_length, void *other)
{
    MUST(SSL_set_SSL_CTX(ssl, other));
    return select_first(ssl, out, length, in, in_length, NULL);
}

static void protocol_alike(void)
{
    begin();
    wants_protocol = true;
    SSL_CTX_set_alpn_select_cb(server, select_first, NULL);
    SSL_CTX_set_alpn_select_cb(second, select_first, NULL);
    say_offered("another context's", second, made_at(server));
    end();
}

static void protocol_demands(void)
{
    begin();
    wants_protocol = true;
    SSL_CTX_set_alpn_select_cb(second, select_and_demand, NULL);
    say_offered("with a session", second, made_at(server));
    say_offered("with another", second, made_at(server));
    say("without: %s", meet(second, NULL, NULL));
    end();
}

static void protocol_switches(void)
{
    begin();
    wants_protocol = true;
    SSL_CTX *other = new_server();
    use_certificate(other, "another");
    SSL_CTX_set_alpn_select_cb(second, select_and_switch, other);
    SSL_SESSION *later = made_at(server);
    say_offered("first", second, made_at(server));
    say_offered("then", second, later);
    SSL_CTX_free(other);
    end();
}

/* Nobody else knows what it chose: the session stays where it was made. */
static void protocol_switches_always(void)
{
    begin();
    wants_protocol = true;
    use_certificate(second, "another");
    SSL_CTX_set_alpn_select_cb(server, select_and_switch, second);
    say_offered("its own", server, made_at(server));
    say_offered("and again", server, made_at(server));
    end();
}

/* --- with the status of the certificate --- */

static int statuses;

static int status_and_demand(SSL *ssl, void *unused)
{
    (void)unused;
    statuses++;
    SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return SSL_TLSEXT_ERR_NOACK;
}

static void status_demands(void)
{
    begin();
    wants_status = true;
    SSL_CTX_set_tlsext_status_cb(second, status_and_demand);
    say("without a session: %s", meet(second, NULL, NULL));
    say_offered("with one", second, made_at(server));
    say("asked: %s", statuses > 0 ? "yes" : "no");
    end();
}

static void status_callback(void)
{
    int (*callback)(SSL *, void *) = NULL;
    begin();
    SSL_CTX_set_tlsext_status_cb(server, status_and_demand);
    SSL_CTX_get_tlsext_status_cb(server, &callback);
    say("the host's own: %s", callback == status_and_demand ? "yes" : "no");
    SSL_CTX_set_tlsext_status_cb(server, NULL);
    SSL_CTX_get_tlsext_status_cb(server, &callback);
    say("none: %s", callback ? "no" : "yes");
    end();
}

/* --- by the name, after a look at the ClientHello --- */

static int look(SSL *ssl, int *alert, void *unused)
{
    (void)ssl, (void)alert, (void)unused;
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int lead(SSL *ssl, int *alert, void *other)
{
    (void)alert;
    MUST(SSL_set_SSL_CTX(ssl, other));
    SSL_set_verify(ssl, SSL_CTX_get_verify_mode(other), SSL_CTX_get_verify_callback(other));
    return SSL_TLSEXT_ERR_OK;
}

static void lead_all(SSL_CTX *from, SSL_CTX *to, bool looks)
{
    if (looks)
        SSL_CTX_set_client_hello_cb(from, look, NULL);
    SSL_CTX_set_tlsext_servername_callback(from, lead);
    SSL_CTX_set_tlsext_servername_arg(from, to);
}

static void say_visits(bool looks, void (*between)(void))
{
    SSL_SESSION *session = NULL;
    SSL_CTX *client = new_client();
    begin();
    use_certificate(second, "another");
    lead_all(server, second, looks);
    for (int i = 0; i < 4; i++) {
        say("%s", visit(server, client, &session, name));
        if (between)
            between();
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    end();
}

static void hello_looks(void)
{
    say_visits(true, NULL);
}

static void nameless(void)
{
    name = NULL;
    say_visits(false, NULL);
}

/* What was the first context's certificate too when two clients came, is another one now. */
static void say_renewed(bool looks)
{
    begin();
    lead_all(server, second, looks);
    SSL_SESSION *sessions[] = {made_at(server), made_at(server)};
    end();
    begin();
    use_certificate(second, "another");
    lead_all(server, second, looks);
    say_offered("first", server, sessions[0]);
    say_offered("then", server, sessions[1]);
    end();
}

static void hello_looks_renewed(void)
{
    say_renewed(true);
}

static void nameless_renewed(void)
{
    name = NULL;
    say_renewed(false);
}

/* --- what is changed meanwhile --- */

static void make_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_free(ctx);
}

static void set_same_again(void)
{
    SSL_CTX_set_verify(second, SSL_CTX_get_verify_mode(second),
                       SSL_CTX_get_verify_callback(second));
    SSL_CTX_set_security_level(second, SSL_CTX_get_security_level(second));
}

static void contexts_come_and_go(void)
{
    say_visits(false, make_context);
}

static void same_again(void)
{
    say_visits(false, set_same_again);
}

/* Two clients come back, whose name leads to a context that has been changed. */
static void say_changed(void (*change)(SSL_CTX *))
{
    begin();
    SSL_CTX_set_verify(second, SSL_VERIFY_PEER, NULL);
    lead_all(server, second, false);
    SSL_SESSION *sessions[] = {made_at(server), made_at(server)};
    change(second);
    say_offered("first", server, sessions[0]);
    say_offered("then", server, sessions[1]);
    end();
}

static void replace_store(SSL_CTX *ctx)
{
    X509_STORE *store = X509_STORE_new();
    MUST(store && X509_STORE_add_cert(store, certificate_of("one")));
    SSL_CTX_set_cert_store(ctx, store);
}

static void replace_verify_store(SSL_CTX *ctx)
{
    X509_STORE *store = X509_STORE_new();
    MUST(store && X509_STORE_add_cert(store, certificate_of("one")));
    MUST(SSL_CTX_set0_verify_cert_store(ctx, store));
}

static void raise_level(SSL_CTX *ctx)
{
    SSL_CTX_set_security_level(ctx, 3);
}

/* Of this gosess hears only when a connection is switched to the context. */
static void set_flags(SSL_CTX *ctx)
{
    MUST(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_CRL_CHECK));
    MUST(X509_STORE_set_flags(SSL_CTX_get_cert_store(ctx), X509_V_FLAG_CRL_CHECK));
}

#define CHANGE(what)               \
    static void after_##what(void) \
    {                              \
        say_changed(what);         \
    }

CHANGE(replace_store)
CHANGE(replace_verify_store)
CHANGE(raise_level)
CHANGE(set_flags)

/* --- an SSL that is used again --- */

/* What its first handshake was given says nothing of the second, which resumes by a ticket. */
static void cleared(void)
{
    begin();
    SSL_CTX *other = new_server();
    use_certificate(second, "another");
    lead_all(server, second, false);
    name = NULL;
    SSL_SESSION_free(made_at(server)); /* without a name it leads there too, which is seen now */
    SSL_SESSION *by_id = made_at(server);
    SSL_CTX_set_tlsext_servername_arg(server, other);
    SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_clear_options(second, SSL_OP_NO_TICKET);
    SSL_CTX_clear_options(other, SSL_OP_NO_TICKET);
    name = "ticket.test";
    SSL_SESSION *by_ticket = made_at(server);
    SSL_CTX_set_tlsext_servername_arg(server, second);

    SSL_CTX *client = new_client();
    struct connection connection = open_connection(server, client, by_id, NULL);
    shake_hands(&connection);
    say("first: %s", outcome(&connection));
    SSL *used = connection.server;
    MUST(SSL_up_ref(used));
    close_connection(&connection, CLEAN);
    MUST(SSL_clear(used));
    MUST(SSL_set_SSL_CTX(used, server));
    SSL_CTX_set_tlsext_servername_arg(server, other);
    connection = open_connection(server, client, by_ticket, name);
    SSL_set_bio(used, NULL, NULL);
    BIO_up_ref(SSL_get_rbio(connection.server));
    SSL_set0_rbio(used, SSL_get_rbio(connection.server));
    BIO_up_ref(SSL_get_wbio(connection.server));
    SSL_set0_wbio(used, SSL_get_wbio(connection.server));
    SSL_free(connection.server);
    connection.server = used;
    SSL_set_accept_state(used);
    shake_hands(&connection);
    say("cleared: %s", outcome(&connection));
    close_connection(&connection, CLEAN);
    SSL_SESSION_free(by_id);
    SSL_SESSION_free(by_ticket);
    SSL_CTX_free(client);
    SSL_CTX_free(other);
    end();
}

static const struct scenario scenarios[] = {
    {"protocol-alike", protocol_alike},
    {"protocol-demands", protocol_demands},
    {"protocol-switches", protocol_switches},
    {"protocol-switches-always", protocol_switches_always},
    {"status-demands", status_demands},
    {"status-callback", status_callback},
    {"hello-looks", hello_looks},
    {"hello-looks-renewed", hello_looks_renewed},
    {"nameless", nameless},
    {"nameless-renewed", nameless_renewed},
    {"contexts-come-and-go", contexts_come_and_go},
    {"same-again", same_again},
    {"replace-store", after_replace_store},
    {"replace-verify-store", after_replace_verify_store},
    {"raise-level", after_raise_level},
    {"set-flags", after_set_flags},
    {"cleared", cleared},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
