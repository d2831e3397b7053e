/*
 * shim.c - the interposed functions of libssl.
 *
 * Where gosess has nothing to do with a context, each of them is libssl's own at the cost of a
 * call. Where it has, the host sees its own settings and a session cache as libssl documents
 * it, and libssl sees the callbacks of shim/serve/callbacks.c and no internal cache.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <time.h>

#include "shim/base/locks.h"
#include "shim/config/environment.h"
#include "shim/core/load.h"
#include "shim/core/sandbox.h"
#include "shim/serve/attach.h"
#include "shim/serve/cache.h"
#include "shim/serve/call.h"
#include "shim/serve/callbacks.h"
#include "shim/serve/choosing.h"
#include "shim/serve/connection.h"
#include "shim/serve/context.h"
#include "shim/serve/prepare.h"
#include "shim/serve/sessions.h"
#include "shim/serve/tier.h"
#include "shim/ssl/libssl.h"
#include "shim/ssl/shared.h"

/* A context that can only be a client's is not touched, and no cache is opened for it. */
static bool client_only(const SSL_METHOD *method)
{
    return method == gosess_ssl->TLS_client_method() || method == gosess_ssl->DTLS_client_method();
}

/* SSL_CTX_new may call SSL_CTX_new_ex, which is interposed too: then this is done by libssl first.
 */
static SSL_CTX *attach(SSL_CTX *ctx, const SSL_METHOD *method, const struct gosess_origin *origin,
                       const void *caller)
{
    if (!ctx)
        return ctx;
    if (gosess_environment.misspelt && gosess_calls_allowed())
        gosess_say_misspelt();
    if (!gosess_environment.cache && !gosess_cache_any())
        return ctx;
    if (!gosess_context_of(ctx)) {
        if (!gosess_prepare(caller) || client_only(method) || gosess_shared_memory(ctx))
            return ctx;
        gosess_watch(ctx, origin);
        struct gosess_cache *cache = gosess_cache_of_environment();
        if (cache)
            gosess_serve(ctx, cache);
    }
    gosess_made_by(ctx, caller);
    return ctx;
}

/*
 * libssl registers an index when it makes its first context, which every other thread that makes
 * one waits for. What it calls for that is ours, and must not look itself up then: a thread that
 * runs a library's constructor holds the dynamic linker's lock.
 */
#define FIND_BEFORE_LIBSSL() GOSESS_NEXT(CRYPTO_get_ex_new_index)

/*
 * What libssl sets in a context that this thread makes, as the system's configuration says
 * (SSL_CONF_cmd(3), config(5)): nobody knows the context yet.
 */
static _Thread_local struct gosess_observed *born;

GOSESS_EXPORT SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    FIND_BEFORE_LIBSSL();
    __typeof__(&SSL_CTX_new) next = GOSESS_NEXT(SSL_CTX_new);
    if (!next)
        return NULL;
    struct gosess_observed observed = {0}, *before = born; /* contexts are made in callbacks, too */
    born = &observed;
    SSL_CTX *ctx = next(method);
    born = before;
    return attach(ctx, method, &(struct gosess_origin){.observed = &observed},
                  __builtin_return_address(0));
}

GOSESS_EXPORT SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx, const char *propq,
                                      const SSL_METHOD *method)
{
    FIND_BEFORE_LIBSSL();
    __typeof__(&SSL_CTX_new_ex) next = GOSESS_NEXT(SSL_CTX_new_ex);
    if (!next)
        return NULL;
    struct gosess_observed observed = {0}, *before = born;
    born = &observed;
    SSL_CTX *ctx = next(libctx, propq, method);
    born = before;
    return attach(ctx, method, &(struct gosess_origin){libctx, propq, &observed},
                  __builtin_return_address(0));
}

/*
 * httpd makes no context when it only tests its configuration, but tells libssl of each host that
 * it is a server's: a mistake in the environment is said by then, as other servers' tests say it.
 */
GOSESS_EXPORT unsigned int SSL_CONF_CTX_set_flags(SSL_CONF_CTX *configuration, unsigned int flags)
{
    __typeof__(&SSL_CONF_CTX_set_flags) next = GOSESS_NEXT(SSL_CONF_CTX_set_flags);
    if (flags & SSL_CONF_FLAG_SERVER)
        gosess_cache_of_environment();
    return next ? next(configuration, flags) : 0;
}

GOSESS_EXPORT SSL *SSL_new(SSL_CTX *ctx)
{
    __typeof__(&SSL_new) next = GOSESS_NEXT(SSL_new);
    if (!next)
        return NULL;
    struct gosess_context *context = gosess_context_of(ctx);
    if (!context)
        return next(ctx);
    gosess_before_ssl(context);
    SSL *ssl = next(ctx);
    if (ssl)
        gosess_after_ssl(ssl, context);
    return ssl;
}

