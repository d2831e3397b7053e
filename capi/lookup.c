/*
 * lookup.c - what a lookup may find, and what becomes of it.
 *
 * A session is taken where it may be used once: on a server that accepts early data with
 * anti-replay, and with ?single-use=tls13. libssl's own anti-replay cannot be used: it wants
 * the session in its internal cache (L26). After a HelloRetryRequest the same handshake asks
 * again (L7), so what it took is kept with the connection, for the same circumstances only.
 */
#include <stdlib.h>
#include <string.h>

#include "glue.h"

static const struct gosess_libssl *libssl;

/* What a handshake has taken, and for whom. */
struct gosess_claim {
    SSL_SESSION *session; /* referenced */
    int64_t ends;
    bool bound;
    unsigned char terms[GOSESS_DIGEST_SIZE]; /* under which the session was made */
    struct gosess_scope asked;               /* without the name, which follows */
    char server_name[];
};

void gosess_lookup_start(const struct gosess_libssl *table)
{
    libssl = table;
}

void gosess_claim_forget(struct gosess_given *given)
{
    if (!given->claim)
        return;
    libssl->SSL_SESSION_free(given->claim->session);
    free(given->claim);
    given->claim = NULL;
}

bool gosess_claim_record(const struct gosess_given *given, struct gosess_record *record)
{
    const struct gosess_claim *claim = given->claim;
    if (!claim)
        return false;
    struct gosess_scope scope = claim->asked;
    scope.server_name = claim->server_name;
    scope.shared = claim->bound;
    scope.live = !claim->bound;
    scope.routed = false;
    memcpy(scope.terms, claim->terms, sizeof scope.terms);
    if (!gosess_record_new(claim->session, &scope, given, record))
        return false;
    record->expires = claim->ends;
    gosess_unref(record->copy);
    record->copy = NULL;
    return true;
}

static bool has_id(const SSL_SESSION *session, const unsigned char *id, int id_length)
{
    unsigned length = 0;
    const unsigned char *own = libssl->SSL_SESSION_get_id(session, &length);
    return id_length >= 0 && length == (unsigned)id_length && memcmp(own, id, length) == 0;
}

/*
 * The second ClientHello may lead elsewhere than the first: another name, context or policy. Where a
 * host switches late it has switched by now, to what the name led to and still does.
 */
static bool same_scope(const struct gosess_claim *claim, const struct gosess_scope *now)
{
    const struct gosess_scope *asked = &claim->asked;
    return asked->context == now->context && asked->shared == now->shared &&
           asked->routed == now->routed &&
           (now->routed || memcmp(asked->terms, now->terms, sizeof now->terms) == 0) &&
           asked->server_name_length == now->server_name_length &&
           memcmp(claim->server_name, now->server_name ? now->server_name : "",
                  now->server_name_length) == 0;
}

/* The caller has forgotten what another handshake of the connection had taken. */
static SSL_SESSION *claimed(const struct gosess_claim *claim, struct gosess_lookup *lookup)
{
    if (!claim || !has_id(claim->session, lookup->id, lookup->id_length) ||
        !same_scope(claim, &lookup->scope) || !libssl->SSL_SESSION_up_ref(claim->session))
        return NULL;
    lookup->ends = claim->ends;
    lookup->bound = claim->bound;
    memcpy(lookup->scope.terms, claim->terms, sizeof claim->terms);
    return claim->session;
}

/* Where it cannot be noted, a HelloRetryRequest loses the session: a full handshake. */
static void claim(SSL_SESSION *session, const struct gosess_lookup *lookup, int64_t ends,
                  const struct gosess_scope *asked, struct gosess_given *given)
{
    size_t length = asked->server_name_length;
    gosess_claim_forget(given);
    struct gosess_claim *note = calloc(1, sizeof(*note) + length);
    if (!note || !libssl->SSL_SESSION_up_ref(session)) {
        free(note);
        return;
    }
    note->session = session;
    note->ends = ends;
    note->bound = lookup->bound;
    memcpy(note->terms, lookup->scope.terms, sizeof note->terms);
    note->asked = *asked;
    note->asked.server_name = NULL;
    if (length > 0)
        memcpy(note->server_name, asked->server_name, length);
    given->claim = note;
}

