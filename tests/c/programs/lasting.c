/*
 * lasting.c - until when tickets are opened, by a clock that is set forward and back:
 * GOSESS_TICKETS=shared. Whose they are, says tickets.c.
 */
#define _GNU_SOURCE
#include "../lib/ticketed.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define HOUR 3600

/* The clock of libssl and of the C half. */
static time_t shift;

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec + shift;
    return now.tv_sec + shift;
}

static int tickets; /* that the client has been given */

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    MUST(ssl && session);
    tickets++;
    return 0;
}

/* Each ticket is followed by another; the last ends when the first session does. */
static void chain(void)
{
    SSL_CTX *server = new_ticket_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(server, 4000);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client, on_ticket);
    say("%s", visit(server, client, &session, NULL));
    for (shift = 500; shift < 4000; shift += 500) {
        tickets = 0;
        MUST(strcmp(visit(server, client, &session, NULL), "resumed") == 0);
        MUST(tickets == (tls_version == TLS1_3_VERSION));
    }
    shift = 3999;
    say("just before: %s", visit(server, client, &session, NULL));
    shift = 4002;
    say("just after: %s", visit(server, client, &session, NULL));
    say("and then: %s", visit(server, client, &session, NULL));
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Up to TLS 1.2 no longer than two periods, which are of an hour. */
static void two_periods(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(server, 24 * HOUR);
    full(server, &session, NULL);
    shift = 2 * HOUR - 1;
    say("just before: %s", again(server, session, NULL));
    shift = 2 * HOUR + 2;
    say("just after: %s", again(server, session, NULL));
}

/* Tickets of many periods at another context: each as long as it lasts, and no longer. */
static void periods(void)
{
    enum { TICKETS = 60, EACH = HOUR / 2, LASTS = 2 * HOUR - 10 };
    SSL_SESSION *sessions[TICKETS];
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server();
    SSL_CTX_set_timeout(first, LASTS);
    SSL_CTX_set_timeout(second, LASTS);
    int resumed = 0, refused = 0;
    for (int i = 0; i < TICKETS; i++) {
        shift = i * EACH;
        full(first, &sessions[i], NULL);
        for (int old = 0; old <= i; old++) {
            bool good = strcmp(again(second, sessions[old], NULL), "resumed") == 0;
            MUST(good == ((i - old) * EACH <= LASTS));
            resumed += good;
            refused += !good;
        }
    }
    say("%d resumed, %d refused", resumed, refused);
}

/* The secrets cannot be had for a while, as the clock stands where there are none: handshakes are
 * good. */
static void gap(void)
{
    SSL_CTX *server = new_ticket_server();
    SSL_SESSION *session;
    shift = -400L * 24 * HOUR; /* what is made there has expired to the store */
    say("%s", full(server, &session, NULL));
    say("%s", again(server, session, NULL));
    SSL_SESSION_free(session);
    shift = 0;
    say_worth("later", server, NULL, new_ticket_server(), NULL);
}

/* A context whose timeout is 0 has that of its protocol, of two hours. */
static void no_timeout(void)
{
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(first, 0);
    SSL_CTX_set_timeout(second, 0);
    full(first, &session, NULL);
    shift = 2 * HOUR - 10;
    say("just before: %s, at its own: %s", again(second, session, NULL),
        again(first, session, NULL));
    SSL_SESSION_free(session);
}

/*
 * The secret that a context with a short timeout has had is one for another with a long one: also
 * in a child, which cannot ask for secrets.
 */
static void longer_timeout(void)
{
    SSL_CTX *first = new_ticket_server(), *longer = new_ticket_server();
    SSL_SESSION *session;
    SSL_CTX_set_timeout(first, 300);
    SSL_CTX_set_timeout(longer, 24 * HOUR);
    full(first, &session, NULL);
    SSL_SESSION_free(session);
    full(longer, &session, NULL);
    shift = 2 * HOUR - 10;
    say("just before: %s", visit_child(longer, &session, NULL));
    SSL_SESSION_free(session);
}

/* What a client is given in a later period is for the same name, which libssl may not know by then.
 */
static void later_names(void)
{
    SSL_CTX *first = new_ticket_server(), *second = new_ticket_server(), *client = new_client();
    SSL_SESSION *session = NULL;
    SSL_CTX_set_timeout(first, 2 * HOUR);
    say("%s", visit(first, client, &session, "a.test"));
    shift = HOUR;
    say("%s", visit(first, client, &session, "a.test"));
    say("the same name: %s, another name: %s", again(second, session, "a.test"),
        again(second, session, "b.test"));
    SSL_SESSION_free(session);
}

/* The clock is set back by more than a period: there are secrets for that time too. */
static void set_back(void)
{
    SSL_CTX *first = new_ticket_server();
    SSL_SESSION *session;
    shift = 5 * HOUR;
    full(first, &session, NULL);
    SSL_SESSION_free(session);
    shift = 0;
    say_worth("set back", first, NULL, new_ticket_server(), NULL);
    SSL_CTX_free(first);
}

enum { GUESTS = 8 };

static struct guest {
    pthread_t thread;
    SSL_CTX *server;
    SSL_SESSION *session;
} guests[GUESTS];

static void *come(void *argument)
{
    struct guest *guest = argument;
    full(guest->server, &guest->session, NULL);
    return NULL;
}

/*
 * Threads of a process that has done nothing for more than a period seal tickets at once: none has
 * the secret of the time yet, and others open them all.
 */
static void after_a_pause(void)
{
    enum { TIMES = 25 };
    SSL_CTX *server = new_ticket_server(), *other = new_ticket_server();
    int resumed = 0;
    for (int i = 0; i < TIMES; i++, shift += 2 * HOUR) {
        for (int j = 0; j < GUESTS; j++) {
            guests[j].server = server;
            MUST(pthread_create(&guests[j].thread, NULL, come, &guests[j]) == 0);
        }
        for (int j = 0; j < GUESTS; j++) {
            pthread_join(guests[j].thread, NULL);
            resumed += strcmp(again(other, guests[j].session, NULL), "resumed") == 0;
            SSL_SESSION_free(guests[j].session);
        }
    }
    say("%d of %d resumed", resumed, TIMES * GUESTS);
    SSL_CTX_free(server);
    SSL_CTX_free(other);
}

static const struct scenario scenarios[] = {
    {"chain", chain},
    {"two-periods", two_periods},
    {"periods", periods},
    {"gap", gap},
    {"no-timeout", no_timeout},
    {"longer-timeout", longer_timeout},
    {"later-names", later_names},
    {"set-back", set_back},
    {"after-a-pause", after_a_pause},
};

int main(int argc, char **argv)
{
    return run_scenarios(argc, argv, scenarios, sizeof scenarios / sizeof *scenarios);
}
