/*
 * serve.h - what the parts of the C half say to each other that serve.
 *
 *   prepare.c  what is found and registered once
 *   context.c  the contexts that gosess serves
 *   connection.c  the connections of these
 *   verification.c  how a context verifies clients
 *   policy.c   the digest of that
 *   terms.c    under which terms a connection's session is made, or would be
 *   sessions.c what gosess does with sessions as a cache
 *   lookup.c   what a connection may have of it
 *   claim.c    what its handshake has taken out of it
 *   callbacks.c  the callbacks that libssl calls
 *   replay.c   takes libssl's anti-replay over
 *   noting.c   the interposed functions that set what libssl has no getter for
 *   api.c      the functions of include/gosess.h
 *   ../shim.c  the interposed functions of libssl
 *
 * finding.h and loading.h have the rest.
 */
#ifndef GOSESS_SHIM_SERVE_H
#define GOSESS_SHIM_SERVE_H

#include "claim.h"
#include "finding.h"
#include "internal.h"
#include "loading.h"

/* --- verification.c --- */

typedef int (*gosess_servername_cb)(SSL *, int *, void *);

/* What libssl has no getter for, or not in every version: noted when the host sets it. */
struct gosess_noted {
    _Atomic unsigned lists;     /* lists of CA names that it was given: see INTERPOSE_LIST_SETTER */
    _Atomic unsigned verifiers; /* changes of SSL_CTX_set_cert_verify_callback */
    _Atomic uintptr_t verifier; /* the callback of the last one */
    _Atomic uintptr_t argument; /* and its argument */
    X509_STORE *_Atomic store;  /* of SSL_CTX_set1_verify_cert_store; the context's reference */
    _Atomic int purpose, trust; /* of the context's X509_VERIFY_PARAM */
    _Atomic gosess_servername_cb servername; /* SSL_CTX_set_tlsext_servername_callback */
    _Atomic bool hello;                      /* it has a ClientHello callback */
    _Atomic bool chooses;                    /* it has had a callback for certificates */
    _Atomic bool ticket_data;                /* it has callbacks for the data of tickets */
};

/* An X509_VERIFY_PARAM, in numbers: no padding, so it can be compared and digested as a whole. */
struct gosess_param {
    uint64_t flags, inherit_flags, depth, auth_level, host_flags, purpose, trust;
    unsigned char names[GOSESS_DIGEST_SIZE]; /* a digest of hosts, email and address; 0: none */
};

/*
 * What a context's policy is worked out from, by name: it changes only when the host configures
 * the context. No padding either. Without verification all is 0 but the first two.
 */
struct gosess_seen {
    uint64_t mode, security_level;
    uint64_t lists, name_count;        /* of CA names */
    uint64_t store, trusted;           /* the store and how much is in it */
    uint64_t callback, store_callback; /* SSL_CTX_set_verify, X509_STORE_set_verify_cb */
    uint64_t verifier, argument;       /* SSL_CTX_set_cert_verify_callback */
    struct gosess_param param, store_param;
};

/* False where libcrypto fails. Cheap. */
bool gosess_look(SSL_CTX *ctx, const struct gosess_noted *noted, struct gosess_seen *seen);

/* --- policy.c --- */

struct gosess_attached;

/* A context's policy for client certificates, as it was when it was looked at last. */
struct gosess_policy {
    bool known;
    bool used;                                 /* a session was made or asked for under it */
    struct gosess_seen seen;                   /* with a reference on the store */
    unsigned char trusted[GOSESS_DIGEST_SIZE]; /* what is in the store */
    unsigned char digest[GOSESS_DIGEST_SIZE];
};

/*
 * The digest of the security level and the policy for client certificates of a context: struct
 * gosess_seen, with the CA names, the trusted certificates and the revocation lists. The same in
 * every process and after every restart with the same configuration and binaries, but for what has
 * no name there: then it covers the context's owner bytes. False where memory or libcrypto fails.
 * use: a session is made or asked for. It takes X509_STORE_lock, which a host may hold when it
 * calls us, and no lock of gosess meanwhile.
 */
