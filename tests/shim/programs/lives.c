/* lives.c - when a session ends: expiry, removal, and what must not end it. */
#include "../../c/lib/hosts.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static void say_after(SSL_CTX *ctx, SSL_SESSION *session, enum ending ending)
{
    SSL_CTX *client = new_client();
    struct connection c = open_connection(ctx, client, session, NULL);
    shake_hands(&c);
    const char *result = outcome(&c);
    close_connection(&c, ending);
    say("%s", result);
    SSL_CTX_free(client);
}

/* A session, and what becomes of it after a connection that uses it ends in some way. */
static void ending(enum ending how)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    full(ctx, &session, NULL);
    say_after(ctx, session, how);
    say("then: %s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

static void clean(void)
{
    ending(CLEAN);
}

static void unclean(void)
{
    ending(UNCLEAN);
}

static void alert(void)
{
    ending(ALERT);
}

/* A session whose own connection ends so. */
static void first_connection(enum ending how)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_CTX_set_num_tickets(ctx, 1);
    struct connection c = open_connection(ctx, client, NULL, NULL);
    shake_hands(&c);
    SSL_SESSION *session = client_session(&c);
    close_connection(&c, how);
    say("%s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    SSL_CTX_free(client);
}

static void first_unclean(void)
{
    first_connection(UNCLEAN);
}

static void first_alert(void)
{
    first_connection(ALERT);
}

/* --- time --- */

static void wait_until(time_t moment)
{
    while (time(NULL) < moment)
        usleep(20000);
}

static void expired(void)
{
    SSL_CTX *ctx = new_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(ctx, 1);
    full(ctx, &session, NULL);
    time_t made = time(NULL);               /* or a second later than that */
    SSL_SESSION_set_timeout(session, 1000); /* the client believes in it */
    wait_until(made + 3);
    say("%s", again(ctx, session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* A chain of resumptions ends when the first session would have. */
static void chain(void)
{
    SSL_CTX *ctx = new_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(ctx, 3);
    say("%s", visit(ctx, client, &session, NULL));
    time_t made = time(NULL);
    wait_until(made + 2);
    SSL_SESSION_set_timeout(session, 1000); /* for the client, which would not offer it */
    say("%s", visit(ctx, client, &session, NULL));
    wait_until(made + 5);
    SSL_SESSION_set_timeout(session, 1000);
    say("%s", visit(ctx, client, &session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    SSL_CTX_free(client);
}

/* --- what is no removal --- */

#define SESSIONS 3

static SSL_CTX *make_sessions(SSL_SESSION *sessions[SESSIONS])
{
    SSL_CTX *ctx = new_server();
    for (int i = 0; i < SESSIONS; i++)
        MUST(strcmp(full(ctx, &sessions[i], NULL), "full") == 0);
    return ctx;
}

static void say_still_there(SSL_SESSION *sessions[SESSIONS])
{
    SSL_CTX *ctx = new_server();
    for (int i = 0; i < SESSIONS; i++) {
        say("%s", again(ctx, sessions[i], NULL));
        SSL_SESSION_free(sessions[i]);
    }
    SSL_CTX_free(ctx);
}

static void freed_context(void)
{
    SSL_SESSION *sessions[SESSIONS];
    SSL_CTX_free(make_sessions(sessions));
    say_still_there(sessions);
}

static SSL_SESSION *of_server[SESSIONS];
static int count;

static int keep_new(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    if (count == SESSIONS)
        return 0;
    of_server[count++] = session;
    return 1;
}

/* What the host has added itself is removed with the context, and is good all the same. */
static void freed_with_sessions(void)
{
    SSL_SESSION *sessions[SESSIONS];
    SSL_CTX *ctx = new_server();
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_sess_set_new_cb(ctx, keep_new);
    for (int i = 0; i < SESSIONS; i++)
        full(ctx, &sessions[i], NULL);
    MUST(count == SESSIONS);
    for (int i = 0; i < SESSIONS; i++) {
        SSL_CTX_add_session(ctx, of_server[i]);
        SSL_SESSION_free(of_server[i]);
    }
    SSL_CTX_free(ctx);
    say_still_there(sessions);
}

/*
 * A client that resumes by a ticket can name another client's session id, and then have that
 * session removed by breaking the connection (L15).
 */
static void hostile(void)
{
    SSL_CTX *ctx = new_server(), *by_id = new_client(), *by_ticket = new_client();
    SSL_SESSION *victim = NULL, *own = NULL;
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_options(by_id, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_remove_cb(ctx, host_remove);
    say("victim: %s", visit(ctx, by_id, &victim, NULL));
    say("other: %s", visit(ctx, by_ticket, &own, NULL));
    unsigned length;
    const unsigned char *id = SSL_SESSION_get_id(victim, &length);
    MUST(SSL_SESSION_has_ticket(own) && !SSL_SESSION_has_ticket(victim) && length > 0);
    SSL_SESSION_set1_id(own, id, length);
    struct connection c = open_connection(ctx, by_ticket, own, NULL);
    shake_hands(&c);
    say("other: %s", outcome(&c));
    close_connection(&c, UNCLEAN);
    say("callback: %s", host_trace());
    say("victim: %s", visit(ctx, by_id, &victim, NULL));
    SSL_SESSION_free(victim);
    SSL_SESSION_free(own);
    SSL_CTX_free(ctx);
    SSL_CTX_free(by_id);
    SSL_CTX_free(by_ticket);
}

static const struct scenario scenarios[] = {
    {"clean", clean},
    {"unclean", unclean},
    {"alert", alert},
    {"first-unclean", first_unclean},
    {"first-alert", first_alert},
    {"expired", expired},
    {"chain", chain},
    {"freed-context", freed_context},
    {"freed-with-sessions", freed_with_sessions},
    {"hostile", hostile},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
