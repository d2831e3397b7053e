/*
 * sessions.c - what gosess does with sessions as a cache, without the callbacks of the application.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "copies.h"
#include "der.h"
#include "serve.h"

/* The session that has left the cache and that libssl is made to treat as removed. */
static _Thread_local const SSL_SESSION *leaving;

bool gosess_is_leaving(const SSL_SESSION *session)
{
    return session == leaving;
}

/* --- the cache --- */

/*
 * What has left the cache is treated as libssl treats what leaves its own: marked as not to be
 * resumed, the remove callback called, freed. Unlike libssl, with no lock held (L22, L28).
 */
static void settle(struct gosess_attached *context, struct gosess_request *request)
{
    if (request->evicted)
        atomic_fetch_add(&context->full, request->evicted);
    for (struct gosess_leaving *each = request->leaving; each; each = each->next) {
        if (each->silent)
            continue;
        const SSL_SESSION *before = leaving; /* a remove callback may have brought us here */
        leaving = each->session;
        gosess_ssl->SSL_CTX_remove_session(context->core.ctx, each->session);
        leaving = before;
    }
    gosess_free_leaving(request);
}

bool gosess_ask(struct gosess_attached *context, struct gosess_request *request)
{
    int saved = errno;
    bool done = false;
    if (gosess_load()) {
        request->cache = gosess_cache_number(context->cache);
        request->context = &context->core;
        done = request->cache > 0 && gosess_core_ask(request);
    }
    if (done)
        settle(context, request);
    errno = saved;
    return done;
}

/* --- storing --- */

static int limit_of(const struct gosess_attached *context)
{
    long limit = gosess_ssl->SSL_CTX_ctrl(context->core.ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL);
    return limit > 0 && limit < INT_MAX ? (int)limit : 0;
}

/* Keeps the object itself in this process; it ends then. False where it cannot or did already. */
static bool keep(struct gosess_attached *context, SSL_SESSION *session,
                 const struct gosess_scope *scope, int64_t expires)
{
    struct gosess_request request = {
        .operation = GOSESS_KEEP,
        .scope = scope,
        .session = session,
        .expires = expires,
        .size = gosess_object_size(session, scope->chain),
        .limit = limit_of(context),
    };
    request.id = gosess_ssl->SSL_SESSION_get_id(session, &request.id_length);
    if (request.id_length == 0 || !gosess_ssl->SSL_SESSION_up_ref(session))
        return false;
    gosess_cap(session, expires);
    bool kept = gosess_ask(context, &request) && request.result == 1;
    if (!kept)
        gosess_ssl->SSL_SESSION_free(session);
    return kept;
}

/* Shares the bytes of a session: 1, 0, or GOSESS_TOO_BIG. With a copy for this process, or none. */
static long share(struct gosess_attached *context, SSL_SESSION *session,
                  const struct gosess_scope *scope, int64_t expires, bool with_copy)
{
    struct gosess_request request = {.operation = GOSESS_SHARE, .scope = scope, .expires = expires};
    int length = 0;
    request.id = gosess_ssl->SSL_SESSION_get_id(session, &request.id_length);
    request.der = request.id_length > 0 ? gosess_encode(session, &length) : NULL;
    if (!request.der)
        return 0;
    request.der_length = (size_t)length;
    if (with_copy && scope->chain == 0 && (request.copy = gosess_copy_to_keep(session)))
        request.size = gosess_object_size(request.copy, 0);
    long result = gosess_ask(context, &request) ? request.result : 0;
    gosess_ssl->SSL_SESSION_free(request.copy); /* NULL where it is kept */
    gosess_free_der(request.der, length);
    return result;
}

static void put(struct gosess_attached *context, SSL_SESSION *session,
                const struct gosess_scope *scope, int64_t expires, bool with_copy)
{
    if (!gosess_live(context) && scope->shared &&
        share(context, session, scope, expires, with_copy) != GOSESS_TOO_BIG)
        return;
    if (gosess_live(context) || scope->live)
        keep(context, session, scope, expires);
}

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
    struct gosess_scope scope;
    /* A context that ends, or is given back, takes nothing in any more. */
    if (gosess_ending(context))
        return false;
    update_time(context, session);
    gosess_scope_added(context, session, &scope);
    return keep(context, session, &scope, gosess_end_of(gosess_ssl, session));
}

/* Whether the cache is to have a new session of a context. */
bool gosess_is_wanted(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session,
                      struct gosess_newborn *born)
{
    born->connection = gosess_connection_make(ssl, context);
    born->session = session;
    if (!born->connection || atomic_load(&context->ending) || !worth_storing(context, ssl))
        return false;
    gosess_ssl->ERR_set_mark();
    gosess_scope_made(context, ssl, session, &born->scope);
    gosess_ssl->ERR_pop_to_mark();
    /* Resumed under terms that do not hold: what comes of that is nobody's. */
    return !born->scope.resumed || gosess_terms_hold(ssl, &born->connection->given);
}

/*
 * The handshake is over: nothing that it has taken is given out again. TLS 1.3 gives a resumed
 * connection's new ticket a fresh time; the chain of tickets still ends when the first session
 * does.
 */
void gosess_store(struct gosess_newborn *born)
{
    struct gosess_attached *context = born->connection->first;
    struct gosess_given *given = &born->connection->given;
    update_time(context, born->session);
    gosess_claim_forget(given);
    int64_t ends = gosess_end_of(gosess_ssl, born->session);
    if (born->scope.resumed && given->ends > 0 && given->ends < ends)
        ends = given->ends;
    put(context, born->session, &born->scope, ends, true);
}

void gosess_store_session(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session)
{
    struct gosess_newborn born;
    if (gosess_is_wanted(context, ssl, session, &born))
        gosess_store(&born);
}

void gosess_release(struct gosess_connection *connection, bool unproven)
{
    struct gosess_scope scope;
    int64_t ends;
    SSL_SESSION *taken = unproven && gosess_core_ready()
                             ? gosess_claim_scope(&connection->given, &scope, &ends)
                             : NULL;
    if (taken)
        put(connection->first, taken, &scope, ends, false);
    gosess_claim_forget(&connection->given);
}

bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was)
{
    struct gosess_request drop = {.operation = GOSESS_REMOVE, .session = session};
    *was = NULL;
    drop.id = gosess_ssl->SSL_SESSION_get_id(session, &drop.id_length);
    /* A process that has no Go half has stored nothing, and a callback must not wait for one. */
    if (drop.id_length == 0 || !gosess_core_ready() || !gosess_ask(context, &drop))
        return false;
    *was = drop.was;
    return drop.removed;
}
