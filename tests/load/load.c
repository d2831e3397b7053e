/*
 * load.c - a TLS client that resumes sessions and counts: see report.c for what.
 *
 * First it makes a pool of sessions by full handshakes (or reads one from a file),
 * then it tries to resume them, and prints one JSON object. It is in C because
 * Go's crypto/tls cannot resume a TLS 1.2 session by its id.
 *
 * Nothing depends on time: every connection sends a request and reads the whole
 * answer. A server stores its session before it answers, and TLS 1.3 tickets come
 * before the answer, so both are there when the answer is. With --handshake-only a
 * connection that resumes ends with its ticket: the server stores before it sends that,
 * and a resumed TLS 1.2 session is not stored again.
 *
 * Each thread owns every THREADS-th session of the pool: no locks.
 */
#define _GNU_SOURCE
#include "pool.h"
#include "report.h"
#include "talk.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *context;
static struct target {
    struct sockaddr_storage address;
    socklen_t size;
} targets[MAX_TARGETS];
static SSL_SESSION **pool;
static double *latencies; /* in microseconds, of every attempt; negative: it failed */
static struct thread threads[MAX_THREADS];
static bool resuming; /* the pool is there */

/* TLS 1.2: once, when a full handshake ends. TLS 1.3: for each ticket. */
static int new_session(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = SSL_get_app_data(ssl);
    SSL_SESSION_free(connection->newest);
    connection->newest = session; /* returning 1 keeps libssl's reference */
    connection->tickets++;
    return 1;
}

/* Counts the ClientHellos sent: two of them say that the server asked for a retry. */
static void on_message(int sent, int version, int type, const void *bytes, size_t size, SSL *ssl,
                       void *argument)
{
    (void)version;
    (void)argument;
    struct connection *connection = SSL_get_app_data(ssl);
    if (sent && type == SSL3_RT_HANDSHAKE && size > 0 &&
        *(const unsigned char *)bytes == SSL3_MT_CLIENT_HELLO && connection != NULL)
        connection->hellos++;
}

static int dial(const struct target *target)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int one = 1;
    struct timeval limit = {.tv_sec = IO_TIMEOUT_SECONDS};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&target->address, target->size) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/*
 * The server shows its certificate: it does not resume. Said to SSL_VERIFY_PEER, this ends the
 * handshake, and the server has stored nothing yet.
 */
static int refuse(X509_STORE_CTX *store, void *argument)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *connection = SSL_get_app_data(ssl);
    (void)argument;
    connection->refused = resuming;
    return !resuming;
}

/*
 * The handshake, with an empty line of early data where the session allows it: a request may begin
 * with that, whether the server takes it early or not at all.
 */
static bool shake_hands(SSL *ssl, const SSL_SESSION *offered)
{
    size_t written;
    if (options.early && offered != NULL && SSL_SESSION_get_max_early_data(offered) > 0 &&
        SSL_write_early_data(ssl, "\r\n", 2, &written) != 1)
        return false;
    return SSL_connect(ssl) == 1;
}

/* What session number of the pool is made and used under: NULL where that is no name. */
static char *name_of(int number, char *buffer, size_t size)
{
    if (options.sni == NULL || options.names == 0)
        return options.sni;
    snprintf(buffer, size, "%d.%s", number % options.names, options.sni);
    return buffer;
}

/*
 * One connection to a target, for session number of the pool, which is offered where it is not
 * NULL. Returns what the pool should hold from now on, owned by the caller: the newest session
 * received, or NULL where none came. *took is the time of the handshake, negative where anything
 * failed.
 */
static SSL_SESSION *run_connection(struct thread *thread, int number, int target,
                                   SSL_SESSION *session, bool *resumed, double *took)
{
    char name[256];
    struct connection connection = {.name = name_of(number, name, sizeof(name))};
    *resumed = false;
    *took = -1;
    ERR_clear_error();
    int fd = dial(&targets[target % options.targets]);
    if (fd < 0) {
        failed(thread, "connect", errno);
        return NULL;
    }
    if (options.mail != NULL && !mail_starttls(options.mail, fd)) {
        failed(thread, "STARTTLS", errno);
        close(fd);
        return NULL;
    }
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
        die("SSL_new: no memory");
    SSL_set_app_data(ssl, &connection);
    if (connection.name != NULL)
        SSL_set_tlsext_host_name(ssl, connection.name);

    /* A copy: libssl marks an offered TLS 1.3 session as used up, in the object. */
    SSL_SESSION *offered = session != NULL ? SSL_SESSION_dup(session) : NULL;
    if (session != NULL && (offered == NULL || SSL_set_session(ssl, offered) != 1))
        die("the session cannot be offered");

    double start = now_us();
    errno = 0;
    bool ok = shake_hands(ssl, offered);
    double end = now_us();
    bool reused = SSL_session_reused(ssl) == 1; /* a renegotiation would be another handshake */
    if (connection.refused) {
        *took = end - start;
        thread->handshakes++;
    } else if (!ok) {
        failed(thread, "handshake", errno);
    } else if (exchange(thread, ssl, &connection, resuming)) {
        *took = end - start;
        *resumed = reused;
        thread->handshakes++;
        thread->resumed += *resumed;
        thread->retries += connection.hellos > 1;
        thread->tickets += connection.tickets;
        thread->early += SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED;
    }

    /* SSL_free would mark the session as bad if no close_notify was sent (L13). */
    if (options.no_shutdown || *took < 0)
        SSL_set_quiet_shutdown(ssl, 1);
    SSL_shutdown(ssl);
    SSL_free(ssl);
    SSL_SESSION_free(offered);
    close(fd);
    ERR_clear_error();
    if (*took < 0) {
        SSL_SESSION_free(connection.newest);
        connection.newest = NULL;
    }
    return connection.newest;
}

