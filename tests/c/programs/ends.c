/*
 * ends.c - contexts and connections that end while something else is not done with them: a
 * connection that has the last reference, or another thread.
 */
#include "../lib/tls.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECES 4000

static void *pieces[PIECES];

/* What was freed last has another owner from here on, whose it is until the other call. */
static void take_memory(void)
{
    for (int i = 0; i < PIECES; i++) {
        size_t size = 256 + 16 * (size_t)(i % 80);
        MUST((pieces[i] = malloc(size)));
        memset(pieces[i], 0xa5, size);
    }
}

static void give_memory_back(void)
{
    for (int i = 0; i < PIECES; i++)
        free(pieces[i]);
}

/* --- the connection has the last reference --- */

static SSL_CTX *last;

/* The end of a host's own data with a context, for which gosess has heard of the end before. */
static void reuse(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    if (parent == last)
        take_memory();
}

static int lead(SSL *ssl, int *alert, void *ctx)
{
    (void)alert;
    SSL_set_SSL_CTX(ssl, ctx);
    return SSL_TLSEXT_ERR_OK;
}

/*
 * The client resumes a session that may be used once, and goes away before its Finished. The host
 * has renewed the context meanwhile, and the name has led the connection to another one: what
 * libssl still has of the first it gives back before the end of the SSL is heard, since 3.2.
 */
static void last_is_connection(void)
{
    SSL_CTX_free(SSL_CTX_new(TLS_method())); /* gosess has registered its index */
    MUST(SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, reuse) >= 0);
    SSL_CTX *server = new_server(), *second = new_server(), *client = new_client();
    SSL_CTX_set_max_early_data(server, 1024);
    SSL_CTX_set_tlsext_servername_callback(server, lead);
    SSL_CTX_set_tlsext_servername_arg(server, second);
    SSL_SESSION *session = NULL;
    MUST(strcmp(full(server, &session, "a.test"), "full") == 0);
    struct connection c = open_connection(server, client, session, "a.test");
    SSL_do_handshake(c.client);
    SSL_do_handshake(c.server);
    say("%s", SSL_session_reused(c.server) ? "resumed" : "full");
    last = server;
    SSL_CTX_free(server);
    SSL_free(c.server); /* takes memory */
    give_memory_back();
    SSL_free(c.client);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(second);
    say("alive");
}

/* --- another thread --- */

#define CONTEXTS 1000
#define SECONDS 3

static SSL_CTX *ends, *lives;
static _Atomic bool began;
static long pause_ns;

/* The first data that the process keeps with any session: gosess goes through all contexts. */
static void *keep_data(void *session)
{
    static char data[] = "data";
    began = true;
    MUST(SSL_SESSION_set_app_data(session, data));
    return NULL;
}

static void free_while_keeping(void)
{
    SSL_CTX *client = new_client();
    SSL_SESSION *session = NULL;
    pthread_t thread;
    /* A process that serves one connection only is left to libssl, after a few. */
    MUST(strcmp(full(lives, &session, NULL), "full") == 0);
    SSL_SESSION_free(session);
    struct connection c = open_connection(lives, client, NULL, NULL);
    MUST(shake_hands(&c));
    MUST(pthread_create(&thread, NULL, keep_data, SSL_get_session(c.server)) == 0);
    while (!began)
        ;
    nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
    SSL_CTX_free(ends);
    take_memory();
    pthread_join(thread, NULL);
    give_memory_back();
    close_connection(&c, CLEAN);
    SSL_CTX_free(lives);
    SSL_CTX_free(client);
}

/* Of many contexts, the one that ends is looked at last. */
static void data_meanwhile(void)
{
    SSL_CTX *between[CONTEXTS];
    ends = new_server();
    for (int i = 0; i < CONTEXTS; i++)
        between[i] = SSL_CTX_new(TLS_server_method());
    lives = new_server();
    time_t end = time(NULL) + SECONDS;
    for (pause_ns = 0; time(NULL) < end; pause_ns = (pause_ns + 20 * 1000) % (1000 * 1000))
        in_child(free_while_keeping);
    for (int i = 0; i < CONTEXTS; i++)
        SSL_CTX_free(between[i]);
    SSL_CTX_free(ends);
    SSL_CTX_free(lives);
    say("alive");
}

/* --- two threads hold a connection --- */

#define FREED 200

static pthread_barrier_t both;

static void *free_one(void *ssl)
{
    pthread_barrier_wait(&both);
    SSL_free(ssl);
    return NULL;
}

/*
 * A client offers a session that may be used once, without its secret. What its handshake has taken
 * is put back when the server is done with the connection, which two threads are at once.
 */
static void freed_by_two(void)
{
    static const unsigned char no_secret[48] = {1};
    SSL_CTX *server = new_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    int resumed = 0;
    SSL_CTX_set_max_early_data(server, 1024);
    pthread_barrier_init(&both, NULL, 2);
    for (int i = 0; i < FREED; i++) {
        pthread_t other;
        MUST(strcmp(full(server, &session, NULL), "full") == 0);
        SSL_SESSION *wrong = SSL_SESSION_dup(session);
        MUST(wrong && SSL_SESSION_set1_master_key(wrong, no_secret, sizeof no_secret));
        struct connection c = open_connection(server, client, wrong, NULL);
        MUST(!shake_hands(&c));
        MUST(SSL_up_ref(c.server) && pthread_create(&other, NULL, free_one, c.server) == 0);
        free_one(c.server);
        pthread_join(other, NULL);
        SSL_free(c.client);
        SSL_SESSION_free(wrong);
        resumed += strcmp(again(server, session, NULL), "resumed") == 0;
        SSL_SESSION_free(session);
    }
    say("%s", resumed == FREED ? "put back" : resumed == 0 ? "used up" : "some");
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static const struct scenario scenarios[] = {
    {"last-is-connection", last_is_connection},
    {"data-meanwhile", data_meanwhile},
    {"freed-by-two", freed_by_two},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
