/* protocol.c - the corners of TLS where sessions are made and asked for differently. */
#include "../../c/lib/hosts.h"

#include <stdint.h>
#include <string.h>

#include <openssl/err.h>

static void say_twice(SSL_CTX *ctx)
{
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        const char *result = visit(ctx, client, &session, NULL);
        say("%s: %s", result, host_trace());
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static void tickets(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    say_twice(ctx);
}

/* --- early data --- */

static SSL_CTX *new_early_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_max_early_data(ctx, 1024);
    SSL_CTX_set_recv_max_early_data(ctx, 1024);
    return ctx;
}

static void send_early(struct connection *c)
{
    char buffer[64];
    size_t written = 0, length = 0;
    int sent = SSL_write_early_data(c->client, "early", 5, &written);
    int state = SSL_read_early_data(c->server, buffer, sizeof buffer, &length);
    while (state == SSL_READ_EARLY_DATA_SUCCESS)
        state = SSL_read_early_data(c->server, buffer, sizeof buffer, &length);
    ERR_clear_error();
    shake_hands(c);
    say("%s, sent %d, early data %s", outcome(c), sent,
        SSL_get_early_data_status(c->server) == SSL_EARLY_DATA_ACCEPTED ? "taken" : "refused");
    close_connection(c, CLEAN);
}

static void early(uint64_t options, uint64_t cleared)
{
    SSL_CTX *ctx = new_early_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_clear_options(ctx, cleared);
    SSL_CTX_set_options(ctx, options);
    visit(ctx, client, &session, NULL);
    for (int i = 0; i < 2; i++) {
        struct connection c = open_connection(ctx, client, session, NULL);
        send_early(&c);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

/* Gives a connection the server's end of another one, cleared, in the place of its own. */
static void use_again(struct connection *c, SSL *server)
{
    BIO *from = SSL_get_rbio(c->server), *to = SSL_get_wbio(c->server);
    MUST(BIO_up_ref(from) && (from == to || BIO_up_ref(to)));
    MUST(SSL_clear(server) == 1);
    SSL_set_bio(server, from, to);
    SSL_set_accept_state(server);
    SSL_free(c->server);
    c->server = server;
}

/*
 * What an SSL was given to resume the first session is not left for the second (SSL_clear keeps
 * options), which sends early data that must be taken once.
 */
static void clear_between(SSL_CTX *ctx, SSL_SESSION *first, SSL_SESSION *second)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, first, NULL);
    shake_hands(&c);
    say("%s", outcome(&c));
    SSL *server = c.server;
    MUST(SSL_up_ref(server));
    close_connection(&c, CLEAN);
    c = open_connection(ctx, client, second, NULL);
    use_again(&c, server);
    send_early(&c);
    c = open_connection(ctx, client, second, NULL);
    send_early(&c);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_CTX_free(client);
}

static void early_data_cleared(void)
{
    SSL_CTX *ctx = new_early_server();
    SSL_SESSION *first, *second;
    full(ctx, &first, NULL);
    full(ctx, &second, NULL);
    clear_between(ctx, first, second);
    SSL_CTX_free(ctx);
}

