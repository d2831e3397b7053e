/*
 * claim.h - what a connection has been given, and what its handshake has taken out of the cache.
 *
 * A session is taken where it may be used once: on a server that accepts early data with
 * anti-replay, and with ?single-use=tls13. libssl's own anti-replay cannot be used: it wants the
 * session in its internal cache (L26). After a HelloRetryRequest the same handshake asks again
 * (L7), so what it took is kept with the connection, for the same circumstances only.
 */
#ifndef GOSESS_SERVE_CLAIM_H
#define GOSESS_SERVE_CLAIM_H

#include "../../shim.h"

struct gosess_claim;

/* What has become of the ticket that a client has offered. */
enum gosess_fate {
    GOSESS_FATE_NONE,    /* there was none, or it is counted */
    GOSESS_FATE_OPENED,  /* libssl has its keys, and says later whether they were the right ones */
    GOSESS_FATE_UNKNOWN, /* it is sealed under a key that nobody here has */
    GOSESS_FATE_ENDED,   /* the chain that it belongs to is over */
    GOSESS_FATE_REFUSED,
};

/* By how many seconds a clock may be wrong: Apart of sessioncache/tickets. */
#define GOSESS_APART 30

/* What a connection has been given. It belongs to the thread that works on the connection. */
struct gosess_given {
    int64_t ends; /* when the session that it resumes is over, unix seconds; 0: there is none */
    long timeout; /* of that session when it was given, seconds; -1: not known */
    struct gosess_claim *claim;
    bool bound;   /* the session is one of a shared store, which holds under these terms only */
    bool private; /* or one that is not shared, nor is what comes of it */
    unsigned char terms[GOSESS_DIGEST_SIZE];
    enum gosess_fate fate;
    unsigned char
        secret[GOSESS_SECRET_ID_SIZE]; /* under which the ticket is sealed that was opened */
};

/*
 * Notes that a handshake has taken a session, which it has been given as the rest of given says.
 * Where that cannot be observed, a HelloRetryRequest loses the session: a full handshake.
 */
void gosess_claim_make(struct gosess_given *given, SSL_SESSION *session,
                       const struct gosess_scope *asked);

/*
 * The session of that id that a handshake has taken before under the same circumstances, with a
 * reference, and given says of it what it said; or NULL.
 */
SSL_SESSION *gosess_claim_again(struct gosess_given *given, const unsigned char *id,
                                unsigned id_length, const struct gosess_scope *now);

/*
 * What has been taken, borrowed, with the circumstances to put it back under, which borrow the
 * server name from it; NULL where there is nothing.
 */
SSL_SESSION *gosess_claim_scope(const struct gosess_given *given, struct gosess_scope *scope,
                                int64_t *ends);

/* The connection has no more of what it has taken. */
void gosess_claim_forget(struct gosess_given *given);

#endif
