/*
 * serve.h - what the parts of the C half say to each other that serve.
 *
 *   libssl.c   finds the host's libssl
 *   table.c    finds what is kept of an object by its address
 *   digest.c   SHA-256 of several things
 *   function.c names a function of the host
 *   verification.c  how a context verifies clients
 *   policy.c   the digest of that
 *   terms.c    under which terms a connection's session is made, or would be
 *   core.c     loads the Go half, after the last fork
 *   room.c     whether there is room for it
 *   sandbox.c  whether its system calls are allowed
 *   generations.c  whether the host forks a process for each connection
 *   state.c    what loading changes of the process, and is put back
 *   gate.c     how many threads are in it at once
 *   process.c  the interposed functions of libc after which nothing can be loaded
 *   user.c     those that change the user
 *   credentials.c  what threads may do
 *   context.c  the contexts that gosess serves
 *   connection.c  the connections of these
 *   callbacks.c  the callbacks that libssl calls
 *   noting.c   the interposed functions that set what libssl has no getter for
 *   shared.c   contexts in memory that processes share
 *   replay.c   takes libssl's anti-replay over
 *   api.c      the functions of include/gosess.h
 *   ../shim.c  the interposed functions of libssl
 */
#ifndef GOSESS_SHIM_SERVE_H
#define GOSESS_SHIM_SERVE_H

#include <linux/capability.h>
#include <sys/types.h>

#include "internal.h"

/* --- libssl.c --- */

/* Every function that is interposed. */
#define GOSESS_INTERPOSED(X)              \
    X(CRYPTO_get_ex_new_index)            \
    X(SSL_CONF_CTX_set_flags)             \
    X(SSL_CTX_add_session)                \
    X(SSL_CTX_callback_ctrl)              \
    X(SSL_CTX_ctrl)                       \
    X(SSL_CTX_flush_sessions)             \
    X(SSL_CTX_flush_sessions_ex)          \
    X(SSL_CTX_new)                        \
    X(SSL_CTX_new_ex)                     \
    X(SSL_CTX_remove_session)             \
    X(SSL_CTX_sess_get_get_cb)            \
    X(SSL_CTX_sess_get_new_cb)            \
    X(SSL_CTX_sess_get_remove_cb)         \
    X(SSL_CTX_sess_set_get_cb)            \
    X(SSL_CTX_sess_set_new_cb)            \
    X(SSL_CTX_sess_set_remove_cb)         \
    X(SSL_CTX_set0_CA_list)               \
    X(SSL_CTX_set_cert_cb)                \
    X(SSL_CTX_set_cert_verify_callback)   \
    X(SSL_CTX_set_client_CA_list)         \
    X(SSL_CTX_set_client_hello_cb)        \
    X(SSL_CTX_set_session_ticket_cb)      \
    X(SSL_CTX_set_verify)                 \
    X(SSL_CTX_up_ref)                     \
    X(SSL_CTX_use_cert_and_key)           \
    X(SSL_CTX_use_certificate)            \
    X(SSL_CTX_use_certificate_ASN1)       \
    X(SSL_CTX_use_certificate_chain_file) \
    X(SSL_CTX_use_certificate_file)       \
    X(SSL_SESSION_set_ex_data)            \
    X(SSL_free)                           \
    X(SSL_new)                            \
    X(SSL_set_SSL_CTX)                    \
    X(SSL_set_cert_cb)                    \
    X(X509_VERIFY_PARAM_set_purpose)      \
    X(X509_VERIFY_PARAM_set_trust)        \
    X(capset)                             \
    X(chroot)                             \
    X(initgroups)                         \
    X(prctl)                              \
    X(seccomp_load)                       \
    X(setegid)                            \
    X(seteuid)                            \
    X(setgid)                             \
    X(setgroups)                          \
    X(setregid)                           \
    X(setresgid)                          \
    X(setresuid)                          \
    X(setreuid)                           \
    X(setrlimit)                          \
    X(setrlimit64)                        \
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

/* Whether an address is in the host's libssl. Once there is a table of it. */
bool gosess_is_libssl(const void *address);

/* Whether this process has loaded a libssl, and was not linked to it. */
bool gosess_has_loaded_libssl(void);

/*
 * Fills the table from the host's libssl. NULL, or the name of a function that is missing.
 */