/* The first one is the application's own: gosess keeps it under another certificate. */
static void early_data_cleared_own(void)
{
    SSL_CTX *ctx = new_early_server(), *donor = new_early_server();
    SSL_SESSION *first, *second;
    use_certificate(donor, "another");
    SSL_CTX_set_session_cache_mode(donor, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(donor, host_new);
    SSL_CTX_sess_set_get_cb(ctx, host_get);
    host.keeps = true;
    full(donor, &first, NULL);
    full(ctx, &second, NULL);
    clear_between(ctx, first, second);
    say("%s", host_trace());
    SSL_CTX_free(ctx);
    SSL_CTX_free(donor);
    host_forget();
}

/* libssl's anti-replay wants its own cache, which gosess has switched off (L26). */
static void early_data(void)
{
    early(0, 0);
}

static void early_data_no_anti_replay(void)
{
    early(SSL_OP_NO_ANTI_REPLAY, 0);
}

static void early_data_stateless(void)
{
    early(SSL_OP_NO_ANTI_REPLAY, SSL_OP_NO_TICKET);
}

/* --- a second ClientHello asks again (L7) --- */

static void hello_retry(void)
{
    SSL_CTX *ctx = new_server();
    static const int groups[] = {NID_secp384r1};
    MUST(SSL_CTX_ctrl(ctx, SSL_CTRL_SET_GROUPS, 1, (void *)(uintptr_t)groups));
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_get_cb(ctx, host_get);
    say_twice(ctx);
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

static void say_tickets(size_t number)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_CTX_set_num_tickets(ctx, number);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, receive);
    received_count = 0;
    SSL_SESSION *session = NULL;
    visit(ctx, client, &session, NULL);
    SSL_SESSION_free(session);
    int good = 0, made = received_count;
    for (int i = 0; i < made; i++) {
        good += strcmp(again(ctx, received[i], NULL), "resumed") == 0;
        SSL_SESSION_free(received[i]);
    }
    say("%zu wanted, %d received, %d resumed", number, made, good);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static void several_tickets(void)
{
    static const size_t numbers[] = {0, 1, 2, 5};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        say_tickets(numbers[i]);
}

/* --- renegotiation --- */

static void renegotiate(int (*start)(SSL *), const char *what)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    struct connection c = open_connection(ctx, client, NULL, NULL);
    shake_hands(&c);
    const char *first = outcome(&c);
    say("%s: %s", first, host_trace());
    for (int i = 0; i < 2; i++) {
        MUST(start(c.client));
        for (int turn = 0; turn < 10; turn++) {
            SSL_do_handshake(c.client);
            drain(&c);
        }
        MUST(!SSL_renegotiate_pending(c.client));
        const char *result = outcome(&c);
        say("%s %s: %s", what, result, host_trace());
    }
    SSL_SESSION *session = client_session(&c);
    close_connection(&c, CLEAN);
    say("then: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static void renegotiation(void)
{
    renegotiate(SSL_renegotiate, "anew");
    renegotiate(SSL_renegotiate_abbreviated, "abbreviated");
}

/* --- DTLS --- */

static SSL_CTX *new_dtls_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_server_method());
    use_certificate(ctx, "server");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU);
    SSL_CTX_sess_set_new_cb(ctx, host_new);
    return ctx;
}

static SSL_CTX *new_dtls_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU);
    return ctx;
}

static const char *visit_dtls(SSL_CTX *ctx, SSL_CTX *client, SSL_SESSION **session)
{
    struct connection c = open_connection(ctx, client, *session, NULL);
    SSL_set_mtu(c.client, 1400);
    SSL_set_mtu(c.server, 1400);
    shake_hands(&c);
    const char *result = outcome(&c);
    SSL_SESSION_free(*session);
    *session = client_session(&c);
    close_connection(&c, CLEAN);
    return result;
}

static void dtls(void)
{
    SSL_CTX *ctx = new_dtls_server(), *client = new_dtls_client();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++) {
        const char *result = visit_dtls(ctx, client, &session);
        say("%s: %s", result, host_trace());
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

/* --- a cipher that the server has given up --- */

static void say_at_another_cipher(SSL_CTX *ctx, SSL_CTX *client,
                                  const char *(*visits)(SSL_CTX *, SSL_CTX *, SSL_SESSION **))
{
    SSL_SESSION *session = NULL;
    MUST(SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    say("%s", visits(ctx, client, &session));
    say("%s", visits(ctx, client, &session));
    MUST(SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES256-GCM-SHA384"));
    say("another: %s", visits(ctx, client, &session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static const char *visit_tls(SSL_CTX *ctx, SSL_CTX *client, SSL_SESSION **session)
{
    return visit(ctx, client, session, NULL);
}

static void another_cipher(void)
{
    say_at_another_cipher(new_server(), new_client(), visit_tls);
}

static void another_cipher_dtls(void)
{
    say_at_another_cipher(new_dtls_server(), new_dtls_client(), visit_dtls);
}

/* --- client certificates --- */

static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified, (void)store;
    return 1; /* the verdict itself stays in the session */
}

static void client_certificate(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    client_name = "client";
    SSL_CTX *client = new_client();
    client_name = NULL;
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 2; i++) {
        struct connection c = open_connection(ctx, client, session, NULL);
        shake_hands(&c);
        X509 *peer = SSL_get0_peer_certificate(c.server);
        say("%s, the client's certificate is %s, verified %ld", outcome(&c),
            !peer                                           ? "unknown"
            : X509_cmp(peer, certificate_of("client")) == 0 ? "known"
                                                            : "another",
            SSL_get_verify_result(c.server));
        SSL_SESSION_free(session);
        session = client_session(&c);
        close_connection(&c, CLEAN);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"tickets", tickets},
    {"early-data", early_data},
    {"early-data-cleared", early_data_cleared},
    {"early-data-cleared-own", early_data_cleared_own},
    {"early-data-no-anti-replay", early_data_no_anti_replay},
    {"early-data-stateless", early_data_stateless},
    {"hello-retry", hello_retry},
    {"several-tickets", several_tickets},
    {"renegotiation", renegotiation},
    {"dtls", dtls},
    {"another-cipher", another_cipher},
    {"another-cipher-dtls", another_cipher_dtls},
    {"client-certificate", client_certificate},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
