/* call.h - asks the cache of a context. */
#ifndef GOSESS_SERVE_CALL_H
#define GOSESS_SERVE_CALL_H

#include "context.h"

/*
 * Asks the cache of a context for an operation, loading the Go half; what has left the cache is
 * treated as libssl would. errno is kept. False where there is no Go half.
 */
bool gosess_ask(struct gosess_context *context, struct gosess_request *request);

/*
 * Asks a cache that was found for a context by another thread than one that holds the context:
 * nobody is told of what has left the cache.
 */
bool gosess_ask_quietly(const struct gosess_sharing *sharing, struct gosess_request *request);

/* Whether libssl is being made to treat a session as removed that has left the cache already. */
bool gosess_is_leaving(const SSL_SESSION *session);

/* The live sessions of a context leave, with their remove callbacks. */
void gosess_forget(struct gosess_context *context);

#endif
