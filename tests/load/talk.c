/* talk.c - what is said on a connection once it is there: see talk.h. */
#define _GNU_SOURCE
#include "talk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    ANSWER_SIZE = 16384,
};

double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The value of a header of the answer, up to the end of its line; NULL where absent. */
static const char *header(const char *answer, const char *name)
{
    const char *end = strstr(answer, "\r\n\r\n");
    const char *found = strcasestr(answer, name);
    return found != NULL && end != NULL && found < end ? found + strlen(name) : NULL;
}

/* Whether the whole answer is there, by its Content-Length. */
static bool complete(const char *answer, size_t size)
{
    const char *end = strstr(answer, "\r\n\r\n");
    const char *length = header(answer, "\r\nContent-Length:");
    if (end == NULL || length == NULL)
        return false;
    return size >= (size_t)(end + 4 - answer) + strtoul(length, NULL, 10);
}

static bool is_good(const char *answer)
{
    if (options.mail != NULL)
        return strncmp(answer, options.mail->bye_answer, strlen(options.mail->bye_answer)) == 0;
    return strncmp(answer, "HTTP/1.", 7) == 0 && strncmp(answer + 8, " 200 ", 5) == 0;
}

/* Reads what a server says first that does not speak HTTP. */
static bool listen_to(struct thread *thread, SSL *ssl)
{
    char greeting[ANSWER_SIZE];
    errno = 0;
    if (SSL_read(ssl, greeting, sizeof(greeting)) > 0)
        return true;
    failed(thread, "greeting", errno);
    return false;
}

/* Sends the request and reads the whole answer. */
static bool ask(struct thread *thread, SSL *ssl, const struct connection *connection)
{
    char request[1024];
    const char *host = options.header     ? options.header
                       : connection->name ? connection->name
                                          : "localhost";
    int size =
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", options.path,
                 host, options.no_shutdown || options.by_length ? "" : "Connection: close\r\n");
    if (size < 0 || (size_t)size >= sizeof(request))
        die("the path is too long");
    if (options.mail != NULL)
        size = snprintf(request, sizeof(request), "%s", options.mail->bye);
    if (SSL_write(ssl, request, size) <= 0) {
        failed(thread, "write", errno);
        return false;
    }

    char answer[ANSWER_SIZE] = "";
    size_t have = 0;
    for (;;) {
        if (have == sizeof(answer) - 1) {
            failed(thread, "the answer is longer than expected", 0);
            return false;
        }
        errno = 0;
        int got = SSL_read(ssl, answer + have, (int)(sizeof(answer) - 1 - have));
        if (got <= 0) {
            if (SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN && have > 0)
                break;
            failed(thread, "read", errno);
            return false;
        }
        have += (size_t)got;
        answer[have] = 0;
        if ((options.no_shutdown || options.by_length) && complete(answer, have))
            break;
    }
    if (!is_good(answer)) {
        fprintf(stderr, "load: answer: %.*s\n", (int)strcspn(answer, "\r\n"), answer);
        failed(thread, "the answer is not a good one", EPROTO);
        return false;
    }
    const char *worker = header(answer, "\r\nX-Worker: ");
    if (worker != NULL)
        remember_worker(thread, worker, strcspn(worker, "\r"));
    return true;
}

/* Reads until a ticket has come, where one is to come. */
static bool await_ticket(struct thread *thread, SSL *ssl, const struct connection *connection)
{
    double end = now_us() + IO_TIMEOUT_SECONDS * 1e6;
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY); /* which returns after each record */
    while (SSL_version(ssl) == TLS1_3_VERSION && connection->tickets == 0) {
        char byte;
        errno = 0;
        int got = SSL_read(ssl, &byte, 1);
        if (got > 0 || SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ || now_us() > end) {
            failed(thread, "ticket", errno);
            return false;
        }
    }
    return true;
}

/*
 * Takes leave of a server that was asked nothing, and reads until it has closed the connection: it
 * has stored the session then, and sent its tickets. How it closes is its own affair.
 */
static bool await_end(struct thread *thread, SSL *ssl)
{
    char bytes[ANSWER_SIZE];
    int got;
    errno = 0;
    SSL_shutdown(ssl);
    shutdown(SSL_get_fd(ssl), SHUT_WR);
    while ((got = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
        ;
    if (SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ)
        return true;
    failed(thread, "end", errno);
    return false;
}

bool exchange(struct thread *thread, SSL *ssl, const struct connection *connection, bool again)
{
    if (options.silent || (again && options.handshake_only))
        return await_ticket(thread, ssl, connection);
    if (options.until_end)
        return await_end(thread, ssl);
    return options.greeting ? listen_to(thread, ssl) : ask(thread, ssl, connection);
}
