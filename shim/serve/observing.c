/*
 * observing.c - the interposed functions that set what libssl has no getter for, or tells too late.
 *
 * Each does what libssl's own does, and writes down what the host has set where gosess has to do
 * with the context (struct gosess_observed) or with the connection.
 */
#define _GNU_SOURCE
#include <stdatomic.h>

#include "../ssl/libssl.h"
#include "../ssl/verification.h"
#include "choosing.h"
#include "connection.h"
#include "context.h"
#include "sessions.h"
#include "stored.h"
#include "tickets.h"

/* --- how clients are verified --- */

/* A list that was set may be freed, and the next one lie in its place: they are counted. */
#define INTERPOSE_LIST_SETTER(function)                                    \
    GOSESS_EXPORT void function(SSL_CTX *ctx, STACK_OF(X509_NAME) * names) \
    {                                                                      \
        struct gosess_context *context = gosess_context_of(ctx);           \
        __typeof__(&(function)) next = GOSESS_NEXT(function);              \
        if (next)                                                          \
            next(ctx, names);                                              \
        if (context)                                                       \
            atomic_fetch_add(&context->observed.lists, 1);                 \
    }

INTERPOSE_LIST_SETTER(SSL_CTX_set0_CA_list)
INTERPOSE_LIST_SETTER(SSL_CTX_set_client_CA_list)

GOSESS_EXPORT void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx,
                                                    int (*verifier)(X509_STORE_CTX *, void *),
                                                    void *argument)
{
    struct gosess_context *context = gosess_context_of(ctx);
    __typeof__(&SSL_CTX_set_cert_verify_callback) next =
        GOSESS_NEXT(SSL_CTX_set_cert_verify_callback);
    if (next)
        next(ctx, verifier, argument);
    if (!context)
        return;
    uintptr_t before = atomic_exchange(&context->observed.verifier, (uintptr_t)verifier);
    uintptr_t argument_before = atomic_exchange(&context->observed.argument, (uintptr_t)argument);
    if (before != (uintptr_t)verifier || argument_before != (uintptr_t)argument)
        atomic_fetch_add(&context->observed.verifiers, 1);
}

/* SSL_CTX_set_purpose and SSL_CTX_set_trust call these too. */
#define INTERPOSE_PARAM_SETTER(function, member)                                           \
    GOSESS_EXPORT int function(X509_VERIFY_PARAM *param, int value)                        \
    {                                                                                      \
        __typeof__(&(function)) next = GOSESS_NEXT(function);                              \
        int set = next ? next(param, value) : 0;                                           \
        struct gosess_context *context = set == 1 ? gosess_context_of_param(param) : NULL; \
        if (context)                                                                       \
            atomic_store(&context->observed.member, value);                                \
        gosess_context_unref(context);                                                     \
        return set;                                                                        \
    }

INTERPOSE_PARAM_SETTER(X509_VERIFY_PARAM_set_purpose, purpose)
INTERPOSE_PARAM_SETTER(X509_VERIFY_PARAM_set_trust, trust)

/* --- rules of one connection --- */

static void observe_rule(const SSL *ssl)
{
    struct gosess_connection *connection = gosess_ssl ? gosess_connection_of(ssl) : NULL;
    if (connection)
        connection->ruled = true;
}

/* A host that asks for the parameters of a connection may set in them what cannot be read. */
GOSESS_EXPORT X509_VERIFY_PARAM *SSL_get0_param(SSL *ssl)
{
    __typeof__(&SSL_get0_param) next = GOSESS_NEXT(SSL_get0_param);
    observe_rule(ssl);
    return next ? next(ssl) : NULL;
}

#define INTERPOSE_RULE_SETTER(function, type)                 \
    GOSESS_EXPORT int function(SSL *ssl, type value)          \
    {                                                         \
        __typeof__(&(function)) next = GOSESS_NEXT(function); \
        observe_rule(ssl);                                    \
        return next ? next(ssl, value) : 0;                   \
    }

INTERPOSE_RULE_SETTER(SSL_set1_param, X509_VERIFY_PARAM *)
INTERPOSE_RULE_SETTER(SSL_set_purpose, int)
INTERPOSE_RULE_SETTER(SSL_set_trust, int)
INTERPOSE_RULE_SETTER(SSL_set1_host, const char *)
INTERPOSE_RULE_SETTER(SSL_add1_host, const char *)
INTERPOSE_RULE_SETTER(SSL_dane_enable, const char *)

