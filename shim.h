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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/async.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Raised with every change of this file that an older half would not survive. */
#define GOSESS_CORE_ABI 1

#define GOSESS_KEY_SIZE 32    /* bytes of one sealing key */
#define GOSESS_DIGEST_SIZE 32 /* bytes of a context digest: SHA-256 */

/* The header at the start of a shm store: docs/shm-format.md. */
#define GOSESS_SHM_MAGIC "gosess\r\n"
#define GOSESS_SHM_VERSION 1
#define GOSESS_SHM_HEADER_SIZE 64

/*
 * Every function of libssl and libcrypto that gosess calls, looked up in the
 * libssl that the host has loaded: neither half is linked to one. X(name) is
 * expanded to declare the table and to fill it (shim/libssl.c), with the types of
 * the system's headers, so a call that does not fit them does not compile.
 */
#define GOSESS_LIBSSL_FUNCTIONS(X) \
    X(ASYNC_get_current_job)       \
    X(CRYPTO_clear_free)           \
    X(CRYPTO_free)                 \
    X(CRYPTO_get_ex_new_index)     \
    X(CRYPTO_memcmp)               \
    X(DTLS_client_method)          \
    X(ERR_pop_to_mark)             \
    X(ERR_set_mark)                \
    X(EVP_DigestFinal_ex)          \
    X(EVP_DigestInit_ex)           \
    X(EVP_DigestUpdate)            \
    X(EVP_MD_CTX_free)             \
    X(EVP_MD_CTX_new)              \
    X(EVP_sha256)                  \
    X(OPENSSL_cleanse)             \
    X(OPENSSL_sk_num)              \
    X(OPENSSL_sk_value)            \
    X(SSL_CTX_ctrl)                \
    X(SSL_CTX_free)                \
    X(SSL_CTX_get0_certificate)    \
    X(SSL_CTX_get0_param)          \
    X(SSL_CTX_get_cert_store)      \
    X(SSL_CTX_get_client_CA_list)  \
    X(SSL_CTX_get_ex_data)         \
    X(SSL_CTX_get_verify_depth)    \
    X(SSL_CTX_get_verify_mode)     \
    X(SSL_CTX_sess_set_get_cb)     \
    X(SSL_CTX_sess_set_new_cb)     \
    X(SSL_CTX_sess_set_remove_cb)  \
    X(SSL_CTX_set_ex_data)         \
    X(SSL_CTX_set_options)         \
    X(SSL_CTX_up_ref)              \
    X(SSL_SESSION_free)            \
    X(SSL_SESSION_get_id)          \
    X(SSL_SESSION_get_master_key)  \
    X(SSL_SESSION_get_time)        \
    X(SSL_SESSION_get_timeout)     \
    X(SSL_SESSION_set_timeout)     \
    X(SSL_client_hello_get0_ext)   \
    X(SSL_get_SSL_CTX)             \
    X(SSL_get_ex_data)             \
    X(SSL_get_max_early_data)      \
    X(SSL_get_options)             \
    X(SSL_get_servername)          \
    X(SSL_is_server)               \
    X(SSL_session_reused)          \
    X(SSL_set_ex_data)             \
    X(SSL_version)                 \
    X(TLS_client_method)           \
    X(X509_OBJECT_get0_X509)       \
    X(X509_STORE_get0_objects)     \
    X(X509_STORE_lock)             \
    X(X509_STORE_unlock)           \
    X(X509_VERIFY_PARAM_get_flags) \
    X(X509_digest)                 \
    X(d2i_SSL_SESSION)             \
    X(i2d_SSL_SESSION)             \
    X(i2d_X509_NAME)

struct gosess_libssl {
#define X(name) __typeof__(&(name)) name;
    GOSESS_LIBSSL_FUNCTIONS(X)
#undef X
};

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
    GOSESS_CAUSE_COUNT,
};

/* What the Go half is started with. All of it stays valid until the process ends. */
struct gosess_start {
    const struct gosess_libssl *libssl;
    void *mapping; /* the shm store, shared and writable */
    uint64_t mapping_size;
    const unsigned char (*keys)[GOSESS_KEY_SIZE]; /* newest first; copied by the Go half */
    unsigned key_count;
    int deadline_index; /* SSL ex_data, an integer: when the resumed session ends, unix seconds */
    /*
     * Who may share sessions with a context: a digest (GOSESS_DIGEST_SIZE bytes) of its
     * certificate and of its policy for client certificates. Of an SSL it is that of the
     * context that it was made from, whose callbacks and sessions apply whatever a server
     * name switched to later (L1). NULL where gosess does not serve it. Valid as long as
     * the SSL or SSL_CTX.
     */
    const unsigned char *(*digest_of_ssl)(const SSL *ssl);
    const unsigned char *(*digest_of_ctx)(const SSL_CTX *ctx);
    /* The one logger. Any thread. */
    void (*log)(enum gosess_log_level level, enum gosess_log_cause cause, const char *text);
};

/*
 * What libgosess-core.so exports. The C half checks gosess_core_abi before it calls
 * anything, calls gosess_core_start once, and then the callbacks, which have the
 * signatures and the reference rules of SSL_CTX_sess_set_get_cb(3), from any thread with
 * every asynchronous signal blocked, and never from an ASYNC job's stack (L44).
 */
extern const unsigned gosess_core_abi;

/*
 * Opens the store and makes every thread that the Go half will ever need. 0, or -1 after
 * one log line. Returns only when all of that is done.
 */
int gosess_core_start(const struct gosess_start *start);

/* Stores a session of a server. 0: the reference that libssl took stays libssl's (L16). */
int gosess_core_new_session(SSL *ssl, SSL_SESSION *session);

/*
 * Looks a session up. NULL is a miss. Otherwise *copy is 0 and the one reference of the
 * returned object is libssl's to free (L17).
 */
SSL_SESSION *gosess_core_get_session(SSL *ssl, const unsigned char *id, int length, int *copy);

/* Removes a session, if the stored one is this one (L15). The pointer is borrowed (L19). */
void gosess_core_remove_session(SSL_CTX *ctx, SSL_SESSION *session);

#endif