const char *gosess_find_libssl(struct gosess_libssl *table, const void *caller);

/* --- function.c --- */

#define GOSESS_BUILD_ID_SIZE 20 /* of what the linker writes by default */

/* What a function is called in every process of the same binaries, wherever they are loaded. */
struct gosess_function {
    char object[NAME_MAX + 1]; /* the file's name, without its folder */
    unsigned char build[GOSESS_BUILD_ID_SIZE];
    uint64_t offset; /* in it */
};

/* False for code that is in no file, which an interpreter made, or in one without a build id. */
bool gosess_function_name(uintptr_t address, struct gosess_function *function);

/* Whether a function lies in an object of one of these file names, up to a dot that follows. */
bool gosess_function_is_of(uintptr_t address, const char *const names[], size_t count);

/* --- table.c --- */

enum gosess_kind {
    GOSESS_KIND_CTX,     /* an SSL_CTX: by_ctx of struct gosess_attached */
    GOSESS_KIND_PARAM,   /* its X509_VERIFY_PARAM: by_param */
    GOSESS_KIND_SSL,     /* by_ssl of struct gosess_connection */
    GOSESS_KIND_SESSION, /* that a connection resumes: by_session */
};

/* A member of what is kept, in the table under an object's address. All 0: not in the table. */
struct gosess_link {
    const void *object;
    enum gosess_kind kind;
    struct gosess_link *next;
};

/*
 * Any thread. What is found stays valid as long as the object does: its end takes it out. Taking
 * out what is not in the table does nothing.
 */
void gosess_table_add(struct gosess_link *link, enum gosess_kind kind, const void *object);
void gosess_table_remove(struct gosess_link *link);
struct gosess_link *gosess_table_find(enum gosess_kind kind, const void *object);

/* The first of several of which that is true. It is called with a lock, and must not block. */
struct gosess_link *gosess_table_find_that(enum gosess_kind kind, const void *object,
                                           bool (*that)(const struct gosess_link *));

/* Held across fork, so that a child never finds a lock taken. */
void gosess_table_lock(void);
void gosess_table_unlock(void);

/* --- digest.c --- */

/* A digest that is being made; it fails at its end if anything before has failed. */
struct gosess_digest {
    SHA256_CTX context;
    bool ok;
};

void gosess_digest_begin(struct gosess_digest *digest);
void gosess_digest_add(struct gosess_digest *digest, const void *data, size_t length);
void gosess_digest_add_number(struct gosess_digest *digest, uint64_t number);
void gosess_digest_add_text(struct gosess_digest *digest, const char *text); /* NULL is "" */
/* Of libcrypto's allocation, which is freed; NULL, or a length that is not positive: it fails. */
void gosess_digest_add_der(struct gosess_digest *digest, unsigned char *der, int length);
bool gosess_digest_end(struct gosess_digest *digest, unsigned char out[GOSESS_DIGEST_SIZE]);

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
void gosess_scope_made(struct gosess_attached *context, SSL *ssl, struct gosess_scope *scope);

/* Whether a connection may still resume what it was given, now that the host has chosen. */
bool gosess_terms_hold(SSL *ssl, const struct gosess_given *given);

/* The lock of what contexts keep of their policies and certificates; held across fork too. */
void gosess_terms_lock(void);
void gosess_terms_unlock(void);

/* --- core.c --- */

