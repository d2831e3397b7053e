/* call.c - asks the cache of a context. */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <stdatomic.h>

#include "../base/locks.h"
#include "../core/load.h"
#include "../far/ask.h"
#include "../ssl/libssl.h"
#include "label.h"

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
static void settle(struct gosess_context *context, struct gosess_request *request)
{
    gosess_no_lock_is_held();
    if (request->evicted)
        atomic_fetch_add(&context->full, request->evicted);
    for (struct gosess_leaving *each = request->leaving; each; each = each->next) {
        if (each->silent)
            continue;
        const SSL_SESSION *before = leaving; /* a remove callback may have brought us here */
        leaving = each->session;
        gosess_ssl->SSL_CTX_remove_session(context->ctx, each->session);
        leaving = before;
    }
    gosess_free_leaving(request);
}

/*
 * Where the Go half has found that the far store may have what it lacks, has the agent bring it.
 * Whether it was asked is all the same to a caller that makes what is missing.
 */
static bool is_brought(struct gosess_cache *cache, struct gosess_far *far)
{
    if (far->count == 0 || gosess_cache_number(cache) <= 0)
        return false;
    far->asked = true;
    enum gosess_far_answer answer = gosess_far_ask(cache->store.window, far, cache->url.wait);
    if (!gosess_cache_whole(cache)) /* meanwhile */
        return false;
    return answer == GOSESS_FAR_HIT || far->operation == GOSESS_FAR_GET_RECORD ||
           (answer == GOSESS_FAR_LATE && far->operation == GOSESS_FAR_GET);
}

/* Of what is near, and then of what the agent has brought. */
static bool ask_cache(struct gosess_cache *cache, struct gosess_request *request)
{
    struct gosess_far far;
    struct gosess_window *window = cache->store.window;
    request->cache = gosess_cache_number(cache);
    if (request->cache <= 0)
        return false;
    if (window && gosess_far_is_open(window)) {
        far.asked = false;
        far.count = 0;
        request->far = &far;
    }
    bool done = gosess_core_ask(request);
    if (done && request->far && is_brought(cache, &far))
        done = gosess_core_ask(request);
    request->far = NULL;
    return done;
}

bool gosess_ask(struct gosess_context *context, struct gosess_request *request)
{
    int saved = errno;
    bool done = false;
    /* In a callback of its own the host may have given the context back: gosess_cache_detach. */
    if (context->cache && gosess_load()) {
        if (request->scope) /* a handshake holds the SSL_CTX */
            gosess_label(context);
        request->owner = &context->owner;
        done = ask_cache(context->cache, request);
    }
    if (done)
        settle(context, request);
    errno = saved;
    return done;
}

bool gosess_ask_quietly(const struct gosess_sharing *sharing, struct gosess_request *request)
{
    int saved = errno;
    request->cache = gosess_cache_number(sharing->cache);
    request->owner = &sharing->context->owner;
    bool done = request->cache > 0 && gosess_core_ask(request);
    if (done)
        gosess_free_leaving(request);
    errno = saved;
    return done;
}

void gosess_forget(struct gosess_context *context)
{
    if (context->cache && gosess_core_ready())
        gosess_ask(context, &(struct gosess_request){.operation = GOSESS_FORGET});
}
