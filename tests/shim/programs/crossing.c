/* crossing.c - threads of the host that are cancelled, or wait for each other, in a call. */
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define CROWD 6    /* more threads than go into Go at once */
#define RELAYED 40 /* calls after which a thread goes in itself */

static SSL_CTX *server;
static SSL_SESSION *known;
static pthread_barrier_t all;

static void resume(int times)
{
    for (int i = 0; i < times; i++)
        MUST(strcmp(again(server, known, NULL), "resumed") == 0);
}

/* Stays, once it has been in. */
static void *stay(void *unused)
{
    (void)unused;
    resume(RELAYED);
    pthread_barrier_wait(&all);
    pthread_barrier_wait(&all);
    return NULL;
}

/* What libssl calls is where a thread may be cancelled next: it is in a pipe of memory. */
static void *be_cancelled(void *connection)
{
    struct connection *c = connection;
    pthread_cancel(pthread_self());
    shake_hands(c);
    return NULL;
}

/* Ends a thread by pthread_cancel that is in its first call, or in its last one before it goes in.
 */
static void cancel_one(void)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, known, NULL);
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, be_cancelled, &c) == 0 && pthread_join(thread, NULL) == 0);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
}

static void cancelled(void)
{
    pthread_t crowd[CROWD];
    server = new_server();
    full(server, &known, NULL);
    MUST(pthread_barrier_init(&all, NULL, CROWD + 1) == 0);
    for (int i = 0; i < CROWD; i++)
        MUST(pthread_create(&crowd[i], NULL, stay, NULL) == 0);
    pthread_barrier_wait(&all);
    for (int i = 0; i < 10; i++)
        cancel_one();
    say("others: %s", again(server, known, NULL));
    pthread_barrier_wait(&all);
    for (int i = 0; i < CROWD; i++)
        pthread_join(crowd[i], NULL);
    SSL_SESSION_free(known);
    SSL_CTX_free(server);
}

/* The first connection of all, which waits for the Go half to be loaded. */
static void cancelled_first(void)
{
    server = new_server();
    cancel_one();
    full(server, &known, NULL);
    say("others: %s", again(server, known, NULL));
    SSL_SESSION_free(known);
    SSL_CTX_free(server);
}

/* --- a lock of the host, which its functions for ex_data of a session take --- */

static pthread_mutex_t hosts;

static void born(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)data, (void)index, (void)argl, (void)argp;
    pthread_mutex_lock(&hosts);
    usleep(20);
    pthread_mutex_unlock(&hosts);
}

static void died(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    born(parent, value, data, index, argl, argp);
}

static void *visit_often(void *unused)
{
    (void)unused;
    resume(300);
    return NULL;
}

static void *remove_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        SSL_SESSION *session;
        full(server, &session, NULL);
        pthread_mutex_lock(&hosts);
        SSL_CTX_remove_session(server, session);
        pthread_mutex_unlock(&hosts);
        SSL_SESSION_free(session);
    }
    return NULL;
}

static void locks(void)
{
    pthread_t crowd[CROWD];
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&hosts, &attributes);
    MUST(CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_SESSION, 0, NULL, born, NULL, died) >= 0);
    server = new_server();
    full(server, &known, NULL);
    for (int i = 0; i < CROWD; i++)
        MUST(pthread_create(&crowd[i], NULL, i % 3 ? visit_often : remove_often, NULL) == 0);
    for (int i = 0; i < CROWD; i++)
        pthread_join(crowd[i], NULL);
    say("nobody waits for ever");
    SSL_SESSION_free(known);
    SSL_CTX_free(server);
}

static const struct scenario scenarios[] = {
    {"cancelled", cancelled},
    {"cancelled-first", cancelled_first},
    {"locks", locks},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
