/*
 * functions.h - what gosess calls of the host's libssl: it is looked up in the one that the host
 * has loaded, as neither half of gosess is linked to one.
 */
#ifndef GOSESS_SSL_FUNCTIONS_H
#define GOSESS_SSL_FUNCTIONS_H

#include "libcrypto.h"

/*
 * Every function that gosess calls of libssl, and with libcrypto.h of both. X(name) is expanded to
 * declare the table and to fill it (libssl.c), with the types of the system's headers, so a call
 * that does not fit them does not compile.
 */
#define GOSESS_OF_LIBSSL(X)             \
    X(DTLS_client_method)               \
    X(SSL_CIPHER_get_id)                \
    X(SSL_CIPHER_get_kx_nid)            \
    X(SSL_CTX_add_session)              \
    X(SSL_CTX_ctrl)                     \
    X(SSL_CTX_free)                     \
    X(SSL_CTX_get0_CA_list)             \
    X(SSL_CTX_get0_certificate)         \
    X(SSL_CTX_get0_param)               \
    X(SSL_CTX_get_cert_store)           \
    X(SSL_CTX_get_ciphers)              \
    X(SSL_CTX_get_client_CA_list)       \
    X(SSL_CTX_get_max_early_data)       \
    X(SSL_CTX_get_options)              \
    X(SSL_CTX_get_security_callback)    \
    X(SSL_CTX_get_security_level)       \
    X(SSL_CTX_get_timeout)              \
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
    X(SSL_SESSION_get0_id_context)      \
    X(SSL_SESSION_get0_peer)            \
    X(SSL_SESSION_get0_ticket_appdata)  \
    X(SSL_SESSION_get_id)               \
    X(SSL_SESSION_get_master_key)       \
    X(SSL_SESSION_get_protocol_version) \
    X(SSL_SESSION_get_time)             \
    X(SSL_SESSION_get_timeout)          \
    X(SSL_SESSION_is_resumable)         \
    X(SSL_SESSION_set1_id)              \
    X(SSL_SESSION_set1_master_key)      \
    X(SSL_SESSION_set_time)             \
    X(SSL_SESSION_set_timeout)          \
    X(SSL_SESSION_up_ref)               \
    X(SSL_clear_options)                \
    X(SSL_client_hello_get0_ext)        \
    X(SSL_client_hello_get0_random)     \
    X(SSL_ctrl)                         \
    X(SSL_get0_CA_list)                 \
    X(SSL_get0_param)                   \
    X(SSL_get0_verified_chain)          \
    X(SSL_get_SSL_CTX)                  \
    X(SSL_get_certificate)              \
    X(SSL_get_ciphers)                  \
    X(SSL_get_client_CA_list)           \
    X(SSL_get_client_random)            \
    X(SSL_get_default_timeout)          \
    X(SSL_get_fd)                       \
    X(SSL_get_max_early_data)           \
    X(SSL_get_options)                  \
    X(SSL_get_peer_cert_chain)          \
    X(SSL_get_privatekey)               \
    X(SSL_get_security_callback)        \
    X(SSL_get_security_level)           \
    X(SSL_get_servername)               \
    X(SSL_get_session)                  \
    X(SSL_get_state)                    \
    X(SSL_get_verify_callback)          \
    X(SSL_get_verify_mode)              \
    X(SSL_is_server)                    \
    X(SSL_session_reused)               \
    X(SSL_set_options)                  \
    X(SSL_version)                      \
    X(TLS_client_method)                \
    X(d2i_SSL_SESSION)                  \
    X(i2d_SSL_SESSION)

#define GOSESS_LIBSSL_FUNCTIONS(X) \
    GOSESS_OF_LIBCRYPTO(X)         \
    GOSESS_OF_LIBSSL(X)

/* Those that not every libcrypto has: NULL in the table then. */
#define GOSESS_OPTIONAL_FUNCTIONS(X)                       \
    X(EC_GROUP_get_curve_name) /* not without EC */        \
    X(EC_KEY_get0_group)                                   \
    X(EVP_CIPHER_fetch) /* 3.0, as the next */             \
    X(EVP_CIPHER_free)                                     \
    X(EVP_CIPHER_get0_provider)                            \
    X(EVP_MAC_CTX_set_params)                              \
    X(EVP_MAC_fetch)                                       \
    X(EVP_MAC_free)                                        \
    X(EVP_MAC_get0_provider)                               \
    X(EVP_MD_fetch)                                        \
    X(EVP_MD_free)                                         \
    X(EVP_MD_get0_provider)                                \
    X(EVP_default_properties_is_fips_enabled)              \
    X(SSL_get0_client_cert_type) /* 3.2, as the next */    \
    X(SSL_get0_server_cert_type)                           \
    X(X509_VERIFY_PARAM_get0_email) /* 3.0, as the next */ \
    X(X509_VERIFY_PARAM_get0_host)                         \
    X(X509_VERIFY_PARAM_get1_ip_asc)                       \
    X(X509_VERIFY_PARAM_get_purpose) /* 3.5 */

/* The headers that gosess is built with need not have them. */
int SSL_get0_client_cert_type(const SSL *ssl, unsigned char **types, size_t *length);
int SSL_get0_server_cert_type(const SSL *ssl, unsigned char **types, size_t *length);
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

#endif
