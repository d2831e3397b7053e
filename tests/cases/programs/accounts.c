/*
 * accounts.c - hosts that keep account of what libssl's internal cache has, with it: a session that
 * this context does not know, for they have never been told of it or have it flushed, is none.
 */
#include "../../c/lib/hosts.h"

#include <string.h>

#define HANDSHAKES 50
#define CACHE_SIZE 10

/* A session of one context is shown to it, and to another one like it, as after a restart. */
static void say_here_and_there(SSL_CTX *here, SSL_CTX *there)
{
    SSL_SESSION *session;
    MUST(strcmp(full(here, &session, NULL), "full") == 0);
    say("where it was made: %s", again(here, session, NULL));
    say("elsewhere: %s", again(there, session, NULL));
    SSL_SESSION_free(session);
}

/* --- the host's get callback refuses what the internal cache does not have --- */

static SSL_SESSION *refuse(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    (void)ssl, (void)id, (void)length, (void)copy;
    return NULL;
}

static void refuses(void)
{
    SSL_CTX *here = new_server(), *there = new_server();
    SSL_CTX_sess_set_get_cb(here, refuse);
    SSL_CTX_sess_set_get_cb(there, refuse);
    say_here_and_there(here, there);
    SSL_CTX_free(here);
    SSL_CTX_free(there);
}

/* One that asks who refuses, and where the session was made nobody did. */
static void refuses_elsewhere(void)
{
    SSL_CTX *here = new_server(), *there = new_server();
    SSL_CTX_sess_set_get_cb(there, refuse);
    say_here_and_there(here, there);
    SSL_CTX_free(here);
    SSL_CTX_free(there);
}

/* --- the host has everything flushed, and what is made later is resumed --- */

static void say_flushed(long before)
{
    SSL_CTX *here = new_server(), *there = new_server();
    SSL_SESSION *early, *late;
    MUST(strcmp(full(here, &early, NULL), "full") == 0);
    SSL_CTX_flush_sessions(there, before);
    say("of before: %s", again(there, early, NULL));
    MUST(strcmp(full(there, &late, NULL), "full") == 0);
    say("of after: %s", again(there, late, NULL));
    SSL_CTX_flush_sessions(there, before);
    say("flushed again: %s", again(there, late, NULL));
    say("where it was not flushed: %s", again(here, early, NULL));
    SSL_SESSION_free(early);
    SSL_SESSION_free(late);
    SSL_CTX_free(here);
    SSL_CTX_free(there);
}

static void flushed(void)
{
    say_flushed(0);
}

static void flushed_by_time(void)
{
    say_flushed(0x7fffffffL);
}

/* --- the host keeps what it must know of a session until it hears that that is removed --- */

static long kept, most;

static int count_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl, (void)session;
    kept++;
    most = kept > most ? kept : most;
    return 1;
}

static void count_removed(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    kept--;
    SSL_SESSION_free(session);
}

static void say_released(bool tickets)
{
    SSL_CTX *server = new_server();
    if (tickets)
        SSL_CTX_clear_options(server, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(server, 1);
    SSL_CTX_sess_set_new_cb(server, count_new);
    SSL_CTX_sess_set_remove_cb(server, count_removed);
    SSL_CTX_sess_set_cache_size(server, CACHE_SIZE);
    for (int i = 0; i < HANDSHAKES; i++) {
        SSL_SESSION *session;
        MUST(strcmp(full(server, &session, NULL), "full") == 0);
        SSL_SESSION_free(session);
    }
    say("the host has as many as the cache: %s", most <= CACHE_SIZE + 1 ? "yes" : "no");
    SSL_CTX_free(server);
    say("in the end: %ld", kept);
}

static void released(void)
{
    say_released(false);
}

static void released_with_tickets(void)
{
    say_released(true);
}

/* A session that the host was never told of is none of those that it keeps account of. */
static void never_told(void)
{
    SSL_CTX *here = new_server(), *there = new_server();
    SSL_CTX_sess_set_new_cb(there, count_new);
    SSL_CTX_sess_set_remove_cb(there, count_removed);
    say_here_and_there(here, there);
    SSL_CTX_free(here);
    SSL_CTX_free(there);
}

static const struct scenario scenarios[] = {
    {"refuses", refuses},       {"refuses-elsewhere", refuses_elsewhere},
    {"flushed", flushed},       {"flushed-by-time", flushed_by_time},
    {"released", released},     {"released-with-tickets", released_with_tickets},
    {"never-told", never_told},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
