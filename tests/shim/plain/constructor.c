/*
 * constructor.c - a library whose constructor makes a context, under the dynamic linker's lock,
 * while a thread is about to make the first one of the process.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define POLLS 10 /* that find a thread asleep, before it counts as waiting for a lock */

void extension_run(void);

static pthread_t thread;
static _Atomic pid_t task;
static _Atomic int made;

static void make(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    made += ctx != NULL;
    SSL_CTX_free(ctx);
}

static void *make_first(void *unused)
{
    (void)unused;
    task = gettid();
    make();
    return NULL;
}

static char state_of(pid_t pid)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d %*s %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state;
}

/* Until the thread has made it, or waits for what this one holds. */
static void wait_for_it(void)
{
    int asleep = 0;
    while (made == 0 && asleep < POLLS) {
        asleep = task && state_of(task) == 'S' ? asleep + 1 : 0;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

__attribute__((constructor)) static void construct(void)
{
    /* libssl itself begins here, and finds SSL_CTX_new, but makes nothing. */
    OPENSSL_init_ssl(0, NULL);
    SSL_CTX_new(NULL);
    ERR_clear_error();
    if (pthread_create(&thread, NULL, make_first, NULL) != 0)
        abort();
    wait_for_it();
    make();
}

void extension_run(void)
{
    pthread_join(thread, NULL);
    printf("%d made\n", made);
}
