/* tier.h - what the callbacks of a host mean for a cache beside its own. */
#ifndef GOSESS_SERVE_TIER_H
#define GOSESS_SERVE_TIER_H

#include "context.h"

/* Notes which code has asked libssl for a context. */
void gosess_made_by(SSL_CTX *ctx, const void *caller);

/*
 * Whether a shared store may serve a context that has no internal cache: its host says by that, and
 * by NULL of its get callback, "I do not know" and not "no".
 */
bool gosess_is_tier(struct gosess_context *context);

/*
 * Whether the host means libssl's internal cache to have the sessions of this context alone, those
 * that it was told of: its get callback may refuse what that does not have, or its remove callback
 * releases what the host keeps of each. Then nothing of the context is shared.
 */
bool gosess_keeps_account(struct gosess_context *context);

#endif
