/* tickets.c - who opens whose tickets: GOSESS_TICKETS=shared. Until when, says lasting.c. */
#define _GNU_SOURCE
#include "../lib/sites.h"
#include "../lib/ticketed.h"
#include "ticketdata.h"

static void bound(void)
{
    SSL_CTX *first = new_ticket_server(), *other = new_ticket_server();
    SSL_CTX *asks = new_ticket_server(), *level = new_ticket_server();
    use_certificate(other, "another");
    SSL_CTX_set_verify(asks, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(level, 0);
    say_worth("alike", first, NULL, new_ticket_server(), NULL);
    say_worth("another certificate", first, NULL, other, NULL);
    say_worth("asks for a certificate", first, NULL, asks, NULL);
    say_worth("another security level", first, NULL, level, NULL);
    say_worth("the same name", first, "a.test", new_ticket_server(), "A.Test");
    say_worth("another name", first, "a.test", new_ticket_server(), "b.test");
    say_worth("no name, then one", first, NULL, new_ticket_server(), "b.test");
    say_worth("a name, then none", first, "a.test", new_ticket_server(), NULL);
    SSL_CTX_free(first);
}

static int chooses(SSL *ssl, void *argument)
{
    return ssl && !argument;
}

static int finds_no_key(SSL *ssl, const unsigned char *identity, size_t length,
                        SSL_SESSION **session)
{
    *session = NULL;
    return ssl && identity && length > 0;
}

/* What cannot be known, or must not be shared, is left to the context's own key. */
static void left_alone(void)
{
    SSL_CTX *choosing = new_ticket_server(), *early = new_ticket_server();
    SSL_CTX_set_cert_cb(choosing, chooses, NULL);
    SSL_CTX_set_max_early_data(early, 1000);
    SSL_CTX_set_options(early, SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX *identifying = new_ticket_server();
    SSL_CTX_set_psk_find_session_callback(identifying, finds_no_key);
    say_worth("knows clients by their keys", identifying, NULL, new_ticket_server(), NULL);
    say_worth("chooses its certificate", choosing, NULL, new_ticket_server(), NULL);
    say_worth("early data", early, NULL, new_ticket_server(), NULL);
    SSL_CTX_free(identifying);
    SSL_CTX_free(choosing);
    SSL_CTX_free(early);
}

/* Verifies clients, and has no session id context: libssl fails the handshake of a ticket that
 * opens.
 */
static SSL_CTX *new_careless_server(void)
{
    SSL_CTX *ctx = new_ticket_server();
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"", 0));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}

static void without_id_context(void)
{
    SSL_CTX *first = new_careless_server();
    say_worth("no id context", first, NULL, new_careless_server(), NULL);
    SSL_CTX_free(first);
}

static SSL_CTX *new_data_server(SSL_CTX_decrypt_session_ticket_fn reads)
{
    SSL_CTX *ctx = new_ticket_server();
    MUST(SSL_CTX_set_session_ticket_cb(ctx, puts_data, reads, NULL) == 1);
    return ctx;
}

/* What a host puts into its tickets comes back to the functions that can read it, and to no others.
 */
static void data(void)
{
    SSL_CTX *first = new_data_server(reads_data);
    say_worth("the same functions", first, NULL, new_data_server(reads_data), NULL);
    say_worth("another function", first, NULL, new_data_server(believes_data), NULL);
    say_worth("no function", first, NULL, new_ticket_server(), NULL);
    SSL_CTX_free(first);
    first = new_ticket_server();
    say_worth("a function for what has no data", first, NULL, new_data_server(reads_data), NULL);
    SSL_CTX_free(first);
    first = new_data_server(reads_data);
    SSL_CTX *other = new_data_server(believes_data);
    SSL_CTX_set_options(first, SSL_OP_NO_TICKET);
    SSL_CTX_set_options(other, SSL_OP_NO_TICKET);
    say_worth("another function, and no tickets", first, NULL, other, NULL);
    SSL_CTX_free(first);
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L

static SSL_SESSION *latest; /* that a client was given */

static int on_latest(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl);
    SSL_SESSION_free(latest);
    latest = session;
    return 1;
}

static struct connection open_listening(SSL_CTX *server)
{
    SSL_CTX *client = new_client();
    SSL_CTX_set_post_handshake_auth(client, 1);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, on_latest);
    struct connection connection = open_connection(server, client, NULL, NULL);
    MUST(shake_hands(&connection));
    SSL_CTX_free(client);
    return connection;
}