void gosess_lookup_begin(SSL *ssl, const unsigned char *id, int id_length,
                         const struct gosess_scope *scope, const struct gosess_given *given,
                         struct gosess_lookup *lookup)
{
    *lookup = (struct gosess_lookup){.id = id, .id_length = id_length, .scope = *scope};
    if (libssl->SSL_version(ssl) != TLS1_3_VERSION)
        return;
    lookup->ticket = true;
    lookup->claimed = claimed(given->claim, lookup);
    lookup->take = lookup->claimed || scope->context->single_use || gosess_anti_replay(libssl, ssl);
}

/* What libssl would refuse is not offered to it: some of that ends in a failed handshake (L34). */
static bool usable(const SSL *ssl, const struct gosess_lookup *lookup, SSL_SESSION *session)
{
    return has_id(session, lookup->id, lookup->id_length) &&
           libssl->SSL_SESSION_get_protocol_version(session) == libssl->SSL_version(ssl);
}

bool gosess_lookup_decode(struct gosess_lookup *lookup, const unsigned char *room)
{
    bool is_kept = lookup->copy != NULL;
    if (is_kept) {
        lookup->session = gosess_copy_to_use(lookup->copy, lookup->ends);
        libssl->SSL_SESSION_free(lookup->copy);
        lookup->copy = NULL;
    }
    if (!lookup->session && lookup->der_length > 0) {
        lookup->session = gosess_decode(lookup->der, lookup->der_length, lookup->id,
                                        lookup->id_length, lookup->ends);
        if (lookup->session && !is_kept && !lookup->take)
            lookup->copy = gosess_copy_to_keep(lookup->session);
    }
    libssl->OPENSSL_cleanse(lookup->der, lookup->der_length);
    if (lookup->der != room)
        free(lookup->der);
    return lookup->copy != NULL;
}

/*
 * libssl marks an object that it has removed from a cache, and would not resume it any more. One
 * that is still in the cache, or there again, is resumed as another object made of its bytes, which
 * has no such mark, nor the chain of the peer's certificates. The marks of 1.1.1 do no harm. What a
 * host keeps with the object is on no other one.
 */
static SSL_SESSION *without_mark(SSL_SESSION *session, const struct gosess_lookup *lookup)
{
    if (libssl->SSL_SESSION_is_resumable(session))
        return session;
    int length = 0;
    unsigned char *der = lookup->scope.host_data ? NULL : gosess_encode(session, &length);
    SSL_SESSION *fresh = der ? gosess_decode(der, (size_t)length, lookup->id, lookup->id_length,
                                             gosess_end_of(libssl, session))
                             : NULL;
    gosess_free_der(der, length);
    libssl->SSL_SESSION_free(session);
    return fresh;
}

SSL_SESSION *gosess_lookup_end(SSL *ssl, const struct gosess_lookup *lookup,
                               const struct gosess_scope *asked, struct gosess_given *given)
{
    SSL_SESSION *session = lookup->claimed ? lookup->claimed : lookup->session;
    libssl->ERR_set_mark();
    if (session && !lookup->claimed) {
        session = without_mark(session, lookup);
        if (session && !usable(ssl, lookup, session)) {
            libssl->SSL_SESSION_free(session);
            session = NULL;
        }
    }
    if (session) {
        given->ends = lookup->ends ? lookup->ends : gosess_end_of(libssl, session);
        given->bound = lookup->bound;
        memcpy(given->terms, lookup->scope.terms, sizeof given->terms);
    }
    if (session && lookup->take && !lookup->claimed) {
        claim(session, lookup, given->ends, asked, given);
        gosess_outcome_taken();
    }
    libssl->ERR_pop_to_mark();
    return session;
}
