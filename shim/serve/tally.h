/*
 * tally.h - counts tickets in the mapping of the store: for the process, the context and the secret
 * that they are sealed under.
 */
#ifndef GOSESS_SERVE_TALLY_H
#define GOSESS_SERVE_TALLY_H

#include "claim.h"
#include "context.h"

/*
 * Asks the Go half, once for each context, where it counts what is done for that. Before a ticket
 * of it is sealed or opened, and where there may be a Go half.
 */
void gosess_tally_prepare(struct gosess_context *context);

/*
 * Counts what has become of the ticket that the client of a connection has offered, where that is
 * not counted yet. By the time that its handshake seals a ticket or it ends: what libssl thinks of
 * the ticket's MAC it does not say before.
 */
void gosess_tally_offered(struct gosess_context *first, const SSL *ssl, struct gosess_given *given);

/*
 * The same where a ticket is sealed, and counts that one too, if it is ours; tally is its secret's,
 * NULL: there is none.
 */
void gosess_tally_sealed(struct gosess_context *first, const SSL *ssl, struct gosess_given *given,
                         bool ours, uint64_t *tally);

#endif
