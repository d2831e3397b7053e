/* report.c - errors, and the sums and the quantiles of a run: see report.h. */
#include "report.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

enum {
    MAX_ERRORS_SHOWN = 20,
};

static atomic_int errors_shown;

void failed(struct thread *thread, const char *what, int saved_errno)
{
    thread->errors++;
    int shown = atomic_fetch_add(&errors_shown, 1);
    unsigned long code = ERR_peek_error();
    if (shown < MAX_ERRORS_SHOWN) {
        char text[256] = "";
        if (code != 0)
            ERR_error_string_n(code, text, sizeof(text));
        else if (saved_errno != 0)
            snprintf(text, sizeof(text), "%s", strerror(saved_errno));
        fprintf(stderr, "load: %s: %s\n", what,
                text[0] ? text : "the server closed the connection");
    } else if (shown == MAX_ERRORS_SHOWN) {
        fprintf(stderr, "load: further errors are only counted\n");
    }
    ERR_clear_error();
}

void remember_worker(struct thread *thread, const char *name, size_t length)
{
    char copy[sizeof(thread->workers[0])];
    snprintf(copy, sizeof(copy), "%.*s", (int)length, name);
    for (int i = 0; i < thread->worker_count; i++)
        if (strcmp(thread->workers[i], copy) == 0)
            return;
    if (thread->worker_count < MAX_WORKERS)
        strcpy(thread->workers[thread->worker_count++], copy);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values; 0 where there is none. */
static double quantile(const double *values, int count, double q)
{
    return count > 0 ? values[(int)((double)(count - 1) * q)] : 0;
}

void report(const struct thread *threads, int count, double *latencies, int measured,
            double elapsed)
{
    static const double quantiles[] = {0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};
    struct thread all = {0};
    for (int i = 0; i < count; i++) {
        const struct thread *one = &threads[i];
        all.handshakes += one->handshakes;
        all.resumed += one->resumed;
        all.errors += one->errors;
        all.tickets += one->tickets;
        all.retries += one->retries;
        all.fresh += one->fresh;
        all.early += one->early;
        for (int j = 0; j < one->worker_count; j++)
            remember_worker(&all, one->workers[j], sizeof(one->workers[j]));
    }
    qsort(latencies, (size_t)measured, sizeof(*latencies), by_value);
    int none = 0; /* where the attempt failed */
    while (none < measured && latencies[none] < 0)
        none++;
    latencies += none;
    measured -= none;

    printf("{\"sessions\":%d,\"attempts\":%d,\"handshakes\":%d,\"resumed\":%d,\"full\":%d,"
           "\"errors\":%d,\"tickets\":%d,\"retries\":%d,\"new\":%d,\"early\":%d,\"workers\":%d,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"elapsed\":%.3f,\"quantiles\":[",
           options.sessions, options.attempts, all.handshakes, all.resumed,
           all.handshakes - all.resumed, all.errors, all.tickets, all.retries, all.fresh, all.early,
           all.worker_count, quantile(latencies, measured, 0.50),
           quantile(latencies, measured, 0.99), elapsed);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        printf("%s[%g,%.1f]", i > 0 ? "," : "", quantiles[i],
               quantile(latencies, measured, quantiles[i]));
    printf("]}\n");
}