GOSESS_EXPORT long SSL_ctrl(SSL *ssl, int command, long larg, void *parg)
{
    __typeof__(&SSL_ctrl) next = GOSESS_NEXT(SSL_ctrl);
    if (command == SSL_CTRL_SET_VERIFY_CERT_STORE || command == SSL_CTRL_SET_CLIENT_SIGALGS ||
        command == SSL_CTRL_SET_CLIENT_SIGALGS_LIST || command == SSL_CTRL_SET_SIGALGS ||
        command == SSL_CTRL_SET_SIGALGS_LIST || command == SSL_CTRL_SET_CLIENT_CERT_TYPES ||
        command == SSL_CTRL_SET_GROUPS || command == SSL_CTRL_SET_GROUPS_LIST ||
        command == SSL_CTRL_SET_TMP_ECDH)
        observe_rule(ssl);
    return next ? next(ssl, command, larg, parg) : 0;
}

/* --- what a host chooses with --- */

/*
 * What a name leads to is seen when the host has chosen, so libssl is given a callback of ours that
 * calls the host's: the context that the connection was switched to has its own.
 */
GOSESS_EXPORT long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int command, void (*callback)(void))
{
    __typeof__(&SSL_CTX_callback_ctrl) next = GOSESS_NEXT(SSL_CTX_callback_ctrl);
    struct gosess_context *context = gosess_context_of(ctx);
    if (command == SSL_CTRL_SET_TLS_EXT_SRP_USERNAME_CB && callback)
        gosess_observe_identifier(ctx);
    if (context && command == SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB)
        return gosess_tickets_set(context, (gosess_ticket_cb)callback);
    if (context && command == SSL_CTRL_SET_TLSEXT_SERVERNAME_CB) {
        atomic_store(&context->observed.servername, (gosess_servername_cb)callback);
        if (callback || atomic_load(&context->observed.parses))
            callback = (void (*)(void))gosess_on_servername;
    }
    if (context && command == SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB) {
        atomic_store(&context->observed.status, (gosess_status_cb)callback);
        if (callback)
            callback = (void (*)(void))gosess_on_status;
    }
    return next ? next(ctx, command, callback) : 0;
}

GOSESS_EXPORT int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx, gosess_ticket_evp_cb callback)
{
    __typeof__(&SSL_CTX_set_tlsext_ticket_key_evp_cb) next =
        GOSESS_NEXT(SSL_CTX_set_tlsext_ticket_key_evp_cb);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context && next)
        return gosess_tickets_set_evp(context, callback);
    return next ? next(ctx, callback) : 0;
}

GOSESS_EXPORT void SSL_CTX_set_alpn_select_cb(SSL_CTX *ctx, SSL_CTX_alpn_select_cb_func callback,
                                              void *argument)
{
    __typeof__(&SSL_CTX_set_alpn_select_cb) next = GOSESS_NEXT(SSL_CTX_set_alpn_select_cb);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context) {
        atomic_store(&context->observed.alpn, callback);
        if (callback)
            callback = gosess_on_alpn;
    }
    if (next)
        next(ctx, callback, argument);
}

/* Where it is taken away again, connections may have it still. */
GOSESS_EXPORT void SSL_CTX_set_cert_cb(SSL_CTX *ctx, int (*callback)(SSL *, void *), void *argument)
{
    __typeof__(&SSL_CTX_set_cert_cb) next = GOSESS_NEXT(SSL_CTX_set_cert_cb);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context && callback)
        atomic_store(&context->observed.chooses, true);
    if (next)
        next(ctx, callback, argument);
}

GOSESS_EXPORT void SSL_set_cert_cb(SSL *ssl, int (*callback)(SSL *, void *), void *argument)
{
    __typeof__(&SSL_set_cert_cb) next = GOSESS_NEXT(SSL_set_cert_cb);
    struct gosess_connection *connection = gosess_ssl ? gosess_connection_of(ssl) : NULL;
    if (connection && callback)
        connection->chooses = true;
    if (next)
        next(ssl, callback, argument);
}

GOSESS_EXPORT void SSL_CTX_set_client_hello_cb(SSL_CTX *ctx, SSL_client_hello_cb_fn callback,
                                               void *argument)
{
    __typeof__(&SSL_CTX_set_client_hello_cb) next = GOSESS_NEXT(SSL_CTX_set_client_hello_cb);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context) {
        atomic_store(&context->observed.hello, callback != NULL);
        atomic_store(&context->observed.chooses_in_hello,
                     callback && gosess_chooses_in_hello((uintptr_t)callback));
    }
    if (next)
        next(ctx, callback, argument);
}

/* --- what a host changes while it runs --- */