static void *fill_pool(void *argument)
{
    struct thread *thread = argument;
    for (int i = thread->number; i < options.sessions; i += options.threads) {
        bool resumed;
        double took;
        pool[i] = run_connection(thread, i, i, NULL, &resumed, &took);
        if (options.attempts == 0)
            latencies[i] = took;
    }
    OPENSSL_thread_stop();
    return NULL;
}

static void *resume_pool(void *argument)
{
    struct thread *thread = argument;
    int owned = (options.sessions - thread->number + options.threads - 1) / options.threads;
    unsigned seed = (unsigned)thread->number;
    for (int i = thread->number, turn = 0; i < options.attempts; i += options.threads, turn++) {
        /* Nothing to offer: more threads than sessions, or the server gave none. */
        SSL_SESSION *nothing = NULL;
        SSL_SESSION **slot = &nothing;
        int number = i, target = i;
        if (owned > 0) {
            number = thread->number + turn % owned * options.threads;
            slot = &pool[number];
            target = number + turn / owned + 1; /* it was made at target number */
        }
        if (options.random)
            target = rand_r(&seed);
        bool fresh = rand_r(&seed) % 100 < options.fresh, resumed;
        thread->fresh += fresh;
        SSL_SESSION *newest =
            run_connection(thread, number, target, fresh ? NULL : *slot, &resumed, &latencies[i]);
        /* A session that was refused stays in the pool, so that a lost session counts
         * each time; TLS 1.3 goes on with the newest ticket, as its clients do. With --once
         * nothing is offered again; with --random the newest one takes its place, as with
         * clients that have no say where they come to. */
        if (options.once || ((resumed || options.random) && newest != NULL)) {
            SSL_SESSION_free(*slot);
            *slot = newest;
        } else {
            SSL_SESSION_free(newest);
        }
    }
    OPENSSL_thread_stop();
    return NULL;
}

static void run_threads(void *(*body)(void *))
{
    for (int i = 0; i < options.threads; i++) {
        threads[i].number = i;
        int error = pthread_create(&threads[i].id, NULL, body, &threads[i]);
        if (error != 0)
            die("pthread_create: %s", strerror(error));
    }
    for (int i = 0; i < options.threads; i++)
        pthread_join(threads[i].id, NULL);
}

static void timed_out(int signal_number)
{
    (void)signal_number;
    static const char text[] = "load: --timeout passed\n";
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
        /* nobody is left to tell */
    }
    _exit(3);
}

static void find_target(const char *text, struct target *target)
{
    char host[256];
    const char *port = strrchr(text, ':');
    snprintf(host, sizeof(host), "%.*s", port ? (int)(port - text) : 0, text);
    port = port ? port + 1 : text;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int error = getaddrinfo(host[0] ? host : options.host, port, &hints, &found);
    if (error != 0)
        die("%s: %s", text, gai_strerror(error));
    memcpy(&target->address, found->ai_addr, found->ai_addrlen);
    target->size = found->ai_addrlen;
    freeaddrinfo(found);
}

static void set_up(void)
{
    for (int i = 0; i < options.targets; i++)
        find_target(options.ports[i], &targets[i]);

    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        die("SSL_CTX_new failed");
    bool newest = strcmp(options.tls, "1.2") != 0, only = strcmp(options.tls, "any") != 0;
    SSL_CTX_set_min_proto_version(context, newest && only ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, newest ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, new_session);
    SSL_CTX_set_msg_callback(context, on_message);
    if (options.resume_only) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(context, refuse, NULL);
    }
    if (options.no_ticket)
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (options.groups != NULL && SSL_CTX_set1_groups_list(context, options.groups) != 1)
        die("--groups %s: not a list of groups", options.groups);
    static char with_what_clients_sign[] = "ECDSA+SHA256:RSA-PSS+SHA256";
    if (options.sigalgs != NULL &&
        (SSL_CTX_set1_sigalgs_list(context, options.sigalgs) != 1 ||
         SSL_CTX_set1_client_sigalgs_list(context, with_what_clients_sign) != 1))
        die("--sigalgs %s: not a list of signature algorithms", options.sigalgs);
    SSL_CTX_set_post_handshake_auth(context, options.cert != NULL);
    if (options.cert != NULL && SSL_CTX_use_certificate_chain_file(context, options.cert) != 1)
        die("--cert %s: not a certificate", options.cert);
    if (options.key != NULL &&
        SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM) != 1)
        die("--key %s: not the key of the certificate", options.key);

    pool = calloc((size_t)options.sessions, sizeof(*pool));
    latencies = calloc((size_t)options.sessions + (size_t)options.attempts, sizeof(*latencies));
    if (pool == NULL || latencies == NULL)
        die("no memory");
}

int main(int argc, char **argv)
{
    options_parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, timed_out);
    alarm((unsigned)options.timeout);
    set_up();

    double start = now_us();
    if (options.load != NULL)
        options.sessions = pool_read(pool, options.sessions, options.load);
    else
        run_threads(fill_pool);
    resuming = true;
    run_threads(resume_pool);
    double elapsed = (now_us() - start) / 1e6;

    if (options.save != NULL)
        pool_write(pool, options.sessions, options.save);
    report(threads, options.threads, latencies,
           options.attempts > 0 ? options.attempts : options.sessions, elapsed);
    for (int i = 0; i < options.sessions; i++)
        SSL_SESSION_free(pool[i]);
    free(pool);
    free(latencies);
    SSL_CTX_free(context);
    return fflush(stdout) == 0 ? 0 : 2;
}
