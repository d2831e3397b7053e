/* times.c - the times of sessions: what a context gives them, what an application changes, and when
 * they end. */
#define _GNU_SOURCE
#include "record.h"

#include <time.h>

static void say_times(struct connection *c)
{
    SSL_SESSION *session = SSL_get_session(c->server);
    say("timeout %ld", SSL_SESSION_get_timeout(session));
}

static void timeouts(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    static const long values[] = {1, 300, 0, 100000, 2147483647};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        say("was %ld", SSL_CTX_set_timeout(ctx, values[i]));
        say("is %ld", SSL_CTX_get_timeout(ctx));
        meet(ctx, (struct visit){.meanwhile = say_times});
    }
    say_counters(ctx);
    SSL_CTX_free(ctx);
}

/* The times of a session that is in the cache change: it is flushed, and expires, by them. */
static void changing_times(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_new = grab;
    SSL_SESSION *first = begin(ctx);
    SSL_SESSION_set_time(grabbed, (long)time(NULL) - 10000);
    SSL_SESSION *second = begin(ctx);
    SSL_SESSION_set_timeout(grabbed, 20000);
    SSL_SESSION *third = begin(ctx);
    say("flush what is over");
    SSL_CTX_flush_sessions(ctx, (long)time(NULL));
    say_counters(ctx);
    say("flush what is over in three hours");
    SSL_CTX_flush_sessions(ctx, (long)time(NULL) + 10800);
    say_counters(ctx);
    come_back(ctx, first);
    come_back(ctx, second);
    come_back(ctx, third);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_SESSION_free(third);
    SSL_CTX_free(ctx);
    let_go();
}

/* What libssl does each 256th connection, and what it does when an expired session comes. */
static void expiring(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_CTX_set_timeout(ctx, 100);
    SSL_SESSION *first = begin(ctx);
    SSL_SESSION_set_timeout(first, 1000); /* the client believes in it */
    pass(60);
    SSL_SESSION *second = begin(ctx);
    SSL_SESSION_set_timeout(second, 1000);
    SSL_CTX_set_num_tickets(ctx, 0); /* what a resumption would be given is another question */
    pass(40);
    say("in its last second");
    come_back(ctx, first);
    pass(1);
    say("a second later");
    come_back(ctx, first);
    say_counters(ctx);
    come_back(ctx, second);
    pass(60);
    SSL_CTX_flush_sessions(ctx, (long)time(NULL));
    say_counters(ctx);
    come_back(ctx, second);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_CTX_free(ctx);
}

/* A chain of resumptions, each with the ticket of the one before. TLS 1.2 has no chains. */
static void chain(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(ctx, 100);
    for (int i = 0; i < 4; i++) {
        say("at second %d", i * 40);
        meet(ctx, (struct visit){.session = &session, .replace = true});
        SSL_SESSION_set_timeout(session, 1000);
        pass(40);
    }
    SSL_SESSION_free(session);
    app.collects = true;
    SSL_CTX_free(ctx);
}

/* An expired session is found, counted and removed when it is asked for. */
static void asking_for_expired(void)
{
    SSL_CTX *ctx = one_ticket(ALL);
    app.on_new = grab;
    SSL_SESSION *session = begin(ctx);
    SSL_SESSION_set_time(grabbed, (long)time(NULL) - 10000);
    come_back(ctx, session);
    say_counters(ctx);
    come_back(ctx, session);
    say_counters(ctx);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    let_go();
}

static const struct scenario scenarios[] = {
    {"timeouts", timeouts}, {"changing-times", changing_times},         {"expiring", expiring},
    {"chain", chain},       {"asking-for-expired", asking_for_expired},
};

int main(int argc, char **argv)
{
    return record(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
