/* late.c - a Go half that takes its time to start. */
#define _GNU_SOURCE
#include "../../c/lib/hosts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LATE_SECONDS 60

static SSL_CTX *ctx;
static SSL_SESSION *session;

static void end(void)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    session = NULL;
    ctx = NULL;
}

/* A host that makes a client's context meanwhile does not wait for the Go half. */
static void late_setter(void)
{
    ctx = new_server();
    serve_twice(ctx);
    SSL_CTX *client = new_client();
    SSL_CTX_sess_set_new_cb(client, host_new);
    SSL_CTX_sess_set_remove_cb(client, host_remove);
    say("%s", getenv("STANDIN_LOADED") ? "waited" : "did not wait");
    SSL_CTX_free(client);
    end();
}

static void late(void)
{
    ctx = new_server();
    serve_twice(ctx);
    const char *result = "full";
    time_t deadline = time(NULL) + LATE_SECONDS;
    while (strcmp(result, "full") == 0 && time(NULL) < deadline) {
        SSL_SESSION_free(session);
        full(ctx, &session, NULL);
        result = again(ctx, session, NULL);
        usleep(20000);
    }
    say("later: %s", result);
    serve_twice(ctx);
    end();
}

static const struct scenario scenarios[] = {
    {"late", late},
    {"late-setter", late_setter},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
