/* protocol.c - the corners of TLS where sessions are made and asked for differently. */
#include "record.h"

#include <string.h>

#include <openssl/err.h>

static SSL_CTX *of_mode(long mode)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_session_cache_mode(ctx, mode);
    use_callbacks(ctx, ALL);
    return ctx;
}

static const long all_modes[] = {
    SSL_SESS_CACHE_SERVER,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
    SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
};
#define MODES (sizeof all_modes / sizeof *all_modes)

static void end(SSL_CTX *ctx)
{
    say_counters(ctx);
    app.collects = true;
    SSL_CTX_free(ctx);
    say_removed();
    app.collects = false;
}

/* --- several tickets --- */

#define TICKETS_MAX 8
static SSL_SESSION *received[TICKETS_MAX];
static int received_count;

static int receive(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    MUST(received_count < TICKETS_MAX);
    received[received_count++] = SSL_SESSION_dup(session);
    return 0;
}

static void several_tickets(void)
{
    static const size_t numbers[] = {0, 1, 2, 5};
    for (size_t i = 0; i < MODES * 4; i++) {
        part("mode %#lx, %zu tickets", all_modes[i / 4], numbers[i % 4]);
        SSL_CTX *ctx = of_mode(all_modes[i / 4]), *client = new_client();
        SSL_CTX_set_num_tickets(ctx, numbers[i % 4]);
        SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(client, receive);
        received_count = 0;
        meet(ctx, (struct visit){.client = client});
        say("%d received", received_count);
        int made = received_count;
        for (int j = 0; j < made; j++) {
            come_back_and(ctx, received[j], j % 2 ? UNCLEAN : CLEAN);
            come_back(ctx, received[j]);
        }
        while (received_count > 0)
            SSL_SESSION_free(received[--received_count]);
        SSL_CTX_free(client);
        end(ctx);
    }
}

/* --- renegotiation --- */

static int (*renegotiates)(SSL *);

static void twice(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        MUST(renegotiates(c->client));
        for (int turn = 0; turn < 10; turn++) {
            SSL_do_handshake(c->client);
            drain(c);
        }
        MUST(!SSL_renegotiate_pending(c->client));
        say("renegotiated: %s", outcome(c));
    }
}

static void renegotiate(int (*how)(SSL *))
{
    if (tls_version != TLS1_2_VERSION)
        return;
    renegotiates = how;
    for (size_t i = 0; i < MODES; i++) {
        part("mode %#lx", all_modes[i]);
        SSL_CTX *ctx = of_mode(all_modes[i]);
        SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
        SSL_SESSION *session = begin(ctx);
        meet(ctx, (struct visit){.session = &session, .meanwhile = twice});
        come_back(ctx, session);
        SSL_SESSION_free(session);
        end(ctx);
    }
}

static void renegotiating(void)
{
    renegotiate(SSL_renegotiate);
}

static void renegotiating_abbreviated(void)
{
    renegotiate(SSL_renegotiate_abbreviated);
}

/* --- a second ClientHello asks again (L7) --- */

static void hello_retry(void)
{
    for (size_t i = 0; i < MODES * 2; i++) {
        part("mode %#lx, keeping %zu", all_modes[i / 2], i % 2);
        SSL_CTX *ctx = of_mode(all_modes[i / 2]);
        want_another_hello(ctx);
        app.keeping = i % 2 ? KEEPS_REFERENCES : KEEPS_NOTHING;
        app.giving = GIVES;
        SSL_SESSION *session = begin(ctx);
        come_back(ctx, session);
        come_back_and(ctx, session, UNCLEAN);
        SSL_SESSION_free(session);
        end(ctx);
    }
}

/* --- DTLS --- */

static void dtls(void)
{
    if (tls_version != TLS1_2_VERSION)
        return;
    for (size_t i = 0; i < MODES; i++) {
        part("mode %#lx", all_modes[i]);
        SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
        SSL_CTX *client = SSL_CTX_new(DTLS_client_method());
        use_certificate(ctx, "server");
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
        SSL_CTX_set_options(client, SSL_OP_NO_QUERY_MTU);
        SSL_CTX_set_session_cache_mode(ctx, all_modes[i]);
        use_callbacks(ctx, ALL);
        SSL_SESSION *session = NULL;
        for (enum ending how = CLEAN; how <= UNCLEAN; how++) {
            for (int j = 0; j < 2; j++) {
                struct connection c = open_connection(ctx, client, session, NULL);
                SSL_set_mtu(c.client, 1400);
                SSL_set_mtu(c.server, 1400);
                shake_hands(&c);
                say("%s, ending %d", outcome(&c), how);
                SSL_SESSION_free(session);
                session = client_session(&c);
                close_connection(&c, how);
            }
        }
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        end(ctx);
    }
}

/* --- handshakes that fail --- */

static int refuse(int preverified, X509_STORE_CTX *store)
{
    (void)preverified, (void)store;
    return 0;
}

/* The client refuses the server: the session that never was is removed. */
static void refused_server(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER), *client = new_client();
    SSL_CTX_set_verify(client, SSL_VERIFY_PEER, refuse);
    meet(ctx, (struct visit){.client = client});
    SSL_CTX_free(client);
    end(ctx);
}

static void refused_client(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, refuse);
    meet(ctx, (struct visit){.name = NULL});
    client_name = "client";
    meet(ctx, (struct visit){.name = NULL});
    client_name = NULL;
    end(ctx);
}

