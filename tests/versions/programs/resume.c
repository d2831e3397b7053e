/*
 * resume.c - what a server sees that resumes sessions, in one process and over two workers.
 *
 *     resume CERTIFICATE KEY
 *
 * Client and server speak over memory. Prints the libssl that it runs with, and then a line
 * per version of TLS and scenario, without anything that changes from run to run: a test
 * compares the lines with those of other versions of libssl, and with gosess preloaded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <gnu/libc-version.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *certificate, *key;

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "resume: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* --- the application callbacks of the server: they count, and keep nothing --- */

static struct {
    int stored, asked, removed;
} calls;

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    calls.stored++;
    return 0;
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length;
    if (*copy != 1)
        die("*copy is not 1 on entry");
    calls.asked++;
    return NULL;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx, (void)session;
    calls.removed++;
}

/* --- client and server --- */

static SSL_SESSION *received; /* the last session that the client got */

static int on_received(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(received);
    received = session;
    return 1;
}

static SSL_CTX *new_server(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, version) ||
        !SSL_CTX_set_max_proto_version(ctx, version) ||
        SSL_CTX_use_certificate_file(ctx, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        !SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"resume", 6) ||
        !SSL_CTX_set_num_tickets(ctx, 1))
        die("a server's context");
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return ctx;
}

static SSL_CTX *new_client(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx || !SSL_CTX_set_max_proto_version(ctx, version))
        die("a client's context");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_received);
    return ctx;
}

static bool step(SSL *ssl)
{
    int result = SSL_do_handshake(ssl);
    if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
        die("handshake");
    return result == 1;
}

/* One connection, in which the client offers a session or NULL; whether it was resumed. */
static bool connection(SSL_CTX *server_ctx, SSL_CTX *client_ctx, SSL_SESSION *offered, bool forget)
{
    SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
    BIO *left, *right;
    if (!server || !client || !BIO_new_bio_pair(&left, 0, &right, 0))
        die("a connection");
    SSL_set_bio(server, left, left);
    SSL_set_bio(client, right, right);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    if (offered && !SSL_set_session(client, offered))
        die("the session to offer");

    bool server_done = false, client_done = false;
    for (int round = 0; !server_done || !client_done; round++) {
        if (round == 20)
            die("the handshake does not end");
        client_done = step(client);
        server_done = step(server);
    }
    char byte;
    if (SSL_read(client, &byte, 1) > 0) /* takes the tickets of TLS 1.3 */
        die("data that nobody has sent");
    bool reused = SSL_session_reused(server);
    if (reused != (bool)SSL_session_reused(client))
        die("client and server do not agree");
    if (forget && !SSL_CTX_remove_session(server_ctx, SSL_get_session(server)))
        ERR_clear_error(); /* it was not in libssl's own cache */
    SSL_shutdown(client);
    SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
    return reused;
}

/* --- scenarios in one process --- */

static void internal(SSL_CTX *ctx)
{
    (void)ctx;
}

static void external(SSL_CTX *ctx)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
}

static void callbacks(SSL_CTX *ctx)
{
    external(ctx);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_get_cb(ctx, on_get);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
}

static void off(SSL_CTX *ctx)
{
    callbacks(ctx);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
}

static void stateless(SSL_CTX *ctx)
{
    callbacks(ctx);
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
}

/* The client's first key share is of another group: TLS 1.3 asks for its hello again. */
static void retry(SSL_CTX *ctx)
{
    callbacks(ctx);
    int group = NID_secp384r1;
    if (!SSL_CTX_set1_groups(ctx, &group, 1))
        die("groups");
}

static void stranger(SSL_CTX *ctx)
{
    callbacks(ctx);
    if (!SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"other", 5))
        die("session id context");
}

static const struct scenario {
    const char *name;
    void (*first)(SSL_CTX *);
    void (*second)(SSL_CTX *); /* of the context that resumes; NULL: it is the same context */
    bool forget;               /* the server removes the session before it is offered */
} scenarios[] = {
    {"internal", internal, NULL, false},      {"external", external, NULL, false},
    {"callbacks", callbacks, NULL, false},    {"off", off, NULL, false},
    {"stateless", stateless, NULL, false},    {"retry", retry, NULL, false},
    {"removed", callbacks, NULL, true},       {"removed internal", internal, NULL, true},
    {"two", callbacks, callbacks, false},     {"two internal", internal, internal, false},
    {"stranger", callbacks, stranger, false},
};