#define INTERPOSE_CERTIFICATE_SETTER(function, parameters, ...) \
    GOSESS_EXPORT int function parameters                       \
    {                                                           \
        __typeof__(&(function)) next = GOSESS_NEXT(function);   \
        int set = next ? next(__VA_ARGS__) : 0;                 \
        gosess_observe_change(ctx);                             \
        return set;                                             \
    }

INTERPOSE_CERTIFICATE_SETTER(SSL_CTX_use_certificate, (SSL_CTX * ctx, X509 *x), ctx, x)
INTERPOSE_CERTIFICATE_SETTER(SSL_CTX_use_certificate_ASN1,
                             (SSL_CTX * ctx, int length, const unsigned char *der), ctx, length,
                             der)
INTERPOSE_CERTIFICATE_SETTER(SSL_CTX_use_certificate_file,
                             (SSL_CTX * ctx, const char *file, int type), ctx, file, type)
INTERPOSE_CERTIFICATE_SETTER(SSL_CTX_use_certificate_chain_file, (SSL_CTX * ctx, const char *file),
                             ctx, file)
INTERPOSE_CERTIFICATE_SETTER(SSL_CTX_use_cert_and_key,
                             (SSL_CTX * ctx, X509 *x, EVP_PKEY *key, STACK_OF(X509) * chain,
                              int override),
                             ctx, x, key, chain, override)

GOSESS_EXPORT void SSL_CTX_set_verify(SSL_CTX *ctx, int mode, SSL_verify_cb callback)
{
    __typeof__(&SSL_CTX_set_verify) next = GOSESS_NEXT(SSL_CTX_set_verify);
    bool same = gosess_context_of(ctx) && gosess_ssl->SSL_CTX_get_verify_mode(ctx) == mode &&
                gosess_ssl->SSL_CTX_get_verify_callback(ctx) == callback;
    if (next)
        next(ctx, mode, callback);
    if (!same)
        gosess_observe_change(ctx);
}

#define INTERPOSE_POLICY_SETTER(function, type, get)                         \
    GOSESS_EXPORT void function(SSL_CTX *ctx, type value)                    \
    {                                                                        \
        __typeof__(&(function)) next = GOSESS_NEXT(function);                \
        bool same = gosess_context_of(ctx) && gosess_ssl->get(ctx) == value; \
        if (next)                                                            \
            next(ctx, value);                                                \
        if (!same)                                                           \
            gosess_observe_change(ctx);                                      \
    }

INTERPOSE_POLICY_SETTER(SSL_CTX_set_security_level, int, SSL_CTX_get_security_level)
INTERPOSE_POLICY_SETTER(SSL_CTX_set_cert_store, X509_STORE *, SSL_CTX_get_cert_store)
INTERPOSE_POLICY_SETTER(SSL_CTX_set1_cert_store, X509_STORE *, SSL_CTX_get_cert_store)

/* --- what a host keeps with its sessions --- */

GOSESS_EXPORT int CRYPTO_get_ex_new_index(int class, long argl, void *argp, CRYPTO_EX_new *new,
                                          CRYPTO_EX_dup *dup, CRYPTO_EX_free *free)
{
    __typeof__(&CRYPTO_get_ex_new_index) next = GOSESS_NEXT(CRYPTO_get_ex_new_index);
    if (class == CRYPTO_EX_INDEX_SSL_SESSION)
        gosess_observe_session_data();
    return next ? next(class, argl, argp, new, dup, free) : -1;
}

/* Nobody needs an index to set data: by then the session may be in a store. */
GOSESS_EXPORT int SSL_SESSION_set_ex_data(SSL_SESSION *session, int index, void *data)
{
    __typeof__(&SSL_SESSION_set_ex_data) next = GOSESS_NEXT(SSL_SESSION_set_ex_data);
    if (data && gosess_observe_session_data() && gosess_ssl && gosess_is_stored(session))
        gosess_keep_object(session);
    return next ? next(session, index, data) : 0;
}

/* The data of a ticket goes with a ticket that carries its session, and with no other. */
GOSESS_EXPORT int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx,
                                                SSL_CTX_generate_session_ticket_fn made,
                                                SSL_CTX_decrypt_session_ticket_fn read,
                                                void *argument)
{
    __typeof__(&SSL_CTX_set_session_ticket_cb) next = GOSESS_NEXT(SSL_CTX_set_session_ticket_cb);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context)
        gosess_tickets_set_data(context, (uintptr_t)made, (uintptr_t)read);
    return next ? next(ctx, made, read, argument) : 0;
}
