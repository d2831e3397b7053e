/* glue.h - what Go asks of libssl, gathered so that a callback crosses few times. */
#ifndef GOSESS_GLUE_H
#define GOSESS_GLUE_H

#include "../shim.h"

/* The types of the callbacks' arguments, as cgo can name them in an export. */
typedef const unsigned char gosess_const_uchar;
typedef const struct gosess_start gosess_const_start;
typedef const struct gosess_source gosess_const_source;

/* Room for the DER of an ordinary session, with a certificate of the peer too. */
#define GOSESS_ORDINARY_DER 2048

#define GOSESS_SEAL_SIZE 16 /* bytes of sessioncache.Seal */

/* A session, taken apart: what new, add and remove are about. */
struct gosess_record {
    SSL_SESSION *session;      /* borrowed */
    SSL_SESSION *copy;         /* new: for the cache to keep, referenced; or NULL */
    struct gosess_scope scope; /* add and remove: of the context alone */
    const unsigned char *id;   /* borrowed from the session */
    unsigned id_length;
    int64_t expires; /* unix seconds */
    int added;       /* the answer of new and add: it was not stored already */
};

/* A lookup. */
struct gosess_lookup {
    struct gosess_scope scope; /* terms: under which the session that was found was made */
    const unsigned char *id;   /* borrowed from libssl, which has checked its length */
    int id_length;
    bool take;            /* the session must not be returned again, to anybody */
    bool ticket;          /* of TLS 1.3, where a client uses each once */
    SSL_SESSION *claimed; /* what this handshake has taken before, referenced */

    /* What was found: an object, referenced, or a copy of one, referenced; or the DER. */
    SSL_SESSION *session;
    SSL_SESSION *copy;
    unsigned char *der; /* room for an ordinary one, or of gosess_allocate */
    size_t der_length;
    unsigned char seal[GOSESS_SEAL_SIZE];
    int64_t ends; /* unix seconds */
    bool bound;   /* it was found in a shared store */
};

/* Keeps the table for what follows. Before any of it. */
void gosess_glue_start(const struct gosess_start *start);

/* Logs an error; the text is not terminated. */
void gosess_log_text(enum gosess_log_cause cause, const char *text, size_t length);

/* NULL where there is no memory: what cgo makes of malloc and C.CString ends the process then. */
void *gosess_allocate(size_t size);

/*
 * Leaves what is mapped around an object of Go's heap out of core dumps, as what was sealed and
 * the keys for it lie there. Best effort: what the heap grows by later is not covered.
 */
void gosess_leave_out_of_core_dumps(uintptr_t object);

/* --- threads.c --- */

/*
 * Blocks every asynchronous signal in this thread, for good. Returns when so many threads are
 * in here.
 */
void gosess_settle_thread(int threads);

/* Whether the runtime made this thread. In a handler of any thread. */
bool gosess_is_own_thread(pid_t thread);

/* --- glue.c: sessions --- */

/* False where the session cannot be stored: it has no id. */
bool gosess_record_new(SSL_SESSION *session, const struct gosess_scope *scope,
                       const struct gosess_given *given, struct gosess_record *record);
bool gosess_record_of(SSL_CTX *ctx, SSL_SESSION *session, struct gosess_record *record);

/* DER of libcrypto's allocation; NULL where it fails. gosess_free_der zeroes it. */
unsigned char *gosess_encode(SSL_SESSION *session, int *length);
void gosess_free_der(unsigned char *der, int length);

/* A new object with one reference; NULL where the bytes are not the session of that id,
 * whole, which ends then. */
SSL_SESSION *gosess_decode(const unsigned char *der, size_t der_length, const unsigned char *id,
                           int id_length, int64_t expires);

/* Bytes that a live session takes up, about; chain is that of the peer, in bytes of DER. */
int gosess_live_size(const SSL_SESSION *session, int chain);

/* Sets the end of a session that a resumed connection has been given. */
void gosess_cap(SSL_SESSION *session, int64_t expires);

void gosess_ref(SSL_SESSION *session);
void gosess_unref(SSL_SESSION *session);

/* Whether two sessions have the same master key: the other one live, or stored bytes. */
bool gosess_same_live(SSL_SESSION *session, SSL_SESSION *other);
bool gosess_same_stored(SSL_SESSION *session, const unsigned char *der, size_t der_length);

/* The context of an SSL_CTX; its cache; the most sessions that it may have, 0 is any number. */
struct gosess_context *gosess_context_of(SSL_CTX *ctx);
int gosess_cache_of(const struct gosess_context *context);
int gosess_limit_of(const struct gosess_context *context);

/* --- copies.c --- */

void gosess_copies_start(const struct gosess_libssl *libssl);

/*
 * A copy for this process to keep, of a session that takes long to make of its DER: a certificate
 * of the peer takes 120 us (P6). NULL where it would not, or nothing must be shared that the host
 * has put into it. And a copy of that for a connection, which ends then; NULL on failure.
 */
SSL_SESSION *gosess_copy_to_keep(SSL_SESSION *session);
SSL_SESSION *gosess_copy_to_use(SSL_SESSION *kept, int64_t expires);

/* --- lookup.c --- */

/* The lookup of a connection. */
void gosess_lookup_begin(SSL *ssl, const unsigned char *id, int id_length,
                         const struct gosess_scope *scope, const struct gosess_given *given,
                         struct gosess_lookup *lookup);

/*
 * Makes a session of a copy or of DER that was found, and wipes the DER. True where a copy of it is
 * to be kept.
 */
bool gosess_lookup_decode(struct gosess_lookup *lookup, const unsigned char *room);

/* Gives a session that was found to the connection: NULL, and its reference freed, where the
 * connection cannot use it. */
SSL_SESSION *gosess_lookup_end(SSL *ssl, const struct gosess_lookup *lookup,
                               const struct gosess_scope *asked, struct gosess_given *given);

/* What was taken, to be put back; false where there is nothing. */
bool gosess_claim_record(const struct gosess_given *given, struct gosess_record *record);

/* The connection has no more of what it has taken. */
void gosess_claim_forget(struct gosess_given *given);

void gosess_lookup_start(const struct gosess_libssl *libssl);

/* --- outcome.c: what gosess_core_take_outcome takes --- */

void gosess_outcome_start(const struct gosess_start *start);

/* Does work in Go: what it notes by the functions below is this thread's outcome. */
void gosess_in_go(void (*work)(void *), void *argument);

void gosess_outcome_unused(SSL_SESSION *session); /* only its reference is to be freed */
void gosess_outcome_leaving(SSL_SESSION *session, bool evicted);
void gosess_outcome_removed(SSL_SESSION *was); /* NULL where nothing was referenced */
void gosess_outcome_taken(void);
struct gosess_outcome gosess_outcome_take(void);

#endif
