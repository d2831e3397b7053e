/* child.c - servers in processes of their own. */
#define _GNU_SOURCE
#include "tls.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

/* What a child that hangs is ended by: its own alarm. */
#define CHILD_SECONDS 240

static void serve(SSL_CTX *server, int fd)
{
    SSL *ssl = SSL_new(server);
    MUST(ssl && SSL_set_fd(ssl, fd));
    if (SSL_accept(ssl) == 1) {
        char byte;
        SSL_shutdown(ssl);
        SSL_read(ssl, &byte, 1); /* until the client has shut down too */
    }
    SSL_free(ssl);
}

static const char *connect_to(int fd, SSL_SESSION **session)
{
    SSL_CTX *ctx = new_client();
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *copy = *session ? SSL_SESSION_dup(*session) : NULL;
    MUST(ssl && SSL_set_fd(ssl, fd));
    if (copy)
        MUST(SSL_set_session(ssl, copy));
    SSL_SESSION_free(copy);
    ERR_clear_error();
    const char *result = "failed";
    if (SSL_connect(ssl) == 1) {
        char byte;
        SSL_read(ssl, &byte, 1); /* the tickets, and the server's close */
        result = SSL_session_reused(ssl) ? "resumed" : "full";
        SSL_SESSION_free(*session);
        *session = SSL_SESSION_dup(SSL_get_session(ssl));
        SSL_shutdown(ssl);
    }
    ERR_clear_error();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return result;
}

void wait_child(int pid)
{
    int status;
    MUST(waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status))
        say("child ended by signal %s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        say("child ended with %d", WEXITSTATUS(status));
}

const char *visit_child(SSL_CTX *server, SSL_SESSION **session, void (*before)(void))
{
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        alarm(CHILD_SECONDS);
        close(pair[0]);
        if (before)
            before();
        serve(server, pair[1]);
        _exit(0);
    }
    close(pair[1]);
    const char *result = connect_to(pair[0], session);
    close(pair[0]);
    wait_child(pid);
    return result;
}

int count_threads(void)
{
    char line[512];
    int threads = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "Threads: %d", &threads);
    MUST(status && fclose(status) == 0);
    return threads;
}

bool is_loaded(void)
{
    char line[512];
    bool mapped = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps);
    while (fgets(line, sizeof line, maps))
        mapped = mapped || strstr(line, "libgosess-core");
    fclose(maps);
    return mapped;
}

/* A thread that would have loaded the Go half, and does not, may not have ended yet. */
void say_loaded(const char *who)
{
    bool loaded = is_loaded();
    time_t deadline = time(NULL) + CHILD_SECONDS / 2;
    while (!loaded && count_threads() > 1 && time(NULL) < deadline)
        usleep(1000);
    say("%s: %s, %s", who, loaded ? "loaded" : "not loaded",
        count_threads() > 1 ? "threads" : "1 thread");
}

void in_child(void (*run)(void))
{
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        alarm(CHILD_SECONDS);
        run();
        _exit(0);
    }
    wait_child(pid);
}