bool gosess_policy_digest(struct gosess_attached *context, bool use,
                          unsigned char out[GOSESS_DIGEST_SIZE]);

void gosess_policy_free(struct gosess_policy *policy);

/* The digest of a certificate's DER. */
bool gosess_fingerprint(const X509 *certificate, unsigned char out[GOSESS_DIGEST_SIZE]);

/* --- terms.c --- */

#define GOSESS_CERTIFICATES_MAX 16 /* more than kinds of keys that a server has */

struct gosess_certificates {
    size_t count;
    X509 *certificate[GOSESS_CERTIFICATES_MAX];
};

/* The certificates that the connections of a context had last. */
struct gosess_presented {
    bool known;
    struct gosess_certificates list; /* with references */
    unsigned char digest[GOSESS_DIGEST_SIZE];
};

void gosess_presented_free(struct gosess_presented *presented);

/*
 * Under which circumstances a connection asks for a session, while its ClientHello is there, and
 * has made one. Asked: false where nothing may be found.
 */
bool gosess_scope_asked(struct gosess_attached *context, SSL *ssl, struct gosess_scope *scope);
void gosess_scope_made(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session,
                       struct gosess_scope *scope);

/* The same of a session that the host adds by itself. */
void gosess_scope_added(struct gosess_attached *context, const SSL_SESSION *session,
                        struct gosess_scope *scope);

/*
 * Whether a connection may still have what it was given, now that the host has chosen: its terms;
 * and that it verifies its client as its context does, under which it was given that.
 */
bool gosess_terms_hold(SSL *ssl, const struct gosess_given *given);
bool gosess_demands_hold(SSL *ssl, const struct gosess_given *given);

/* The lock of what contexts keep of their policies and certificates; held across fork too. */
void gosess_terms_lock(void);
void gosess_terms_unlock(void);

/* --- prepare.c --- */

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

/*
 * Sets gosess_ssl; false, after a log line, where there is no libssl to serve or no memory. Not
 * with the setup lock: the dynamic linker has one of its own, which a library's constructor that
 * calls libssl runs under.
 */
bool gosess_prepare(const void *caller);

/* Logs that there is no memory for a context; false. */
bool gosess_fail_memory(void);

/* Loads the Go half. */
bool gosess_load(void);

/* Opens the environment's cache and loads the Go half, for a context to come. Keeps errno. */
void gosess_load_ahead(const void *caller);

/* --- context.c --- */

/* Registers the index of ex_data that tells when an SSL_CTX ends. Before the host forks. */
bool gosess_context_prepare(const struct gosess_libssl *table);

typedef int (*gosess_new_cb)(SSL *, SSL_SESSION *);
typedef void (*gosess_remove_cb)(SSL_CTX *, SSL_SESSION *);
typedef SSL_SESSION *(*gosess_get_cb)(SSL *, const unsigned char *, int, int *);

/* An SSL_CTX that gosess has to do with. Found by its address, and freed with it. */
struct gosess_attached {
    struct gosess_context core; /* what the Go half sees of it */
    /*
     * Referenced; NULL where it is given back to libssl, or only watched. Written with the setup
     * lock; read with it, or in what the host does not do while it attaches: handshakes of this
     * context.
     */
    struct gosess_cache *cache;
    bool from_birth;  /* all that the host has set of it was seen */
    bool own_library; /* it is not of the default library context */
    /* Without a cache of its own the host wants one all the same: it is known for that, or it has
     * attached the context itself. */
    bool lets_serve;
    _Atomic uintptr_t knows_not, refuses; /* the last get callback that was found to do so */
    struct gosess_noted noted;
    struct gosess_policy policy;       /* with the terms lock, as the next */
    struct gosess_presented presented; /* the certificates */
    _Atomic bool callbacks;            /* libssl holds our callbacks */
    _Atomic bool ending;               /* SSL_CTX_free of the last reference runs */
    _Atomic bool counted;              /* and gosess has made a failing reference */
    _Atomic long mode;                 /* the session cache mode, as the host set it */
    _Atomic gosess_new_cb new_session; /* application callbacks; NULL where there is none */
    _Atomic gosess_remove_cb remove_session;
    _Atomic gosess_get_cb get_session;
    _Atomic long hits, misses, full; /* of gosess as the internal cache */
    struct gosess_link by_ctx, by_param;
    struct gosess_attached *before, *after; /* in the list; with the setup lock */
};

