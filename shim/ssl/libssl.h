/* libssl.h - the host's libssl, and what lies behind the functions that we interpose. */
#ifndef GOSESS_SSL_LIBSSL_H
#define GOSESS_SSL_LIBSSL_H

#include "../../shim.h"

#define GOSESS_EXPORT __attribute__((visibility("default")))

extern const struct gosess_libssl *_Atomic gosess_ssl; /* the table, once prepared */

/* Every function that is interposed. */
#define GOSESS_INTERPOSED(X)                 \
    X(CRYPTO_get_ex_new_index)               \
    X(SSL_CONF_CTX_set_flags)                \
    X(SSL_CTX_add_session)                   \
    X(SSL_CTX_callback_ctrl)                 \
    X(SSL_CTX_ctrl)                          \
    X(SSL_CTX_flush_sessions)                \
    X(SSL_CTX_flush_sessions_ex)             \
    X(SSL_CTX_new)                           \
    X(SSL_CTX_new_ex)                        \
    X(SSL_CTX_remove_session)                \
    X(SSL_CTX_sess_get_get_cb)               \
    X(SSL_CTX_sess_get_new_cb)               \
    X(SSL_CTX_sess_get_remove_cb)            \
    X(SSL_CTX_sess_set_get_cb)               \
    X(SSL_CTX_sess_set_new_cb)               \
    X(SSL_CTX_sess_set_remove_cb)            \
    X(SSL_CTX_set0_CA_list)                  \
    X(SSL_CTX_set1_cert_store)               \
    X(SSL_CTX_set_alpn_select_cb)            \
    X(SSL_CTX_set_cert_cb)                   \
    X(SSL_CTX_set_cert_store)                \
    X(SSL_CTX_set_cert_verify_callback)      \
    X(SSL_CTX_set_client_CA_list)            \
    X(SSL_CTX_set_client_hello_cb)           \
    X(SSL_CTX_set_psk_find_session_callback) \
    X(SSL_CTX_set_psk_server_callback)       \
    X(SSL_CTX_set_security_level)            \
    X(SSL_CTX_set_session_ticket_cb)         \
    X(SSL_CTX_set_srp_username_callback)     \
    X(SSL_CTX_set_verify)                    \
    X(SSL_CTX_up_ref)                        \
    X(SSL_CTX_use_cert_and_key)              \
    X(SSL_CTX_use_certificate)               \
    X(SSL_CTX_use_certificate_ASN1)          \
    X(SSL_CTX_use_certificate_chain_file)    \
    X(SSL_CTX_use_certificate_file)          \
    X(SSL_SESSION_set1_alpn_selected)        \
    X(SSL_SESSION_set1_hostname)             \
    X(SSL_SESSION_set1_id)                   \
    X(SSL_SESSION_set1_id_context)           \
    X(SSL_SESSION_set1_master_key)           \
    X(SSL_SESSION_set1_ticket_appdata)       \
    X(SSL_SESSION_set_cipher)                \
    X(SSL_SESSION_set_ex_data)               \
    X(SSL_SESSION_set_max_early_data)        \
    X(SSL_SESSION_set_protocol_version)      \
    X(SSL_SESSION_set_time)                  \
    X(SSL_SESSION_set_time_ex)               \
    X(SSL_SESSION_set_timeout)               \
    X(SSL_add1_host)                         \
    X(SSL_ctrl)                              \
    X(SSL_free)                              \
    X(SSL_get0_param)                        \
    X(SSL_new)                               \
    X(SSL_set1_host)                         \
    X(SSL_set1_param)                        \
    X(SSL_set_SSL_CTX)                       \
    X(SSL_set_cert_cb)                       \
    X(SSL_set_psk_find_session_callback)     \
    X(SSL_set_psk_server_callback)           \
    X(SSL_set_purpose)                       \
    X(SSL_set_trust)                         \
    X(SSL_up_ref)                            \
    X(X509_STORE_add_lookup)                 \
    X(X509_STORE_load_locations)             \
    X(X509_STORE_load_locations_ex)          \
    X(X509_STORE_load_path)                  \
    X(X509_STORE_load_store)                 \
    X(X509_STORE_load_store_ex)              \
    X(X509_STORE_set1_param)                 \
    X(X509_STORE_set_default_paths)          \
    X(X509_STORE_set_default_paths_ex)       \
    X(X509_STORE_set_purpose)                \
    X(X509_STORE_set_trust)                  \
    X(X509_VERIFY_PARAM_add1_host)           \
    X(X509_VERIFY_PARAM_inherit)             \
    X(X509_VERIFY_PARAM_set1)                \
    X(X509_VERIFY_PARAM_set1_email)          \
    X(X509_VERIFY_PARAM_set1_host)           \
    X(X509_VERIFY_PARAM_set1_ip)             \
    X(X509_VERIFY_PARAM_set1_ip_asc)         \
    X(X509_VERIFY_PARAM_set_purpose)         \
    X(X509_VERIFY_PARAM_set_trust)           \
    X(capset)                                \
    X(chroot)                                \
    X(initgroups)                            \
    X(prctl)                                 \
    X(seccomp_load)                          \
    X(setegid)                               \
    X(seteuid)                               \
    X(setgid)                                \
    X(setgroups)                             \
    X(setregid)                              \
    X(setresgid)                             \
    X(setresuid)                             \
    X(setreuid)                              \
    X(setrlimit)                             \
    X(setrlimit64)                           \
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

/* A function of libssl or libcrypto that is not interposed, found in the same way. */
void *gosess_find(const char *name, const void *caller);

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

#endif
