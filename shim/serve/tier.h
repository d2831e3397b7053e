/* tier.h - which hosts may have a second cache behind their own. */
#ifndef GOSESS_SERVE_TIER_H
#define GOSESS_SERVE_TIER_H

#include "context.h"

/* Notes which code has asked libssl for a context. */
void gosess_made_by(SSL_CTX *ctx, const void *caller);

/*
 * Whether a shared store may serve a context that has no internal cache: its host says by that, and
 * by NULL of its get callback, "I do not know" and not "no".
 */
bool gosess_is_tier(struct gosess_attached *context);

#endif
