/*
 * serve.h - what the parts of the C half say to each other that serve.
 *
 *   libssl.c   finds the host's libssl
 *   identity.c who may share sessions with a context
 *   verification.c  how a context verifies clients
 *   function.c names a function of the host
 *   core.c     loads the Go half, after the last fork
 *   room.c     whether there is room for it
 *   sandbox.c  whether its system calls are allowed
 *   generations.c  whether the host forks a process for each connection
 *   gate.c     how many threads are in it at once
 *   process.c  the interposed functions of libc
 *   context.c  the contexts that gosess serves
 *   callbacks.c  the callbacks that libssl calls
 *   replay.c   takes libssl's anti-replay over
 *   api.c      the functions of include/gosess.h
 *   ../shim.c  the interposed functions of libssl
 */
#ifndef GOSESS_SHIM_SERVE_H
#define GOSESS_SHIM_SERVE_H

#include "internal.h"

/* --- libssl.c --- */

/* Every function that is interposed. */
#define GOSESS_INTERPOSED(X)            \
    X(SSL_CONF_CTX_set_flags)           \
    X(SSL_CTX_add_session)              \
    X(SSL_CTX_ctrl)                     \
    X(SSL_CTX_flush_sessions)           \
    X(SSL_CTX_flush_sessions_ex)        \
    X(SSL_CTX_new)                      \
    X(SSL_CTX_new_ex)                   \
    X(SSL_CTX_remove_session)           \
    X(SSL_CTX_sess_get_get_cb)          \
    X(SSL_CTX_sess_get_new_cb)          \
    X(SSL_CTX_sess_get_remove_cb)       \
    X(SSL_CTX_sess_set_get_cb)          \
    X(SSL_CTX_sess_set_new_cb)          \
    X(SSL_CTX_sess_set_remove_cb)       \
    X(SSL_CTX_set0_CA_list)             \
    X(SSL_CTX_set_cert_verify_callback) \
    X(SSL_CTX_set_client_CA_list)       \
    X(SSL_CTX_up_ref)                   \
    X(SSL_new)                          \
    X(SSL_set_SSL_CTX)                  \
    X(X509_VERIFY_PARAM_set_purpose)    \
    X(X509_VERIFY_PARAM_set_trust)      \
    X(chroot)                           \
    X(prctl)                            \
    X(seccomp_load)                     \
    X(setrlimit)                        \
    X(setrlimit64)                      \
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

/* Whether this process has loaded a libssl, and was not linked to it. */
bool gosess_has_loaded_libssl(void);

/*
 * Fills the table from the host's libssl. NULL, or the name of a function that is missing.
 */
const char *gosess_find_libssl(struct gosess_libssl *table, const void *caller);

/* --- function.c --- */

/* What a function is called in every process of the same binaries, wherever they are loaded. */
struct gosess_function {
    char object[NAME_MAX + 1]; /* the file's name, without its folder */
    uint64_t offset;           /* in it */
};

/* False for code that is in no file: a closure that an interpreter made. */
bool gosess_function_name(uintptr_t address, struct gosess_function *function);

/* --- verification.c --- */

/* What libssl has no getter for, or not in every version: noted when the host sets it. */
struct gosess_noted {
    _Atomic unsigned lists;     /* lists of CA names that it was given: see INTERPOSE_LIST_SETTER */
    _Atomic unsigned verifiers; /* calls of SSL_CTX_set_cert_verify_callback */
    _Atomic uintptr_t verifier; /* the callback of the last one */
    _Atomic bool argument;      /* and whether it had an argument */
    X509_STORE *_Atomic store;  /* of SSL_CTX_set1_verify_cert_store; the context's reference */
    _Atomic int purpose, trust; /* of the context's X509_VERIFY_PARAM */
};

/* An X509_VERIFY_PARAM, in numbers: no padding, so it can be compared and digested as a whole. */
struct gosess_param {
    uint64_t flags, inherit_flags, depth, auth_level, host_flags, purpose, trust;
    unsigned char names[GOSESS_DIGEST_SIZE]; /* a digest of hosts, email and address; 0: none */
};

/*
 * What a context's identity is worked out from, by name: it changes only when the host configures
 * the context. No padding either. Without verification all is 0 but the first three.
 */
struct gosess_seen {
    uint64_t certificate, mode, security_level;
    uint64_t lists, name_count;        /* of CA names */
    uint64_t store, trusted;           /* the store and what is in it */
    uint64_t callback, store_callback; /* SSL_CTX_set_verify, X509_STORE_set_verify_cb */
    uint64_t verifier, argument;       /* SSL_CTX_set_cert_verify_callback */
    struct gosess_param param, store_param;
};

/* False where libcrypto fails. Cheap. */
bool gosess_look(const struct gosess_libssl *libssl, SSL_CTX *ctx, const struct gosess_noted *noted,
                 struct gosess_seen *seen);

/* --- identity.c --- */

#define GOSESS_OWN_SIZE GOSESS_DIGEST_SIZE /* it stands for a digest that cannot be made */

/* Who may share sessions with a context, and what that was worked out from. */
struct gosess_identity {
    unsigned char digest[GOSESS_DIGEST_SIZE];
    unsigned char policy[GOSESS_DIGEST_SIZE]; /* of all but the certificate */
    _Atomic bool used;                        /* a session was looked up or stored under it */
    struct gosess_identity *before;           /* what it was before the host changed it */
    X509 *certificate;                        /* referenced; may be NULL */
    X509_STORE *store;                        /* the same */
    struct gosess_seen seen;
};

