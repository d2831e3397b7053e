/*
 * gosess.h - the C API of gosess, a TLS session cache for servers that use OpenSSL.
 *
 * A server needs nothing of this to be served: LD_PRELOAD=libgosess.so with GOSESS_CACHE in
 * its environment is enough. A program that links libgosess opens a cache, makes its contexts,
 * and attaches the cache to them:
 *
 *     gosess_cache *cache;
 *     char error[GOSESS_ERROR_SIZE];
 *     if (gosess_cache_open("shm:?size=64m", &cache, error, sizeof error) != GOSESS_OK)
 *         errx(1, "%s", error);
 *     SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
 *     gosess_cache_attach(cache, ctx);
 *
 * Lifecycle: gosess_cache_open, any number of gosess_cache_attach, gosess_cache_close. Open the
 * cache before the contexts are made: gosess sees what is set in them from then on, also in those
 * that a server name leads to, which need not be attached. A context that was made before keeps its
 * sessions in its process. Link with -lgosess before -lssl, so that gosess sees it at all, and
 * SSL_CTX_sess_set_new_cb and its relations, called after attaching, are kept beside gosess and not
 * in its place.
 *
 * Nothing of gosess is kept in ex_data. The sessions of a program that keeps data with them
 * (SSL_SESSION_get_ex_new_index(3)) stay in the process that made them.
 *
 * Threads and fork: every function may be called from any thread, but attaching and detaching
 * a context, like libssl's own setters, not while a handshake of that context runs (those of
 * other contexts may). Open caches before forking workers, so that they share them (a memory cache
 * is each process's own). Before the last fork do not handshake, nor call gosess_start,
 * gosess_remove_session, gosess_cache_flush or gosess_cache_stats: they load the Go half of gosess,
 * which does not survive a fork. A child of a process that had loaded it serves without a cache.
 *
 * Ownership: a cache belongs to its opener until gosess_cache_close; an attached context keeps
 * it alive on its own. Sessions that are passed in are borrowed. Texts that are returned are
 * static.
 *
 * Errors: a function that can fail returns GOSESS_OK or a negative enum gosess_status; outputs
 * are written only on success. Nothing that goes wrong during a handshake fails it: it is a
 * miss, a counter, and at most one line a minute in the log (GOSESS_LOG).
 *
 * Versioning: structs whose first member is size may grow; a program says how much of it it
 * knows. Nothing else of an existing declaration changes without a new soname.
 *
 * Security of stored data: a shm store holds sessions sealed with AES-256-GCM under keys that
 * are not in it; a memory store holds them as libssl does. Session ids are never in a store
 * in the clear. See gosess(7).
 */
#ifndef GOSESS_H
#define GOSESS_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOSESS_VERSION_MAJOR 0
#define GOSESS_VERSION_MINOR 1
#define GOSESS_VERSION_PATCH 0
/* One number to compare: 0xMMNNPP. */
#define GOSESS_VERSION_NUMBER \
    (GOSESS_VERSION_MAJOR << 16 | GOSESS_VERSION_MINOR << 8 | GOSESS_VERSION_PATCH)
#define GOSESS_VERSION "0.1.0"

#define GOSESS_ERROR_SIZE 512 /* bytes: enough for every text of gosess_cache_open */

/* A session cache. */
typedef struct gosess_cache gosess_cache;

enum gosess_status {
    GOSESS_OK = 0,
    GOSESS_ERROR_ARGUMENT = -1, /* a NULL, or a struct too small to have a size */
    GOSESS_ERROR_URL = -2,      /* the URL, what it names, or a variable cannot be used */
    GOSESS_ERROR_LIBSSL = -3,   /* no usable libssl in this process */
    GOSESS_ERROR_CORE = -4,     /* the Go half is missing, or cannot start here; the log says why */
    GOSESS_ERROR_MEMORY = -5,   /* out of memory */
    GOSESS_ERROR_CONTEXT = -6,  /* the context has no cache */
    GOSESS_NOT_FOUND = -7       /* there is no such session */
};

/* What a status means, in English. Never NULL, also for a number that is none. */
const char *gosess_strerror(int status);

/* The version of the library that runs, as GOSESS_VERSION. */
const char *gosess_version(void);

/*
 * Opens the cache of a URL: "memory:?size=64m", "shm:?size=64m" or
 * "shm:/path/file?size=64m&keys=/path/keys"; gosess(7) has the grammar. Makes the store where
 * there is none. GOSESS_OK with *cache set, to be closed; or ERROR_ARGUMENT or
 * ERROR_URL, and a text of at most error_size bytes in error (which may be NULL, with 0;
 * empty on success).
 */
int gosess_cache_open(const char *url, gosess_cache **cache, char *error, size_t error_size);

/*
 * Gives a cache up. It ends when no context is attached to it any more. NULL does nothing. The
 * handle means nothing afterwards; where that is noticed, functions return ERROR_ARGUMENT.
 */
void gosess_cache_close(gosess_cache *cache);

