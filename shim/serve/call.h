/* call.h - calls of the Go half for a context. */
#ifndef GOSESS_SERVE_CALL_H
#define GOSESS_SERVE_CALL_H

#include "../core/load.h"
#include "context.h"

/*
 * A call of the Go half for a context, loading it, with what has left the cache treated as
 * libssl would. errno is kept. False where there is none.
 */
bool gosess_call(struct gosess_attached *context, struct gosess_call *call);

/* Whether libssl is being made to treat a session as removed that has left the cache already. */
bool gosess_is_leaving(const SSL_SESSION *session);

/* The live sessions of a context leave, with their remove callbacks. */
void gosess_forget(struct gosess_attached *context);

#endif
