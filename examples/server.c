/*
 * server.c - a TLS server whose workers share one session cache.
 *
 *     ./server PORT CERTIFICATE KEY CACHE-URL [WORKERS]
 *     ./server 4433 cert.pem key.pem 'shm:?size=64m' 2
 *
 * Answers on 127.0.0.1 with the id of the worker that took the connection. Ended by SIGTERM.
 */
#define _GNU_SOURCE
#include <err.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <gosess.h>
#include <openssl/err.h>

#define WORKERS_MAX 64

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
    (void)signal;
    stopping = 1;
}

static SSL_CTX *new_context(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"server", 6) != 1) {
        ERR_print_errors_fp(stderr);
        exit(EXIT_FAILURE);
    }
    /* A ticket that carries its session is never looked up: make tickets keys of the cache. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* Not blocking: another worker may have taken the connection that poll reported. */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 128) != 0)
        err(EXIT_FAILURE, "port %d", port);
    return fd;
}

static void answer(SSL *ssl)
{
    char request[4096], text[128];
    if (SSL_accept(ssl) != 1 || SSL_read(ssl, request, sizeof request) <= 0)
        return; /* the client's problem: without a shutdown its session is not kept */
    static const char format[] = "HTTP/1.0 200 OK\r\nX-Worker: %d\r\nContent-Length: 0\r\n\r\n";
    int length = snprintf(text, sizeof text, format, (int)getpid());
    if (SSL_write(ssl, text, length) == length)
        SSL_shutdown(ssl);
}

static void serve(SSL_CTX *ctx, int listener, const sigset_t *waiting)
{
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    const struct timeval patience = {.tv_sec = 10};
    while (!stopping) {
        /* Signals come here and nowhere else, so that no connection is cut off. */
        if (ppoll(&ready, 1, NULL, waiting) != 1)
            continue;
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        SSL *ssl = SSL_new(ctx);
        if (ssl && SSL_set_fd(ssl, fd) == 1)
            answer(ssl);
        SSL_free(ssl);
        ERR_clear_error();
        close(fd);
    }
}

/* Where root: after gosess_start, which opens a library and starts threads. */
static void drop_rights(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    if (getuid() == 0 && (!nobody || setgroups(0, NULL) != 0 || setgid(nobody->pw_gid) != 0 ||
                          setuid(nobody->pw_uid) != 0))
        err(EXIT_FAILURE, "become nobody");
}

static pid_t start_worker(SSL_CTX *ctx, int listener, const sigset_t *waiting)
{
    pid_t worker = fork();
    if (worker < 0)
        err(EXIT_FAILURE, "fork");
    if (worker > 0)
        return worker;
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
    int status = gosess_start();
    if (status != GOSESS_OK)
        warnx("serving without a cache: %s", gosess_strerror(status));
    drop_rights();
    serve(ctx, listener, waiting);
    exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    int count = argc == 6 ? atoi(argv[5]) : 2, caught = 0, failed = 0;
    if (argc < 5 || argc > 6 || count < 1 || count > WORKERS_MAX)
        errx(EXIT_FAILURE, "usage: server PORT CERTIFICATE KEY CACHE-URL [WORKERS]");
    gosess_cache *cache;
    char error[GOSESS_ERROR_SIZE];
    /* Before the context is made, of which gosess has to see all, and before the workers are. */
    if (gosess_cache_open(argv[4], &cache, error, sizeof error) != GOSESS_OK)
        errx(EXIT_FAILURE, "%s", error);
    SSL_CTX *ctx = new_context(argv[2], argv[3]);
    int listener = listen_on(atoi(argv[1]));
    if ((failed = gosess_cache_attach(cache, ctx)) != GOSESS_OK)
        errx(EXIT_FAILURE, "attach: %s", gosess_strerror(failed));
    gosess_cache_close(cache); /* the context keeps it */
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGCHLD); /* a worker that ends is the end of the server too */
    sigprocmask(SIG_BLOCK, &ends, &before);
    signal(SIGPIPE, SIG_IGN);
    pid_t workers[WORKERS_MAX];
    for (int i = 0; i < count; i++)
        workers[i] = start_worker(ctx, listener, &before);
    sigwait(&ends, &caught);
    for (int i = 0, status = 0; i < count; i++)
        failed |= kill(workers[i], SIGTERM) != 0 || waitpid(workers[i], &status, 0) < 0 || status;
    SSL_CTX_free(ctx);
    return failed || caught == SIGCHLD ? EXIT_FAILURE : EXIT_SUCCESS;
}