static void play(const struct scenario *s, const char *name, int version)
{
    SSL_CTX *client = new_client(version), *first = new_server(version);
    s->first(first);
    SSL_CTX *second = first;
    if (s->second) {
        second = new_server(version);
        s->second(second);
    }
    memset(&calls, 0, sizeof calls);
    if (connection(first, client, NULL, s->forget))
        die("resumed nothing");
    SSL_SESSION *offered = received;
    received = NULL;
    bool reused = connection(second, client, offered, false);

    printf("%s %s: resumed=%d mode=%#lx getters=%d,%d,%d calls=%d,%d,%d accepted=%ld hits=%ld\n",
           name, s->name, reused, SSL_CTX_get_session_cache_mode(second),
           SSL_CTX_sess_get_new_cb(second) == on_new, SSL_CTX_sess_get_get_cb(second) == on_get,
           SSL_CTX_sess_get_remove_cb(second) == on_remove, calls.stored, calls.asked,
           calls.removed, SSL_CTX_sess_accept_good(second), SSL_CTX_sess_hits(second));
    SSL_SESSION_free(offered);
    SSL_SESSION_free(received);
    received = NULL;
    SSL_CTX_free(client);
    SSL_CTX_free(first);
    if (second != first)
        SSL_CTX_free(second);
}

/* --- workers --- */

static unsigned char der[16384]; /* a session, on its way from one worker to the next */
static long der_length;

/*
 * A worker of this process: makes one connection, in which the client offers the session of
 * der, if any, and leaves its new session there.
 */
static int worker(SSL_CTX *server, SSL_CTX *client)
{
    int pipes[2];
    fflush(stdout);
    if (pipe(pipes) != 0)
        die("pipe");
    pid_t pid = fork();
    if (pid == 0) {
        const unsigned char *from = der;
        SSL_SESSION *offered = der_length ? d2i_SSL_SESSION(NULL, &from, der_length) : NULL;
        if (der_length && !offered)
            die("d2i");
        bool reused = connection(server, client, offered, false);
        /* A resumption of TLS 1.2 brings no new session. */
        SSL_SESSION *last = received ? received : offered;
        unsigned char *to = der;
        der_length = i2d_SSL_SESSION(last, NULL);
        if (der_length <= 0 || der_length > (long)sizeof der || i2d_SSL_SESSION(last, &to) <= 0 ||
            write(pipes[1], der, der_length) != der_length)
            die("i2d");
        _exit(reused);
    }
    close(pipes[1]);
    der_length = 0;
    ssize_t got;
    while ((got = read(pipes[0], der + der_length, sizeof der - der_length)) > 0)
        der_length += got;
    close(pipes[0]);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || der_length == 0)
        die("a worker");
    return WEXITSTATUS(status);
}

static void play_workers(const char *name, int version, const char *when)
{
    SSL_CTX *server = new_server(version), *client = new_client(version);
    external(server);
    der_length = 0;
    int first = worker(server, client), second = worker(server, client),
        third = worker(server, client);
    printf("%s workers %s: resumed=%d,%d,%d\n", name, when, first, second, third);
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}

static void print_core(void)
{
    char line[4096];
    bool mapped = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        mapped = mapped || strstr(line, "libgosess-core");
    if (!maps || fclose(maps) != 0)
        die("/proc/self/maps");
    printf("core=%d\n", mapped);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int version;
    } versions[] = {{"TLSv1.2", TLS1_2_VERSION}, {"TLSv1.3", TLS1_3_VERSION}};
    if (argc != 3)
        return 2;
    certificate = argv[1], key = argv[2];
    printf("%s, glibc %s\n", OpenSSL_version(OPENSSL_VERSION), gnu_get_libc_version());
    for (int i = 0; i < 2; i++)
        play_workers(versions[i].name, versions[i].version, "early");
    print_core();
    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof scenarios / sizeof *scenarios; j++)
            play(&scenarios[j], versions[i].name, versions[i].version);
    }
    print_core();
    /* This process serves by now: a Go half in it does not survive fork. */
    for (int i = 0; i < 2; i++)
        play_workers(versions[i].name, versions[i].version, "late");
    return 0;
}
