/*
 * callbacks.c - the callbacks that libssl calls.
 */
#define _GNU_SOURCE
#include "callbacks.h"

#include <stdatomic.h>
#include <time.h>

#include "../base/locks.h"
#include "../base/log.h"
#include "../core/load.h"
#include "../ssl/libssl.h"
#include "announced.h"
#include "attach.h"
#include "call.h"
#include "connection.h"
#include "der.h"
#include "lookup.h"
#include "replay.h"
#include "sessions.h"
#include "tier.h"

/*
 * libssl flushes about each 256th connection; it calls SSL_CTX_flush_sessions for it, which
 * is ours in a libssl that can be interposed from within (Debian's, L33, L36) but not in all.
 */
static void clear_automatically(struct gosess_context *context)
{
    if (atomic_load(&context->mode) & SSL_SESS_CACHE_NO_AUTO_CLEAR)
        return;
    long good = gosess_ssl->SSL_CTX_ctrl(context->ctx, SSL_CTRL_SESS_ACCEPT_GOOD, 0, NULL);
    if ((good & 0xff) == 0xff)
        gosess_ask(context, &(struct gosess_request){.operation = GOSESS_FLUSH,
                                                     .before = (int64_t)time(NULL)});
}

/*
 * libssl had put nothing into its own cache when it called, and would have (L6). Now it has that
 * cache again.
 */
static void leave_to_libssl(struct gosess_context *context, SSL *ssl, SSL_SESSION *session)
{
    bool stateless = gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION &&
                     gosess_ssl->SSL_is_server(ssl) &&
                     !(gosess_ssl->SSL_get_options(ssl) & SSL_OP_NO_TICKET) &&
                     !gosess_anti_replay(ssl) && !atomic_load(&context->remove_session);
    gosess_give_back();
    /*
     * Where memory has run out, 3.0 lists the session without a reference (ssl/ssl_sess.c), and
     * frees one when it flushes its list.
     */
    if (!stateless && !gosess_ssl->SSL_CTX_add_session(context->ctx, session))
        gosess_ssl->SSL_SESSION_up_ref(session);
}

/*
 * Calls the host's callback for a new session. later is what is to be stored after it, NULL where
 * nothing is; superseded says that it is not any more.
 */
static int tell_host(gosess_new_cb application, SSL *ssl, SSL_SESSION *session,
                     struct gosess_newborn *later, bool *superseded)
{
    if (!application)
        return 0;
    struct gosess_announced now = {0};
    if (later)
        now = (struct gosess_announced){
            .context = later->connection->first, .session = session, .live = later->scope.live};
    struct gosess_announced before = gosess_announce(now); /* a callback may serve connections */
    int kept = GOSESS_HOST(application)(ssl, session);
    now = gosess_announce(before);
    if (later)
        later->scope.live = now.live;
    *superseded = now.superseded;
    return kept;
}

/*
 * Before: libssl took a reference for the callback, which is for the application callback to keep
 * (1) or to leave to libssl (0). What is kept as an object is kept before that one is called, as
 * libssl does (L2). What is kept as bytes is written after: what the host sets, a timeout for one,
 * is part of the session, and one that it has removed is not stored. What a host rewrites it has
 * put back when it returns (HAProxy: S8). A reference of our own keeps the session until
 * then.
 */
static int on_new(SSL *ssl, SSL_SESSION *session)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    struct gosess_context *context = gosess_first_of(ssl, connection);
    gosess_new_cb application = context ? atomic_load(&context->new_session) : NULL;
    bool ours = gosess_serves(context) && application != gosess_new_session_cb;
    bool internal = ours && !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE);
    struct gosess_newborn born;
    if (ours && !connection)
        connection = gosess_connection_make(ssl, context);
    bool wanted = ours && connection && (internal || gosess_is_tier(context)) &&
                  gosess_is_wanted(connection, session, &born);
    bool later = wanted && born.scope.shared && !gosess_live(context) && gosess_load() &&
                 gosess_ssl->SSL_SESSION_up_ref(session) == 1;
    if (wanted && !later)
        gosess_store(&born);
    if (internal && gosess_core_impossible())
        leave_to_libssl(context, ssl, session);
    bool superseded = false;
    int kept = tell_host(application, ssl, session, later ? &born : NULL, &superseded);
    if (later && gosess_keeps_session_data()) /* since this very call, it may be */
        born.scope.shared = false;
    if (later && !superseded && gosess_ssl->SSL_SESSION_is_resumable(session))
        gosess_store(&born);
    if (later)
        gosess_ssl->SSL_SESSION_free(session);
    if (ours && connection) /* the host may have given the context itself up */
        clear_automatically(context);
    return kept;
}

/*
 * What libssl does with a session from the application's callback where it has an internal
 * cache: it adds it (L18) and, where early data may be replayed, removes it again, or it does
 * not resume (L26). Whose reference it is does not change.
 */
