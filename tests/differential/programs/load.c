/*
 * load.c - many TLS 1.2 resumptions over memory, by threads that share a context.
 *
 *     load soak TIMES THREADS    whether anything of them stays
 *     load bench MS THREADS      how many there are in that time, those not resumed, and the
 *                                nanoseconds that libssl took for the server
 */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SESSIONS 64 /* of each thread, in turns */

static SSL_CTX *server;
static atomic_long left;   /* resumptions that are still to be made */
static atomic_bool over;   /* the time is */
static atomic_long others; /* handshakes that were not resumed */
static atomic_llong spent; /* nanoseconds, for the server */

static long resume(SSL_CTX *client, SSL_SESSION *session)
{
    struct connection c = open_connection(server, client, session, NULL);
    shake_hands(&c);
    bool resumed = strcmp(outcome(&c), "resumed") == 0;
    close_connection(&c, CLEAN);
    if (!resumed)
        atomic_fetch_add(&others, 1);
    return 1;
}

static void *visitor(void *unused)
{
    SSL_CTX *client = new_client();
    SSL_SESSION *sessions[SESSIONS];
    long done = 0;
    (void)unused;
    for (int i = 0; i < SESSIONS; i++) {
        sessions[i] = NULL;
        visit(server, client, &sessions[i], NULL);
    }
    long long nanoseconds = 0;
    server_time = &nanoseconds;
    while (!atomic_load(&over) && atomic_fetch_sub(&left, 1) > 0)
        done += resume(client, sessions[done % SESSIONS]);
    server_time = NULL;
    atomic_fetch_add(&spent, nanoseconds);
    for (int i = 0; i < SESSIONS; i++) {
        SSL_CTX_remove_session(server, sessions[i]);
        SSL_SESSION_free(sessions[i]);
    }
    SSL_CTX_free(client);
    return (void *)done;
}

#define THREADS_MAX 16

static long run(long threads, long times, long ms)
{
    pthread_t thread[THREADS_MAX];
    struct timespec end = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    long done = 0;
    atomic_store(&left, times);
    atomic_store(&over, false);
    for (long i = 0; i < threads; i++)
        MUST(pthread_create(&thread[i], NULL, visitor, NULL) == 0);
    if (ms > 0) {
        while (nanosleep(&end, &end) != 0)
            ;
        atomic_store(&over, true);
    }
    for (long i = 0; i < threads; i++) {
        void *result;
        MUST(pthread_join(thread[i], &result) == 0);
        done += (long)result;
    }
    return done;
}

static long resident_kib(void)
{
    char line[256];
    long found = -1;
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status);
    while (found < 0 && fgets(line, sizeof line, status))
        sscanf(line, "VmRSS: %ld", &found);
    fclose(status);
    return found;
}

/*
 * A lost session is 600 bytes or more, and the Go half's collector lets its memory breathe. What
 * gosess keeps of a kind of sessions it has once there was one.
 */
static void soak(long threads, long times)
{
    run(threads, times / 10, 0);
    long before = live_sessions(), resident = resident_kib();
    run(threads, times, 0);
    long grown = resident_kib() - resident;
    fprintf(stderr, "resident: %ld KiB, then %ld KiB more\n", resident, grown);
    say("%ld not resumed", atomic_load(&others));
    say("%ld more sessions, %ld in the cache", live_sessions() - before,
        SSL_CTX_sess_number(server));
    say("memory %s", grown < 4096 + times / 100 ? "flat" : "grown");
}

int main(int argc, char **argv)
{
    MUST(argc == 4);
    long amount = atol(argv[2]), threads = atol(argv[3]);
    MUST(threads > 0 && threads <= THREADS_MAX && amount > 0);
    live_sessions();
    server = new_server();
    if (strcmp(argv[1], "soak") == 0) {
        soak(threads, amount);
    } else {
        long done = run(threads, 1L << 62, amount);
        say("%ld %ld %lld", done, atomic_load(&others), atomic_load(&spent));
    }
    SSL_CTX_free(server);
    return EXIT_SUCCESS;
}
