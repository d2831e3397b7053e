/*
 * record.h - an application that says everything that it can see of the session cache. What it
 * prints has no pointers, times or random bytes: session ids are numbered in the order in
 * which they are seen first.
 */
#ifndef GOSESS_TESTS_RECORD_H
#define GOSESS_TESTS_RECORD_H

#include "../../c/lib/tls.h"

/*
 * Runs the scenarios that the arguments name, or all; each begins with a line "== name" and
 * ends with one that counts the sessions left. --spare=N makes caches larger by N than
 * set_size says; --shared leaves out what a shared store does not have in common with libssl:
 * the counters of one process, its live objects, and what the end of a context removes.
 */
int record(int argc, char **argv, const struct scenario *scenarios, size_t count);

/* Begins a part of a scenario: ids are numbered anew. */
void part(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the application's callbacks do; zero is an application that keeps nothing. */
struct app {
    enum keeping {
        KEEPS_NOTHING,
        KEEPS_REFERENCES, /* new returns 1 */
        KEEPS_COPIES,     /* new returns 0; get returns fresh objects, as from another process */
    } keeping;
    enum giving {
        LENDS_SILENTLY, /* leaves copy alone */
        LENDS,          /* sets it to 1 */
        GIVES,          /* sets it to 0 */
    } giving;
    /* Changes what get is about to return, of which it may return another. */
    SSL_SESSION *(*change)(SSL_SESSION *session);
    /* Runs in the remove callback and in the new callback, after they have said so. */
    void (*on_remove)(SSL_CTX *ctx, SSL_SESSION *session);
    void (*on_new)(SSL *ssl, SSL_SESSION *session);
    bool forgets;  /* remove forgets what was kept */
    bool collects; /* removals are not said until say_removed does, in the order of their numbers */
    bool counts;   /* removals say how many objects live */
    bool quiet;
};
extern struct app app;

int app_new(SSL *ssl, SSL_SESSION *session);
SSL_SESSION *app_get(SSL *ssl, const unsigned char *id, int length, int *copy);
void app_remove(SSL_CTX *ctx, SSL_SESSION *session);

enum { NEW = 1, GET = 2, REMOVE = 4, ALL = 7 };
/* Registers these callbacks and resets the others. */
void use_callbacks(SSL_CTX *ctx, int which);
/* The sessions that the application keeps: the newest, and none any more. */
SSL_SESSION *app_newest(void);
void app_forget(void);
int serial(const unsigned char *id, unsigned length); /* the number of an id */
int serial_of(const SSL_SESSION *session);

/* A cache that holds so many sessions, or any number with 0. */
void set_size(SSL_CTX *ctx, long held);
/* The numbers of the sessions that the remove callback was called with since the last time. */
void say_removed(void);

/* Live SSL_SESSION objects of this part. */
long live(void);

/* Everything that can be read of a context. */
void say_settings(SSL_CTX *ctx);
void say_counters(SSL_CTX *ctx);

/* A server's context with those callbacks, which makes one ticket at a time. */
SSL_CTX *one_ticket(int callbacks);

/* The server's own object of the session made last, with a reference for the program: grab is for
 * app.on_new. */
extern SSL_SESSION *grabbed;
void grab(SSL *ssl, SSL_SESSION *session);
void let_go(void);

/* One connection; says how its handshake ended. *session is used, and replaced where that is
 * asked for. The name may be NULL. */
struct visit {
    SSL_SESSION **session;
    bool replace;
    const char *name;
    enum ending ending;
    SSL_CTX *client; /* NULL: one without a cache */
    /* Runs with the connection open. */
    void (*meanwhile)(struct connection *connection);
};
void meet(SSL_CTX *server, struct visit visit);

/* Makes a server answer with a HelloRetryRequest, for a group that clients do not begin with. */
void want_another_hello(SSL_CTX *ctx);

/* A full handshake, whose session is returned; and one more with a session, ended cleanly. */
SSL_SESSION *begin(SSL_CTX *server);
void come_back(SSL_CTX *server, SSL_SESSION *session);
void come_back_and(SSL_CTX *server, SSL_SESSION *session, enum ending ending);

/*
 * The time stands still but for this: libssl's and the C half's, in whole seconds. Else a run
 * would depend on where the seconds begin.
 */
void pass(long seconds);

#endif
