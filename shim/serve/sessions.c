/*
 * sessions.c - what gosess does with sessions as a cache, without the callbacks of the application.
 */
#define _GNU_SOURCE
#include "sessions.h"

#include <stdatomic.h>
#include <time.h>

#include "../core/load.h"
#include "../ssl/libssl.h"
#include "announced.h"
#include "call.h"
#include "claim.h"
#include "der.h"
#include "put.h"
#include "replay.h"
#include "terms.h"
#include "tier.h"

/*
 * Whether a new session is one that libssl would keep in its internal cache, or a shared
 * store should. A stateless TLS 1.3 ticket carries its session; libssl reports it with an id
 * that no client will ever send (L4), and storing it would push the others out (P7). It keeps
 * them nevertheless where the application wants to hear of removals (L6), in which it may free what
 * it keeps with a session.
 */
static bool worth_storing(struct gosess_context *context, const SSL *ssl)
{
    if (!gosess_ssl->SSL_is_server(ssl))
        return gosess_live(context) && (atomic_load(&context->mode) & SSL_SESS_CACHE_CLIENT);
    if (gosess_ssl->SSL_version(ssl) != TLS1_3_VERSION)
        return true;
    uint64_t options = gosess_ssl->SSL_get_options(ssl);
    return (options & SSL_OP_NO_TICKET) || gosess_anti_replay(ssl) ||
           ((gosess_live(context) || gosess_keeps_session_data() ||
             gosess_keeps_account(context)) &&
            atomic_load(&context->remove_session));
}

/* SSL_SESS_CACHE_UPDATE_TIME, which 1.1.1 does not know (L32). */
static void update_time(struct gosess_context *context, SSL_SESSION *session)
{
    if ((atomic_load(&context->mode) & SSL_SESS_CACHE_UPDATE_TIME) &&
        gosess_ssl->OpenSSL_version_num() >= 0x30000000L)
        gosess_ssl->SSL_SESSION_set_time(session, (long)time(NULL));
}

static bool same_id(const SSL_SESSION *session, const SSL_SESSION *other)
{
    unsigned length = 0;
    const unsigned char *id = gosess_ssl->SSL_SESSION_get_id(other, &length);
    return gosess_has_id(session, id, length);
}

/*
 * Where the mode lets libssl store, it has a new session in its cache when it calls the host, which
 * cannot add it then; another object of its id takes its place (L18).
 */
bool gosess_add_session(struct gosess_context *context, SSL_SESSION *session)
{
    struct gosess_scope scope;
    struct gosess_announced *now = gosess_pending(context);
    /* A context that ends, or is given back, takes nothing in any more. */
    if (gosess_ending(context))
        return false;
    update_time(context, session);
    if (now && session == now->session) {
        bool stored = now->live;
        now->live = true;
        return !stored;
    }
    gosess_scope_added(context, session, &scope);
    bool added = gosess_keep(context, session, &scope, gosess_end_of(session), true);
    if (added && now && same_id(session, now->session))
        now->superseded = true;
    return added;
}

/* Whether the cache is to have a new session of a context. */
bool gosess_is_wanted(struct gosess_connection *connection, SSL_SESSION *session,
                      struct gosess_newborn *born)
{
    struct gosess_context *context = connection->first;
    born->connection = connection;
    born->session = session;
    if (atomic_load(&context->ending) || !worth_storing(context, connection->ssl))
        return false;
    gosess_ssl->ERR_set_mark();
    gosess_scope_made(connection, session, &born->scope);
    gosess_ssl->ERR_pop_to_mark();
    /* Resumed under terms that do not hold: what comes of that is nobody's. */
    return gosess_may_keep(connection);
}

#define MOMENT 5 /* seconds: a machine may be so busy */
#define TICK 1   /* second: time(2) comes to the next one later than libssl's clock, from 3.2 on */

/*
 * Whether a session has the times that libssl gives the one after a resumption, and the host has
 * changed neither since: that of a moment ago, and the timeout of before.
 */
static bool has_fresh_times(const SSL_SESSION *session, const struct gosess_given *given)
{
    int64_t age = (int64_t)time(NULL) - gosess_ssl->SSL_SESSION_get_time(session);
    return gosess_ssl->SSL_SESSION_get_timeout(session) == given->timeout && age >= -TICK &&
           age <= MOMENT;
}