/* What is attached to a context; NULL for most. */
struct gosess_attached *gosess_attached(const SSL_CTX *ctx);

/* The attached context that this is the X509_VERIFY_PARAM of, or NULL. */
struct gosess_attached *gosess_attached_param(const X509_VERIFY_PARAM *param);

/* Watches a context that was just made, so that its terms are known when it is switched to. */
void gosess_watch(SSL_CTX *ctx, bool own_library);

/* Notes which code has asked libssl for a context. */
void gosess_made_by(SSL_CTX *ctx, const void *caller);

/*
 * The host has made or changed a context while it runs: what a server name led to before, it need
 * not lead to now.
 */
void gosess_note_change(void);
uint32_t gosess_generation(void);

/*
 * The host keeps data with its sessions: there is an index of the ex_data of SSL_SESSION, or data
 * was set. It is on the object only, so no other object may take its place. True for the first
 * note.
 */
bool gosess_note_session_data(void);
bool gosess_keeps_session_data(void);

/* Keeps a session that has been shared as the object that it is, where it has been shared. */
void gosess_keep_object(SSL_SESSION *session);

/* Whether gosess is the cache of this context, in the mode that the host has set. */
bool gosess_serves(struct gosess_attached *context);

/* Whether code is of a host to which no answer of a cache means "I do not know", and not "no". */
bool gosess_does_not_know(uintptr_t code);

/*
 * Whether a shared store may serve a context that has no internal cache: its host says by that, and
 * by NULL of its get callback, "I do not know" and not "no".
 */
bool gosess_is_tier(struct gosess_attached *context);

/* A cache of live sessions is libssl's internal cache, and obeys its NO_INTERNAL flags. */
bool gosess_live(const struct gosess_attached *context);

/*
 * Attaches a cache to a context: with callbacks, takes the place of libssl's cache; without,
 * only says which cache gosess_new_session_cb and its relations use. False: out of memory.
 */
bool gosess_attach(SSL_CTX *ctx, struct gosess_cache *cache, bool callbacks);

void gosess_detach(struct gosess_attached *context);

/* Sets the host's mode and returns the one before. */
long gosess_set_mode(struct gosess_attached *context, long mode);

/*
 * Works out a context's policy, where it is not what it was: before the first handshake, because
 * verifying a client sorts, and may add to, the trusted certificates.
 */
void gosess_identify(struct gosess_attached *context);

/*
 * An SSL is about to be switched to a context. GOSESS_TICKETS=stateful is put on contexts in use
 * only, another one may be half configured; and before the switch, because a host may give the
 * connection the options of the other context then (nginx).
 */
void gosess_before_switch(struct gosess_attached *context);

/* An SSL is about to be made of a context; and was. */
void gosess_before_ssl(struct gosess_attached *context);
void gosess_after_ssl(SSL *ssl, struct gosess_attached *context);

/*
 * Gives libssl its own cache back in every context: there will be no Go half here. In callbacks
 * too, but not with a lock of libssl.
 */
void gosess_give_back(void);

/*
 * Loads the Go half where this process holds a context that gosess serves. Keeps errno.
 */
void gosess_load_if_serving(void);

/* --- connection.c --- */

/* A connection of a context that gosess serves. It belongs to the thread that works on the SSL. */
struct gosess_connection {
    SSL *ssl;                      /* not a reference */
    struct gosess_attached *first; /* the context that it was made from: libssl's rule (L1) */
    struct gosess_given given;
    uint64_t options;         /* that replay.c has set */
    bool chooses;             /* it has had a callback for certificates of its own */
    bool asked;               /* its handshake has asked for a session, with this random */
    unsigned char random[32]; /* of the ClientHello, RFC 8446 section 4.1.2 */
    struct gosess_link by_ssl, by_session;
};

/* NULL where there is none. */
struct gosess_connection *gosess_connection_of(const SSL *ssl);

