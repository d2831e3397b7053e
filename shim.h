/*
 * shim.h - the private contract between the two halves of gosess.
 *
 * libgosess.so (the C half) loads libgosess-core.so (the Go half) in the
 * process that serves, after the last fork, and calls it through the functions
 * below. Both halves include this file; capi/ checks it against the header that
 * cgo generates. Nothing here is public: see include/gosess.h for that.
 */
#ifndef GOSESS_SHIM_H
#define GOSESS_SHIM_H

/* The digests of libcrypto that need no provider (OSSL_PROVIDER-null(7)) are deprecated in 3.0. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Raised with every change of this file that an older half would not survive. */
#define GOSESS_CORE_ABI 7

/*
 * Threads that are in the Go half at the same moment, and what is started for what blocks in
 * the kernel besides. A server that forbids new threads (S1) gets no more.
 */
#define GOSESS_PROCESSORS 4
#define GOSESS_SPARE_THREADS 3

#define GOSESS_KEY_SIZE 32    /* bytes of one sealing key */
#define GOSESS_DIGEST_SIZE 32 /* bytes of a context digest: SHA-256 */

/* The header at the start of a shm store: docs/shm-format.md. */
#define GOSESS_SHM_MAGIC "gosess\r\n"
#define GOSESS_SHM_VERSION 3
#define GOSESS_SHM_HEADER_SIZE 64
#define GOSESS_SHM_ID_SIZE 16

/*
 * Every function of libssl and libcrypto that gosess calls, looked up in the
 * libssl that the host has loaded: neither half is linked to one. X(name) is
 * expanded to declare the table and to fill it (shim/ssl/libssl.c), with the types of
 * the system's headers, so a call that does not fit them does not compile.
 */
#define GOSESS_LIBSSL_FUNCTIONS(X)      \
    X(ASN1_get_object)                  \
    X(ASYNC_get_current_job)            \
    X(CRYPTO_clear_free)                \
    X(CRYPTO_free)                      \
    X(CRYPTO_get_ex_new_index)          \
    X(CRYPTO_get_mem_functions)         \
    X(CRYPTO_malloc)                    \
    X(CRYPTO_memcmp)                    \
    X(CRYPTO_realloc)                   \
    X(DTLS_client_method)               \
    X(ERR_pop_to_mark)                  \
    X(ERR_set_mark)                     \
    X(OPENSSL_cleanse)                  \
    X(OPENSSL_sk_num)                   \
    X(OPENSSL_sk_value)                 \
    X(OpenSSL_version_num)              \
    X(SHA256_Final)                     \
    X(SHA256_Init)                      \
    X(SHA256_Update)                    \
    X(SSL_CTX_add_session)              \
    X(SSL_CTX_ctrl)                     \
    X(SSL_CTX_free)                     \
    X(SSL_CTX_get0_param)               \
    X(SSL_CTX_get_cert_store)           \
    X(SSL_CTX_get_client_CA_list)       \
    X(SSL_CTX_get_options)              \
    X(SSL_CTX_get_security_level)       \
    X(SSL_CTX_get_verify_callback)      \
    X(SSL_CTX_get_verify_mode)          \
    X(SSL_CTX_remove_session)           \
    X(SSL_CTX_sess_get_get_cb)          \
    X(SSL_CTX_sess_get_new_cb)          \
    X(SSL_CTX_sess_get_remove_cb)       \
    X(SSL_CTX_sess_set_get_cb)          \
    X(SSL_CTX_sess_set_new_cb)          \
    X(SSL_CTX_sess_set_remove_cb)       \
    X(SSL_CTX_set_options)              \
    X(SSL_CTX_up_ref)                   \
    X(SSL_SESSION_dup)                  \
    X(SSL_SESSION_free)                 \
    X(SSL_SESSION_get0_cipher)          \
    X(SSL_SESSION_get0_hostname)        \
    X(SSL_SESSION_get0_peer)            \
    X(SSL_SESSION_get_id)               \
    X(SSL_SESSION_get_master_key)       \
    X(SSL_SESSION_get_protocol_version) \
    X(SSL_SESSION_get_time)             \
    X(SSL_SESSION_get_timeout)          \
    X(SSL_SESSION_is_resumable)         \
    X(SSL_SESSION_set_time)             \
    X(SSL_SESSION_set_timeout)          \
    X(SSL_SESSION_up_ref)               \
    X(SSL_clear_options)                \
    X(SSL_client_hello_get0_ext)        \
    X(SSL_client_hello_get0_random)     \
    X(SSL_ctrl)                         \
    X(SSL_get_SSL_CTX)                  \
    X(SSL_get_certificate)              \
    X(SSL_get_ciphers)                  \
    X(SSL_get_client_random)            \
    X(SSL_get_fd)                       \
    X(SSL_get_max_early_data)           \
    X(SSL_get_options)                  \
    X(SSL_get_peer_cert_chain)          \
    X(SSL_get_privatekey)               \
    X(SSL_get_servername)               \
    X(SSL_get_state)                    \
    X(SSL_get_verify_callback)          \
    X(SSL_get_verify_mode)              \
    X(SSL_is_server)                    \
    X(SSL_session_reused)               \
    X(SSL_set_options)                  \
    X(SSL_version)                      \
    X(TLS_client_method)                \
    X(X509_OBJECT_get0_X509)            \
    X(X509_OBJECT_get0_X509_CRL)        \
    X(X509_OBJECT_get_type)             \
    X(X509_STORE_free)                  \
    X(X509_STORE_get0_objects)          \
    X(X509_STORE_get0_param)            \
    X(X509_STORE_get_verify_cb)         \
    X(X509_STORE_lock)                  \
    X(X509_STORE_unlock)                \
    X(X509_STORE_up_ref)                \
    X(X509_VERIFY_PARAM_get_auth_level) \
    X(X509_VERIFY_PARAM_get_depth)      \
    X(X509_VERIFY_PARAM_get_flags)      \
    X(X509_VERIFY_PARAM_get_hostflags)  \
    X(X509_VERIFY_PARAM_get_inh_flags)  \
    X(X509_free)                        \
    X(X509_get0_pubkey)                 \
    X(X509_up_ref)                      \
    X(d2i_SSL_SESSION)                  \
    X(i2d_SSL_SESSION)                  \
    X(i2d_X509)                         \
    X(i2d_X509_CRL)                     \
    X(i2d_X509_NAME)

