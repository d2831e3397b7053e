/*
 * clients.c - the interposed functions that set who a client may be, in what has no getter.
 *
 * Each does what libssl's own does, and writes down what the host has set where gosess has to do
 * with the context (struct gosess_observed) or with the connection.
 */
#define _GNU_SOURCE
#include <stdatomic.h>

#include "../ssl/libssl.h"
#include "../ssl/verification.h"
#include "connection.h"
#include "context.h"

/* What changes more in a context's X509_VERIFY_PARAM than can be read out of it, in some version.
 */
#define INTERPOSE_PARAM_CHANGE(function, parameters, member, ...)        \
    GOSESS_EXPORT int function parameters                                \
    {                                                                    \
        __typeof__(&(function)) next = GOSESS_NEXT(function);            \
        struct gosess_context *context = gosess_context_of_param(param); \
        if (context)                                                     \
            atomic_store(&context->observed.member, true);               \
        gosess_context_unref(context);                                   \
        return next ? next(__VA_ARGS__) : 0;                             \
    }

/* SSL_CTX_set1_param calls the first. */
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_set1,
                       (X509_VERIFY_PARAM * param, const X509_VERIFY_PARAM *from), copied, param,
                       from)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_inherit,
                       (X509_VERIFY_PARAM * param, const X509_VERIFY_PARAM *from), copied, param,
                       from)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_set1_host,
                       (X509_VERIFY_PARAM * param, const char *host, size_t length), names, param,
                       host, length)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_add1_host,
                       (X509_VERIFY_PARAM * param, const char *host, size_t length), names, param,
                       host, length)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_set1_email,
                       (X509_VERIFY_PARAM * param, const char *email, size_t length), names, param,
                       email, length)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_set1_ip,
                       (X509_VERIFY_PARAM * param, const unsigned char *address, size_t length),
                       names, param, address, length)
INTERPOSE_PARAM_CHANGE(X509_VERIFY_PARAM_set1_ip_asc,
                       (X509_VERIFY_PARAM * param, const char *address), names, param, address)

/* --- who clients are without a certificate --- */

static void observe_identifier_of(const SSL *ssl)
{
    struct gosess_connection *connection = gosess_ssl ? gosess_connection_of(ssl) : NULL;
    if (connection)
        connection->identifies = true;
}

#define INTERPOSE_IDENTIFIER(function, type, callback_type, observe)  \
    GOSESS_EXPORT void function(type *object, callback_type callback) \
    {                                                                 \
        __typeof__(&(function)) next = GOSESS_NEXT(function);         \
        if (callback)                                                 \
            observe(object);                                          \
        if (next)                                                     \
            next(object, callback);                                   \
    }

INTERPOSE_IDENTIFIER(SSL_CTX_set_psk_server_callback, SSL_CTX, SSL_psk_server_cb_func,
                     gosess_observe_identifier)
INTERPOSE_IDENTIFIER(SSL_CTX_set_psk_find_session_callback, SSL_CTX, SSL_psk_find_session_cb_func,
                     gosess_observe_identifier)
INTERPOSE_IDENTIFIER(SSL_set_psk_server_callback, SSL, SSL_psk_server_cb_func,
                     observe_identifier_of)
INTERPOSE_IDENTIFIER(SSL_set_psk_find_session_callback, SSL, SSL_psk_find_session_cb_func,
                     observe_identifier_of)

/* SSL_CTX_callback_ctrl sets the same. */
GOSESS_EXPORT int SSL_CTX_set_srp_username_callback(SSL_CTX *ctx,
                                                    int (*callback)(SSL *, int *, void *))
{
    __typeof__(&SSL_CTX_set_srp_username_callback) next =
        GOSESS_NEXT(SSL_CTX_set_srp_username_callback);
    if (callback)
        gosess_observe_identifier(ctx);
    return next ? next(ctx, callback) : 0;
}
