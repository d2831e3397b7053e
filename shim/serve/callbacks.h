/* callbacks.h - the callbacks that libssl calls. */
#ifndef GOSESS_SERVE_CALLBACKS_H
#define GOSESS_SERVE_CALLBACKS_H

#include "context.h"

/* Attaches a cache to a context, with callbacks by which it takes the place of libssl's cache. */
bool gosess_serve(SSL_CTX *ctx, struct gosess_cache *cache);

/*
 * SSL_CTX_remove_session's own answer: whether the cache had the session. by_libssl: not the host
 * calls it, but libssl for a connection.
 */
bool gosess_remove_reporting(SSL_CTX *ctx, SSL_SESSION *session,
                             int (*next)(SSL_CTX *, SSL_SESSION *), bool by_libssl);

#endif