/* Those that not every libcrypto has: NULL in the table then. */
#define GOSESS_OPTIONAL_FUNCTIONS(X)                       \
    X(X509_VERIFY_PARAM_get0_email) /* 3.0, as the next */ \
    X(X509_VERIFY_PARAM_get0_host)                         \
    X(X509_VERIFY_PARAM_get1_ip_asc)                       \
    X(X509_VERIFY_PARAM_get_purpose) /* 3.5 */

/* The headers that gosess is built with need not have them. */
char *X509_VERIFY_PARAM_get0_email(X509_VERIFY_PARAM *param);
char *X509_VERIFY_PARAM_get0_host(X509_VERIFY_PARAM *param, int index);
char *X509_VERIFY_PARAM_get1_ip_asc(X509_VERIFY_PARAM *param);
int X509_VERIFY_PARAM_get_purpose(const X509_VERIFY_PARAM *param);

struct gosess_libssl {
#define X(name) __typeof__(&(name)) name;
    GOSESS_LIBSSL_FUNCTIONS(X)
    GOSESS_OPTIONAL_FUNCTIONS(X)
#undef X
};

/*
 * Whether a server keeps early data from being replayed: then TLS 1.3 sessions are stateful,
 * and libssl resumes one only if it can remove it from its internal cache (L26).
 */
static inline bool gosess_anti_replay(const struct gosess_libssl *libssl, const SSL *ssl)
{
    return libssl->SSL_version(ssl) == TLS1_3_VERSION && libssl->SSL_get_max_early_data(ssl) > 0 &&
           !(libssl->SSL_get_options(ssl) & SSL_OP_NO_ANTI_REPLAY);
}

/* When a session is over, in unix seconds: a host may have set any time and timeout. */
static inline int64_t gosess_end_of(const struct gosess_libssl *libssl, const SSL_SESSION *session)
{
    int64_t end;
    int64_t time = libssl->SSL_SESSION_get_time(session);
    int64_t timeout = libssl->SSL_SESSION_get_timeout(session);
    if (__builtin_add_overflow(time, timeout, &end))
        return timeout > 0 ? INT64_MAX : INT64_MIN;
    return end;
}

