/* tls.c - both ends of a connection. */
#include "tls.h"

#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>

int tls_version = TLS1_2_VERSION;
const char *client_name;
_Thread_local long long *server_time;

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Around what is done for the server. */
static long long begin_server(void)
{
    return server_time ? now_ns() : 0;
}

static void end_server(long long begun)
{
    if (server_time)
        *server_time += now_ns() - begun;
}

/* The pair's buffers hold a whole flight, also one with client certificates. */
#define PAIR_SIZE 65536

static void restrict_version(SSL_CTX *ctx)
{
    MUST(ctx);
    MUST(SSL_CTX_set_min_proto_version(ctx, tls_version));
    MUST(SSL_CTX_set_max_proto_version(ctx, tls_version));
}

SSL_CTX *new_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    restrict_version(ctx);
    use_certificate(ctx, "server");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4));
    return ctx;
}

SSL_CTX *new_client(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    restrict_version(ctx);
    if (client_name)
        use_certificate(ctx, client_name);
    return ctx;
}

struct connection open_connection(SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session,
                                  const char *name)
{
    struct connection c = {.client = SSL_new(client)};
    BIO *near, *far;
    long long begun = begin_server();
    c.server = SSL_new(server);
    end_server(begun);
    MUST(c.client && c.server && BIO_new_bio_pair(&near, PAIR_SIZE, &far, PAIR_SIZE));
    SSL_set_bio(c.client, near, near);
    SSL_set_bio(c.server, far, far);
    SSL_set_connect_state(c.client);
    SSL_set_accept_state(c.server);
    char host[64];
    if (name && BIO_snprintf(host, sizeof host, "%s", name) > 0)
        MUST(SSL_set_tlsext_host_name(c.client, host));
    /* A client spends its object at the first use; a copy can be spent each time. */
    SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
    if (copy)
        MUST(SSL_set_session(c.client, copy));
    SSL_SESSION_free(copy);
    return c;
}

/* False where the handshake has failed. */
static bool step(SSL *ssl)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    int error = SSL_get_error(ssl, result);
    return result == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

static void read_all(SSL *ssl)
{
    char buffer[1024];
    ERR_clear_error();
    while (SSL_read(ssl, buffer, sizeof buffer) > 0)
        ;
    ERR_clear_error();
}

void drain(struct connection *c)
{
    read_all(c->client);
    read_all(c->server);
}

bool shake_hands(struct connection *c)
{
    bool good = true;
    /* More turns than any handshake takes. */
    for (int turn = 0; good && turn < 20; turn++) {
        bool client = step(c->client);
        long long begun = begin_server();
        bool server = step(c->server);
        end_server(begun);
        good = client && server;
        if (SSL_is_init_finished(c->client) && SSL_is_init_finished(c->server))
            break;
    }
    c->done = good && SSL_is_init_finished(c->client) && SSL_is_init_finished(c->server);
    if (c->done)
        read_all(c->client); /* the tickets */
    return c->done;
}

SSL_SESSION *client_session(struct connection *c)
{
    SSL_SESSION *session = SSL_get_session(c->client);
    MUST(session);
    session = SSL_SESSION_dup(session);
    MUST(session);
    return session;
}

const char *outcome(struct connection *c)
{
    if (!c->done)
        return "failed";
    MUST(SSL_session_reused(c->client) == SSL_session_reused(c->server));
    return SSL_session_reused(c->server) ? "resumed" : "full";
}

void close_connection(struct connection *c, enum ending ending)
{
    ERR_clear_error();
    if (ending == CLEAN && c->done) {
        SSL_shutdown(c->server);
        SSL_shutdown(c->client);
        drain(c);
    } else if (ending == ALERT) {
        /* Bytes that are no record: the server answers with a fatal alert. */
        static const char garbage[] = "this is no TLS record at all";
        BIO_write(SSL_get_wbio(c->client), garbage, sizeof garbage);
        read_all(c->server);
    }
    SSL_free(c->client);
    long long begun = begin_server();
    SSL_free(c->server);
    end_server(begun);
    ERR_clear_error();
}

const char *meet_once(struct connection *connection, SSL_CTX *client, SSL_SESSION **made)
{
    shake_hands(connection);
    const char *result = outcome(connection);
    if (made)
        MUST(*made = client_session(connection));
    close_connection(connection, CLEAN);
    SSL_CTX_free(client);
    return result;
}

const char *visit(SSL_CTX *server, SSL_CTX *client, SSL_SESSION **session, const char *name)
{
    struct connection c = open_connection(server, client, *session, name);
    if (shake_hands(&c)) {
        SSL_SESSION_free(*session);
        *session = client_session(&c);
    }
    const char *result = outcome(&c);
    close_connection(&c, CLEAN);
    return result;
}

const char *full(SSL_CTX *server, SSL_SESSION **session, const char *name)
{
    SSL_CTX *client = new_client();
    *session = NULL;
    const char *result = visit(server, client, session, name);
    SSL_CTX_free(client);
    return result;
}

const char *again(SSL_CTX *server, SSL_SESSION *session, const char *name)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, session, name);
    shake_hands(&c);
    const char *result = outcome(&c);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    return result;
}

void serve_twice(SSL_CTX *server)
{
    SSL_SESSION *session;
    const char *first = full(server, &session, NULL);
    say("%s, %s", first, again(server, session, NULL));
    SSL_SESSION_free(session);
}

void serve_hundred(SSL_CTX *server)
{
    for (int i = 0; i < 50; i++) {
        SSL_SESSION *own;
        full(server, &own, NULL);
        MUST(strcmp(again(server, own, NULL), "resumed") == 0);
        SSL_SESSION_free(own);
    }
}
