/*
 * costs.c - what a fleet costs a worker, beside one whose store is alone, in turns. STORE_A is that
 * of a fleet, whose agent answers; STORE_B is alone.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "machines.h"

static double thread_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *one, const void *other)
{
    double x = *(const double *)one, y = *(const double *)other;
    return (x > y) - (x < y);
}

#define ROUNDS 100

/* What one call costs, at the fleet's store and at the other. */
struct costs {
    double fleet[ROUNDS], alone[ROUNDS];
};

static void measure(struct costs *costs, void (*work)(SSL_CTX *ctx, SSL_SESSION *session),
                    SSL_SESSION *at_a, SSL_SESSION *at_b, int calls)
{
    for (int round = 0; round < 2 * ROUNDS; round++) {
        bool fleet = round % 2 == 0;
        double begun = thread_ns();
        for (int i = 0; i < calls; i++)
            work(fleet ? a.ctx : b.ctx, fleet ? at_a : at_b);
        (fleet ? costs->fleet : costs->alone)[round / 2] = (thread_ns() - begun) / calls;
    }
    qsort(costs->fleet, ROUNDS, sizeof(double), compare);
    qsort(costs->alone, ROUNDS, sizeof(double), compare);
}

static void resume(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(RESUMED(again(ctx, session, "one.test")));
}

/* A removal of what nobody has is a miss, near and far, and nothing else. */
static void miss(SSL_CTX *ctx, SSL_SESSION *session)
{
    MUST(gosess_remove_session(ctx, session) == GOSESS_NOT_FOUND);
}

static void hits(void)
{
    struct costs costs;
    SSL_SESSION *at_a, *at_b;
    MUST(FULL(full(a.ctx, &at_a, "one.test")) && FULL(full(b.ctx, &at_b, "one.test")));
    measure(&costs, resume, at_a, at_b, 50);
    say("%.4f", costs.fleet[ROUNDS / 2] / costs.alone[ROUNDS / 2]);
    SSL_SESSION_free(at_a);
    SSL_SESSION_free(at_b);
}

static void misses(void)
{
    struct costs costs;
    SSL_CTX *stranger = new_server();
    SSL_SESSION *session, *near;
    gosess_cache_detach(stranger);
    MUST(FULL(full(stranger, &session, "one.test")));
    MUST(FULL(full(a.ctx, &near, "one.test"))); /* the Go half is there */
    measure(&costs, miss, session, session, 20);
    say("%.0f", costs.fleet[ROUNDS / 2] - costs.alone[ROUNDS / 2]);
    SSL_SESSION_free(session);
    SSL_SESSION_free(near);
    SSL_CTX_free(stranger);
}

static long status_of(const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    MUST(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ":%ld", &value);
    fclose(file);
    return value;
}

/* Threads, and kilobytes of memory of its own, of a worker. */
static void worker(SSL_CTX *ctx, int to)
{
    for (int i = 0; i < 200; i++) {
        SSL_SESSION *session;
        MUST(FULL(full(ctx, &session, "one.test")));
        MUST(RESUMED(again(ctx, session, "one.test")));
        SSL_SESSION_free(session);
    }
    long seen[2] = {status_of("Threads"), status_of("RssAnon")};
    MUST(write(to, seen, sizeof seen) == sizeof seen);
    _exit(0);
}

static void workers(void)
{
    long seen[2][2];
    for (int i = 0; i < 2; i++) {
        int pipes[2], child;
        MUST(pipe(pipes) == 0 && (child = fork()) >= 0);
        if (child == 0)
            worker(i == 0 ? a.ctx : b.ctx, pipes[1]);
        MUST(read(pipes[0], seen[i], sizeof seen[i]) == sizeof seen[i]);
        MUST(waitpid(child, NULL, 0) == child);
    }
    say("%ld %ld", seen[0][0] - seen[1][0], seen[0][1] - seen[1][1]);
}

int main(int argc, char **argv)
{
    const struct scenario scenarios[] = {{"hits", hits}, {"misses", misses}, {"workers", workers}};
    a = start("STORE_A", "fleet&wait=50ms&");
    b = start("STORE_B", "");
    while (!(atomic_load(&a.window->gate) & GOSESS_GATE_OPEN))
        nap();
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