/*
 * The mask of a thread in or of the Go half: a handler of the host that ran there would run on
 * a goroutine's small stack. Not those that Go or a sanitizer needs for itself.
 */
static inline void gosess_asynchronous_signals(sigset_t *set)
{
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(set);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        sigdelset(set, kept[i]);
}

/* Levels of GOSESS_LOG. */
enum gosess_log_level {
    GOSESS_LOG_OFF,
    GOSESS_LOG_ERROR,
    GOSESS_LOG_INFO,
    GOSESS_LOG_DEBUG,
};

/* What a log line is about: one line per cause and minute. */
enum gosess_log_cause {
    GOSESS_CAUSE_CONFIG, /* GOSESS_CACHE, its files and keys */
    GOSESS_CAUSE_CORE,   /* the Go half: missing, wrong, slow, not allowed to start */
    GOSESS_CAUSE_STORE,  /* an entry or the mapping that cannot be used */
    GOSESS_CAUSE_PANIC,  /* a bug of the Go half, caught at the boundary */
    GOSESS_CAUSE_LOG,    /* the file of GOSESS_LOG */
    GOSESS_CAUSE_COUNT,
};

/* What the Go half may know of an SSL_CTX that gosess serves. Valid as long as the SSL_CTX. */
struct gosess_context {
    SSL_CTX *ctx; /* not a reference */
    /* Random bytes that only this context has, and its copies in processes that were forked later.
     */
    unsigned char owner[GOSESS_DIGEST_SIZE];
    int cache;       /* of gosess_core_open; atomic */
    bool live;       /* the cache is one of live sessions */
    bool single_use; /* ?single-use=tls13: every stateful TLS 1.3 session resumes once */
};

/*
 * Under which circumstances a session is made or asked for. Its terms are a digest of what a full
 * handshake presents and demands: all certificates, the security level and the policy for client
 * certificates.
 */
struct gosess_scope {
    struct gosess_context *context; /* that the SSL was made from (L1) */
    const char *server_name;        /* that the client asked for; borrowed, not terminated */
    size_t server_name_length;
    bool any_name; /* nobody can say which one: libssl resumes it under any */
    unsigned char terms[GOSESS_DIGEST_SIZE];
    bool known;   /* the terms are, and the host will not switch to others */
    bool demands; /* the connection wants a certificate of the client */
    uint64_t own; /* how the connection verifies by itself; 0: as its context does */
    bool shared;  /* processes may share the session: the terms are known, and its bytes are all of
                     it */
    bool live;    /* a new session that may not be shared may be kept in this process */
    bool resumed; /* the connection has resumed a session, of which a new one is made */
    int chain;    /* bytes of the chain that the peer sent, which those of a session lack (L40) */
    bool host_data; /* the host may keep data with a session: no other object may take its place */
    /*
     * The host may switch to another context after the lookup: then the terms that count are those
     * that the server name was seen to lead to, and a full handshake shows which these are.
     */
    bool routed;
    uint32_t generation; /* of the process's contexts: what a name led to before says nothing now */
    uint64_t place; /* where the connection arrived: a name may lead elsewhere at another port */
};

struct gosess_claim; /* the Go half's: what a handshake has taken, and nobody else gets */

/* What a connection has been given. It belongs to the thread that works on the connection. */
struct gosess_given {
    int64_t ends; /* when the session that it resumes is over, unix seconds; 0: there is none */
    struct gosess_claim *claim;
    bool bound; /* the session is one of a shared store, which holds under these terms only */
    unsigned char terms[GOSESS_DIGEST_SIZE];
};

/* What the Go half is started with. All of it stays valid until the process ends. */
struct gosess_start {
    const struct gosess_libssl *libssl;
    /* The context of an SSL_CTX. NULL where gosess does not serve it. */
    struct gosess_context *(*context_of_ctx)(const SSL_CTX *ctx);
    /*
     * Does work in Go, on this thread or on another one that waits for such (L44), and returns when
     * it is done. No signal and no cancellation comes meanwhile, and no code of the host may be
     * called: it could wait for somebody who waits to be let in.
     */
    void (*in_go)(void (*work)(void *), void *argument);
    /* The one logger. Any thread. */
    void (*log)(enum gosess_log_level level, enum gosess_log_cause cause, const char *text);
};

