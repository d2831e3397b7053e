/* lookup.c - what a connection may have of the cache. */
#define _GNU_SOURCE
#include "lookup.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../base/locks.h"
#include "../ssl/libssl.h"
#include "call.h"
#include "claim.h"
#include "copies.h"
#include "der.h"
#include "identity.h"
#include "replay.h"
#include "stored.h"
#include "terms.h"

/* A copy of a session that took long to make is kept for the next time. */
static void keep_copy(struct gosess_context *context, SSL_SESSION *session,
                      const unsigned char seal[GOSESS_SEAL_SIZE])
{
    struct gosess_request keep = {.operation = GOSESS_KEEP_COPY,
                                  .copy = gosess_copy_to_keep(session)};
    if (!keep.copy)
        return;
    keep.size = gosess_object_size(keep.copy, 0);
    memcpy(keep.seal, seal, sizeof keep.seal);
    gosess_ask(context, &keep);
    gosess_ssl->SSL_SESSION_free(keep.copy); /* NULL where it is kept */
}

/* One that is made of the copy, or of the bytes, of what a shared store has. */
static SSL_SESSION *make_object(struct gosess_context *context, struct gosess_request *found)
{
    SSL_SESSION *session = NULL;
    bool is_kept = found->copy != NULL;
    if (is_kept) {
        session = gosess_copy_to_use(found->copy, found->ends);
        gosess_ssl->SSL_SESSION_free(found->copy);
    }
    if (!session && found->der_length > 0) {
        session = gosess_decode_often(found->der, found->der_length, found->id, found->id_length,
                                      found->ends);
        if (session && !is_kept && !found->take)
            keep_copy(context, session, found->seal);
    }
    if (session && !gosess_mark_stored(session)) {
        gosess_ssl->SSL_SESSION_free(session);
        return NULL;
    }
    return session;
}

/*
 * libssl marks an object that it has removed from a cache, and would not resume it any more. One
 * that is still in the cache, or there again, is resumed as another object made of its bytes, which
 * has no such mark, nor the chain of the peer's certificates. The marks of 1.1.1 do no harm. What a
 * host keeps with the object is on no other one.
 */
static SSL_SESSION *without_mark(SSL_SESSION *session, const struct gosess_request *found)
{
    if (gosess_ssl->SSL_SESSION_is_resumable(session))
        return session;
    int length = 0;
    unsigned char *der = found->scope->host_data ? NULL : gosess_encode(session, &length);
    SSL_SESSION *fresh = der ? gosess_decode(der, (size_t)length, found->id, found->id_length,
                                             gosess_end_of(session))
                             : NULL;
    gosess_free_der(der, length);
    gosess_ssl->SSL_SESSION_free(session);
    return fresh;
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

/* Whether the key of the client's certificate, if it has one, could be decoded. */
static bool has_whole_peer(SSL_SESSION *session)
{
    X509 *peer = gosess_ssl->SSL_SESSION_get0_peer(session);
    if (!peer)
        return true;
    gosess_ssl->ERR_set_mark();
    bool whole = gosess_ssl->X509_get0_pubkey(peer) != NULL;
    gosess_ssl->ERR_pop_to_mark();
    return whole;
}

/*
 * What libssl would refuse is not offered to it: some of that ends in a failed handshake (L34).
 * *given_up: that is so because of how the connection is encrypted.
 */
static bool usable(SSL *ssl, const struct gosess_request *found, SSL_SESSION *session,
                   bool *given_up)
{
    *given_up =
        gosess_ssl->SSL_SESSION_get_protocol_version(session) != gosess_ssl->SSL_version(ssl) ||
        (found->bound && !cipher_allowed(ssl, session));
    return !*given_up && gosess_has_id(session, found->id, found->id_length) &&
           (!found->bound || has_whole_peer(session));
}

/*
 * Room for the bytes of what is found. The last one is kept for the next time: it is more than what
 * malloc(3) has at hand.
 */
static unsigned char *_Atomic spare;

static unsigned char *take_room(void)
{
    unsigned char *room = atomic_exchange(&spare, NULL);
    return room ? room : malloc(GOSESS_DER_SIZE);
}

/* With so many bytes of a session. */
static void give_room_back(unsigned char *room, size_t used)
{
    if (room && used > 0)
        gosess_ssl->OPENSSL_cleanse(room, used);
    free(atomic_exchange(&spare, room));
}

/* What is found, for this connection: NULL where it cannot use that. */
static SSL_SESSION *find(struct gosess_connection *connection, struct gosess_request *request)
{
    struct gosess_given *given = &connection->given;
    SSL_SESSION *session = NULL;
    bool found = false, given_up = false;
    request->der = take_room();
    if (request->der && gosess_ask(connection->first, request))
        found = request->session || request->copy || request->der_length > 0;
    if (found)
        session = request->session ? without_mark(request->session, request)
                                   : make_object(connection->first, request);
    give_room_back(request->der, request->der_length);
    if (session && !usable(connection->ssl, request, session, &given_up)) {
        gosess_ssl->SSL_SESSION_free(session);
        session = NULL;
    }
    if (found && !session)
        gosess_ask(connection->first,
                   &(struct gosess_request){.operation = GOSESS_MISSED, .given_up = given_up});
    if (session) {
        given->ends = request->ends ? request->ends : gosess_end_of(session);
        given->timeout = gosess_ssl->SSL_SESSION_get_timeout(session);
        given->bound = request->bound;
        given->private = !request->bound;
        memcpy(given->terms, request->bound ? request->terms : request->scope->terms,
               sizeof given->terms);
    }
    return session;
}

/* libssl's own anti-replay removes the session that it takes, and says so (L26). */
static void say_taken(struct gosess_context *context, SSL_SESSION *session)
{
    gosess_remove_cb application = atomic_load(&context->remove_session);
    if (application)
        GOSESS_HOST(application)(context->ctx, session);
}

SSL_SESSION *gosess_look_up(struct gosess_connection *connection, const unsigned char *id,
                            int length)
{
    SSL *ssl = connection->ssl;
    struct gosess_context *context = connection->first;
    struct gosess_scope scope;
    bool anti_replay = gosess_anti_replay(ssl), taken = false;
    SSL_SESSION *session = NULL;
    struct gosess_request request = {.operation = GOSESS_FIND, .scope = &scope, .id = id};
    request.id_length = length > 0 ? (unsigned)length : 0;
    request.ticket = gosess_ssl->SSL_version(ssl) == TLS1_3_VERSION;
    request.take = request.ticket && (context->single_use || anti_replay);
    if (gosess_scope_asked(connection, &scope)) {
        if (request.ticket)
            session = gosess_claim_again(&connection->given, id, request.id_length, &scope);
        if (!session) {
            session = find(connection, &request);
            taken = session && request.take;
        }
    }
    if (!session)
        return NULL;
    if (taken)
        gosess_claim_make(&connection->given, session, &scope);
    gosess_connection_resumes(connection, session);
    connection->sole = request.ticket && gosess_offers_one_key(ssl);
    if (anti_replay)
        gosess_replay_take_over(connection);
    if (taken)
        say_taken(context, session);
    return session;
}

SSL_SESSION *gosess_find_session(struct gosess_context *context, SSL *ssl, const unsigned char *id,
                                 int length)
{
    struct gosess_connection *connection = gosess_connection_make(ssl, context);
    if (!connection)
        return NULL;
    gosess_replay_undo(connection);
    gosess_connection_asks(connection);
    return gosess_look_up(connection, id, length);
}
