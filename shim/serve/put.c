/* put.c - puts sessions into the cache of a context. */
#define _GNU_SOURCE
#include "put.h"

#include <limits.h>

#include "../ssl/libssl.h"
#include "call.h"
#include "copies.h"
#include "der.h"
#include "stored.h"

static int limit_of(const struct gosess_context *context)
{
    long limit = gosess_ssl->SSL_CTX_ctrl(context->ctx, SSL_CTRL_GET_SESS_CACHE_SIZE, 0, NULL);
    return limit > 0 && limit < INT_MAX ? (int)limit : 0;
}

bool gosess_keep(struct gosess_context *context, SSL_SESSION *session,
                 const struct gosess_scope *scope, int64_t expires, bool added)
{
    int length = 0;
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
    if (added && !gosess_live(context) && (request.der = gosess_encode(session, &length)))
        request.der_length = (size_t)length;
    bool kept = gosess_ask(context, &request) && request.result == 1;
    gosess_free_der(request.der, length);
    if (!kept)
        gosess_ssl->SSL_SESSION_free(session);
    return kept;
}

/* Shares the bytes of a session: 1, 0, or GOSESS_TOO_BIG. With a copy for this process, or none. */
static long share(struct gosess_context *context, SSL_SESSION *session,
                  const struct gosess_scope *scope, int64_t expires, bool with_copy)
{
    struct gosess_request request = {.operation = GOSESS_SHARE, .scope = scope, .expires = expires};
    int length = 0;
    request.id = gosess_ssl->SSL_SESSION_get_id(session, &request.id_length);
    if (request.id_length == 0 || !gosess_mark_stored(session) ||
        !(request.der = gosess_encode(session, &length)))
        return 0;
    request.der_length = (size_t)length;
    if (with_copy && scope->chain == 0 && (request.copy = gosess_copy_to_keep(session)))
        request.size = gosess_object_size(request.copy, 0);
    long result = gosess_ask(context, &request) ? request.result : 0;
    gosess_ssl->SSL_SESSION_free(request.copy); /* NULL where it is kept */
    gosess_free_der(request.der, length);
    return result;
}

void gosess_put(struct gosess_context *context, SSL_SESSION *session,
                const struct gosess_scope *scope, int64_t expires, bool with_copy)
{
    if (!gosess_live(context) && scope->shared &&
        share(context, session, scope, expires, with_copy) != GOSESS_TOO_BIG)
        return;
    struct gosess_scope kept = *scope;
    if (scope->shared)
        kept.reason = GOSESS_REASON_LARGE;
    if (gosess_live(context) || scope->live)
        gosess_keep(context, session, &kept, expires, false);
}
