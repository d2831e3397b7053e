/* attach.c - what comes with the life of a context: its cache, its connections, its end. */
#define _GNU_SOURCE
#include "attach.h"

#include <stdatomic.h>
#include <string.h>

#include "../base/locks.h"
#include "../config/environment.h"
#include "../core/generations.h"
#include "../core/load.h"
#include "../ssl/algorithms.h"
#include "../ssl/libssl.h"
#include "call.h"
#include "connection.h"
#include "describe.h"
#include "tickets.h"

/* The end of an SSL_CTX. */
static void end(void *parent, void *value, CRYPTO_EX_DATA *data, int index, long argl, void *argp)
{
    (void)value, (void)data, (void)index, (void)argl, (void)argp;
    struct gosess_context *context = gosess_context_of(parent);
    if (!context)
        return;
    atomic_store(&context->ending, true);
    gosess_forget(context);
    gosess_context_end(context);
}

bool gosess_attach_prepare(const struct gosess_libssl *table)
{
    return table->CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL, NULL, NULL, end) >= 0;
}

void gosess_watch(SSL_CTX *ctx, const struct gosess_origin *origin)
{
    struct gosess_context *context = gosess_context_make(ctx);
    if (!context) {
        gosess_fail_memory();
        return;
    }
    context->from_birth = true;
    context->own_library = origin->library || origin->query;
    context->own_algorithms = !gosess_has_default_algorithms(origin->library, origin->query);
    gosess_observe_settings(&context->observed, origin->observed);
}

/*
 * A thread that keeps an object (serve/sessions.c) may have put it into the cache that the context
 * had before, after what was there had left it.
 */
static void unref_cache(struct gosess_context *context, struct gosess_cache *before)
{
    if (before && gosess_core_ready())
        gosess_ask_quietly(&(struct gosess_sharing){context, before},
                           &(struct gosess_request){.operation = GOSESS_FORGET});
    gosess_cache_unref(before);
}

bool gosess_attach(SSL_CTX *ctx, struct gosess_cache *cache,
                   void (*put)(struct gosess_context *context))
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (!context)
        context = gosess_context_make(ctx);
    if (!context)
        return gosess_fail_memory();
    gosess_forget(context);
    gosess_lock(GOSESS_LOCK_SETUP);
    struct gosess_cache *before = context->cache;
    context->cache = gosess_cache_ref(cache);
    context->tallies = (struct gosess_tallies){.asked = GOSESS_ONCE};
    context->single_use = cache->url.single_use;
    if (put && !atomic_load(&context->callbacks) && !gosess_is_given_back())
        put(context);
    gosess_put_mode(context);
    gosess_unlock(GOSESS_LOCK_SETUP);
    unref_cache(context, before);
    return true;
}

void gosess_detach(struct gosess_context *context)
{
    atomic_store(&context->ending, true); /* its remove callbacks can add nothing */
    gosess_forget(context);
    atomic_store(&context->ending, false);
    gosess_lock(GOSESS_LOCK_SETUP);
    struct gosess_cache *before = context->cache;
    context->cache = NULL;
    context->tallies = (struct gosess_tallies){.asked = GOSESS_ONCE};
    gosess_give_callbacks_back(context);
    gosess_put_mode(context);
    gosess_unlock(GOSESS_LOCK_SETUP);
    unref_cache(context, before);
}

/*
 * Works out a context's policy, where it is not what it was, outside of the handshake, for an SSL
 * that is of that context now.
 */
static void identify(struct gosess_connection *connection, struct gosess_context *context)
{
    unsigned char policy[GOSESS_DIGEST_SIZE];
    if (atomic_load(&context->ending) ||
        !gosess_policy_digest(&context->policy, context->ctx, &context->owner, &context->observed,
                              policy))
        memset(policy, 0, sizeof policy);
    if (connection)
        memcpy(connection->policy, policy, sizeof policy);
}

/*
 * A host that puts data into its tickets and takes them out again keeps TLS 1.3 as it has it: a
 * stateful ticket has none (ProFTPD knows its data connections by them).
 */
static void make_stateful(struct gosess_context *context)
{
    SSL_CTX *ctx = context->ctx;
    if (!gosess_stateful || !gosess_serves(context) || atomic_load(&context->tickets.data) ||
        (gosess_ssl->SSL_CTX_get_options(ctx) & SSL_OP_NO_TICKET))
        return;
    gosess_lock(GOSESS_LOCK_SETUP);
    gosess_ssl->SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    gosess_unlock(GOSESS_LOCK_SETUP);
}

void gosess_before_switch(const SSL *ssl, struct gosess_context *context)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    identify(connection, context);
    make_stateful(context);
    if (connection)
        gosess_describe(connection->first, context);
}

/* What waits for the host to have configured its contexts. */
void gosess_before_ssl(struct gosess_context *context)
{
    gosess_generations_connection();
    if (!gosess_is_given_back() && gosess_core_impossible()) {
        gosess_load(); /* says why, if nobody has heard yet */
        gosess_give_back();
    }
    make_stateful(context);
    gosess_tickets_serve(context);
    gosess_describe(context, context);
}

/* Also where the context has no cache: the host may attach it to one before the handshake. */
void gosess_after_ssl(SSL *ssl, struct gosess_context *context)
{
    identify(gosess_connection_begin(ssl, context), context);
}
