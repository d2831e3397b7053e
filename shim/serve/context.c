/*
 * context.c - the contexts that gosess serves.
 *
 * libssl holds our three callbacks, and what the host registers, before or after, is kept
 * beside them and called from them. What a callback does is decided when it runs, because
 * hosts go on configuring after they have registered theirs (nginx sets SSL_OP_NO_TICKET
 * last: S8).
 */
#define _GNU_SOURCE
#include "context.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../ssl/libssl.h"

static struct gosess_context *contexts; /* all that gosess has to do with; with the setup lock */

/* --- contexts --- */

struct gosess_context *gosess_context_of(const SSL_CTX *ctx)
{
    struct gosess_link *link = gosess_ssl && ctx ? gosess_table_find(GOSESS_KIND_CTX, ctx) : NULL;
    return link ? GOSESS_HOLDER(link, gosess_context, by_ctx) : NULL;
}

/* With the lock that the end of the context waits for. */
static bool ref_by_param(const struct gosess_link *link)
{
    atomic_fetch_add(&GOSESS_HOLDER(link, gosess_context, by_param)->references, 1);
    return true;
}

struct gosess_context *gosess_context_of_param(const X509_VERIFY_PARAM *param)
{
    struct gosess_link *link =
        gosess_ssl && param ? gosess_table_find_that(GOSESS_KIND_PARAM, param, ref_by_param) : NULL;
    return link ? GOSESS_HOLDER(link, gosess_context, by_param) : NULL;
}

/* Where there will be no Go half, libssl has its own cache back. */
static _Atomic bool given_back;

bool gosess_is_given_back(void)
{
    return atomic_load(&given_back);
}

bool gosess_serves(struct gosess_context *context)
{
    return context && context->cache && !atomic_load(&given_back) &&
           atomic_load(&context->callbacks) &&
           (atomic_load(&context->mode) & SSL_SESS_CACHE_SERVER);
}

bool gosess_live(const struct gosess_context *context)
{
    return context->cache && context->cache->url.scheme->live;
}

/*
 * The mode that libssl is given for the host's. Where gosess serves, libssl keeps no
 * sessions of its own: its copies would hide removals, and its evictions and SSL_CTX_free
 * would remove what other processes still serve, with its lock held (L22, L24, L29, L30).
 */
static long mode_underneath(struct gosess_context *context)
{
    long mode = atomic_load(&context->mode);
    return gosess_serves(context) ? mode | SSL_SESS_CACHE_NO_INTERNAL : mode;
}

/* With the setup lock, as what follows from whether gosess serves changes together. */
void gosess_put_mode(struct gosess_context *context)
{
    gosess_ssl->SSL_CTX_ctrl(context->ctx, SSL_CTRL_SET_SESS_CACHE_MODE, mode_underneath(context),
                             NULL);
}

long gosess_set_mode(struct gosess_context *context, long mode)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    long before = atomic_exchange(&context->mode, mode);
    gosess_put_mode(context);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return before;
}

bool gosess_serves_any(void)
{
    bool any = false;
    gosess_lock(GOSESS_LOCK_SETUP);
    for (struct gosess_context *context = contexts; context && !any; context = context->after)
        any = gosess_serves(context);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return any;
}

int64_t gosess_longest_timeout(const struct gosess_cache *cache, int64_t of_protocol)
{
    int64_t longest = 0;
    gosess_lock(GOSESS_LOCK_SETUP); /* an SSL_CTX that is listed has not ended */
    for (struct gosess_context *context = contexts; context; context = context->after) {
        /* Without a certificate it serves nobody: one for the server's own connections elsewhere.
         */
        if (context->cache != cache || !gosess_ssl->SSL_CTX_get0_certificate(context->ctx))
            continue;
        int64_t timeout = gosess_ssl->SSL_CTX_get_timeout(context->ctx);
        timeout = timeout == 0 ? of_protocol : timeout;
        longest = timeout > longest ? timeout : longest;
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
    return longest;
}

/* --- what a host does --- */

static _Atomic uint32_t generation;

void gosess_observe_change(const SSL_CTX *ctx)
{
    if (gosess_context_of(ctx) && gosess_ssl->SSL_CTX_get0_certificate(ctx))
        atomic_fetch_add(&generation, 1);
}

void gosess_observe_identifier(const SSL_CTX *ctx)
{
    struct gosess_context *context = gosess_context_of(ctx);
    if (context)
        atomic_store(&context->observed.identifies, true);
}

uint32_t gosess_generation(void)
{
    return atomic_load(&generation);
}

static _Atomic bool session_data;

bool gosess_observe_session_data(void)
{
    return !atomic_exchange(&session_data, true);
}

bool gosess_keeps_session_data(void)
{
    return atomic_load(&session_data);
}

/* With the setup lock. */
static bool shares(struct gosess_context *context)
{
    return gosess_serves(context) && !gosess_live(context) && !atomic_load(&context->ending);
}

struct gosess_sharing *gosess_sharing(size_t *count)
{
    *count = 0;
    gosess_lock(GOSESS_LOCK_SETUP);
    size_t room = 0;
    for (struct gosess_context *context = contexts; context; context = context->after)
        room += shares(context);
    struct gosess_sharing *found = room ? calloc(room, sizeof(*found)) : NULL;
    for (struct gosess_context *context = contexts; found && context && *count < room;
         context = context->after) {
        if (!shares(context))
            continue;
        atomic_fetch_add(&context->references, 1);
        found[(*count)++] = (struct gosess_sharing){context, gosess_cache_ref(context->cache)};
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
    return found;
}

void gosess_sharing_free(struct gosess_sharing *sharing, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gosess_context_unref(sharing[i].context);
        gosess_cache_unref(sharing[i].cache);
    }
    free(sharing);
}

bool gosess_still_shares(const struct gosess_sharing *sharing)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    bool still = sharing->context->cache == sharing->cache && shares(sharing->context);
    gosess_unlock(GOSESS_LOCK_SETUP);
    return still;
}

