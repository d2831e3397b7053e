/* claim.c - what a handshake has taken out of the cache. */
#define _GNU_SOURCE
#include "claim.h"

#include <stdlib.h>
#include <string.h>

#include "../ssl/libssl.h"
#include "der.h"

/* What a handshake has taken, and for whom. */
struct gosess_claim {
    SSL_SESSION *session; /* referenced */
    int64_t ends;
    long timeout;
    bool bound;
    unsigned char terms[GOSESS_DIGEST_SIZE]; /* under which the session was made */
    struct gosess_scope asked;               /* without the name, which follows */
    char server_name[];
};

void gosess_claim_forget(struct gosess_given *given)
{
    if (!given->claim)
        return;
    gosess_ssl->SSL_SESSION_free(given->claim->session);
    free(given->claim);
    given->claim = NULL;
}

void gosess_claim_make(struct gosess_given *given, SSL_SESSION *session,
                       const struct gosess_scope *asked)
{
    size_t length = asked->server_name_length;
    gosess_claim_forget(given);
    struct gosess_claim *claim = calloc(1, sizeof(*claim) + length);
    if (!claim || !gosess_ssl->SSL_SESSION_up_ref(session)) {
        free(claim);
        return;
    }
    claim->session = session;
    claim->ends = given->ends;
    claim->timeout = given->timeout;
    claim->bound = given->bound;
    memcpy(claim->terms, given->terms, sizeof claim->terms);
    claim->asked = *asked;
    claim->asked.server_name = NULL;
    if (length > 0)
        memcpy(claim->server_name, asked->server_name, length);
    given->claim = claim;
}

/*
 * The second ClientHello may lead elsewhere than the first: another name, context or policy. Where
 * a host switches late it has switched by now, to what the name led to and still does.
 */
static bool same_scope(const struct gosess_claim *claim, const struct gosess_scope *now)
{
    const struct gosess_scope *asked = &claim->asked;
    return asked->owner == now->owner && asked->shared == now->shared &&
           asked->routed == now->routed &&
           (now->routed || memcmp(asked->terms, now->terms, sizeof now->terms) == 0) &&
           asked->server_name_length == now->server_name_length &&
           memcmp(claim->server_name, now->server_name ? now->server_name : "",
                  now->server_name_length) == 0;
}

/* The caller has forgotten what another handshake of the connection had taken. */
SSL_SESSION *gosess_claim_again(struct gosess_given *given, const unsigned char *id,
                                unsigned id_length, const struct gosess_scope *now)
{
    const struct gosess_claim *claim = given->claim;
    if (!claim || !gosess_has_id(claim->session, id, id_length) || !same_scope(claim, now) ||
        !gosess_ssl->SSL_SESSION_up_ref(claim->session))
        return NULL;
    given->ends = claim->ends;
    given->timeout = claim->timeout;
    given->bound = claim->bound;
    given->private = !claim->bound;
    memcpy(given->terms, claim->terms, sizeof given->terms);
    return claim->session;
}

SSL_SESSION *gosess_claim_scope(const struct gosess_given *given, struct gosess_scope *scope,
                                int64_t *ends)
{
    const struct gosess_claim *claim = given->claim;
    if (!claim)
        return NULL;
    *scope = claim->asked;
    scope->server_name = claim->server_name;
    scope->shared = claim->bound;
    scope->live = !claim->bound;
    scope->routed = false;
    memcpy(scope->terms, claim->terms, sizeof scope->terms);
    *ends = claim->ends;
    return claim->session;
}
