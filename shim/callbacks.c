/*
 * callbacks.c - the callbacks that libssl calls, and the calls of the Go half for them.
 */
#define _GNU_SOURCE
#include "serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* The session that has left the cache and that libssl is made to treat as removed. */
static _Thread_local const SSL_SESSION *leaving;
/* Whether the cache had the session of this thread's last removal. */
static _Thread_local bool removed;

/* --- the Go half --- */

/*
 * What has left the cache is treated as libssl treats what leaves its own: marked as not to be
 * resumed, the remove callback called, freed. Unlike libssl, with no lock held (L22, L28).
 */
static void settle(struct gosess_attached *context, struct gosess_outcome *outcome)
{
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

/* --- the cache, without the application --- */

/*
 * Whether a new session is one that libssl would keep in its internal cache, or a shared
 * store should. A stateless TLS 1.3 ticket carries its session; libssl reports it with an id
 * that no client will ever send (L4), and storing it would push the others out (P7). It keeps
 * them nevertheless where the application wants to hear of removals (L6).
 */
static bool worth_storing(struct gosess_attached *context, const SSL *ssl)
{
    if (!gosess_ssl->SSL_is_server(ssl))
        return gosess_live(context) && (atomic_load(&context->mode) & SSL_SESS_CACHE_CLIENT);
    if (gosess_ssl->SSL_version(ssl) != TLS1_3_VERSION)
        return true;
    uint64_t options = gosess_ssl->SSL_get_options(ssl);
    return (options & SSL_OP_NO_TICKET) || gosess_anti_replay(gosess_ssl, ssl) ||
           (gosess_live(context) && atomic_load(&context->remove_session));
}

/* SSL_SESS_CACHE_UPDATE_TIME, which 1.1.1 does not know (L32). */
static void update_time(struct gosess_attached *context, SSL_SESSION *session)
{
    if ((atomic_load(&context->mode) & SSL_SESS_CACHE_UPDATE_TIME) &&
        gosess_ssl->OpenSSL_version_num() >= 0x30000000L)
        gosess_ssl->SSL_SESSION_set_time(session, (long)time(NULL));
}

bool gosess_add_session(struct gosess_attached *context, SSL_SESSION *session)
{
    struct gosess_call add = {
        .what = GOSESS_CALL_ADD, .ctx = context->core.ctx, .session = session};
    /* A context that ends, or is given back, takes nothing in any more. */
    if (gosess_ending(context))
        return false;
    update_time(context, session);
    return gosess_call(context, &add) && add.result == 1;
}

void gosess_store_session(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session)
{
    if (atomic_load(&context->ending) || !worth_storing(context, ssl))
        return;
    update_time(context, session);
    gosess_call(context,
                &(struct gosess_call){.what = GOSESS_CALL_NEW, .ssl = ssl, .session = session});
}

/*
 * Whether the connection may use the session's cipher. libssl does not look at its own list when it
 * resumes up to TLS 1.2, and a store outlives the configuration that a session was made under. (In
 * TLS 1.3 it chooses a cipher anew. The numbers of DTLS are above it.)
 */
static bool cipher_allowed(SSL *ssl, const SSL_SESSION *session)
{
    const SSL_CIPHER *cipher = gosess_ssl->SSL_SESSION_get0_cipher(session);
    const OPENSSL_STACK *list = (const OPENSSL_STACK *)gosess_ssl->SSL_get_ciphers(ssl);
    if (gosess_ssl->SSL_SESSION_get_protocol_version(session) == TLS1_3_VERSION)
        return true;
    for (int i = 0; i < gosess_ssl->OPENSSL_sk_num(list); i++)
        if (gosess_ssl->OPENSSL_sk_value(list, i) == cipher)
            return true;
    return false;
}

SSL_SESSION *gosess_find_session(struct gosess_attached *context, SSL *ssl, const unsigned char *id,
                                 int length, int *copy)
{
    struct gosess_call get = {
        .what = GOSESS_CALL_GET, .ssl = ssl, .id = id, .id_length = length, .copy = *copy};
    gosess_replay_give_back(ssl);
    if (!gosess_call(context, &get) || !get.session)
        return NULL;
    if (!gosess_live(context) && !cipher_allowed(ssl, get.session)) {
        gosess_ssl->SSL_SESSION_free(get.session);
        return NULL;
    }
    *copy = get.copy;
    if (gosess_anti_replay(gosess_ssl, ssl))
        gosess_replay_take_over(ssl);
    /* libssl's own anti-replay removes the session that it takes, and says so (L26). */
    gosess_remove_cb application = atomic_load(&context->remove_session);
    if (get.outcome.taken && application)
        application(context->core.ctx, get.session);
    return get.session;
}

bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was)
{
    *was = NULL;
    struct gosess_call drop = {
        .what = GOSESS_CALL_REMOVE, .ctx = context->core.ctx, .session = session};
    /* A process that has no Go half has stored nothing, and a callback must not wait for one. */
    if (!gosess_core_ready())
        return false;
    gosess_identify(context);
    if (!gosess_call(context, &drop))
        return false;
    *was = drop.outcome.was;
    return drop.outcome.removed;
}

/* --- the callbacks that libssl calls --- */

/*
 * libssl flushes about each 256th connection; it calls SSL_CTX_flush_sessions for it, which
 * is ours in a libssl that can be interposed from within (Debian's, L33, L36) but not in all.
 */
