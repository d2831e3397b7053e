/*
 * times.c - how long sessions live: any timeout that a host sets, on its context or, in its
 * callback, on the session; and sessions that it takes out of the cache and puts back.
 */
#include "../../c/lib/tls.h"

#include <limits.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509.h>

static void say_values(const long *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        SSL_CTX *server = new_server();
        SSL_SESSION *session;
        SSL_CTX_set_timeout(server, values[i]);
        MUST(strcmp(full(server, &session, NULL), "full") == 0);
        say("%ld: %s", values[i], again(server, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(server);
    }
}

static void large(void)
{
    static const long values[] = {300,          2147483647L,  2147483648L,
                                  4294967295L,  4294967296L,  LONG_MAX / 1000,
                                  LONG_MAX / 2, LONG_MAX - 1, LONG_MAX};
    say_values(values, sizeof values / sizeof *values);
}

/* It ends with the second in which the session was made. */
static void zero(void)
{
    static const long values[] = {0};
    say_values(values, 1);
}

/* Over already up to 3.0, and a very long time in 3.5. */
static void negative(void)
{
    static const long values[] = {-1, LONG_MIN};
    say_values(values, sizeof values / sizeof *values);
}

/* --- what the host's callback says of a session is what counts --- */

static long age, timeout;

static int set_times(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_set_time(session, (long)time(NULL) - age);
    SSL_SESSION_set_timeout(session, timeout);
    return 0;
}

static void say_times(long of_context, long made_ago, long of_session)
{
    SSL_CTX *server = new_server();
    SSL_SESSION *session;
    age = made_ago;
    timeout = of_session;
    SSL_CTX_set_timeout(server, of_context);
    SSL_CTX_sess_set_new_cb(server, set_times);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void shortened(void)
{
    say_times(7200, 100, 50);
}

static void prolonged(void)
{
    say_times(50, 100, 7200);
}

/* The host finds by then that its user may stay for no time at all. */
static void ended(void)
{
    say_times(7200, 100, 0);
}

/* --- removed, and added again --- */

static void added_again(void)
{
    SSL_CTX *server = new_server(), *client = new_client();
    SSL_CTX_set_num_tickets(server, 1);
    struct connection c = open_connection(server, client, NULL, NULL);
    MUST(shake_hands(&c));
    SSL_SESSION *session = client_session(&c), *servers = SSL_get1_session(c.server);
    close_connection(&c, CLEAN);
    say("%s", again(server, session, NULL));
    int removed = SSL_CTX_remove_session(server, servers);
    say("removed %d: %s", removed, again(server, session, NULL));
    int added = SSL_CTX_add_session(server, servers);
    say("added %d: %s", added, again(server, session, NULL));
    SSL_SESSION_free(servers);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

/* --- over, by the clock of the host --- */

static int told;

static void count_removal(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
    told++;
}

static void flushed(void)
{
    SSL_CTX *server = new_server();
    SSL_SESSION *session;
    SSL_CTX_sess_set_remove_cb(server, count_removal);
    MUST(strcmp(full(server, &session, NULL), "full") == 0);
    int before = told;
    SSL_CTX_flush_sessions(server, (long)time(NULL) + 100000);
    say("the host is told: %s", told > before ? "yes" : "no");
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* --- machines that share sessions, and whose clocks are apart --- */

static long ahead; /* seconds, of the clock that libssl and gosess's C half look at */
static long tick;  /* what time(2) is behind gettimeofday(2), which libssl looks at from 3.2 on */

time_t time(time_t *now)
{
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    if (now)
        *now = real.tv_sec + ahead - tick;
    return real.tv_sec + ahead - tick;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec real;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &real);
    *now = (struct timeval){.tv_sec = real.tv_sec + ahead, .tv_usec = real.tv_nsec / 1000};
    return 0;
}

#define LIFETIME 300
#define APART 30
#define VISITS 40

static long of_server;

/* What a connection does next it does by this clock. */
static void use_clock(int sends, int version, int type, const void *data, size_t length, SSL *ssl,
                      void *clock)
{
    (void)sends, (void)version, (void)type, (void)data, (void)length, (void)ssl;
    ahead = *(long *)clock;
}

static void give_clock(SSL_CTX *ctx, long *clock)
{
    SSL_CTX_set_msg_callback(ctx, use_clock);
    SSL_CTX_set_msg_callback_arg(ctx, clock);
}

/* To a machine whose clock is so many seconds ahead of the client's. */
static const char *visit_at(long seconds, SSL_CTX *server, SSL_CTX *client, SSL_SESSION **session)
{
    of_server = seconds;
    ahead = 0;
    const char *is = visit(server, client, session, NULL);
    ahead = 0;
    return is;
}

/*
 * The client goes from one machine to the other: none of them takes from the life of its session
 * by how far its clock is behind the other's. With that life the chain of its sessions is over.
 */
static void apart(void)
{
    static long of_client;
    SSL_CTX *server = new_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    int resumed = 0;
    SSL_CTX_set_timeout(server, LIFETIME);
    give_clock(server, &of_server);
    give_clock(client, &of_client);
    time_t made = time(NULL) + APART;
    MUST(strcmp(visit_at(APART, server, client, &session), "full") == 0);
    for (int i = 0; i < VISITS; i++) {
        const char *is = visit_at(i % 2 ? APART : -APART, server, client, &session);
        resumed += strcmp(is, "resumed") == 0;
    }
    say("resumed %d of %d", resumed, VISITS);
    long left = made + LIFETIME - time(NULL);
    say("before the end: %s", visit_at(left - 20, server, client, &session));
    say("after it: %s", visit_at(left + 2, server, client, &session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* In another second, for the part of a tick by which time(2) comes late to it. */
static void apart_by_a_tick(void)
{
    tick = 1;
    apart();
}

/* A clock that was a day ahead is set right: a chain of before does not go on for that day. */
static void clock_set_back(void)
{
    static long of_client;
    SSL_CTX *server = new_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(server, LIFETIME);
    give_clock(server, &of_server);
    give_clock(client, &of_client);
    MUST(strcmp(visit_at(24 * 3600, server, client, &session), "full") == 0);
    say("set back: %s", visit_at(0, server, client, &session));
    say("before the end: %s", visit_at(LIFETIME - 20, server, client, &session));
    say("after it: %s", visit_at(LIFETIME + APART, server, client, &session));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* --- the client's certificate --- */

static X509 *ending_certificate(SSL_CTX *client, time_t ends)
{
    X509 *certificate = X509_dup(certificate_of("client"));
    EVP_PKEY *key = SSL_CTX_get0_privatekey(client);
    MUST(certificate && X509_set_pubkey(certificate, key));
    MUST(ASN1_TIME_set(X509_getm_notAfter(certificate), ends));
    MUST(X509_sign(certificate, key, EVP_sha256()));
    MUST(SSL_CTX_use_certificate(client, certificate) == 1);
    return certificate;
}

/* What becomes of a session before and after that moment. */
static void say_around(time_t ends, SSL_CTX *server, SSL_CTX *client)
{
    SSL_SESSION *session = NULL;
    MUST(strcmp(visit(server, client, &session, NULL), "full") == 0);
    say("valid: %s", visit(server, client, &session, NULL));
    while (time(NULL) <= ends)
        usleep(100 * 1000);
    say("over: %s", visit(server, client, &session, NULL));
    SSL_SESSION_free(session);
}

/* It is over while the session is not. */
static void certificate_over(void)
{
    time_t ends = time(NULL) + 5;
    SSL_CTX *server = new_server(), *client;
    client_name = "client";
    client = new_client();
    X509 *certificate = ending_certificate(client, ends);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(server), certificate));
    say_around(ends, server, client);
    X509_free(certificate);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Of the client, which has signed it itself: it revokes nothing. */
static X509_CRL *ending_list(SSL_CTX *client, time_t ends)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *last = ASN1_TIME_adj(NULL, time(NULL), 0, -3600);
    ASN1_TIME *next = ASN1_TIME_set(NULL, ends);
    MUST(list && last && next && X509_CRL_set_version(list, 1));
    MUST(X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_of("client"))));
    MUST(X509_CRL_set1_lastUpdate(list, last) && X509_CRL_set1_nextUpdate(list, next));
    MUST(X509_CRL_sign(list, SSL_CTX_get0_privatekey(client), EVP_sha256()));
    ASN1_TIME_free(last);
    ASN1_TIME_free(next);
    return list;
}

/* The list of those that are revoked is, while session and certificate are not. */
static void list_over(void)
{
    time_t ends = time(NULL) + 5;
    SSL_CTX *server = new_server(), *client;
    client_name = "client";
    client = new_client();
    X509_STORE *store = SSL_CTX_get_cert_store(server);
    X509_CRL *list = ending_list(client, ends);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    MUST(X509_STORE_add_cert(store, certificate_of("client")) && X509_STORE_add_crl(store, list));
    MUST(X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK));
    say_around(ends, server, client);
    X509_CRL_free(list);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"certificate-over", certificate_over},
    {"list-over", list_over},
    {"large", large},
    {"zero", zero},
    {"negative", negative},
    {"shortened", shortened},
    {"prolonged", prolonged},
    {"ended", ended},
    {"added-again", added_again},
    {"flushed", flushed},
    {"apart", apart},
    {"apart-by-a-tick", apart_by_a_tick},
    {"clock-set-back", clock_set_back},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
