/*
 * secrets.c - processes that start at the same moment on an empty store, again and again: what they
 * seal their tickets under. GOSESS_TICKETS=shared; CACHE begins the URL, which goes on with a
 * number.
 */
#define _GNU_SOURCE
#include "api.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES 20
#define ROUNDS 100
#define HOUR 3600
#define ID_SIZE 8 /* of a secret: what a ticket begins with */

#define CALLS 64 /* of time(2) in a handshake, at the most */

enum { NOW, LATER, PERIODS };

static struct {
    pthread_barrier_t start;
    _Atomic int arrived[ROUNDS][PERIODS][CALLS];
    unsigned char ids[ROUNDS][PROCESSES][PERIODS][ID_SIZE];
} * all;

/* The clock of libssl and of the C half: a moment, and later the period after it. */
static time_t now, begun;

static _Atomic int *meeting; /* where processes meet in this handshake; NULL: nowhere */

/* Waits for all others to come as far, for 5 ms: one may have less to do than they. */
static void meet(_Atomic int *arrived)
{
    struct timespec at, end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_nsec += 5000000;
    ++*arrived;
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &at);
    } while (*arrived < PROCESSES &&
             (at.tv_sec - end.tv_sec) * 1000000000 + at.tv_nsec - end.tv_nsec < 0);
}

/* The C half looks at the clock, and then asks for secrets. */
time_t time(time_t *out)
{
    if (meeting)
        meet(meeting++);
    if (out)
        *out = now;
    return now;
}

static void seal(SSL_CTX *ctx, int round, int period, unsigned char id[ID_SIZE])
{
    const unsigned char *ticket;
    size_t size;
    SSL_SESSION *session;
    meeting = all->arrived[round][period];
    MUST(FULL(full(ctx, &session, NULL)));
    MUST(meeting - all->arrived[round][period] <= CALLS);
    meeting = NULL;
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    MUST(ticket && size > ID_SIZE);
    memcpy(id, ticket, ID_SIZE);
    SSL_SESSION_free(session);
}

static void serve(int round, int number)
{
    char url[4096], error[GOSESS_ERROR_SIZE];
    gosess_cache *cache;
    snprintf(url, sizeof url, "%s%d?size=1m", getenv("CACHE"), round);
    now = begun;
    pthread_barrier_wait(&all->start);
    /* On a busy machine the first one may take more than the two seconds that the others wait. */
    while (gosess_cache_open(url, &cache, error, sizeof error) != GOSESS_OK)
        MUST(strstr(error, "has held the lock for"));
    SSL_CTX *ctx = new_server();
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    MUST(gosess_cache_attach(cache, ctx) == GOSESS_OK);
    stats_of(cache); /* so that the Go half has opened it */
    seal(ctx, round, NOW, all->ids[round][number][NOW]);
    now += HOUR;
    seal(ctx, round, LATER, all->ids[round][number][LATER]);
    SSL_CTX_free(ctx);
    gosess_cache_close(cache);
}

/* How many rounds have had one secret for a period, which no other period has. */
static int count_alike(int period)
{
    int alike = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned char *first = all->ids[round][0][period];
        int same = 0;
        for (int i = 0; i < PROCESSES; i++)
            same += memcmp(all->ids[round][i][period], first, ID_SIZE) == 0;
        alike += same == PROCESSES && memcmp(first, all->ids[round][0][!period], ID_SIZE) != 0;
    }
    return alike;
}

static void race(void)
{
    pthread_barrierattr_t shared;
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(all != MAP_FAILED && pthread_barrierattr_init(&shared) == 0 &&
         pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED) == 0 &&
         pthread_barrier_init(&all->start, &shared, PROCESSES) == 0);
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    now = begun = real.tv_sec / HOUR * HOUR + HOUR / 2; /* not near the end of a period */
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        MUST(children[i] >= 0);
        if (children[i] > 0)
            continue;
        alarm(240);
        for (int round = 0; round < ROUNDS; round++)
            serve(round, i);
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++)
        wait_child(children[i]);
    say("one secret in %d rounds, and in the next period in %d", count_alike(NOW),
        count_alike(LATER));
}

static const struct scenario scenarios[] = {
    {"race", race},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