/*
 * Works out a context's identity: a digest of its certificate, its security level and its policy
 * for client certificates: struct gosess_seen, with the CA names, the trusted certificates and the
 * revocation lists. The digest is the same in every process and after every restart with the same
 * configuration and binaries, but for what has no name there: then it covers own, random bytes of
 * this context and its copies in forked processes. NULL where memory or libcrypto fails. Not with
 * the setup lock: it takes X509_STORE_lock, which a host may hold when it calls us.
 */
struct gosess_identity *gosess_identity_make(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                                             const struct gosess_noted *noted,
                                             const unsigned char own[GOSESS_OWN_SIZE]);

/* Whether the host has not configured the context otherwise since. Cheap. */
bool gosess_identity_holds(const struct gosess_libssl *libssl, SSL_CTX *ctx,
                           const struct gosess_noted *noted, struct gosess_identity *identity);

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

/* There shall be none from now on. Whether there is none yet. */
bool gosess_core_forbid(void);

/* Makes a call of the loaded Go half. False where this process has no ready one. */
bool gosess_core_call(struct gosess_call *call);

/* --- room.c --- */

extern const char gosess_no_threads[]; /* what is said where no thread can be started */

/* NULL where there is room for a Go runtime, or what lacks. In the thread that will load it. */
const char *gosess_lack_of_room(void);

/*
 * Whether the memory of this process was limited when it was looked: then the Go half has what it
 * will ever have (sessioncache/heap.go).
 */
bool gosess_room_limited(void);

/* --- sandbox.c --- */

/*
 * Whether a Go runtime may make its system calls here, and gosess its own; a line says which not.
 * Before anything of either. Not with the setup lock.
 */
bool gosess_calls_allowed(void);

/* --- generations.c --- */

/* Before the host forks. Setup lock. */
void gosess_generations_prepare(void);

/* A connection of an attached context is about to be made. */
void gosess_generations_connection(void);

/* This process is about to load the Go half. False: it is one for a single connection. */
bool gosess_generation_begins(void);

/* Whether the host has been found to fork a process for each connection. Cheap. */
bool gosess_generations_over(void);

/* --- gate.c --- */

/* start->in_go of shim.h. */
void gosess_gate_pass(void (*work)(void *), void *argument);

/* Does the work of threads that do not go in themselves, for good: in the one that loaded. */
_Noreturn void gosess_gate_serve(void (*make_room)(void));

/* --- context.c --- */

typedef int (*gosess_new_cb)(SSL *, SSL_SESSION *);
typedef void (*gosess_remove_cb)(SSL_CTX *, SSL_SESSION *);
typedef SSL_SESSION *(*gosess_get_cb)(SSL *, const unsigned char *, int, int *);

/* An SSL_CTX that gosess has to do with. Lives in its ex_data and is freed with it. */
struct gosess_attached {
    struct gosess_context core; /* what the Go half sees of it */
    /*
     * Referenced; NULL where it is given back to libssl. Written with the setup lock; read with
     * it, or in what the host does not do while it attaches: handshakes of this context.
     */
    struct gosess_cache *cache;
    struct gosess_identity *_Atomic identity; /* as it is now; NULL before it was needed */
    struct gosess_identity *identities;       /* all that it was; with the setup lock */
    struct gosess_noted noted;
    unsigned char own[GOSESS_OWN_SIZE]; /* random */
    _Atomic bool callbacks;             /* libssl holds our callbacks */
    _Atomic bool ending;                /* SSL_CTX_free of the last reference runs */
    _Atomic bool counted;               /* and gosess has made a failing reference */
    _Atomic long mode;                  /* the session cache mode, as the host set it */
    _Atomic gosess_new_cb new_session;  /* application callbacks; NULL where there is none */
    _Atomic gosess_remove_cb remove_session;
    _Atomic gosess_get_cb get_session;
    _Atomic long hits, misses, full;        /* of gosess as the internal cache */
    struct gosess_attached *before, *after; /* in the list; with the setup lock */
};

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

/*
 * Sets gosess_ssl; false, after a log line, where there is no libssl to serve or no memory. Not
 * with the setup lock: the dynamic linker has one of its own, which a library's constructor that
 * calls libssl runs under.
 */
bool gosess_prepare(const void *caller);

/* What is attached to a context; NULL for most. */
struct gosess_attached *gosess_attached(const SSL_CTX *ctx);
struct gosess_attached *gosess_attached_first(const SSL *ssl); /* to an SSL's first context */

/* The attached context that this is the X509_VERIFY_PARAM of, or NULL. With the setup lock. */
struct gosess_attached *gosess_attached_param(const X509_VERIFY_PARAM *param);

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

/*
 * An SSL is about to be switched to a context. GOSESS_TICKETS=stateful is put on contexts in use
 * only, another one may be half configured; and before the switch, because a host may give the
 * connection the options of the other context then (nginx).
 */
void gosess_before_switch(struct gosess_attached *context);

/* An SSL is about to be made of a context; and was. */
void gosess_before_ssl(struct gosess_attached *context);
void gosess_after_ssl(SSL *ssl, struct gosess_attached *context);

/* Loads the Go half. */
bool gosess_load(void);

/*
 * Gives libssl its own cache back in every context: there will be no Go half here. In callbacks
 * too, but not with a lock of libssl.
 */
void gosess_give_back(void);

/*
 * Loads the Go half where this process holds a context that gosess serves. Keeps errno.
 */
void gosess_load_if_serving(void);

/* Opens the environment's cache and loads the Go half, for a context to come. Keeps errno. */
void gosess_load_ahead(const void *caller);

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
