/* report.c - the sums and the quantiles of a run: see report.h. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        for (int j = 0; j < one->worker_count; j++)
            remember_worker(&all, one->workers[j], sizeof(one->workers[j]));
    }
    qsort(latencies, (size_t)measured, sizeof(*latencies), by_value);
    int failed = 0;
    while (failed < measured && latencies[failed] < 0)
        failed++;
    latencies += failed;
    measured -= failed;

    printf("{\"sessions\":%d,\"attempts\":%d,\"handshakes\":%d,\"resumed\":%d,\"full\":%d,"
           "\"errors\":%d,\"tickets\":%d,\"retries\":%d,\"workers\":%d,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"elapsed\":%.3f,\"quantiles\":[",
           options.sessions, options.attempts, all.handshakes, all.resumed,
           all.handshakes - all.resumed, all.errors, all.tickets, all.retries, all.worker_count,
           quantile(latencies, measured, 0.50), quantile(latencies, measured, 0.99), elapsed);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        printf("%s[%g,%.1f]", i > 0 ? "," : "", quantiles[i],
               quantile(latencies, measured, quantiles[i]));
    printf("]}\n");
}
