/* offered.c - the callbacks of include/gosess.h, which a program registers itself. */
#define _GNU_SOURCE

#include "../base/once.h"
#include "../ssl/libssl.h"
#include "../ssl/shared.h"
#include "attach.h"
#include "cache.h"
#include "connection.h"
#include "context.h"
#include "lookup.h"
#include "prepare.h"
#include "sessions.h"

/*
 * The context of a callback, which need not have been attached: then it is given the cache
 * that was opened first, and nothing of libssl's is changed.
 */
static struct gosess_context *attach_first(SSL_CTX *ctx)
{
    struct gosess_cache *cache = gosess_cache_first();
    bool attached = cache && !gosess_shared_memory(ctx) && gosess_attach(ctx, cache, NULL);
    gosess_cache_unref(cache);
    return attached ? gosess_context_of(ctx) : NULL;
}

/* One thread at a time looks whether the context is attached, and attaches it. */
static struct gosess_context *context_of_connection(SSL *ssl)
{
    static struct gosess_once attaching = GOSESS_ONCE;
    if (!gosess_prepare(__builtin_return_address(0)))
        return NULL;
    gosess_once_begin(&attaching);
    struct gosess_context *context = gosess_first_of(ssl, gosess_connection_of(ssl));
    if (!context || !context->cache)
        context = attach_first(gosess_ssl->SSL_get_SSL_CTX(ssl));
    gosess_once_end(&attaching, false);
    return context;
}

GOSESS_EXPORT int gosess_new_session_cb(SSL *ssl, SSL_SESSION *session)
{
    struct gosess_context *context = context_of_connection(ssl);
    if (context)
        gosess_store_session(context, ssl, session);
    return 0;
}

GOSESS_EXPORT SSL_SESSION *gosess_get_session_cb(SSL *ssl, const unsigned char *id, int length,
                                                 int *copy)
{
    struct gosess_context *context = context_of_connection(ssl);
    SSL_SESSION *session = context ? gosess_find_session(context, ssl, id, length) : NULL;
    if (session)
        *copy = 0;
    return session;
}

GOSESS_EXPORT void gosess_remove_session_cb(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_context *context = gosess_context_of(ctx);
    SSL_SESSION *was = NULL;
    if (context && context->cache && !gosess_ending(context) && !gosess_is_unproven(session))
        gosess_drop_session(context, session, &was);
    if (was)
        gosess_ssl->SSL_SESSION_free(was);
}
