/* call.c - calls of the Go half for a context. */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../base/locks.h"
#include "../core/start.h"
#include "../ssl/libssl.h"

/* The session that has left the cache and that libssl is made to treat as removed. */
static _Thread_local const SSL_SESSION *leaving;

bool gosess_is_leaving(const SSL_SESSION *session)
{
    return session == leaving;
}

/*
 * What has left the cache is treated as libssl treats what leaves its own: marked as not to be
 * resumed, the remove callback called, freed. Unlike libssl, with no lock held (L22, L28).
 */
static void settle(struct gosess_attached *context, struct gosess_outcome *outcome)
{
    gosess_no_lock_is_held();
    if (outcome->evicted)
        atomic_fetch_add(&context->full, outcome->evicted);
    for (struct gosess_leaving *each = outcome->leaving; each; each = each->next) {
        if (each->silent)
            continue;
        const SSL_SESSION *before = leaving; /* a remove callback may have brought us here */
        leaving = each->session;
        gosess_ssl->SSL_CTX_remove_session(context->core.ctx, each->session);
        leaving = before;
    }
    while (outcome->leaving) {
        struct gosess_leaving *first = outcome->leaving;
        outcome->leaving = first->next;
        gosess_ssl->SSL_SESSION_free(first->session);
        free(first);
    }
}

bool gosess_call(struct gosess_attached *context, struct gosess_call *call)
{
    int saved = errno;
    bool done = false;
    if (gosess_load()) {
        int number = gosess_cache_number(context->cache);
        /* Threads that only read it do not take its cache line from each other. */
        if (__atomic_load_n(&context->core.cache, __ATOMIC_RELAXED) != number)
            __atomic_store_n(&context->core.cache, number, __ATOMIC_RELAXED);
        done = number > 0 && gosess_core_call(call);
    }
    if (done)
        settle(context, &call->outcome);
    errno = saved;
    return done;
}

void gosess_forget(struct gosess_attached *context)
{
    if (context->cache && gosess_core_ready())
        gosess_call(context,
                    &(struct gosess_call){.what = GOSESS_CALL_FORGET, .ctx = context->core.ctx});
}