static void take_in(struct gosess_connection *connection, SSL_SESSION *session)
{
    struct gosess_context *context = connection->first;
    gosess_replay_undo(connection); /* the application may have asked gosess itself */
    if (gosess_anti_replay(connection->ssl)) {
        gosess_remove_cb application = atomic_load(&context->remove_session);
        SSL_SESSION *was;
        gosess_drop_session(context, session, &was);
        if (application)
            GOSESS_HOST(application)(context->ctx, session);
        gosess_ssl->SSL_SESSION_free(was);
        gosess_replay_take_over(connection);
    } else {
        gosess_add_session(context, session);
    }
}

/* What the connection is given next ends when the session does that it resumes. */
static SSL_SESSION *get_theirs(struct gosess_connection *connection, struct gosess_context *context,
                               SSL *ssl, const unsigned char *id, int length, int *copy)
{
    gosess_get_cb application = context ? atomic_load(&context->get_session) : NULL;
    bool serves = connection && gosess_serves(context); /* libssl may have its cache back by now */
    *copy = 1; /* libssl's value on entry, which a callback may leave alone (L17) */
    SSL_SESSION *session = application ? GOSESS_HOST(application)(ssl, id, length, copy) : NULL;
    if (session && serves && gosess_ssl->SSL_SESSION_is_resumable(session)) {
        connection->given.ends = gosess_end_of(session);
        connection->given.timeout = gosess_ssl->SSL_SESSION_get_timeout(session);
        if (!(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_STORE))
            take_in(connection, session);
    }
    return session;
}

/*
 * After: with *copy 0 the returned reference is libssl's, with 1 it stays the callback's
 * (L17); each half sets its own. Where the host allows an internal cache, gosess is that
 * cache, and comes first; else a shared store may be one more tier behind the host's own.
 */
static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct gosess_connection *connection = gosess_connection_of(ssl);
    struct gosess_context *context = gosess_first_of(ssl, connection);
    bool serves =
        gosess_serves(context) && atomic_load(&context->get_session) != gosess_get_session_cb;
    bool internal = serves && !(atomic_load(&context->mode) & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP);
    SSL_SESSION *session = NULL;
    if (!serves)
        connection = NULL;
    else if (!connection)
        connection = gosess_connection_make(ssl, context);
    if (connection) {
        gosess_replay_undo(connection);
        gosess_connection_asks(connection);
    }
    if (internal && connection)
        session = gosess_look_up(connection, id, length);
    if (internal && !session)
        atomic_fetch_add(&context->misses, 1);
    if (!session) {
        session = get_theirs(connection, context, ssl, id, length, copy);
        if (session)
            return session;
        if (connection && !internal && gosess_is_tier(context))
            session = gosess_look_up(connection, id, length);
    }
    if (session) {
        *copy = 0;
        atomic_fetch_add(&context->hits, 1);
    }
    return session;
}

/* Whether the cache had the session of this thread's last removal, and the host asked for that. */
static _Thread_local bool removed, by_host;

/*
 * The session is borrowed (L19), at times from nobody but the cache: what that had is given
 * back last. Where libssl removes what a connection resumes whose handshake is not over, the client
 * may know no more than the id of somebody else's session (L15): the cache keeps it.
 */
static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    struct gosess_context *context = gosess_context_of(ctx);
    gosess_remove_cb application = context ? atomic_load(&context->remove_session) : NULL;
    SSL_SESSION *was = NULL;
    if (!gosess_is_leaving(session) && gosess_serves(context) &&
        application != gosess_remove_session_cb && !gosess_ending(context) &&
        (by_host || !gosess_is_unproven(session)))
        removed = gosess_drop_session(context, session, &was);
    if (application)
        GOSESS_HOST(application)(ctx, session);
    gosess_ssl->SSL_SESSION_free(was);
}

bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *), bool by_libssl)
{
    bool removed_before = removed, by_host_before = by_host; /* a remove callback may be running */
    removed = false;
    by_host = !by_libssl;
    int theirs = next(ctx, session);
    bool ours = removed;
    removed = removed_before;
    by_host = by_host_before;
    return theirs || ours;
}

/* --- attaching --- */

/* What libssl holds of the host's becomes ours to keep. With the setup lock. */
static void put_callbacks(struct gosess_context *context)
{
    SSL_CTX *ctx = context->ctx;
    atomic_store(&context->new_session, gosess_ssl->SSL_CTX_sess_get_new_cb(ctx));
    atomic_store(&context->remove_session, gosess_ssl->SSL_CTX_sess_get_remove_cb(ctx));
    atomic_store(&context->get_session, gosess_ssl->SSL_CTX_sess_get_get_cb(ctx));
    gosess_ssl->SSL_CTX_sess_set_new_cb(ctx, on_new);
    gosess_ssl->SSL_CTX_sess_set_get_cb(ctx, on_get);
    gosess_ssl->SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    atomic_store(&context->callbacks, true);
}

bool gosess_serve(SSL_CTX *ctx, struct gosess_cache *cache)
{
    return gosess_attach(ctx, cache, put_callbacks);
}
