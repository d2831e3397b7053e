/* connection.h - the connections of the contexts that gosess serves. */
#ifndef GOSESS_SERVE_CONNECTION_H
#define GOSESS_SERVE_CONNECTION_H

#include "claim.h"
#include "context.h"

/* A connection of a context that gosess serves. It belongs to the thread that works on the SSL. */
struct gosess_connection {
    SSL *ssl; /* not a reference */
    /*
     * The context that it was made from: libssl's rule (L1). With a reference on the SSL_CTX, as
     * the SSL need not keep one as long as the connection: OpenSSL 3.2 and later give theirs back
     * first.
     */
    struct gosess_context *first;
    _Atomic int references; /* to the SSL, as far as they are seen: SSL_up_ref(3) */
    struct gosess_given given;
    bool sole;           /* what it was given last is all that its client has offered */
    uint64_t options;    /* that replay.c has set */
    bool from_birth;     /* all that the host has set for it was seen */
    bool chooses;        /* what it presents and demands is not its context's to say */
    bool identifies;     /* it has had a callback that tells who its client is */
    bool late;           /* its handshake may have been led elsewhere after the lookup */
    bool ruled;          /* the host may have given it rules of its own that cannot be read */
    uint32_t generation; /* of the contexts, when it was made, or asked last */
    /* That of its context then, or when it was switched there last; 0: unknown. */
    unsigned char policy[GOSESS_DIGEST_SIZE];
    int purpose, trust; /* of its X509_VERIFY_PARAM, as the first context's when it was made */
    uint64_t groups;    /* so too: a digest of what groups it may use */
    bool asked;         /* its handshake has asked for a session, with this random */
    unsigned char random[32]; /* of the ClientHello, RFC 8446 section 4.1.2 */
    struct gosess_link by_ssl, by_session;
};

/* NULL where there is none. */
struct gosess_connection *gosess_connection_of(const SSL *ssl);

/*
 * The one that there is, or a new one, of which it is not known what the host has set for it; NULL
 * without memory, and of a context that ends.
 */
struct gosess_connection *gosess_connection_make(SSL *ssl, struct gosess_context *first);

/*
 * Of an SSL that has just been made of a context; NULL without memory, and nothing shared is found
 * for it.
 */
struct gosess_connection *gosess_connection_begin(SSL *ssl, struct gosess_context *first);

/* What SSL_dup(3) has made of an SSL: another one with the same settings, or the same again. */
void gosess_connection_copied(SSL *copy, const SSL *original);

/* What gosess keeps of the first context of an SSL, with what it keeps of that; NULL for most. */
struct gosess_context *gosess_first_of(const SSL *ssl, const struct gosess_connection *connection);

/* A handshake of it asks for a session. */
void gosess_connection_asks(struct gosess_connection *connection);

/* Whether the handshake that it is in has asked: an SSL may be in another one by now. */
bool gosess_connection_has_asked(const struct gosess_connection *connection);

/* It is given a session, by gosess; NULL: none. */
void gosess_connection_resumes(struct gosess_connection *connection, const SSL_SESSION *session);

/*
 * Whether a connection resumes the session that has not finished its handshake: its client may know
 * no more than the session's id.
 */
bool gosess_is_unproven(const SSL_SESSION *session);

/*
 * A reference to its SSL is about to go. The last one puts back what the handshake has taken, if
 * that has failed by now; before, other threads may be at work on the SSL.
 */
void gosess_connection_unref(struct gosess_connection *connection);

/* Registers the index of ex_data that tells when an SSL ends. Before the host forks. */
bool gosess_connection_prepare(const struct gosess_libssl *table);

/*
 * What a connection was given is over: it ends, or begins another handshake. What it has taken is
 * put back into the cache where unproven says that its client has not shown that it knows the
 * session's secret.
 */
void gosess_release(struct gosess_connection *connection, bool unproven);

#endif