/*
 * When a session is over. TLS 1.3 gives a resumed connection's new ticket a fresh time; the chain
 * of tickets still ends when the first session does: no later, and no earlier because the clock
 * of this machine is behind that of the one before, unless the host has shortened it. Where
 * the two ends are further apart than clocks are, one was set back: the chain is a new one.
 */
static int64_t end_of_newborn(const struct gosess_newborn *born)
{
    const struct gosess_given *given = &born->connection->given;
    int64_t ends = gosess_end_of(born->session);
    if (!born->scope.resumed || given->ends <= 0)
        return ends;
    if (given->ends < ends ||
        (has_fresh_times(born->session, given) && given->ends - 2 * GOSESS_APART - TICK <= ends))
        return given->ends;
    return ends;
}

/*
 * The handshake is over: nothing that it has taken is given out again. A full handshake refuses a
 * client whose certificate is over by then, or the list of those that are revoked, so a session
 * that is shared ends with them; libssl's own cache does not look.
 */
void gosess_store(struct gosess_newborn *born)
{
    struct gosess_context *context = born->connection->first;
    struct gosess_given *given = &born->connection->given;
    update_time(context, born->session);
    gosess_claim_forget(given);
    int64_t ends = end_of_newborn(born);
    if (born->scope.resumed)
        gosess_prolong(born->session, ends);
    if (born->scope.shared && !gosess_live(context)) {
        int64_t last = gosess_client_ends(born->connection->ssl, born->session);
        ends = last < ends ? last : ends;
    }
    gosess_put(context, born->session, &born->scope, ends, true);
}

void gosess_store_session(struct gosess_context *context, SSL *ssl, SSL_SESSION *session)
{
    struct gosess_newborn born;
    struct gosess_connection *connection = gosess_connection_make(ssl, context);
    if (connection && gosess_is_wanted(connection, session, &born))
        gosess_store(&born);
}

/* Makes a request that removes a session. False where it has no id, and so is not stored. */
static bool make_removal(struct gosess_request *removal, SSL_SESSION *session)
{
    *removal = (struct gosess_request){.operation = GOSESS_REMOVE, .session = session};
    removal->id = gosess_ssl->SSL_SESSION_get_id(session, &removal->id_length);
    return removal->id_length > 0;
}

bool gosess_drop_session(struct gosess_context *context, SSL_SESSION *session, SSL_SESSION **was)
{
    struct gosess_request removal;
    struct gosess_announced *now = gosess_pending(context);
    *was = NULL;
    if (now && session == now->session) {
        now->superseded = true;
        return now->live;
    }
    /* A process that has no Go half has stored nothing, and a callback must not wait for one. */
    if (!make_removal(&removal, session) || !gosess_core_ready() || !gosess_ask(context, &removal))
        return false;
    *was = removal.was;
    return removal.removed;
}

/* Whether a session was stored, which it is not any more. */
static bool take_out(const struct gosess_sharing *sharing, SSL_SESSION *session)
{
    struct gosess_request removal;
    if (!make_removal(&removal, session) || !gosess_ask_quietly(sharing, &removal))
        return false;
    gosess_ssl->SSL_SESSION_free(removal.was);
    return removal.removed;
}

/* One more than the limit of the context, if need be: no other has to leave for it. */
static void put_object(const struct gosess_sharing *sharing, SSL_SESSION *session)
{
    struct gosess_scope scope;
    struct gosess_request keep = {
        .operation = GOSESS_KEEP,
        .scope = &scope,
        .session = session,
        .expires = gosess_end_of(session),
        .size = gosess_object_size(session, 0),
    };
    gosess_scope_added(sharing->context, session, &scope);
    keep.id = gosess_ssl->SSL_SESSION_get_id(session, &keep.id_length);
    if (gosess_ssl->SSL_SESSION_up_ref(session) != 1)
        return;
    if (!gosess_ask_quietly(sharing, &keep) || keep.result != 1)
        gosess_ssl->SSL_SESSION_free(session);
}

/*
 * The host expects no callback from SSL_SESSION_set_ex_data, and calls it in any thread, while
 * others use the contexts, give them another cache and end them: what such a one has forgotten by
 * then is not to have the session.
 */
void gosess_keep_object(SSL_SESSION *session)
{
    size_t count = 0;
    struct gosess_sharing *found = gosess_core_ready() ? gosess_sharing(&count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (!take_out(&found[i], session))
            continue;
        put_object(&found[i], session);
        if (!gosess_still_shares(&found[i]))
            take_out(&found[i], session);
    }
    gosess_sharing_free(found, count);
}
