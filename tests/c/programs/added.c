/*
 * added.c - sessions that a host adds to the cache by itself: what it has added is what a client
 * resumes, and what may be used once is used once. In its callback for new sessions too, in which
 * the session is in libssl's cache already.
 */
#include "../lib/tls.h"

#include <string.h>

static char note[] = "may read";

/* A connection that is over, the session of its client and the object that its server has. */
static SSL_SESSION *begun(SSL_CTX *server, SSL_SESSION **servers)
{
    SSL_CTX *client = new_client();
    SSL_CTX_set_num_tickets(server, 1); /* so that the connection's session is the client's */
    struct connection c = open_connection(server, client, NULL, NULL);
    MUST(shake_hands(&c));
    SSL_SESSION *session = client_session(&c);
    *servers = SSL_get1_session(c.server);
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
    return session;
}

/* What the session says that a client comes back to, and how. */
static void say_again(SSL_CTX *server, SSL_SESSION *session)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(server, client, session, NULL);
    shake_hands(&c);
    SSL_SESSION *servers = SSL_get_session(c.server);
    void *data = NULL;
    size_t length = 0;
    if (servers)
        SSL_SESSION_get0_ticket_appdata(servers, &data, &length);
    say("%.*s: %s", data ? (int)length : 7, data ? (const char *)data : "nothing", outcome(&c));
    close_connection(&c, CLEAN);
    SSL_CTX_free(client);
}

/* The object that is stored, then a copy that the host has changed, then that object again. */
static void changed(void)
{
    SSL_CTX *server = new_server();
    SSL_SESSION *servers, *session = begun(server, &servers), *copy = SSL_SESSION_dup(servers);
    MUST(copy && SSL_SESSION_set1_ticket_appdata(copy, note, strlen(note)));
    say("the same: %d", SSL_CTX_add_session(server, servers));
    say_again(server, session);
    say("changed: %d", SSL_CTX_add_session(server, copy));
    say_again(server, session);
    say("changed again: %d", SSL_CTX_add_session(server, copy));
    say("back: %d", SSL_CTX_add_session(server, servers));
    say_again(server, session);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(servers);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* A host that ends a session by a copy whose time is over. */
static void ended(void)
{
    SSL_CTX *server = new_server();
    SSL_SESSION *servers, *session = begun(server, &servers), *copy = SSL_SESSION_dup(servers);
    MUST(copy && SSL_SESSION_set_time(copy, 1000) && SSL_SESSION_set_timeout(copy, 1000));
    say("%d", SSL_CTX_add_session(server, copy));
    say_again(server, session);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(servers);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

/* --- in the callback for new sessions (stunnel adds each of them) --- */

static int (*in_new)(SSL_CTX *, SSL_SESSION *);

static int new_session(SSL *ssl, SSL_SESSION *session)
{
    say("then: %d", in_new(SSL_get_SSL_CTX(ssl), session));
    return 0;
}

static int remove_new(SSL_CTX *ctx, SSL_SESSION *session)
{
    say("removed: %d", SSL_CTX_remove_session(ctx, session));
    return SSL_CTX_remove_session(ctx, session);
}

static int remove_and_add(SSL_CTX *ctx, SSL_SESSION *session)
{
    say("removed: %d", SSL_CTX_remove_session(ctx, session));
    return SSL_CTX_add_session(ctx, session);
}

static int add_copy(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    MUST(copy && SSL_SESSION_set1_ticket_appdata(copy, note, strlen(note)));
    int added = SSL_CTX_add_session(ctx, copy);
    SSL_SESSION_free(copy);
    return added;
}

/* With libssl's anti-replay a session is used once. */
static void say_in_callback(long mode, int (*how)(SSL_CTX *, SSL_SESSION *))
{
    SSL_CTX *server = new_server();
    SSL_SESSION *servers, *session;
    in_new = how;
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_SERVER | mode);
    MUST(SSL_CTX_set_max_early_data(server, 1024));
    SSL_CTX_sess_set_new_cb(server, new_session);
    session = begun(server, &servers);
    SSL_CTX_sess_set_new_cb(server, NULL);
    say_again(server, session);
    say_again(server, session);
    SSL_SESSION_free(servers);
    SSL_SESSION_free(session);
    SSL_CTX_free(server);
}

static void in_callback(void)
{
    say_in_callback(0, SSL_CTX_add_session);
}

static void copy_in_callback(void)
{
    say_in_callback(0, add_copy);
}

static void removed_in_callback(void)
{
    say_in_callback(0, remove_new);
}

static void removed_and_added_in_callback(void)
{
    say_in_callback(0, remove_and_add);
}

/* It stores by itself what it wants to be stored. */
static void stored_by_host(void)
{
    say_in_callback(SSL_SESS_CACHE_NO_INTERNAL_STORE, SSL_CTX_add_session);
}

static const struct scenario scenarios[] = {
    {"changed", changed},
    {"ended", ended},
    {"in-callback", in_callback},
    {"copy-in-callback", copy_in_callback},
    {"stored-by-host", stored_by_host},
    {"removed-in-callback", removed_in_callback},
    {"removed-and-added-in-callback", removed_and_added_in_callback},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
