/*
 * sessions.c - what gosess does with sessions as a cache, without the callbacks of the application.
 */
#define _GNU_SOURCE
#include "sessions.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "../base/locks.h"
#include "../core/load.h"
#include "../ssl/libssl.h"
#include "call.h"
#include "replay.h"
#include "terms.h"

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
    struct gosess_call add = {.what = GOSESS_CALL_ADD, .session = session, .scope = &scope};
    /* A context that ends, or is given back, takes nothing in any more. */
    if (gosess_ending(context))
        return false;
    update_time(context, session);
    gosess_scope_added(context, session, &scope);
    return gosess_call(context, &add) && add.result == 1;
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

void gosess_store(struct gosess_newborn *born)
{
    struct gosess_attached *context = born->connection->first;
    update_time(context, born->session);
    gosess_call(context, &(struct gosess_call){.what = GOSESS_CALL_NEW,
                                               .session = born->session,
                                               .scope = &born->scope,
                                               .given = &born->connection->given});
}

void gosess_store_session(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session)
{
    struct gosess_newborn born;
    if (gosess_is_wanted(context, ssl, session, &born))
        gosess_store(&born);
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

/* What this connection may have of the cache, and libssl and the host are told of it. */
SSL_SESSION *gosess_look_up(struct gosess_connection *connection, const unsigned char *id,
                            int length)
{
    SSL *ssl = connection->ssl;
    struct gosess_attached *context = connection->first;
    struct gosess_scope scope;
    gosess_ssl->ERR_set_mark();
    bool ok = gosess_scope_asked(context, ssl, &scope);
    gosess_ssl->ERR_pop_to_mark();
    struct gosess_call get = {.what = GOSESS_CALL_GET,
                              .ssl = ssl,
                              .id = id,
                              .id_length = length,
                              .scope = &scope,
                              .given = &connection->given};
    if (!ok || !gosess_call(context, &get) || !get.session)
        return NULL;
    if (connection->given.bound && !cipher_allowed(ssl, get.session)) {
        gosess_ssl->SSL_SESSION_free(get.session);
        return NULL;
    }
    gosess_connection_resumes(connection, get.session);
    if (gosess_anti_replay(gosess_ssl, ssl))
        gosess_replay_take_over(connection);
    /* libssl's own anti-replay removes the session that it takes, and says so (L26). */
    gosess_remove_cb application = atomic_load(&context->remove_session);
    if (get.outcome.taken && application)
        GOSESS_HOST(application)(context->core.ctx, get.session);
    return get.session;
}

SSL_SESSION *gosess_find_session(struct gosess_attached *context, SSL *ssl, const unsigned char *id,
                                 int length)
{
    struct gosess_connection *connection = gosess_connection_make(ssl, context);
    if (!connection)
        return NULL;
    gosess_replay_undo(connection);
    gosess_connection_asks(connection);
    return gosess_look_up(connection, id, length);
}

bool gosess_drop_session(struct gosess_attached *context, SSL_SESSION *session, SSL_SESSION **was)
{
    *was = NULL;
    struct gosess_call drop = {
        .what = GOSESS_CALL_REMOVE, .ctx = context->core.ctx, .session = session};
    /* A process that has no Go half has stored nothing, and a callback must not wait for one. */
    if (!gosess_core_ready() || !gosess_call(context, &drop))
        return false;
    *was = drop.outcome.was;
    return drop.outcome.removed;
}

void gosess_keep_object(SSL_SESSION *session)
{
    size_t count = 0;
    SSL_CTX **found = gosess_core_ready() ? gosess_sharing(&count) : NULL;
    for (size_t i = 0; i < count; i++) {
        struct gosess_attached *context = gosess_attached(found[i]);
        SSL_SESSION *was = NULL;
        if (context && gosess_drop_session(context, session, &was))
            gosess_add_session(context, session);
        gosess_ssl->SSL_SESSION_free(was);
        gosess_ssl->SSL_CTX_free(found[i]);
    }
    free(found);
}