GOSESS_EXPORT SSL *SSL_dup(SSL *ssl)
{
    __typeof__(&SSL_dup) next = GOSESS_NEXT(SSL_dup);
    SSL *copy = next ? next(ssl) : NULL;
    if (copy && gosess_ssl)
        gosess_connection_copied(copy, ssl);
    return copy;
}

/* Several threads may hold an SSL, and free it at once. */
GOSESS_EXPORT int SSL_up_ref(SSL *ssl)
{
    __typeof__(&SSL_up_ref) next = GOSESS_NEXT(SSL_up_ref);
    struct gosess_connection *connection = gosess_ssl ? gosess_connection_of(ssl) : NULL;
    if (connection)
        atomic_fetch_add(&connection->references, 1);
    return next ? next(ssl) : 0;
}

/* A handshake that has failed by now gives back what it has taken, while libssl can still tell. */
GOSESS_EXPORT void SSL_free(SSL *ssl)
{
    __typeof__(&SSL_free) next = GOSESS_NEXT(SSL_free);
    struct gosess_connection *connection = gosess_ssl ? gosess_connection_of(ssl) : NULL;
    if (connection)
        gosess_connection_unref(connection);
    if (next)
        next(ssl);
}

GOSESS_EXPORT SSL_CTX *SSL_set_SSL_CTX(SSL *ssl, SSL_CTX *ctx)
{
    __typeof__(&SSL_set_SSL_CTX) next = GOSESS_NEXT(SSL_set_SSL_CTX);
    struct gosess_context *context = gosess_context_of(ctx);
    /* Of an SSL that was not seen from birth this is the last moment to note what it was made of.
     */
    struct gosess_context *first =
        gosess_ssl && ssl ? gosess_context_of(gosess_ssl->SSL_get_SSL_CTX(ssl)) : NULL;
    if (first)
        gosess_connection_make(ssl, first);
    if (context)
        gosess_before_switch(ssl, context);
    return next ? next(ssl, ctx) : NULL;
}

/*
 * A host may ask in the same way as gosess_ending whether a context ends, and the first answer
 * is the one that counts: it is the host's.
 */
GOSESS_EXPORT int SSL_CTX_up_ref(SSL_CTX *ctx)
{
    __typeof__(&SSL_CTX_up_ref) next = GOSESS_NEXT(SSL_CTX_up_ref);
    struct gosess_context *context = gosess_context_of(ctx);
    if (context && atomic_exchange(&context->counted, false))
        return 0;
    return next ? next(ctx) : 0;
}

/*
 * Sessions that are stored now, where gosess stands for the internal cache and not for one
 * more tier behind it. Nothing is loaded to count nothing.
 */
static long number(struct gosess_context *context)
{
    if (!gosess_serves(context) ||
        (!gosess_live(context) && (atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE)))
        return 0;
    struct gosess_request count = {.operation = GOSESS_NUMBER};
    return gosess_core_ready() && gosess_ask(context, &count) ? count.result : 0;
}

static long at_least_0(long value)
{
    return value > 0 ? value : 0;
}

/*
 * What libssl counted is not the whole: gosess answers from a callback, which libssl counts as
 * such, where it stands for the internal cache.
 */
static long counted(struct gosess_context *context, int command, long theirs)
{
    switch (command) {
    case SSL_CTRL_SESS_NUMBER:
        return theirs + number(context);
    case SSL_CTRL_SESS_CB_HIT:
        return at_least_0(theirs - atomic_load(&context->hits));
    case SSL_CTRL_SESS_MISSES:
        return theirs + atomic_load(&context->misses);
    case SSL_CTRL_SESS_CACHE_FULL:
        return theirs + atomic_load(&context->full);
    default:
        return theirs;
    }
}

/* The mode is set and reported as the host's own, whatever libssl holds. */
GOSESS_EXPORT long SSL_CTX_ctrl(SSL_CTX *ctx, int command, long larg, void *parg)
{
    __typeof__(&SSL_CTX_ctrl) next = GOSESS_NEXT(SSL_CTX_ctrl);
    if (!next)
        return 0;
    struct gosess_context *context = gosess_context_of(ctx);
    if (context && command == SSL_CTRL_GET_SESS_CACHE_MODE)
        return atomic_load(&context->mode);
    if (context && command == SSL_CTRL_SET_SESS_CACHE_MODE)
        return gosess_set_mode(context, larg);
    long result = next(ctx, command, larg, parg);
    if (context && command == SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB && parg)
        gosess_tell_status_callback(context, parg);
    if (context && result && parg &&
        (command == SSL_CTRL_SET_TLSEXT_TICKET_KEYS || command == SSL_CTRL_GET_TLSEXT_TICKET_KEYS))
        atomic_store(&context->tickets.keys, true);
    if (context && result && gosess_observe_setting(&context->observed, command, larg, parg))
        gosess_observe_change(ctx);
    if (!context && born && result)
        gosess_observe_setting(born, command, larg, parg);
    return context ? counted(context, command, result) : result;
}