/* Where the sessions of a cache live. */
struct gosess_source {
    void *mapping; /* a shm store, shared and writable; NULL: live sessions, in this process */
    uint64_t size; /* bytes: of the mapping, or that live sessions may take up */
    const unsigned char (*keys)[GOSESS_KEY_SIZE]; /* of a mapping; newest first; copied */
    unsigned key_count;
};

/* A session that has left a cache, with the reference that the cache had. */
struct gosess_leaving {
    SSL_SESSION *session;
    bool silent; /* nobody is told: another took its place, or it was a copy */
    struct gosess_leaving *next;
};

/* What a call of the Go half did besides what it returned. */
struct gosess_outcome {
    /* The C half calls remove callbacks with no lock held, and frees. In order. */
    struct gosess_leaving *leaving, *last;
    unsigned evicted; /* of these: for the size limit of the context (SSL_CTX_sess_cache_full) */
    bool removed;     /* the session that was to be removed was there */
    SSL_SESSION *was; /* of live sessions: what was removed, with the cache's reference */
    bool taken;       /* the session that was returned can never be returned again */
};

/* What a cache has counted: see struct gosess_stats in include/gosess.h. */
struct gosess_counts {
    uint64_t hits, misses, stores, evictions, expiries, removals, too_big, errors;
    uint64_t entries, used, capacity;
};

/*
 * What libgosess-core.so exports. The C half checks gosess_core_abi before it calls
 * anything, and calls gosess_core_start once, with every asynchronous signal blocked. Then
 * everything but gosess_core_make_room may be called from any thread: what is to be done in Go
 * goes through start->in_go.
 */
extern const unsigned gosess_core_abi;

/*
 * Makes every thread that the Go half will ever need. 0, or -1 after one log line. Returns
 * only when all of that is done.
 */
int gosess_core_start(const struct gosess_start *start);

/* Opens a cache: its number, or -1 after one log line. What it copies is said above. */
int gosess_core_open(const struct gosess_source *source);

/* Forgets a cache that no context uses. The mapping may be unmapped then. */
void gosess_core_close(int cache);

/* Stores a new session of a connection that was given something before, or nothing. */
void gosess_core_new_session(SSL_SESSION *session, const struct gosess_scope *scope,
                             struct gosess_given *given);

/*
 * Looks a session up. NULL is a miss. Otherwise the one reference of the returned object is
 * libssl's to free (L17), and given says what it is. Under anti-replay (gosess_anti_replay) it has
 * been taken: no other handshake will get it.
 */
SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length,
                                     const struct gosess_scope *scope, struct gosess_given *given);

/*
 * The connection ends, or begins another handshake. What it has taken is put back into the cache
 * where unproven says that its client has not shown that it knows the session's secret.
 */
void gosess_core_release(struct gosess_given *given, bool unproven);

/* Removes a session, if the stored one is this one (L15). The pointer is borrowed (L19). */
void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session);

/*
 * SSL_CTX_add_session: keeps the object itself, in this process. 1, or 0 where this very object is
 * stored already or cannot be.
 */
int gosess_core_add_session(SSL_SESSION *session, const struct gosess_scope *scope);

/* The sessions that SSL_CTX_sess_number counts: in a shared store those of all its processes. */
long gosess_core_number(SSL_CTX *ctx);

/*
 * SSL_CTX_flush_sessions: the sessions of a context, and of its copies in forked processes, that
 * end before a time, 0: all. A shared store drops what has expired by itself.
 */
void gosess_core_flush(SSL_CTX *ctx, int64_t before);

/* The live sessions of a context that is about to end leave. */
void gosess_core_forget(SSL_CTX *ctx);

/* Drops every session of a cache, without callbacks. */
void gosess_core_clear(int cache);

void gosess_core_count(int cache, struct gosess_counts *counts);

/* Whether the runtime made this thread, which lives. In a handler of any thread. */
bool gosess_core_owns_thread(pid_t thread);

/* Takes the processors back that threads keep while they are in C: for one that has none. In Go. */
void gosess_core_make_room(void);

/* Takes the outcome of the last call in this thread. Pure C, and cheap. */
void gosess_core_take_outcome(struct gosess_outcome *outcome);

#endif
