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

#include <stddef.h>
#include <stdint.h>

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
 * the system's headers, so a prototype that differs does not compile.
 */
#define GOSESS_LIBSSL_FUNCTIONS(X)                                                       \
    X(CRYPTO_get_ex_new_index)                                                           \
    X(ERR_pop_to_mark)                                                                   \
    X(ERR_set_mark)                                                                      \
    X(SSL_CTX_get0_certificate)                                                          \
    X(SSL_CTX_get_cert_store)                                                            \
    X(SSL_CTX_get_client_CA_list)                                                        \
    X(SSL_CTX_get_ex_data)                                                               \
    X(SSL_CTX_get_options)                                                               \
    X(SSL_CTX_get_verify_depth)                                                          \
    X(SSL_CTX_get_verify_mode)                                                           \
    X(SSL_CTX_set_ex_data)                                                               \
    X(SSL_CTX_set_options)                                                               \
    X(SSL_SESSION_free)                                                                  \
    X(SSL_SESSION_get_id)                                                                \
    X(SSL_SESSION_get_master_key)                                                        \
    X(SSL_SESSION_get_protocol_version)                                                  \
    X(SSL_SESSION_get_time)                                                              \
    X(SSL_SESSION_get_timeout)                                                           \
    X(SSL_SESSION_set_timeout)                                                           \
    X(SSL_client_hello_get0_ext)                                                         \
    X(SSL_get_SSL_CTX)                                                                   \
    X(SSL_get_ex_data)                                                                   \
    X(SSL_get_options)                                                                   \
    X(SSL_get_servername)                                                                \
    X(SSL_is_server)                                                                     \
    X(SSL_session_reused)                                                                \
    X(SSL_set_ex_data)                                                                   \
    X(SSL_version)                                                                       \
    X(X509_STORE_get0_objects)                                                           \
    X(d2i_SSL_SESSION)                                                                   \
    X(i2d_SSL_SESSION)

struct gosess_libssl {
#define X(name) __typeof__(&name) name;
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

/* What the Go half is started with. Everything stays valid until the process ends. */
struct gosess_start {
    const struct gosess_libssl *libssl;
    void *mapping; /* the shm store, shared and writable */
    uint64_t mapping_size;
    const unsigned char (*keys)[GOSESS_KEY_SIZE]; /* newest first; the core copies what it needs */
    unsigned key_count;
    int context_index;  /* ex_data of an SSL: its first context's struct gosess_context */
    int deadline_index; /* ex_data of an SSL: see struct gosess_context */
    /* The one logger, of the C half: text is NUL-terminated. Any thread. */
    void (*log)(enum gosess_log_level level, enum gosess_log_cause cause, const char *text);
};

#endif
