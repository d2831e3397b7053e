/*
 * callbacks.c - a TLS server that registers gosess's three callbacks itself.
 *
 *     ./callbacks PORT CERTIFICATE KEY CACHE-URL
 *
 * Each of them is called from one of the program's own, which has something to say, so that
 * the program decides what is cached. One process; ended by a signal.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <gosess.h>
#include <openssl/err.h>

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    printf("new\n");
    return gosess_new_session_cb(ssl, session);
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    SSL_SESSION *session = gosess_get_session_cb(ssl, id, length, copy);
    printf("get: %s\n", session ? "found" : "not found");
    return session;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    printf("remove\n");
    gosess_remove_session_cb(ctx, session);
}

static SSL_CTX *new_context(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"callbacks", 9) != 1) {
        ERR_print_errors_fp(stderr);
        exit(EXIT_FAILURE);
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET); /* TLS 1.3 tickets are keys of the cache */
    /*
     * Without libssl's own cache: it would answer before the callbacks, and its evictions, which
     * call the remove callback, would remove sessions from a cache that others share.
     */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_get_cb(ctx, on_get);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    return ctx;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0)
        err(EXIT_FAILURE, "port %d", port);
    return fd;
}

static void answer(SSL *ssl)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0 &&
        SSL_write(ssl, text, (int)strlen(text)) > 0)
        SSL_shutdown(ssl); /* else libssl removes the session */
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(EXIT_FAILURE, "usage: callbacks PORT CERTIFICATE KEY CACHE-URL");
    setvbuf(stdout, NULL, _IOLBF, 0);
    gosess_cache *cache;
    char error[GOSESS_ERROR_SIZE];
    /* Before the context is made. Never attached: the callbacks use the cache opened first. */
    if (gosess_cache_open(argv[4], &cache, error, sizeof error) != GOSESS_OK)
        errx(EXIT_FAILURE, "%s", error);
    SSL_CTX *ctx = new_context(argv[2], argv[3]);
    int listener = listen_on(atoi(argv[1]));
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            err(EXIT_FAILURE, "accept");
        SSL *ssl = SSL_new(ctx);
        if (ssl && SSL_set_fd(ssl, fd) == 1)
            answer(ssl);
        SSL_free(ssl);
        ERR_clear_error();
        close(fd);
    }
}
