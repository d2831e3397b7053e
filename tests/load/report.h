/* report.h - what load counts, and how it says so. */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "options.h"

#include <pthread.h>
#include <stddef.h>

enum {
    MAX_WORKERS = 64,
};

struct thread {
    pthread_t id;
    int number;
    int handshakes, resumed, errors, tickets, retries, fresh, early;
    int worker_count;
    char workers[MAX_WORKERS][16];
};

/* Counts an error, and says what went wrong last in this thread: libssl's reason or errno's. */
void failed(struct thread *thread, const char *what, int saved_errno);

/* Remembers the name of one of the server's workers, once. */
void remember_worker(struct thread *thread, const char *name, size_t length);

/*
 * Prints one JSON object: the sums over the threads, and the quantiles of the latencies (in
 * microseconds; negative where the attempt failed), which are sorted by it.
 */
void report(const struct thread *threads, int count, double *latencies, int measured,
            double elapsed);

#endif
