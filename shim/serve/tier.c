/* tier.c - which hosts may have a second cache behind their own. */
#define _GNU_SOURCE
#include "tier.h"

#include <stdatomic.h>

#include "../ssl/function.h"

/*
 * Hosts whose get callback says NULL for "I do not know", and that mean by no internal cache and no
 * callback that they have no cache, by the object that the code lies in. Another host's may say
 * "no" by either (FreeRADIUS, Node), and has the last word.
 */
static const char *const hosts_that_do_not_know[] = {
    "nginx", "haproxy", "mod_ssl", "libcyrus_imap", "libpostfix-tls",
};

static bool does_not_know(uintptr_t code)
{
    return gosess_function_is_of(code, hosts_that_do_not_know,
                                 sizeof hosts_that_do_not_know / sizeof *hosts_that_do_not_know);
}

void gosess_made_by(SSL_CTX *ctx, const void *caller)
{
    struct gosess_attached *context = gosess_attached(ctx);
    if (context)
        context->lets_serve = does_not_know((uintptr_t)caller);
}

/* The objects of the process are looked through once for a callback, not in each handshake. */
static bool callback_does_not_know(struct gosess_attached *context, uintptr_t code)
{
    if (atomic_load(&context->knows_not) == code)
        return true;
    if (atomic_load(&context->refuses) == code)
        return false;
    bool known = does_not_know(code);
    atomic_store(known ? &context->knows_not : &context->refuses, code);
    return known;
}

bool gosess_is_tier(struct gosess_attached *context)
{
    gosess_get_cb application = atomic_load(&context->get_session);
    if (gosess_live(context))
        return false;
    return context->cache->url.second_tier ||
           (application ? callback_does_not_know(context, (uintptr_t)application)
                        : context->lets_serve);
}
