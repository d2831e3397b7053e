/* copies.c - sessions of clients with certificates, of which a worker keeps live copies. */
#include "../../c/lib/hosts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509.h>

#define SESSION_MAX 8192

static SSL_CTX *new_verifying_server(void)
{
    SSL_CTX *ctx = new_server();
    client_name = "client";
    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate_of(client_name)));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

/* What the server resumed, on one more connection, referenced. */
static SSL_SESSION *resumed_with(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    MUST(strcmp(outcome(&c), "resumed") == 0);
    SSL_SESSION *resumed = SSL_get1_session(c.server);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    return resumed;
}

/* Each connection has an object of its own, of which only the certificate was not decoded again. */
static void objects(void)
{
    SSL_SESSION *session;
    SSL_CTX *ctx = new_verifying_server();
    full(ctx, &session, NULL);
    SSL_SESSION *held[2] = {resumed_with(ctx, session), resumed_with(ctx, session)};
    say("%s, %s", held[0] == held[1] ? "one object" : "two objects",
        SSL_SESSION_get0_peer(held[0]) == SSL_SESSION_get0_peer(held[1]) ? "one certificate"
                                                                         : "two certificates");
    for (int i = 0; i < 2; i++)
        SSL_SESSION_free(held[i]);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static _Atomic long certificates;

static void born(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)data, (void)index, (void)argl, (void)argp;
    certificates++;
}

static void died(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)parent, (void)value, (void)data, (void)index, (void)argl, (void)argp;
    certificates--;
}

/* A client that sends twenty certificates beside its own, which would be kept with it. */
static SSL_CTX *new_client_with_chain(void)
{
    SSL_CTX *client = new_client();
    for (int i = 0; i < 20; i++)
        MUST(SSL_CTX_add1_chain_cert(client, certificate_of("other")) == 1);
    return client;
}

/* How many of them the server has where it resumes. */
static int chain_of_resumed(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    MUST(strcmp(outcome(&c), "resumed") == 0);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(c.server);
    int length = chain ? sk_X509_num(chain) : 0;
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    return length;
}

static void chain_with_mode(long mode)
{
    SSL_CTX *ctx = new_verifying_server(), *client = new_client_with_chain();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, mode);
    long before = certificates;
    const char *first = visit(ctx, client, &session, NULL);
    SSL_CTX_free(client);
    long kept = certificates - before - 1; /* the client's session has the server's */
    say("%s, %ld certificates are left of it, %d come again", first, kept,
        chain_of_resumed(ctx, session));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    say("%ld after the context", certificates - before);
}

/*
 * A chain is not in a session's bytes. Where the host lets libssl keep sessions it is given the
 * chain again, as by libssl, so the object is kept, for as long as the context. Where it does not
 * the session is shared, and no copy of it keeps what the client makes as large as it likes: only
 * one with the certificate, of what was decoded.
 */
static void chain(void)
{
    MUST(CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509, 0, NULL, born, NULL, died) >= 0);
    chain_with_mode(SSL_SESS_CACHE_SERVER);
    chain_with_mode(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
}