/*
 * Makes the cache that of a context, in the place of libssl's internal one and in front of the
 * callbacks that it has: these, and the cache mode, are kept, reported and obeyed as before. (With
 * SSL_SESS_CACHE_NO_INTERNAL_LOOKUP a memory cache is not asked, and a shm cache is where there is
 * no get callback, or behind it with ?tier=second and the servers that gosess(7) lists.) A context
 * that lets libssl keep sessions, and has a get or a remove callback, keeps account of them: it
 * shares none, and its sessions stay in the process. Replaces the cache that it had, by another
 * call or by GOSESS_CACHE. GOSESS_OK, ERROR_ARGUMENT, ERROR_LIBSSL, ERROR_MEMORY, or ERROR_CONTEXT
 * where it lies in memory that processes share.
 */
int gosess_cache_attach(gosess_cache *cache, SSL_CTX *ctx);

/* Gives a context back to libssl. GOSESS_OK, ERROR_ARGUMENT, or ERROR_CONTEXT. */
int gosess_cache_detach(SSL_CTX *ctx);

/*
 * Loads the Go half now: for a process that is about to chroot, drop its rights or forbid new
 * threads, after its last fork. GOSESS_OK, also where it was loaded before, or ERROR_LIBSSL or
 * ERROR_CORE.
 */
int gosess_start(void);

/*
 * Removes one session from the cache of a context, as SSL_CTX_remove_session does, but without
 * its callbacks. It is the server's object: in TLS 1.3 the client's has another id. GOSESS_OK,
 * NOT_FOUND, ERROR_ARGUMENT, ERROR_CONTEXT or ERROR_CORE.
 */
int gosess_remove_session(SSL_CTX *ctx, SSL_SESSION *session);

/*
 * Removes every session of a cache, in every process that shares it, without callbacks.
 * GOSESS_OK, ERROR_ARGUMENT or ERROR_CORE.
 */
int gosess_cache_flush(gosess_cache *cache);

/* What a cache has counted, over all processes that share it. Grows at its end. */
struct gosess_stats {
    size_t size;            /* in: sizeof(struct gosess_stats); members beyond it are not written */
    uint64_t hits;          /* lookups that returned a session */
    uint64_t misses;        /* lookups that did not */
    uint64_t stores;        /* sessions stored */
    uint64_t evictions;     /* sessions that made way for others */
    uint64_t expiries;      /* sessions dropped because their time was over */
    uint64_t removals;      /* sessions removed on request */
    uint64_t too_big;       /* sessions refused for their size */
    uint64_t errors;        /* entries that could not be used, sessions that could not be stored */
    uint64_t entries;       /* sessions that are stored now */
    uint64_t used;          /* bytes that they take up */
    uint64_t capacity;      /* bytes that sessions can take up */
    uint64_t missed_absent; /* misses: there was no such session */
    uint64_t missed_expired;   /* misses: its time was over */
    uint64_t missed_name;      /* misses: it was made under another server name */
    uint64_t missed_terms;     /* misses: of another certificate, or other rules for clients */
    uint64_t missed_unknown;   /* misses: which certificate there would be was not known */
    uint64_t missed_cipher;    /* misses: the server has given up its cipher or version */
    uint64_t missed_taken;     /* misses: it may be used once, and was */
    uint64_t missed_broken;    /* misses: it could not be opened or decoded */
    uint64_t kept_unknown;     /* in one process: certificate or client was not known */
    uint64_t kept_data;        /* in one process: the server keeps data, or account, of sessions */
    uint64_t kept_rules;       /* in one process: the connection had rules of its own */
    uint64_t kept_chain;       /* in one process: the bytes lack what the client has sent */
    uint64_t kept_large;       /* in one process: too large for the store */
    uint64_t kept_added;       /* in one process: the server has added them itself */
    uint64_t eviction_age;     /* seconds that evicted sessions had been stored, in sum */
    uint64_t tickets_made;     /* tickets sealed under a secret of the store */
    uint64_t tickets_accepted; /* connections that resumed by such a ticket */
    uint64_t tickets_unknown;  /* tickets that were sealed under a key that is not known */
    uint64_t tickets_ended;    /* tickets whose chain of resumptions was over */
    uint64_t tickets_refused;  /* tickets of another certificate, name or rules for clients */
};

/* Fills *stats. GOSESS_OK, ERROR_ARGUMENT or ERROR_CORE. */
int gosess_cache_stats(gosess_cache *cache, struct gosess_stats *stats);

/*
 * The callbacks, for a program that registers them itself with SSL_CTX_sess_set_new_cb(3) and
 * its relations, instead of attaching. They use the cache that the context was attached to, or
 * else the one that was opened first and is still open. References are as those pages say:
 *
 * gosess_new_session_cb returns 0: the reference stays libssl's.
 * gosess_get_session_cb returns NULL, or a session with *copy set to 0, whose reference goes to
 * libssl.
 * gosess_remove_session_cb borrows the session. It takes no lock of the context, and never
 * waits for the Go half to be loaded.
 */
int gosess_new_session_cb(SSL *ssl, SSL_SESSION *session);
SSL_SESSION *gosess_get_session_cb(SSL *ssl, const unsigned char *id, int length, int *copy);
void gosess_remove_session_cb(SSL_CTX *ctx, SSL_SESSION *session);

#ifdef __cplusplus
}
#endif

#endif
