/*
 * tickets.c - who opens whose tickets, and until when: GOSESS_TICKETS=shared. Two contexts stand
 * for two processes, as libssl gives each a key of its own.
 */
#define _GNU_SOURCE
#include "../lib/sites.h"
#include "ticketdata.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR 3600

/* The clock of libssl and of the C half. */
static time_t shift;

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec + shift;
    return now.tv_sec + shift;
}

static SSL_CTX *new_ticket_server(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

/* What becomes of a ticket of the first at the second, which ends with that, and at its own. */
static void say_shared(const char *what, SSL_CTX *first, const char *first_name, SSL_CTX *second,
                       const char *second_name)
{
    SSL_SESSION *session;
    MUST(strcmp(full(first, &session, first_name), "full") == 0);
    const char *there = again(second, session, second_name);
    say("%s: %s, at its own: %s", what, there, again(first, session, first_name));
    SSL_SESSION_free(session);
    SSL_CTX_free(second);
}

static void bound(void)
{
    SSL_CTX *first = new_ticket_server(), *other = new_ticket_server();
    SSL_CTX *asks = new_ticket_server(), *level = new_ticket_server();
    use_certificate(other, "another");
    SSL_CTX_set_verify(asks, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_security_level(level, 0);
    say_shared("alike", first, NULL, new_ticket_server(), NULL);
    say_shared("another certificate", first, NULL, other, NULL);
    say_shared("asks for a certificate", first, NULL, asks, NULL);
    say_shared("another security level", first, NULL, level, NULL);
    say_shared("the same name", first, "a.test", new_ticket_server(), "A.Test");
    say_shared("another name", first, "a.test", new_ticket_server(), "b.test");
    say_shared("no name, then one", first, NULL, new_ticket_server(), "b.test");
    say_shared("a name, then none", first, "a.test", new_ticket_server(), NULL);
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
    say_shared("knows clients by their keys", identifying, NULL, new_ticket_server(), NULL);
    say_shared("chooses its certificate", choosing, NULL, new_ticket_server(), NULL);
    say_shared("early data", early, NULL, new_ticket_server(), NULL);
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
    say_shared("no id context", first, NULL, new_careless_server(), NULL);
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
    say_shared("the same functions", first, NULL, new_data_server(reads_data), NULL);
    say_shared("another function", first, NULL, new_data_server(believes_data), NULL);
    say_shared("no function", first, NULL, new_ticket_server(), NULL);
    SSL_CTX_free(first);
    first = new_ticket_server();
    say_shared("a function for what has no data", first, NULL, new_data_server(reads_data), NULL);
    SSL_CTX_free(first);
    first = new_data_server(reads_data);
    SSL_CTX *other = new_data_server(believes_data);
    SSL_CTX_set_options(first, SSL_OP_NO_TICKET);
    SSL_CTX_set_options(other, SSL_OP_NO_TICKET);
    say_shared("another function, and no tickets", first, NULL, other, NULL);
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

static int tickets; /* that the client has been given */

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl && session);
    tickets++;
    return 0;
}

/* Each ticket is followed by another; the last ends when the first session does. */
static void chain(void)
{
    SSL_CTX *server = new_ticket_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(server, 4000);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, on_ticket);
    say("%s", visit(server, client, &session, NULL));
    for (shift = 500; shift < 4000; shift += 500) {
        tickets = 0;
        MUST(strcmp(visit(server, client, &session, NULL), "resumed") == 0);
        MUST(tickets == (tls_version == TLS1_3_VERSION));
    }
    shift = 3999;
    say("just before: %s", visit(server, client, &session, NULL));
    shift = 4002;
    say("just after: %s", visit(server, client, &session, NULL));
    say("and then: %s", visit(server, client, &session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Up to TLS 1.2 no longer than two periods, which are of an hour. */
static void two_periods(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(server, 24 * HOUR);
    full(server, &session, NULL);
    shift = 2 * HOUR - 1;
    say("just before: %s", again(server, session, NULL));
    shift = 2 * HOUR + 2;
    say("just after: %s", again(server, session, NULL));
}

/* Tickets of many periods at another context: each as long as it lasts, and no longer. */
static void periods(void)
{
    enum { TICKETS = 60, EACH = HOUR / 2, LASTS = 2 * HOUR - 10 };
    SSL_SESSION *sessions[TICKETS];
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server();
    SSL_CTX_set_timeout(first, LASTS);
    SSL_CTX_set_timeout(second, LASTS);
    int resumed = 0, refused = 0;
    for (int i = 0; i < TICKETS; i++) {
        shift = i * EACH;
        full(first, &sessions[i], NULL);
        for (int old = 0; old <= i; old++) {
            bool good = strcmp(again(second, sessions[old], NULL), "resumed") == 0;
            MUST(good == ((i - old) * EACH <= LASTS));
            resumed += good;
            refused += !good;
        }
    }
    say("%d resumed, %d refused", resumed, refused);
}

/* The secrets cannot be had for a while, as the clock stands where there are none: handshakes are
 * good. */
static void gap(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    shift = -400L * 24 * HOUR; /* what is made there has expired to the store */
    say("%s", full(server, &session, NULL));
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    shift = 0;
    say_shared("later", server, NULL, new_ticket_server(), NULL);
}

/* A context whose timeout is 0 has that of its protocol, of two hours. */
static void no_timeout(void)
{
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(first, 0);
    SSL_CTX_set_timeout(second, 0);
    full(first, &session, NULL);
    shift = 2 * HOUR - 10;
    say("just before: %s, at its own: %s", again(second, session, NULL),
        again(first, session, NULL));
    SSL_SESSION_free(session);
}

/*
 * The secret that a context with a short timeout has had is one for another with a long one: also
 * in a child, which cannot ask for secrets.
 */
static void longer_timeout(void)
{
    SSL_CTX *first = new_ticket_server(), *longer = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(first, 300);
    SSL_CTX_set_timeout(longer, 24 * HOUR);
    full(first, &session, NULL);
    SSL_SESSION_free(session);
    full(longer, &session, NULL);
    shift = 2 * HOUR - 10;
    say("just before: %s", visit_child(longer, &session, NULL));
    SSL_SESSION_free(session);
}

/* What a client is given in a later period is for the same name, which libssl may not know by then.
 */
static void later_names(void)
{
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(first, 2 * HOUR);
    say("%s", visit(first, client, &session, "a.test"));
    shift = HOUR;
    say("%s", visit(first, client, &session, "a.test"));
    say("the same name: %s, another name: %s", again(second, session, "a.test"),
        again(second, session, "b.test"));
    SSL_SESSION_free(session);
}

/* Up to TLS 1.2 a session goes on with its cipher: not where that has been given up. */
static void ciphers(void)
{
    SSL_CTX *first = new_ticket_server(), *alike = new_ticket_server();
    SSL_CTX *given_up = new_ticket_server();
    MUST(SSL_CTX_set_cipher_list(first, "ECDHE-ECDSA-AES128-SHA") == 1);
    MUST(SSL_CTX_set_cipher_list(alike, "ECDHE-ECDSA-AES128-SHA") == 1);
    MUST(SSL_CTX_set_cipher_list(given_up, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
    say_shared("the same ciphers", first, NULL, alike, NULL);
    say_shared("its cipher given up", first, NULL, given_up, NULL);
}

/* The clock is set back by more than a period: there are secrets for that time too. */
static void set_back(void)
{
    SSL_CTX *first = new_ticket_server();
    SSL_SESSION *session;
    shift = 5 * HOUR;
    full(first, &session, NULL);
    SSL_SESSION_free(session);
    shift = 0;
    say_shared("set back", first, NULL, new_ticket_server(), NULL);
    SSL_CTX_free(first);
}

enum { GUESTS = 8 };

static struct guest {
    pthread_t thread;
    SSL_CTX *server;
    SSL_SESSION *session;
} guests[GUESTS];

static void *come(void *argument)
{
    struct guest *guest = argument;
    full(guest->server, &guest->session, NULL);
    return NULL;
}

/*
 * Threads of a process that has done nothing for more than a period seal tickets at once: none has
 * the secret of the time yet, and others open them all.
 */
static void after_a_pause(void)
{
    enum { TIMES = 25 };
    SSL_CTX *server = new_ticket_server(), *other = new_ticket_server();
    int resumed = 0;
    for (int i = 0; i < TIMES; i++, shift += 2 * HOUR) {
        for (int j = 0; j < GUESTS; j++) {
            guests[j].server = server;
            MUST(pthread_create(&guests[j].thread, NULL, come, &guests[j]) == 0);
        }
        for (int j = 0; j < GUESTS; j++) {
            pthread_join(guests[j].thread, NULL);
            resumed += strcmp(again(other, guests[j].session, NULL), "resumed") == 0;
            SSL_SESSION_free(guests[j].session);
        }
    }
    say("%d of %d resumed", resumed, TIMES * GUESTS);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
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
    {"chain", chain},
    {"two-periods", two_periods},
    {"periods", periods},
    {"gap", gap},
    {"no-timeout", no_timeout},
    {"longer-timeout", longer_timeout},
    {"later-names", later_names},
    {"ciphers", ciphers},
    {"set-back", set_back},
    {"after-a-pause", after_a_pause},
    {"child", child},
    {"early-names", early_names},
    {"late-names", late_names},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
