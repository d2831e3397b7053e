/* context.h - the contexts that gosess has to do with. */
#ifndef GOSESS_SERVE_CONTEXT_H
#define GOSESS_SERVE_CONTEXT_H

#include "../ssl/certificates.h"
#include "../ssl/digest.h"
#include "../ssl/functions.h"
#include "../ssl/policy.h"
#include "../ssl/table.h"
#include "cache.h"
#include "tickethost.h"

typedef int (*gosess_new_cb)(SSL *, SSL_SESSION *);
typedef void (*gosess_remove_cb)(SSL_CTX *, SSL_SESSION *);
typedef SSL_SESSION *(*gosess_get_cb)(SSL *, const unsigned char *, int, int *);

/* The last callback of a kind that is on the list of tier.c, and the last that is not. */
struct gosess_judged {
    _Atomic uintptr_t listed, unlisted;
};

/*
 * An SSL_CTX that gosess has to do with, found by its address and freed with it: a thread that
 * holds the SSL_CTX may use it. Another one counts a reference, and uses nothing of libssl's.
 */
struct gosess_context {
    SSL_CTX *ctx; /* not a reference */
    struct gosess_owner owner;
    _Atomic int references; /* that of the SSL_CTX, and those threads' */
    /*
     * Referenced; NULL where it is given back to libssl, or only watched. Written with the setup
     * lock; read with it, or in what the host does not do while it attaches: handshakes of this
     * context.
     */
    struct gosess_cache *cache;
    bool from_birth;     /* all that the host has set of it was seen */
    bool own_library;    /* it is not of the default library context, or has a query of its own */
    bool own_algorithms; /* others than those of the default library context: ssl/algorithms.h */
    bool lets_serve;     /* no cache of its own, but known to want one, or it attached itself */
    bool single_use;     /* of the URL: every stateful TLS 1.3 session resumes once */
    struct gosess_judged of_get, of_remove;
    _Atomic int64_t flushed; /* unix seconds: it has flushed what ends before, of others too */
    struct gosess_observed observed;
    struct gosess_ticket_hosts tickets;
    struct gosess_tallies tallies;
    struct gosess_policy policy;       /* with the terms lock, as the next two */
    struct gosess_presented presented; /* the certificates */
    struct gosess_memo terms;          /* and what they make together */
    _Atomic bool callbacks;            /* libssl holds our callbacks */
    _Atomic bool labelled, described;  /* label.c was there; the log has had its line of it */
    _Atomic bool ending;               /* SSL_CTX_free of the last reference runs */
    _Atomic bool counted;              /* and gosess has made a failing reference */
    _Atomic long mode;                 /* the session cache mode, as the host set it */
    _Atomic gosess_new_cb new_session; /* application callbacks; NULL where there is none */
    _Atomic gosess_remove_cb remove_session;
    _Atomic gosess_get_cb get_session;
    _Atomic long hits, misses, full; /* of gosess as the internal cache */
    struct gosess_link by_ctx, by_param;
    struct gosess_context *before, *after; /* in the list; with the setup lock */
};

/* What gosess keeps of an SSL_CTX; NULL for most. */
struct gosess_context *gosess_context_of(const SSL_CTX *ctx);

/*
 * The context that this is the X509_VERIFY_PARAM of, referenced, or NULL: SSL_CTX_free
 * frees the parameters before the end of the context is heard, and another thread's may lie there
 * by then.
 */
struct gosess_context *gosess_context_of_param(const X509_VERIFY_PARAM *param);

/*
 * The host has changed a context while it runs: what a server name led to before, it need not lead
 * to now. One without a certificate counts for nothing: no name leads there.
 */
void gosess_observe_change(const SSL_CTX *ctx);
uint32_t gosess_generation(void);

/* The host has set a callback that tells who a client is, and is not asked in a resumption. */
void gosess_observe_identifier(const SSL_CTX *ctx);

/*
 * The host keeps data with its sessions: there is an index of the ex_data of SSL_SESSION, or data
 * was set. It is on the object only, so no other object may take its place. True for the first
 * note.
 */
bool gosess_observe_session_data(void);
bool gosess_keeps_session_data(void);

/* Whether gosess is the cache of this context, in the mode that the host has set. */
bool gosess_serves(struct gosess_context *context);

/* A cache of live sessions is libssl's internal cache, and obeys its NO_INTERNAL flags. */
bool gosess_live(const struct gosess_context *context);

/* Sets the host's mode and returns the one before. */
long gosess_set_mode(struct gosess_context *context, long mode);

/* The longest timeout of the contexts that a cache serves; of_protocol is for those without one. */
int64_t gosess_longest_timeout(const struct gosess_cache *cache, int64_t of_protocol);

/*
 * Gives libssl its own cache back in every context: there will be no Go half here. In callbacks
 * too, but not with a lock of libssl.
 */
void gosess_give_back(void);

/* Logs that there is no memory for a context; false. */
bool gosess_fail_memory(void);

/* Makes what is kept of a context, in the list and the tables; NULL without memory. */
struct gosess_context *gosess_context_make(SSL_CTX *ctx);

/* The SSL_CTX has ended: nobody finds it any more. */
void gosess_context_end(struct gosess_context *context);

void gosess_context_unref(struct gosess_context *context); /* NULL: nothing */

/* Gives libssl the mode for the host's: it depends on whether gosess serves. Setup lock. */
void gosess_put_mode(struct gosess_context *context);

/* Gives libssl the host's callbacks back, where it holds ours. With the setup lock. */
void gosess_give_callbacks_back(struct gosess_context *context);

/* Whether libssl has its own cache back in every context. */
bool gosess_is_given_back(void);

/* Whether gosess serves a context of this process. */
bool gosess_serves_any(void);

/* A context and the shared store that it has, both referenced. */
struct gosess_sharing {
    struct gosess_context *context;
    struct gosess_cache *cache;
};

/* Those that there are, and how many: for gosess_sharing_free. NULL where there is none. */
struct gosess_sharing *gosess_sharing(size_t *count);
void gosess_sharing_free(struct gosess_sharing *sharing, size_t count);

/* Whether the context has not ended by now, and has that store still. */
bool gosess_still_shares(const struct gosess_sharing *sharing);

/*
 * Whether the last reference to a context has gone: SSL_CTX_free then removes what libssl
 * itself kept, and these sessions have not become bad (L28, L29).
 */
bool gosess_ending(struct gosess_context *context);

#endif
