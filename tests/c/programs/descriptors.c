/* descriptors.c - a host without the first three descriptors, which puts its own there at any time.
 */
#define _GNU_SOURCE
#include "../lib/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static SSL_CTX *ctx;
static SSL_SESSION *session;

#define OUT 9

static void hide_standard(void)
{
    MUST(dup2(STDOUT_FILENO, OUT) == OUT);
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
}

static void *churn(void *unused)
{
    serve_hundred(ctx);
    return unused;
}

/* Whatever comes to lie there would be closed by a host that later puts its own there. */
static void no_standard(void)
{
    pthread_t threads[6];
    hide_standard();
    ctx = new_server();
    full(ctx, &session, NULL);
    serve_hundred(ctx);
    for (int i = 0; i < 6; i++)
        MUST(pthread_create(&threads[i], NULL, churn, NULL) == 0);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    bool taken = false;
    for (int fd = 0; fd <= 2; fd++)
        taken = taken || fcntl(fd, F_GETFD) >= 0;
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++)
        dup2(fd == 1 ? OUT : null, fd);
    serve_hundred(ctx);
    say("%s, %s", taken ? "taken" : "left alone", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static bool loaded(void)
{
    const char *result = "full";
    SSL_SESSION *own;
    full(ctx, &own, NULL);
    result = again(ctx, own, NULL);
    SSL_SESSION_free(own);
    return strcmp(result, "resumed") == 0;
}

/* What the host puts there while the Go half is being loaded stays, and the others are closed. */
static void standard_meanwhile(void)
{
    hide_standard();
    ctx = new_server();
    full(ctx, &session, NULL); /* has waited for the Go half, which is late */
    char byte;
    bool closed = read(0, &byte, 1) < 0 && errno == EBADF && write(2, "x", 1) < 0 && errno == EBADF;
    MUST(dup2(OUT, 1) == 1);
    time_t deadline = time(NULL) + 60;
    while (!loaded() && time(NULL) < deadline)
        usleep(20000);
    say("%s, 0 %s, 1 %s, 2 %s", closed ? "as if closed" : "open",
        fcntl(0, F_GETFD) < 0 ? "closed" : "open", fcntl(1, F_GETFD) < 0 ? "closed" : "open",
        fcntl(2, F_GETFD) < 0 ? "closed" : "open");
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static const struct scenario scenarios[] = {
    {"no-standard", no_standard},
    {"standard-meanwhile", standard_meanwhile},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
