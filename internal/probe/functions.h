/*
 * functions.h - what the probe calls of libssl, which is loaded when it is first needed: the
 * command serves where there is none too, and whichever there is, 1.1.1 or 3.
 */
#ifndef PROBE_FUNCTIONS_H
#define PROBE_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/* With the types of the system's headers, so a call that does not fit them does not compile. */
#define PROBE_CALLS(X)                      \
    X(BIO_ctrl)                             \
    X(BIO_free)                             \
    X(BIO_new)                              \
    X(BIO_read)                             \
    X(BIO_s_mem)                            \
    X(BIO_write)                            \
    X(ERR_clear_error)                      \
    X(ERR_peek_last_error)                  \
    X(ERR_reason_error_string)              \
    X(OpenSSL_version)                      \
    X(SSL_CIPHER_get_name)                  \
    X(SSL_CTX_ctrl)                         \
    X(SSL_CTX_new)                          \
    X(SSL_CTX_set_client_cert_cb)           \
    X(SSL_CTX_sess_set_new_cb)              \
    X(SSL_SESSION_free)                     \
    X(SSL_SESSION_get0_peer)                \
    X(SSL_SESSION_get0_ticket)              \
    X(SSL_SESSION_get_id)                   \
    X(SSL_SESSION_get_max_early_data)       \
    X(SSL_SESSION_get_ticket_lifetime_hint) \
    X(SSL_ctrl)                             \
    X(SSL_do_handshake)                     \
    X(SSL_free)                             \
    X(SSL_get0_alpn_selected)               \
    X(SSL_get_current_cipher)               \
    X(SSL_get_early_data_status)            \
    X(SSL_get_error)                        \
    X(SSL_get1_session)                     \
    X(SSL_get_ex_data)                      \
    X(SSL_get_session)                      \
    X(SSL_new)                              \
    X(SSL_read)                             \
    X(SSL_session_reused)                   \
    X(SSL_set_alpn_protos)                  \
    X(SSL_set_bio)                          \
    X(SSL_set_connect_state)                \
    X(SSL_set_ex_data)                      \
    X(SSL_set_options)                      \
    X(SSL_set_session)                      \
    X(SSL_shutdown)                         \
    X(SSL_version)                          \
    X(SSL_write)                            \
    X(SSL_write_early_data)                 \
    X(TLS_client_method)                    \
    X(d2i_SSL_SESSION)                      \
    X(i2d_SSL_SESSION)                      \
    X(i2d_X509)

struct probe_functions {
#define X(name) __typeof__(&(name)) name;
    PROBE_CALLS(X)
#undef X
};

/* Filled by probe_load. */
extern struct probe_functions probe_ssl;

/* Loads libssl, once. False with the reason where that fails. */
bool probe_load(char *error, size_t size);

#endif