static void clear_automatically(struct gosess_attached *context)
{
    if (!gosess_live(context) || (atomic_load(&context->mode) & SSL_SESS_CACHE_NO_AUTO_CLEAR))
        return;
    long good = gosess_ssl->SSL_CTX_ctrl(context->core.ctx, SSL_CTRL_SESS_ACCEPT_GOOD, 0, NULL);
    if ((good & 0xff) == 0xff)
        gosess_call(context, &(struct gosess_call){.what = GOSESS_CALL_FLUSH,
                                                   .ctx = context->core.ctx,
                                                   .before = (int64_t)time(NULL)});
}

/*
 * libssl had put nothing into its own cache when it called, and would have (L6). Now it has that
 * cache again.
 */
static void leave_to_libssl(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session)
{
    __typeof__(&SSL_CTX_add_session) add = GOSESS_NEXT(SSL_CTX_add_session);
    bool stateless = gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION &&
                     gosess_ssl->SSL_is_server(ssl) &&
                     !(gosess_ssl->SSL_get_options(ssl) & SSL_OP_NO_TICKET) &&
                     !gosess_anti_replay(gosess_ssl, ssl) && !atomic_load(&context->remove_session);
    gosess_give_back();
    if (add && !stateless)
        add(context->core.ctx, session);
}

/*
 * Before: libssl took a reference for the callback. What gosess keeps it has taken itself, so
 * that reference is for the application callback to keep (1) or to leave to libssl (0); it is
 * called last because it may rewrite the session (HAProxy: S, section 4).
 */
int gosess_on_new(SSL *ssl, SSL_SESSION *session)
{
    struct gosess_attached *context = gosess_attached_first(ssl);
    gosess_new_cb application = context ? atomic_load(&context->new_session) : NULL;
    bool ours = gosess_serves(context) && application != gosess_new_session_cb;
    bool internal = ours && !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE);
    if (internal || (ours && !gosess_live(context)))
        gosess_store_session(context, ssl, session);
    if (internal && gosess_core_impossible())
        leave_to_libssl(context, ssl, session);
    int kept = application ? application(ssl, session) : 0;
    if (ours)
        clear_automatically(context);
    return kept;
}

/*
 * What libssl does with a session from the application's callback where it has an internal
 * cache: it adds it (L18) and, where early data may be replayed, removes it again, or it does
 * not resume (L26). Whose reference it is does not change.
 */
static void take_in(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session)
{
    gosess_replay_give_back(ssl); /* the application may have asked gosess itself */
    if (gosess_anti_replay(gosess_ssl, ssl)) {
        gosess_remove_cb application = atomic_load(&context->remove_session);
        SSL_SESSION *was;
        gosess_drop_session(context, session, &was);
        if (application)
            application(context->core.ctx, session);
        gosess_ssl->SSL_SESSION_free(was);
        gosess_replay_take_over(ssl);
    } else if (gosess_live(context)) {
        gosess_add_session(context, session);
    }
}

static SSL_SESSION *get_theirs(struct gosess_attached *context, SSL *ssl, const unsigned char *id,
                               int length, int *copy)
{
    gosess_get_cb application = context ? atomic_load(&context->get_session) : NULL;
    *copy = 1; /* libssl's value on entry, which a callback may leave alone (L17) */
    SSL_SESSION *session = application ? application(ssl, id, length, copy) : NULL;
    if (session && gosess_ssl->SSL_SESSION_is_resumable(session) && gosess_serves(context) &&
        application != gosess_get_session_cb &&
        !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE))
        take_in(context, ssl, session);
    return session;
}

/*
 * After: with *copy 0 the returned reference is libssl's, with 1 it stays the callback's
 * (L17); each half sets its own. Where the host allows an internal cache, gosess is that
 * cache, and comes first; else a shared store is one more tier behind the host's own.
 */
SSL_SESSION *gosess_on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct gosess_attached *context = gosess_attached_first(ssl);
    bool serves =
        gosess_serves(context) && atomic_load(&context->get_session) != gosess_get_session_cb;
    bool internal = serves && !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    SSL_SESSION *session = NULL;
    gosess_replay_give_back(ssl);
    if (internal)
        session = gosess_find_session(context, ssl, id, length, copy);
    if (internal && !session)
        atomic_fetch_add(&context->misses, 1);
    if (!session) {
        session = get_theirs(context, ssl, id, length, copy);
        if (session)
            return session;
        if (serves && !internal && !gosess_live(context))
            session = gosess_find_session(context, ssl, id, length, copy);
    }
    if (session)
        atomic_fetch_add(&context->hits, 1);
    return session;
}

bool gosess_ending(struct gosess_attached *context)
{
    SSL_CTX *ctx = context->core.ctx;
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

/*
 * The session is borrowed (L19), at times from nobody but the cache: what that had is given
 * back last.
 */
void gosess_on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_attached *context = gosess_attached(ctx);
    gosess_remove_cb application = context ? atomic_load(&context->remove_session) : NULL;
    SSL_SESSION *was = NULL;
    if (session != leaving && gosess_serves(context) && application != gosess_remove_session_cb &&
        !gosess_ending(context))
        removed = gosess_drop_session(context, session, &was);
    if (application)
        application(ctx, session);
    gosess_ssl->SSL_SESSION_free(was);
}

bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *))
{
    bool before = removed; /* a remove callback may have brought us here */
    removed = false;
    int theirs = next(ctx, session);
    bool ours = removed;
    removed = before;
    return theirs || ours;
}
