/* tls.c - both ends of a TLS connection in memory. */
#include "tls.h"

static SSL_CTX *restricted(SSL_CTX *ctx, int version)
{
    if (ctx && SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
        SSL_CTX_set_max_proto_version(ctx, version) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

SSL_CTX *new_client(int version)
{
    return restricted(SSL_CTX_new(TLS_client_method()), version);
}

SSL_CTX *new_server(int version, const char *certificate, const char *key)
{
    SSL_CTX *ctx = restricted(SSL_CTX_new(TLS_server_method()), version);
    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"cgo", 3) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static bool shake_hands(SSL *client, SSL *server)
{
    char byte;
    for (int turn = 0; turn < 20; turn++) { /* more than any handshake takes */
        bool done = SSL_do_handshake(client) == 1 && SSL_do_handshake(server) == 1;
        ERR_clear_error();
        if (done) {
            SSL_read(client, &byte, 1); /* the tickets of TLS 1.3 */
            ERR_clear_error();
            return true;
        }
        SSL_do_handshake(server);
        ERR_clear_error();
    }
    return false;
}

enum outcome connect_both(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION **session)
{
    enum outcome outcome = FAILED;
    SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);
    BIO *near = NULL, *far = NULL;
    if (client && server && BIO_new_bio_pair(&near, 65536, &far, 65536) == 1) {
        SSL_set_bio(client, near, near);
        SSL_set_bio(server, far, far);
        SSL_set_connect_state(client);
        SSL_set_accept_state(server);
        if (*session)
            SSL_set_session(client, *session);
        if (shake_hands(client, server)) {
            outcome = SSL_session_reused(server) ? RESUMED : FULL;
            SSL_SESSION_free(*session);
            *session = SSL_get1_session(client);
        }
        SSL_shutdown(server);
        SSL_shutdown(client);
    }
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    return outcome;
}
