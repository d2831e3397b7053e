/* put.h - puts sessions into the cache of a context. */
#ifndef GOSESS_SERVE_PUT_H
#define GOSESS_SERVE_PUT_H

#include "context.h"

/*
 * Shares the bytes of a session, where they may be shared and fit, with a copy for this process
 * where that spares time; else keeps the object, where that is allowed. It ends then, unix seconds.
 */
void gosess_put(struct gosess_context *context, SSL_SESSION *session,
                const struct gosess_scope *scope, int64_t expires, bool with_copy);

/*
 * Keeps the object itself in this process, which has it end then. added: it may have been stored
 * before. False where it cannot, or does already.
 */
bool gosess_keep(struct gosess_context *context, SSL_SESSION *session,
                 const struct gosess_scope *scope, int64_t expires, bool added);

#endif