/* Two clients with one ticket and different ciphers: each server knows its own. */
static void ciphers(void)
{
    static const char *const names[] = {"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"};
    SSL_CTX *ctx = new_verifying_server(), *client[2];
    SSL_SESSION *session = NULL;
    struct connection c[2];
    for (int i = 0; i < 2; i++) {
        client[i] = new_client();
        MUST(SSL_CTX_set_ciphersuites(client[i], names[i]) == 1);
    }
    MUST(strcmp(visit(ctx, client[0], &session, NULL), "full") == 0);
    for (int i = 0; i < 2; i++) {
        c[i] = open_connection(ctx, client[i], session, NULL);
        SSL_do_handshake(c[i].client); /* the ClientHello, and what answers it */
        SSL_do_handshake(c[i].server);
    }
    for (int i = 0; i < 2; i++) {
        shake_hands(&c[i]);
        say("%s with %s", outcome(&c[i]),
            strcmp(SSL_get_cipher(c[i].server), names[i]) == 0 ? "its own" : "the other's");
    }
    for (int i = 0; i < 2; i++) {
        close_connection(&c[i], CLEAN);
        SSL_CTX_free(client[i]);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* A host that changes the session that it is told of: for a moment, as HAProxy does, or for good.
 */
static bool for_good;

static int change(SSL *ssl, SSL_SESSION *session)
{
    unsigned length;
    unsigned char before[SSL_MAX_SID_CTX_LENGTH];
    const unsigned char *context = SSL_SESSION_get0_id_context(session, &length);
    (void)ssl;
    memcpy(before, context, length);
    MUST(SSL_SESSION_set1_id_context(session, (const unsigned char *)"x", 1) == 1);
    MUST(for_good || SSL_SESSION_set1_id_context(session, before, length) == 1);
    return 0;
}

static void changed(void)
{
    static const char *const how[] = {"for a moment", "for good"};
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx = new_verifying_server();
        SSL_SESSION *session;
        for_good = i == 1;
        SSL_CTX_sess_set_new_cb(ctx, change);
        full(ctx, &session, NULL);
        say("%s: %s", how[i], again(ctx, session, NULL));
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
}

static long resume_many(SSL_CTX *ctx, int sessions, int times)
{
    long before = live_sessions();
    for (int i = 0; i < sessions; i++) {
        SSL_SESSION *session;
        full(ctx, &session, NULL);
        for (int j = 0; j < times; j++)
            MUST(strcmp(again(ctx, session, NULL), "resumed") == 0);
        SSL_SESSION_free(session);
    }
    return live_sessions() - before;
}

/* The store of these tests has room for about 48 of them in each worker. */
static void bounded(void)
{
    live_sessions();
    SSL_CTX *ctx = new_verifying_server();
    long kept = resume_many(ctx, 200, 2);
    say("%s", kept > 20 && kept < 60 ? "some are kept" : kept <= 20 ? "too few" : "too many");
    SSL_CTX_free(ctx);
}

static void references(void)
{
    live_sessions();
    SSL_CTX *ctx = new_verifying_server();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    for (int i = 0; i < 20; i++)
        MUST(strcmp(again(ctx, session, NULL), "resumed") == 0);
    say("removed: %d", SSL_CTX_remove_session(ctx, session));
    SSL_SESSION_free(session);
    say("%ld left", live_sessions());
    SSL_CTX_free(ctx);
}

/* --- another process removes what this one has a copy of --- */

static void send_session(int fd, SSL_SESSION *session)
{
    unsigned char der[SESSION_MAX], *end = der;
    int length = i2d_SSL_SESSION(session, NULL);
    MUST(length > 0 && length <= SESSION_MAX && i2d_SSL_SESSION(session, &end) == length);
    MUST(write(fd, der, (size_t)length) == length);
}

static SSL_SESSION *receive_session(int fd)
{
    unsigned char der[SESSION_MAX];
    const unsigned char *at = der;
    ssize_t length = read(fd, der, sizeof der);
    MUST(length > 0);
    return d2i_SSL_SESSION(NULL, &at, length);
}

static void keeper(SSL_CTX *ctx, int out, int in)
{
    SSL_SESSION *session;
    char removed;
    full(ctx, &session, NULL);
    say("%s", again(ctx, session, NULL));
    say("%s", again(ctx, session, NULL));
    send_session(out, session);
    MUST(read(in, &removed, 1) == 1);
    say("removed elsewhere: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
}

/* A fatal alert ends the session (RFC 5246, section 7.2.2). */
static void remover(SSL_CTX *ctx, int out, int in)
{
    SSL_SESSION *session = receive_session(in);
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    MUST(strcmp(outcome(&c), "resumed") == 0);
    close_connection(&c, ALERT);
    MUST(write(out, "r", 1) == 1);
    SSL_CTX_free(client);
    SSL_SESSION_free(session);
}

static void elsewhere(void)
{
    int there[2], back[2];
    SSL_CTX *ctx = new_verifying_server();
    MUST(pipe(there) == 0 && pipe(back) == 0);
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        MUST(children[i] >= 0);
        if (children[i] > 0)
            continue;
        alarm(60);
        if (i == 0)
            keeper(ctx, there[1], back[0]);
        else
            remover(ctx, back[1], there[0]);
        _exit(0);
    }
    for (int i = 0; i < 2; i++) {
        close(there[i]);
        close(back[i]);
    }
    for (int i = 0; i < 2; i++)
        wait_child(children[i]);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"objects", objects},     {"chain", chain},     {"ciphers", ciphers},
    {"changed", changed},     {"bounded", bounded}, {"references", references},
    {"elsewhere", elsewhere},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