GOSESS_EXPORT int SSL_CTX_add_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (gosess_serves(context) && session)
        return gosess_add_session(context, session);
    __typeof__(&SSL_CTX_add_session) next = GOSESS_NEXT(SSL_CTX_add_session);
    return next ? next(ctx, session) : 0;
}

GOSESS_EXPORT int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    __typeof__(&SSL_CTX_remove_session) next = GOSESS_NEXT(SSL_CTX_remove_session);
    if (!next)
        return 0;
    if (!gosess_serves(gosess_context_of(ctx)))
        return next(ctx, session);
    return gosess_remove_reporting(ctx, session, next,
                                   gosess_is_libssl(__builtin_return_address(0)));
}

/*
 * A host that flushes what has not expired means to resume none of that here. Sessions of other
 * processes stay theirs, but are not found by this context any more.
 */
static void observe_flush(struct gosess_context *context, int64_t before)
{
    int64_t flushed = before == 0 ? INT64_MAX : before;
    if (flushed > time(NULL) && flushed > atomic_load(&context->flushed))
        atomic_store(&context->flushed, flushed);
}

static void flush(SSL_CTX *ctx, int64_t before)
{
    struct gosess_context *context = gosess_context_of(ctx);
    struct gosess_request flush = {.operation = GOSESS_FLUSH, .before = before};
    if (context)
        observe_flush(context, before);
    if (!gosess_serves(context) || !gosess_core_ready())
        return;
    /* SSL_CTX_free of the last reference flushes, while the host's ex_data is still there. */
    if (gosess_ending(context)) {
        gosess_forget(context);
        return;
    }
    gosess_ask(context, &flush);
}

GOSESS_EXPORT void SSL_CTX_flush_sessions(SSL_CTX *ctx, long before)
{
    __typeof__(&SSL_CTX_flush_sessions) next = GOSESS_NEXT(SSL_CTX_flush_sessions);
    flush(ctx, before);
    if (next)
        next(ctx, before);
}

/* OpenSSL 3.4 and later; the headers that gosess is built with need not have it. */
GOSESS_EXPORT void SSL_CTX_flush_sessions_ex(SSL_CTX *ctx, time_t before);

GOSESS_EXPORT void SSL_CTX_flush_sessions_ex(SSL_CTX *ctx, time_t before)
{
    void (*next)(SSL_CTX *, time_t) = GOSESS_NEXT(SSL_CTX_flush_sessions_ex);
    flush(ctx, before);
    if (next)
        next(ctx, before);
}

/* With the lock: else a callback that is set while the others are given back would be lost. */
#define INTERPOSE_SETTER(function, type, member)                            \
    GOSESS_EXPORT void function(SSL_CTX *ctx, type callback)                \
    {                                                                       \
        struct gosess_context *context = gosess_context_of(ctx);            \
        bool ours = false;                                                  \
        if (context) {                                                      \
            gosess_lock(GOSESS_LOCK_SETUP);                                 \
            ours = atomic_load(&context->callbacks);                        \
            if (ours)                                                       \
                atomic_store(&context->member, callback);                   \
            gosess_unlock(GOSESS_LOCK_SETUP);                               \
        }                                                                   \
        __typeof__(&(function)) next = ours ? NULL : GOSESS_NEXT(function); \
        if (next)                                                           \
            next(ctx, callback);                                            \
    }
#define INTERPOSE_GETTER(function, member)                                     \
    {                                                                          \
        struct gosess_context *context = own_callbacks(ctx);                   \
        __typeof__(&(function)) next = context ? NULL : GOSESS_NEXT(function); \
        if (context)                                                           \
            return atomic_load(&context->member);                              \
        return next ? next(ctx) : NULL;                                        \
    }

/* The context, where libssl holds our callbacks and the host's are kept beside them. */
static struct gosess_context *own_callbacks(SSL_CTX *ctx)
{
    struct gosess_context *context = gosess_context_of(ctx);
    return context && atomic_load(&context->callbacks) ? context : NULL;
}

INTERPOSE_SETTER(SSL_CTX_sess_set_new_cb, gosess_new_cb, new_session)
INTERPOSE_SETTER(SSL_CTX_sess_set_remove_cb, gosess_remove_cb, remove_session)
INTERPOSE_SETTER(SSL_CTX_sess_set_get_cb, gosess_get_cb, get_session)

GOSESS_EXPORT int (*SSL_CTX_sess_get_new_cb(SSL_CTX *ctx))(SSL *, SSL_SESSION *)
    INTERPOSE_GETTER(SSL_CTX_sess_get_new_cb, new_session)

        GOSESS_EXPORT void (*SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx))(SSL_CTX *, SSL_SESSION *)
            INTERPOSE_GETTER(SSL_CTX_sess_get_remove_cb, remove_session)

                GOSESS_EXPORT SSL_SESSION *(*SSL_CTX_sess_get_get_cb(SSL_CTX *ctx))(
                    SSL *, const unsigned char *, int,
                    int *)INTERPOSE_GETTER(SSL_CTX_sess_get_get_cb, get_session)