/* One call of the Go half, with its arguments and its answer. */
struct gosess_call {
    enum {
        GOSESS_CALL_OPEN,
        GOSESS_CALL_CLOSE,
        GOSESS_CALL_NEW,
        GOSESS_CALL_GET,
        GOSESS_CALL_RELEASE,
        GOSESS_CALL_REMOVE,
        GOSESS_CALL_ADD,
        GOSESS_CALL_NUMBER,
        GOSESS_CALL_FLUSH,
        GOSESS_CALL_FORGET,
        GOSESS_CALL_CLEAR,
        GOSESS_CALL_COUNT,
    } what;
    SSL *ssl;                         /* get */
    const struct gosess_scope *scope; /* new, get */
    struct gosess_given *given;       /* new, get, release */
    bool unproven;                    /* release */
    SSL_CTX *ctx;                     /* remove, add, number, flush, forget */
    SSL_SESSION *session;             /* new, remove, add: borrowed; get: the answer */
    const unsigned char *id;          /* get */
    int id_length;
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

/* Whether this process has a Go half that is ready; waits for one that is being loaded. */
bool gosess_core_here(void);

/* A thread of the Go half that stays; and whether a thread is one of its own. In any handler. */
pid_t gosess_core_thread(void);
bool gosess_core_owns(pid_t thread);

/* --- process.c --- */

/* Loads the Go half where this process was forked, serves, and is about to drop its rights. */
void gosess_may_become_server(void);

/* --- credentials.c --- */

/* A system call that changes the caller's user or groups; number 0 is none. */
struct gosess_change {
    long number;
    long argument[3];
};

/* When the Go half has been loaded, in its thread. */
void gosess_threads_prepare(void);

/*
 * Begins and ends what one thread at a time does. False where libc alone is to do it: the Go half
 * is not in this process, or its threads cannot be listed.
 */
bool gosess_threads_begin(sigset_t *mask);
void gosess_threads_end(const sigset_t *mask);

/* Whether a change has the same answer in the Go half's threads as here. Begun. */
bool gosess_threads_agree(void);

/* Notes that libc has made it in all of them, with this result, which is returned. Begun. */
int gosess_threads_passed(int result);

/* Makes the change in this thread; and then in all others, as credentials.c says. Begun. */
bool gosess_change_here(const struct gosess_change *change);
bool gosess_change_others(const struct gosess_change *change);

/* --- state.c --- */

/* As the kernel has it: what libc sets has a restorer and a flag for it, and two are hidden. */
struct gosess_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned char mask[8];
};

bool gosess_action_get(int signal, struct gosess_action *action);
bool gosess_action_set(int signal, const struct gosess_action *action);

/*
 * Before the Go half is loaded and after: what that changes of the process is put back. Both in
 * the thread that loads it.
 */
void gosess_state_note(void);
void gosess_state_give_back(void);

/* --- gate.c --- */

/* Once, before the Go half is loaded. */
void gosess_gate_prepare(void);

/* start->in_go of shim.h. */
void gosess_gate_pass(void (*work)(void *), void *argument);

/* Does the work of threads that do not go in themselves, for good: in the one that loaded. */
_Noreturn void gosess_gate_serve(void (*make_room)(void));

/* --- shared.c --- */

/*
 * Whether an object of OpenSSL lies in memory that other processes have too, by the host's own
 * memory functions: then nothing may be kept of it here, which a line says. Keeps errno.
 */
bool gosess_shared_memory(const void *object);

/* --- context.c --- */

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
    bool from_birth; /* all that the host has set of it was seen */
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

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

/*
 * Sets gosess_ssl; false, after a log line, where there is no libssl to serve or no memory. Not
 * with the setup lock: the dynamic linker has one of its own, which a library's constructor that
 * calls libssl runs under.
 */
bool gosess_prepare(const void *caller);

/* What is attached to a context; NULL for most. */
struct gosess_attached *gosess_attached(const SSL_CTX *ctx);

/* The attached context that this is the X509_VERIFY_PARAM of, or NULL. */
struct gosess_attached *gosess_attached_param(const X509_VERIFY_PARAM *param);

/* Watches a context that was just made, so that its terms are known when it is switched to. */
void gosess_watch(SSL_CTX *ctx);

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

/*
 * Whether a shared store may serve a context that has no internal cache: where the host has none of
 * its own either, or its get callback says NULL for "I do not know" and not for "no".
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
                                 int length);

/* What a connection was given is over: gosess_core_release of shim.h. */
void gosess_release(struct gosess_connection *connection, bool unproven);

/* The host's servername callback, with a look at what it has led to. */
int gosess_on_servername(SSL *ssl, int *alert, void *argument);
bool gosess_add_session(struct gosess_attached *context, SSL_SESSION *session);

/*
 * Whether the cache had the session. *was is what it had, with its reference, to be freed when
 * nobody looks at the session any more; or NULL.
 */
bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was);

/* The live sessions of a context leave, with their remove callbacks. */
void gosess_forget(struct gosess_attached *context);

/*
 * SSL_CTX_remove_session's own answer: whether the cache had the session. by_libssl: not the host
 * calls it, but libssl for a connection.
 */
bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *), bool by_libssl);

#endif