/* --- its life --- */

static void list(struct gosess_context *context)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    context->after = contexts;
    if (contexts)
        contexts->before = context;
    contexts = context;
    gosess_unlock(GOSESS_LOCK_SETUP);
}

static void unlist(struct gosess_context *context)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    if (context->before)
        context->before->after = context->after;
    else
        contexts = context->after;
    if (context->after)
        context->after->before = context->before;
    gosess_unlock(GOSESS_LOCK_SETUP);
}

void gosess_context_end(struct gosess_context *context)
{
    unlist(context);
    gosess_table_remove(&context->by_ctx);
    gosess_table_remove(&context->by_param);
    gosess_policy_free(&context->policy);
    gosess_presented_free(&context->presented);
    gosess_context_unref(context);
}

void gosess_context_unref(struct gosess_context *context)
{
    if (!context || atomic_fetch_sub(&context->references, 1) != 1)
        return;
    gosess_cache_unref(context->cache);
    free(context);
}

struct gosess_context *gosess_context_make(SSL_CTX *ctx)
{
    struct gosess_context *context = calloc(1, sizeof(*context));
    if (!context)
        return NULL;
    context->ctx = ctx;
    atomic_init(&context->references, 1);
    /* So few are all or nothing: getrandom(2). Before the host forks its workers. */
    if (getrandom(context->owner.random, sizeof context->owner.random, 0) !=
        sizeof context->owner.random) {
        free(context);
        return NULL;
    }
    atomic_init(&context->mode,
                gosess_ssl->SSL_CTX_ctrl(ctx, SSL_CTRL_GET_SESS_CACHE_MODE, 0, NULL));
    list(context);
    gosess_table_add(&context->by_ctx, GOSESS_KIND_CTX, ctx);
    gosess_table_add(&context->by_param, GOSESS_KIND_PARAM, gosess_ssl->SSL_CTX_get0_param(ctx));
    return context;
}

/* A remove callback alone makes libssl keep stateless sessions of TLS 1.3 (L6). Setup lock. */
void gosess_give_callbacks_back(struct gosess_context *context)
{
    SSL_CTX *ctx = context->ctx;
    if (!atomic_exchange(&context->callbacks, false))
        return;
    gosess_ssl->SSL_CTX_sess_set_new_cb(ctx, atomic_load(&context->new_session));
    gosess_ssl->SSL_CTX_sess_set_get_cb(ctx, atomic_load(&context->get_session));
    gosess_ssl->SSL_CTX_sess_set_remove_cb(ctx, atomic_load(&context->remove_session));
}

void gosess_give_back(void)
{
    gosess_lock(GOSESS_LOCK_SETUP);
    bool first = !atomic_exchange(&given_back, true);
    for (struct gosess_context *context = contexts; first && context; context = context->after) {
        gosess_give_callbacks_back(context);
        gosess_put_mode(context);
    }
    gosess_unlock(GOSESS_LOCK_SETUP);
}

bool gosess_ending(struct gosess_context *context)
{
    SSL_CTX *ctx = context->ctx;
    if (atomic_load(&context->ending))
        return true;
    if (gosess_ssl->SSL_CTX_up_ref(ctx)) {
        gosess_ssl->SSL_CTX_free(ctx); /* not the last: the caller holds one */
        return false;
    }
    /* It has counted all the same, so the next time it would succeed: SSL_CTX_up_ref. */
    atomic_store(&context->counted, true);
    atomic_store(&context->ending, true);
    return true;
}

bool gosess_fail_memory(void)
{
    gosess_log(GOSESS_LOG_ERROR, GOSESS_CAUSE_CONFIG,
               "serving a context without a cache: out of memory");
    return false;
}
