/*
 * internal.h - what the parts of the C half say to each other.
 *
 *   log.c      the one logger
 *   url.c      the URL grammar of GOSESS_CACHE
 *   store.c    opens the mapping of a shm store
 *   keys.c     reads and makes sealing keys
 *   config.c   the environment, read once
 *   cache.c    caches: what a URL opened, here and in the Go half
 *   libssl.c   finds the host's libssl
 *   identity.c who may share sessions with a context
 *   core.c     loads the Go half, after the last fork
 *   process.c  the interposed functions of libc
 *   context.c  the contexts that gosess serves
 *   callbacks.c  the callbacks that libssl calls
 *   replay.c   takes libssl's anti-replay over
 *   api.c      the functions of include/gosess.h
 *   ../shim.c  the interposed functions of libssl
 */
#ifndef GOSESS_SHIM_INTERNAL_H
#define GOSESS_SHIM_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../include/gosess.h"
#include "../shim.h"

#define GOSESS_EXPORT __attribute__((visibility("default")))

/* --- log.c --- */

/*
 * Formats one line, "gosess: [pid] text\n", and writes it in one write(2) to
 * stderr or to the file of GOSESS_LOG. At most one line per cause and minute, over
 * all the processes that share the configuring one. Keeps errno. Any thread.
 */