/* The one that there is, or a new one; NULL without memory. */
struct gosess_connection *gosess_connection_make(SSL *ssl, struct gosess_attached *first);

/* What is attached to the first context of an SSL; NULL for most. */
struct gosess_attached *gosess_attached_first(const SSL *ssl);

/* A handshake of it asks for a session. */
void gosess_connection_asks(struct gosess_connection *connection);

/* It is given a session, by gosess; NULL: none. */
void gosess_connection_resumes(struct gosess_connection *connection, const SSL_SESSION *session);

/*
 * Whether a connection resumes the session that has not finished its handshake: its client may know
 * no more than the session's id.
 */
bool gosess_is_unproven(const SSL_SESSION *session);

/* Puts back what its handshake has taken, if that has failed by now. */
void gosess_connection_settle(struct gosess_connection *connection);

/* Registers the index of ex_data that tells when an SSL ends. Before the host forks. */
bool gosess_connection_prepare(const struct gosess_libssl *table);

/* --- replay.c --- */

/* Makes libssl resume a session that was taken, although it is not in its own cache. */
void gosess_replay_take_over(struct gosess_connection *connection);

/*
 * Undoes that. Before every lookup: an SSL may have been cleared, which keeps options, and a
 * HelloRetryRequest makes a handshake ask again (L7).
 */
void gosess_replay_give_back(struct gosess_connection *connection);

/* --- sessions.c --- */

/* Frees what has left a cache. In cache.c. */
void gosess_free_leaving(struct gosess_request *request);

/*
 * Asks the cache of a context for an operation, loading the Go half; what has left the cache is
 * treated as libssl would. errno is kept. False where there is no Go half.
 */
bool gosess_ask(struct gosess_attached *context, struct gosess_request *request);

/* The callbacks of the cache alone, without the application's. */
void gosess_store_session(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session);
SSL_SESSION *gosess_find_session(struct gosess_attached *context, SSL *ssl, const unsigned char *id,
                                 int length);

/*
 * What a connection was given is over: it ends, or begins another handshake. What it has taken is
 * put back into the cache where unproven says that its client has not shown that it knows the
 * session's secret.
 */
void gosess_release(struct gosess_connection *connection, bool unproven);

/*
 * Whether the cache had the session. *was is what it had, with its reference, to be freed when
 * nobody looks at the session any more; or NULL.
 */
bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was);

/* A new session, and what becomes of it. */
struct gosess_newborn {
    struct gosess_connection *connection;
    SSL_SESSION *session;
    struct gosess_scope scope;
};

/* Whether the cache is to have a new session of a context; and stores one that it is to have. */
bool gosess_is_wanted(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session,
                      struct gosess_newborn *born);
void gosess_store(struct gosess_newborn *born);

/* What this connection, which asks, may have of the cache; libssl and the host are told of it. */
SSL_SESSION *gosess_look_up(struct gosess_connection *connection, const unsigned char *id,
                            int length);

/* Whether libssl is being made to treat a session as removed that has left the cache already. */
bool gosess_is_leaving(const SSL_SESSION *session);

/* --- callbacks.c --- */

/* What libssl calls. */
int gosess_on_new(SSL *ssl, SSL_SESSION *session);
SSL_SESSION *gosess_on_get(SSL *ssl, const unsigned char *id, int length, int *copy);
void gosess_on_remove(SSL_CTX *ctx, SSL_SESSION *session);

/*
 * Whether the last reference to a context has gone: SSL_CTX_free then removes what libssl
 * itself kept, and these sessions have not become bad (L28, L29).
 */
bool gosess_ending(struct gosess_attached *context);

/* The host's servername callback, with a look at what it has led to. */
int gosess_on_servername(SSL *ssl, int *alert, void *argument);
bool gosess_add_session(struct gosess_attached *context, SSL_SESSION *session);

/* The live sessions of a context leave, with their remove callbacks. */
void gosess_forget(struct gosess_attached *context);

/*
 * SSL_CTX_remove_session's own answer: whether the cache had the session. by_libssl: not the host
 * calls it, but libssl for a connection.
 */
bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *), bool by_libssl);

#endif