/* One more ticket, when the handshake has been over for a while. */
static void say_later(const char *what, struct connection *connection, SSL_CTX *server)
{
    MUST(SSL_new_session_ticket(connection->server) == 1);
    MUST(SSL_do_handshake(connection->server) == 1);
    drain(connection);
    SSL_CTX *other = new_ticket_server();
    say("%s: %s, at its own: %s", what, again(other, latest, NULL), again(server, latest, NULL));
    SSL_CTX_free(other);
    close_connection(connection, CLEAN);
}

static int accepts(int good, X509_STORE_CTX *chain)
{
    return chain && (good || !good);
}

/* What comes to be in a session after its handshake: data that no function is said to read, and a
 * certificate that a context does not ask for. */
static void later_tickets(void)
{
    SSL_CTX *server = new_ticket_server();
    struct connection plain = open_listening(server), told = open_listening(server);
    say_later("nothing", &plain, server);
    MUST(SSL_SESSION_set1_ticket_appdata(SSL_get_session(told.server), server_data,
                                         sizeof server_data) == 1);
    say_later("data", &told, server);
    client_name = "client";
    struct connection asked = open_listening(server);
    SSL_set_verify(asked.server, SSL_VERIFY_PEER, accepts);
    MUST(SSL_verify_client_post_handshake(asked.server) == 1);
    MUST(SSL_do_handshake(asked.server) == 1);
    drain(&asked);
    MUST(SSL_get0_peer_certificate(asked.server));
    SSL_set_verify(asked.server, SSL_VERIFY_NONE, NULL);
    say_later("a certificate", &asked, server);
    SSL_SESSION_free(latest);
    SSL_CTX_free(server);
}

#endif

/* Two that are forked from one that has served nothing. */
static void processes(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session = NULL;
    for (int i = 0; i < 3; i++)
        say("%s", visit_child(server, &session, NULL));
}

/* A renewed certificate of a context in use: its older tickets are over. */
static void renewed(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    say("%s", full(server, &session, NULL));
    use_certificate(server, "renewed");
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    say("%s", full(server, &session, NULL));
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* Up to TLS 1.2 a session goes on with its cipher: not where that has been given up. */
static void ciphers(void)
{
    SSL_CTX *first = new_ticket_server(), *alike = new_ticket_server();
    SSL_CTX *given_up = new_ticket_server();
    MUST(SSL_CTX_set_cipher_list(first, "ECDHE-ECDSA-AES128-SHA") == 1);
    MUST(SSL_CTX_set_cipher_list(alike, "ECDHE-ECDSA-AES128-SHA") == 1);
    MUST(SSL_CTX_set_cipher_list(given_up, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
    say_worth("the same ciphers", first, NULL, alike, NULL);
    say_worth("its cipher given up", first, NULL, given_up, NULL);
}

/* A child of a process that has served knows its tickets, and the other way round. */
static void child(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    full(server, &session, NULL);
    say("%s", visit_child(server, &session, NULL));
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
}

/* A server that switches by the name after libssl has looked, and one that has by then. */
static void names(enum moment moment)
{
    SSL_CTX *first = new_ticket_server(), *one = new_ticket_server(), *two = new_ticket_server();
    use_certificate(one, "one");
    use_certificate(two, "two");
    const struct site sites[] = {{"one.test", one}, {"two.test", two}, {NULL, NULL}};
    SSL_SESSION *session;
    use_sites(first, moment, sites);
    full(first, &session, "two.test"); /* what a name leads to is known from then on */
    SSL_SESSION_free(session);
    full(first, &session, "one.test");
    say("%s: own %s, other %s, unknown %s, none %s", moment_names[moment],
        again(first, session, "one.test"), again(first, session, "two.test"),
        again(first, session, "three.test"), again(first, session, NULL));
    SSL_SESSION_free(session);
    use_certificate(one, "renewed");
    full(first, &session, "two.test");
    say("after a change: other %s", again(first, session, "two.test"));
    SSL_SESSION_free(session);
}

static void early_names(void)
{
    names(EARLY);
}

static void late_names(void)
{
    names(LATE);
}

static const struct scenario scenarios[] = {
    {"bound", bound},
    {"left-alone", left_alone},
    {"without-id-context", without_id_context},
    {"data", data},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    {"later-tickets", later_tickets},
#endif
    {"processes", processes},
    {"renewed", renewed},
    {"ciphers", ciphers},
    {"child", child},
    {"early-names", early_names},
    {"late-names", late_names},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