void gosess_log(enum gosess_log_level level, enum gosess_log_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads the value of GOSESS_LOG (NULL: the default, "error"): LEVEL, or LEVEL:FILE.
 * Opens FILE for appending. False and a readable error where it cannot.
 */
bool gosess_log_open(const char *value, char *error, size_t error_size);

/* --- url.c --- */

enum gosess_scheme {
    GOSESS_SCHEME_SHM,
    GOSESS_SCHEME_MEMORY,
};

/* A URL of GOSESS_CACHE, taken apart. Strings are empty where the URL is silent. */
struct gosess_url {
    enum gosess_scheme scheme;
    char path[PATH_MAX]; /* absolute; "" is an anonymous store */
    char keys[PATH_MAX]; /* ?keys=FILE, absolute */
    uint64_t size;       /* ?size=, in bytes; the default where not given */
    bool single_use;     /* ?single-use=tls13 */
};

/*
 * Parses one URL: scheme ":" [path] ["?" option "=" value *("&" option "=" value)].
 * Touches no file. False and an error that names the offending word and what is
 * allowed in its place; *url is undefined then.
 */
bool gosess_url_parse(const char *text, struct gosess_url *url, char *error, size_t error_size);

/* --- keys.c --- */

#define GOSESS_KEYS_MAX 16

/*
 * Sealing keys, newest first. Lives in a mapping of its own that is left out of
 * core dumps and inherited by forked workers. Never log it.
 */
struct gosess_keys {
    unsigned count;
    unsigned char key[GOSESS_KEYS_MAX][GOSESS_KEY_SIZE];
};

/* Fresh keys in memory: one random key. NULL and an error where that fails. */
struct gosess_keys *gosess_keys_random(char *error, size_t error_size);

/*
 * Reads a key file: one key a line, 32 bytes in base64, newest first; blank lines
 * and lines that begin with # are skipped. Where create is set and the file does
 * not exist it is made, with one key, 0600, complete or not at all. NULL and an
 * error (which never holds a byte of the file) where the file cannot be used: not
 * regular, readable by group or others, empty, or not of that form.
 */
struct gosess_keys *gosess_keys_read(const char *path, bool create, char *error, size_t error_size);

void gosess_keys_free(struct gosess_keys *keys); /* zeroes, unmaps; NULL is fine */

/* --- store.c --- */

/* A shm store, mapped shared and writable. */
struct gosess_store {
    void *base;
    uint64_t size;
    struct gosess_keys *keys;
};

/*
 * Opens the store of a URL, making it where it does not exist: docs/shm-format.md
 * has the header, which is all that this half knows of the format. All space is
 * allocated when a store is made, so a full disk is an error here and not a
 * SIGBUS later. keys_file is GOSESS_KEYS or "" (then ?keys=, then PATH.key). False
 * and an error where there is no store to serve from; whatever was begun is undone.
 * A store of another version, or damaged, is renamed to PATH.old and replaced by
 * an empty one; note then says so ("" otherwise).
 */
bool gosess_store_open(const struct gosess_url *url, const char *keys_file,
                       struct gosess_store *store, char *note, char *error, size_t error_size);

/* The same without making, changing or locking anything: what open would do, in words. */
bool gosess_store_check(const struct gosess_url *url, const char *keys_file, char *note,
                        char *error, size_t error_size);

/* --- config.c --- */

/*
 * Held while anything is set up: the configuration, the table of libssl, the list of
 * contexts. A forking thread holds it across fork, so that a child never finds it locked.
 */
void gosess_setup_lock(void);
void gosess_setup_unlock(void);

/* Held while a callback that a program registered itself attaches its context. */
void gosess_attach_lock(void);
void gosess_attach_unlock(void);

/* What the environment said. Strings are NULL where it was silent. */
struct gosess_environment {
    char *cache, *tickets, *keys, *log, *core;
};
extern struct gosess_environment gosess_environment; /* set when the library is loaded */

/* Whether GOSESS_TICKETS=stateful. Valid once gosess_configure has returned true. */
extern bool gosess_stateful;

/*
 * Opens the log and checks GOSESS_TICKETS and GOSESS_CORE, once. False and an error where
 * one of them is wrong. With the setup lock.
 */
bool gosess_configure(char *error, size_t error_size);

/* GOSESS_CORE, or libgosess-core.so beside this library. Valid after gosess_configure. */
const char *gosess_core_path(void);

/*
 * Whether this process was forked since the library was loaded. Not so in a child of vfork,
 * which has its parent's memory.
 */
bool gosess_forked(void);

/* --- cache.c --- */

/* What a URL opened. Counted references: its opener's and those of its contexts. */
struct gosess_cache {
    _Atomic int references;
    struct gosess_url url;
    struct gosess_store store; /* of a shm URL */
    _Atomic int number;        /* in this process's Go half; 0 before it was opened there */
    bool closed;               /* by its opener; with the setup lock, as what follows */
    struct gosess_cache *next; /* the one opened before */
};

/*
 * Opens a cache, with one reference; *note as gosess_store_open says. NULL and an error where
 * that fails. With the setup lock.
 */
struct gosess_cache *gosess_cache_make(const char *url, char *note, char *error, size_t error_size);

/*
 * The cache of GOSESS_CACHE, opened by the first call in this process or in one that it was
 * forked from; NULL where it is unset or cannot be served, which the first call logs. With the
 * setup lock, and without a reference.
 */
struct gosess_cache *gosess_cache_of_environment(void);

/* The cache that was opened first of those that still are, referenced; or NULL. */
struct gosess_cache *gosess_cache_first(void);

/* The cache that a program's handle means, referenced; NULL where it is none, or closed. */
struct gosess_cache *gosess_cache_opened(struct gosess_cache *given);

/* Takes the opener's reference back; false where the handle is none, or closed before. */
bool gosess_cache_give_up(struct gosess_cache *given);

struct gosess_cache *gosess_cache_ref(struct gosess_cache *cache);
void gosess_cache_unref(struct gosess_cache *cache); /* NULL is fine */

/* The number of a cache in the loaded Go half, opening it there; -1 where that fails. */
int gosess_cache_number(struct gosess_cache *cache);

/* --- libssl.c --- */

/* Every function that is interposed. */
#define GOSESS_INTERPOSED(X)      \
    X(SSL_CTX_add_session)        \
    X(SSL_CTX_ctrl)               \
    X(SSL_CTX_flush_sessions)     \
    X(SSL_CTX_flush_sessions_ex)  \
    X(SSL_CTX_new)                \
    X(SSL_CTX_new_ex)             \
    X(SSL_CTX_remove_session)     \
    X(SSL_CTX_sess_get_get_cb)    \
    X(SSL_CTX_sess_get_new_cb)    \
    X(SSL_CTX_sess_get_remove_cb) \
    X(SSL_CTX_sess_set_get_cb)    \
    X(SSL_CTX_sess_set_new_cb)    \
    X(SSL_CTX_sess_set_remove_cb) \
    X(SSL_new)                    \
    X(chroot)                     \
    X(setrlimit)                  \
    X(setrlimit64)                \
    X(setuid)

enum gosess_interposed {
#define X(name) GOSESS_AT_##name,
    GOSESS_INTERPOSED(X)
#undef X
};

/*
 * The next definition of an interposed function after ours: what the host would have called
 * without us. caller is the return address in the host, which finds a libssl that is loaded
 * with RTLD_LOCAL. NULL where there is none. Any thread.
 */
void *gosess_next(enum gosess_interposed function, const void *caller);

/* gosess_next, in the body of our own definition of a function. */
#define GOSESS_NEXT(name) \
    ((__typeof__(&(name)))gosess_next(GOSESS_AT_##name, __builtin_return_address(0)))

/*
 * Looks all of them up: while the Go half is being loaded, which may take long, the dynamic
 * linker is locked, and no call of the host shall wait for that.
 */
void gosess_find_all(const void *caller);

/*
 * The table of the host's libssl; NULL, after a log line, where a function is missing. With
 * the setup lock.
 */
const struct gosess_libssl *gosess_libssl(const void *caller);

/* --- identity.c --- */

/* Who may share sessions with a context, and what that was worked out from. */
struct gosess_identity {
    unsigned char digest[GOSESS_DIGEST_SIZE];
    unsigned char policy[GOSESS_DIGEST_SIZE]; /* of the client verification alone */
    _Atomic bool used;                        /* a session was looked up or stored under it */
    struct gosess_identity *before;           /* what it was before the host changed it */
    X509 *certificate;                        /* referenced; may be NULL */
    const void *names, *store;
    int name_count, trusted, mode, depth;
    unsigned long flags;
};

/*
 * Works out a context's identity: a digest of its certificate and of its policy for client
 * certificates, that is verify mode, depth, flags, CA names, trusted certificates and
 * revocation lists. The digest is the same in every process and after every restart with the same
 * configuration. NULL where memory or libcrypto fails.
 */
struct gosess_identity *gosess_identity_make(const struct gosess_libssl *libssl, SSL_CTX *ctx);

/* Whether the host has not configured the context otherwise since. Cheap. */
bool gosess_identity_holds(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                           struct gosess_identity *identity);

/* Frees it and all before it. NULL is fine. */
void gosess_identity_free(const struct gosess_libssl *libssl, struct gosess_identity *identity);

/* --- core.c --- */

/* One call of the Go half, with its arguments and its answer. */
struct gosess_call {
    enum {
        GOSESS_CALL_OPEN,
        GOSESS_CALL_CLOSE,
        GOSESS_CALL_NEW,
        GOSESS_CALL_GET,
        GOSESS_CALL_REMOVE,
        GOSESS_CALL_ADD,
        GOSESS_CALL_NUMBER,
        GOSESS_CALL_FLUSH,
        GOSESS_CALL_FORGET,
        GOSESS_CALL_CLEAR,
        GOSESS_CALL_COUNT,
    } what;
    SSL *ssl;                /* new, get */
    SSL_CTX *ctx;            /* remove, add, number, flush, forget */
    SSL_SESSION *session;    /* new, remove, add: borrowed; get: the answer */
    const unsigned char *id; /* get */
    int id_length;
    int copy;
    int64_t before;                     /* flush */
    const struct gosess_source *source; /* open */
    int cache;                          /* close, clear, count */
    struct gosess_counts *counts;       /* count */
    long result;                        /* open, add, number */
    struct gosess_outcome outcome;
};

/* Once, before anything else of core.c, and before the host forks its workers. Setup lock. */
void gosess_core_prepare(void);

/*
 * Loads the Go half where this process has not yet, and waits for it, for a bounded time.
 * True when it is ready. start must stay valid.
 */
bool gosess_core_load(const struct gosess_start *start);

/* Waits for a Go half that is being loaded, for longer than a connection may. */
void gosess_core_wait_longer(void);

/* Whether this process has a Go half that is ready. */
bool gosess_core_ready(void);

/* Whether this process will never have one: it could not be loaded, or a parent has it. */
bool gosess_core_impossible(void);

/*
 * Makes a call of the loaded Go half: signals blocked, never on the stack of an ASYNC job.
 * False where this process has no ready Go half.
 */
bool gosess_core_call(struct gosess_call *call);

/* --- context.c --- */

typedef int (*gosess_new_cb)(SSL *, SSL_SESSION *);
typedef void (*gosess_remove_cb)(SSL_CTX *, SSL_SESSION *);
typedef SSL_SESSION *(*gosess_get_cb)(SSL *, const unsigned char *, int, int *);

/* An SSL_CTX that gosess has to do with. Lives in its ex_data and is freed with it. */
struct gosess_attached {
    struct gosess_context core; /* what the Go half sees of it */
    struct gosess_cache *cache; /* referenced; NULL where it is given back to libssl */
    struct gosess_identity *_Atomic identity; /* as it is now; NULL before it was needed */
    struct gosess_identity *identities;       /* all that it was; with the setup lock */
    _Atomic bool callbacks;                   /* libssl holds our callbacks */
    _Atomic bool ending;                      /* SSL_CTX_free of the last reference runs */
    _Atomic long mode;                        /* the session cache mode, as the host set it */
    _Atomic gosess_new_cb new_session;        /* application callbacks; NULL where there is none */
    _Atomic gosess_remove_cb remove_session;
    _Atomic gosess_get_cb get_session;
    _Atomic long hits, misses, full;        /* of gosess as the internal cache */
    struct gosess_attached *before, *after; /* in the list; with the setup lock */
};

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

/* Sets gosess_ssl; false, after a log line, where there is no libssl to serve. Setup lock. */
bool gosess_prepare(const void *caller);

/* What is attached to a context; NULL for most. */
struct gosess_attached *gosess_attached(const SSL_CTX *ctx);
struct gosess_attached *gosess_attached_first(const SSL *ssl); /* to an SSL's first context */

/* Whether gosess is the cache of this context, in the mode that the host has set. */
bool gosess_serves(struct gosess_attached *context);

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

/* Works out a context's identity, where it is not what it was. */
void gosess_identify(struct gosess_attached *context);

/* An SSL is about to be made of a context; and was. */
void gosess_before_ssl(struct gosess_attached *context);
void gosess_after_ssl(SSL *ssl, struct gosess_attached *context);

/* Loads the Go half. */
bool gosess_load(void);

/*
 * Loads the Go half where this process holds a context that gosess serves. Keeps errno.
 */
void gosess_load_if_serving(void);

/* --- replay.c --- */

bool gosess_replay_prepare(const struct gosess_libssl *table);

/* Makes libssl resume a session that was taken, although it is not in its own cache. */
void gosess_replay_take_over(SSL *ssl);

/*
 * Undoes that. Before every lookup: an SSL may have been cleared, which keeps options, and a
 * HelloRetryRequest makes a handshake ask again (L7).
 */
void gosess_replay_give_back(SSL *ssl);

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

/*
 * A call of the Go half for a context, loading it, with what has left the cache treated as
 * libssl would. errno is kept. False where there is none.
 */
bool gosess_call(struct gosess_attached *context, struct gosess_call *call);

/* The callbacks of the cache alone, without the application's. */
void gosess_store_session(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session);
SSL_SESSION *gosess_find_session(struct gosess_attached *context, SSL *ssl, const unsigned char *id,
                                 int length, int *copy);
bool gosess_add_session(struct gosess_attached *context, SSL_SESSION *session);

/*
 * Whether the cache had the session. *was is what it had, with its reference, to be freed when
 * nobody looks at the session any more; or NULL.
 */
bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was);

/* The live sessions of a context leave, with their remove callbacks. */
void gosess_forget(struct gosess_attached *context);

/* SSL_CTX_remove_session's own answer: whether the cache had the session. */
bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *));

#endif
