/* threads.c - many threads, small stacks and ASYNC jobs. */
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/async.h>

#define THREADS_MAX 32

static SSL_CTX *server;
static SSL_SESSION *known;
static _Atomic int resumed, fulls, others;
static int times, mode;

static int from_environment(const char *name, int otherwise)
{
    const char *given = getenv(name);
    return given ? atoi(given) : otherwise;
}

/* With more than gosess lets into Go at once, or not. */
static int thread_count(void)
{
    int count = from_environment("THREADS", 4);
    MUST(count > 0 && count <= THREADS_MAX);
    return count;
}

static void *visitor(void *unused)
{
    (void)unused;
    SSL_CTX *client = new_client();
    for (int i = 0; i < times; i++) {
        struct connection c = open_connection(server, client, known, NULL);
        SSL_set_mode(c.server, mode);
        shake_hands(&c);
        const char *result = outcome(&c);
        if (strcmp(result, "resumed") == 0)
            resumed++;
        else if (strcmp(result, "full") == 0)
            fulls++;
        else
            others++;
        /* The same session broken by one connection would be missed by the others. */
        close_connection(&c, CLEAN);
    }
    SSL_CTX_free(client);
    return NULL;
}

static void run(int rounds, size_t stack)
{
    pthread_t thread[THREADS_MAX];
    int count = thread_count();
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack)
        MUST(pthread_attr_setstacksize(&attributes, stack) == 0);
    for (int i = 0; i < rounds; i++) {
        for (int j = 0; j < count; j++)
            MUST(pthread_create(&thread[j], &attributes, visitor, NULL) == 0);
        for (int j = 0; j < count; j++)
            pthread_join(thread[j], NULL);
    }
    pthread_attr_destroy(&attributes);
}

static void with_threads_of(SSL_CTX *ctx, int rounds, int each, size_t stack, int ssl_mode)
{
    server = ctx;
    times = each;
    mode = ssl_mode;
    full(server, &known, NULL);
    run(rounds, stack);
    say("%d resumed, %d full, %d others", resumed, fulls, others);
    SSL_SESSION_free(known);
    SSL_CTX_free(server);
}

static void with_threads(int rounds, int each, size_t stack, int ssl_mode)
{
    with_threads_of(new_server(), rounds, each, stack, ssl_mode);
}

static int each(void)
{
    return from_environment("TIMES", 500);
}

static void threads(void)
{
    with_threads(1, each(), 0, 0);
}

/* What tickets are sealed with is asked for, derived and used by all of them. */
static void ticket_threads(void)
{
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    with_threads_of(ctx, 1, each(), 0, 0);
}

/* Nobody has loaded the Go half before them. */
static void threads_load(void)
{
    server = new_server();
    times = 20;
    run(1, 0);
    say("%d resumed, %d full, %d others", resumed, fulls, others);
    SSL_CTX_free(server);
}

static void short_threads(void)
{
    with_threads(100, 1, 0, 0);
}

static void small_stacks(void)
{
    with_threads(4, 50, 64 << 10, 0);
}

static void async_threads(void)
{
    with_threads(1, each(), 0, SSL_MODE_ASYNC);
}

/* --- contexts that come and go while others serve --- */

static void *keeper(void *unused)
{
    (void)unused;
    for (int i = 0; i < times; i++) {
        SSL_CTX *own = new_server();
        SSL_CTX_set_verify(own, SSL_VERIFY_PEER, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(own), certificate_of("server"));
        SSL_SESSION *session;
        full(own, &session, NULL);
        const char *result = again(own, session, NULL);
        if (strcmp(result, "resumed") == 0)
            resumed++;
        else
            others++;
        SSL_SESSION_free(session);
        SSL_CTX_free(own);
    }
    return NULL;
}

static void contexts(void)
{
    pthread_t thread[THREADS_MAX];
    int count = thread_count();
    times = each() / 5;
    SSL_CTX_free(new_server()); /* certificates are made by one thread alone */
    for (int i = 0; i < count; i++)
        MUST(pthread_create(&thread[i], NULL, keeper, NULL) == 0);
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    say("%d resumed, %d others", resumed, others);
}

/* --- one ASYNC job --- */

static int in_job_new(SSL *ssl, SSL_SESSION *session)
{
    trace(ASYNC_get_current_job() ? "in-job" : "outside");
    return host_new(ssl, session);
}

static SSL_SESSION *in_job_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    trace(ASYNC_get_current_job() ? "in-job" : "outside");
    return host_get(ssl, id, length, copy);
}

/* The callbacks run on a job's 32 KiB, and find the session all the same. */
static void async_job(void)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_mode(ctx, SSL_MODE_ASYNC);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, in_job_new);
    SSL_CTX_sess_set_get_cb(ctx, in_job_get);
    for (int i = 0; i < 3; i++) {
        const char *result = visit(ctx, client, &session, NULL);
        say("%s: %s", result, host_trace());
    }
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    close_connection(&c, ALERT); /* removal in a job */
    say("then: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"threads", threads},           {"ticket-threads", ticket_threads},
    {"threads-load", threads_load}, {"short-threads", short_threads},
    {"small-stacks", small_stacks}, {"async-threads", async_threads},
    {"contexts", contexts},         {"async-job", async_job},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