/* A resumption without the cipher of the session, and one in another version. */
static void another_cipher(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER), *client = new_client();
    SSL_SESSION *session = begin(ctx);
    MUST(SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-CHACHA20-POLY1305"));
    MUST(SSL_CTX_set_ciphersuites(ctx, "TLS_CHACHA20_POLY1305_SHA256"));
    come_back(ctx, session);
    come_back(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    end(ctx);
}

static void another_version(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER), *client = new_client();
    MUST(SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0"));
    MUST(SSL_CTX_set_cipher_list(client, "DEFAULT:@SECLEVEL=0"));
    MUST(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION));
    MUST(SSL_CTX_set_min_proto_version(client, TLS1_VERSION));
    SSL_SESSION *session = begin(ctx);
    MUST(SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION));
    meet(ctx, (struct visit){.session = &session, .client = client});
    meet(ctx, (struct visit){.session = &session, .client = client, .replace = true});
    say_counters(ctx);
    MUST(SSL_CTX_set_max_proto_version(ctx, tls_version));
    meet(ctx, (struct visit){.session = &session, .client = client});
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    end(ctx);
}

/* A connection that ends in the middle of its handshake. */
static void unfinished(void)
{
    for (int steps = 1; steps < 4; steps++) {
        for (int resuming = 0; resuming < 2; resuming++) {
            part("%d steps, resuming %d", steps, resuming);
            SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER), *client = new_client();
            SSL_SESSION *session = begin(ctx);
            struct connection c = open_connection(ctx, client, resuming ? session : NULL, NULL);
            for (int i = 0; i < steps; i++)
                SSL_do_handshake(i % 2 ? c.server : c.client);
            close_connection(&c, UNCLEAN);
            say_counters(ctx);
            come_back(ctx, session);
            SSL_SESSION_free(session);
            SSL_CTX_free(client);
            end(ctx);
        }
    }
}

/* How the application may mark a connection as ended well. */
static void quiet(struct connection *c)
{
    SSL_set_quiet_shutdown(c->server, 1);
    SSL_shutdown(c->server);
}

static void marked(struct connection *c)
{
    SSL_set_shutdown(c->server, SSL_SENT_SHUTDOWN);
}

static void received_only(struct connection *c)
{
    SSL_shutdown(c->client);
    drain(c);
}

static void cleared(struct connection *c)
{
    say("clear: %d", SSL_clear(c->server));
}

static void ways_to_end(void)
{
    static void (*const ways[])(struct connection *) = {quiet, marked, received_only, cleared};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        part("way %zu", i);
        SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER);
        SSL_SESSION *session = begin(ctx);
        meet(ctx, (struct visit){.session = &session, .meanwhile = ways[i], .ending = UNCLEAN});
        come_back(ctx, session);
        SSL_SESSION_free(session);
        end(ctx);
    }
}

/* --- client certificates --- */

static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified, (void)store;
    return 1; /* the verdict itself stays in the session */
}

static void say_client(struct connection *c)
{
    X509 *peer = SSL_get0_peer_certificate(c->server);
    say("the client's certificate is %s, chain of %d, verified %ld",
        !peer                                           ? "unknown"
        : X509_cmp(peer, certificate_of("client")) == 0 ? "known"
                                                        : "another",
        sk_X509_num(SSL_get_peer_cert_chain(c->server)), SSL_get_verify_result(c->server));
}

static void client_certificate(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    client_name = "client";
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++)
        meet(ctx, (struct visit){.session = &session, .replace = true, .meanwhile = say_client});
    client_name = NULL;
    SSL_SESSION_free(session);
    end(ctx);
}

/* A session that was made without the certificate that is wanted now. */
static void without_id_context(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"", 0));
    SSL_SESSION *session = begin(ctx);
    come_back(ctx, session);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
    come_back(ctx, session);
    meet(ctx, (struct visit){.name = NULL});
    SSL_SESSION_free(session);
    ERR_clear_error();
    end(ctx);
}

/* A client resumes its ticket under another client's id and aborts (L15). */
static void ids_beside_tickets(void)
{
    SSL_CTX *ctx = of_mode(SSL_SESS_CACHE_SERVER);
    SSL_SESSION *victim = begin(ctx);
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    SSL_SESSION *other = begin(ctx);
    come_back_and(ctx, other, UNCLEAN);
    come_back(ctx, other);
    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(victim, &length);
    MUST(SSL_SESSION_set1_id(other, id, length));
    come_back_and(ctx, other, UNCLEAN);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    say("the victim");
    come_back(ctx, victim);
    SSL_SESSION_free(victim);
    SSL_SESSION_free(other);
    end(ctx);
}

static const struct scenario scenarios[] = {
    {"several-tickets", several_tickets},
    {"renegotiating", renegotiating},
    {"renegotiating-abbreviated", renegotiating_abbreviated},
    {"hello-retry", hello_retry},
    {"dtls", dtls},
    {"refused-server", refused_server},
    {"refused-client", refused_client},
    {"another-cipher", another_cipher},
    {"another-version", another_version},
    {"unfinished", unfinished},
    {"ways-to-end", ways_to_end},
    {"client-certificate", client_certificate},
    {"without-id-context", without_id_context},
    {"ids-beside-tickets", ids_beside_tickets},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
