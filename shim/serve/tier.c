/* tier.c - what the callbacks of a host mean for a cache beside its own. */
#define _GNU_SOURCE
#include "tier.h"

#include <stdatomic.h>

#include "../ssl/function.h"

/*
 * Hosts whose get callback says NULL for "I do not know", and that mean by no internal cache and no
 * callback that they have no cache, by the object that the code lies in. Another host's may say
 * "no" by either (FreeRADIUS, Node), and has the last word. Our own are those of include/gosess.h.
 */
static const char *const hosts_that_do_not_know[] = {
    "nginx", "haproxy", "mod_ssl", "libcyrus_imap", "libpostfix-tls", "libgosess",
};

static bool does_not_know(uintptr_t code)
{
    return gosess_function_is_of(code, hosts_that_do_not_know,
                                 sizeof hosts_that_do_not_know / sizeof *hosts_that_do_not_know);
}

void gosess_made_by(SSL_CTX *ctx, const void *caller)
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (context)
        context->lets_serve = does_not_know((uintptr_t)caller);
}

/* The objects of the process are looked through once for a callback, not in each handshake. */
static bool is_listed(struct gosess_judged *judged, uintptr_t code)
{
    if (atomic_load(&judged->listed) == code)
        return true;
    if (atomic_load(&judged->unlisted) == code)
        return false;
    bool known = does_not_know(code);
    atomic_store(known ? &judged->listed : &judged->unlisted, code);
    return known;
}

static bool get_is_listed(struct gosess_context *context, gosess_get_cb application)
{
    return is_listed(&context->of_get, (uintptr_t)application);
}

bool gosess_is_tier(struct gosess_context *context)
{
    gosess_get_cb application = atomic_load(&context->get_session);
    if (!context->cache || gosess_live(context))
        return false;
    return context->cache->url.second_tier ||
           (application ? get_is_listed(context, application) : context->lets_serve);
}

bool gosess_keeps_account(struct gosess_context *context)
{
    if (!context->cache || gosess_live(context))
        return false;
    gosess_get_cb get = atomic_load(&context->get_session);
    gosess_remove_cb removed = atomic_load(&context->remove_session);
    long mode = atomic_load(&context->mode);
    bool refuses = get && !(mode & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP) &&
                   !context->cache->url.second_tier && !get_is_listed(context, get);
    bool releases = removed && !(mode & SSL_SESS_CACHE_NO_INTERNAL_STORE) &&
                    !is_listed(&context->of_remove, (uintptr_t)removed);
    return refuses || releases;
}
