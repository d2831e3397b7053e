/*
 * gap.c - what a call into the Go half costs after the process was elsewhere for a while.
 *
 *     gap start                 the microseconds that gosess_start took
 *     gap miss                  the nanoseconds of a get callback that misses, one after the other
 *     gap spin|sleep MS GAP...  for each gap, in microseconds, to each of which MS are given, a
 *                               line "GAP CALL MISS HIT DECODE": medians in nanoseconds
 *
 * CALL is one that does next to nothing in Go: SSL_CTX_flush_sessions of a shared store, which
 * drops what has expired by itself. MISS and HIT are the get callback within a TLS 1.2
 * handshake, as libssl calls it; DECODE is one in C that only decodes the session, for
 * comparison: what every cache of bytes has to do.
 */
#define _GNU_SOURCE
#include "../../../include/gosess.h"
#include "../../c/lib/tls.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALLS_MAX = 20000, CALLS_MIN = 50 };

static long long took[CALLS_MAX];
static int count;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static unsigned char encoded[4096];
static long encoded_size;
static bool only_decode;

static int keep(SSL *ssl, SSL_SESSION *session)
{
    unsigned char *end = encoded;
    MUST(i2d_SSL_SESSION(session, NULL) <= (int)sizeof(encoded));
    if (encoded_size == 0)
        encoded_size = i2d_SSL_SESSION(session, &end);
    return gosess_new_session_cb(ssl, session);
}

static SSL_SESSION *timed_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    const unsigned char *bytes = encoded;
    SSL_SESSION *session;
    long long begun = now();
    if (only_decode) {
        session = d2i_SSL_SESSION(NULL, &bytes, encoded_size);
        *copy = 0;
    } else {
        session = gosess_get_session_cb(ssl, id, length, copy);
    }
    took[count++] = now() - begun;
    return session;
}

static int by_value(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static long long median(void)
{
    qsort(took, (size_t)count, sizeof(took[0]), by_value);
    return took[count / 2];
}

static void pass(bool spin, long long gap)
{
    long long end = now() + gap;
    struct timespec t = {.tv_sec = gap / 1000000000, .tv_nsec = gap % 1000000000};
    if (!spin && gap > 0)
        nanosleep(&t, NULL);
    while (now() < end)
        ;
}

/* The median of the lookups of connections that offer this session, after gaps, for ms. */
static long long lookups(SSL_CTX *server, SSL_CTX *client, SSL_SESSION *session,
                         const char *expected, bool spin, long long gap, long ms)
{
    long long end = now() + ms * 1000000LL;
    for (count = 0; count < CALLS_MAX && (count < CALLS_MIN || now() < end);) {
        pass(spin, gap);
        struct connection c = open_connection(server, client, session, NULL);
        shake_hands(&c);
        MUST(strcmp(outcome(&c), expected) == 0);
        close_connection(&c, CLEAN);
    }
    return median();
}

static long long calls(SSL_CTX *attached, bool spin, long long gap, long ms)
{
    long long end = now() + ms * 1000000LL;
    long today = (long)time(NULL);
    for (count = 0; count < CALLS_MAX && (count < CALLS_MIN || now() < end);) {
        pass(spin, gap);
        long long begun = now();
        SSL_CTX_flush_sessions(attached, today);
        took[count++] = now() - begun;
    }
    return median();
}

static void measure(int argc, char **argv, SSL_CTX *attached, SSL_CTX *server)
{
    SSL_CTX *client = new_client(), *elsewhere = new_server();
    SSL_SESSION *known, *unknown;
    MUST(strcmp(full(server, &known, NULL), "full") == 0);
    MUST(strcmp(full(elsewhere, &unknown, NULL), "full") == 0);
    bool spin = strcmp(argv[1], "spin") == 0;
    long ms = atol(argv[2]) / 4;
    for (int i = 3; i < argc; i++) {
        long long gap = atol(argv[i]) * 1000LL;
        long long call = calls(attached, spin, gap, ms);
        long long miss = lookups(server, client, unknown, "full", spin, gap, ms);
        long long hit = lookups(server, client, known, "resumed", spin, gap, ms);
        only_decode = true;
        long long decode = lookups(server, client, known, "resumed", spin, gap, ms);
        only_decode = false;
        say("%s %lld %lld %lld %lld", argv[i], call, miss, hit, decode);
    }
    SSL_SESSION_free(known);
    SSL_SESSION_free(unknown);
    SSL_CTX_free(client);
    SSL_CTX_free(elsewhere);
}

static SSL_SESSION *miss_often(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    unsigned char other[SSL_MAX_SSL_SESSION_ID_LENGTH];
    memcpy(other, id, (size_t)length);
    for (count = 0; count < CALLS_MAX;) {
        memcpy(other, &count, sizeof count);
        long long begun = now();
        MUST(!gosess_get_session_cb(ssl, other, length, copy));
        took[count++] = now() - begun;
    }
    return NULL;
}

/* All in one handshake: nothing but the lookups is done meanwhile. */
static void measure_misses(SSL_CTX *server)
{
    SSL_CTX *client = new_client(), *elsewhere = new_server();
    SSL_SESSION *known, *unknown;
    MUST(strcmp(full(server, &known, NULL), "full") == 0);
    MUST(strcmp(full(elsewhere, &unknown, NULL), "full") == 0);
    SSL_CTX_sess_set_get_cb(server, miss_often);
    struct connection c = open_connection(server, client, unknown, NULL);
    shake_hands(&c);
    MUST(strcmp(outcome(&c), "full") == 0);
    close_connection(&c, CLEAN);
    say("%lld", median());
    SSL_SESSION_free(known);
    SSL_SESSION_free(unknown);
    SSL_CTX_free(client);
    SSL_CTX_free(elsewhere);
}

int main(int argc, char **argv)
{
    gosess_cache *cache;
    bool start = argc == 2 && strcmp(argv[1], "start") == 0;
    bool miss = argc == 2 && strcmp(argv[1], "miss") == 0;
    MUST(start || miss || argc > 3);
    MUST(gosess_cache_open("shm:?size=10m", &cache, NULL, 0) == GOSESS_OK);
    SSL_CTX *server = new_server(), *attached = new_server();
    MUST(gosess_cache_attach(cache, attached) == GOSESS_OK);
    if (start) {
        long long begun = now();
        MUST(gosess_start() == GOSESS_OK);
        say("%.1f", (double)(now() - begun) / 1e3);
        return EXIT_SUCCESS;
    }
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(server, keep);
    SSL_CTX_sess_set_get_cb(server, timed_get);
    if (miss)
        measure_misses(server);
    else
        measure(argc, argv, attached, server);
    SSL_CTX_free(server);
    SSL_CTX_free(attached);
    gosess_cache_close(cache);
    return EXIT_SUCCESS;
}
