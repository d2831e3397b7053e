/* terms.h - under which terms a connection's session is made, or would be. */
#ifndef GOSESS_SERVE_TERMS_H
#define GOSESS_SERVE_TERMS_H

#include "connection.h"

/*
 * Under which circumstances a connection asks for a session, while its ClientHello is there, and
 * has made one. Asked: false where nothing may be found.
 */
bool gosess_scope_asked(struct gosess_connection *connection, struct gosess_scope *scope);
void gosess_scope_made(struct gosess_connection *connection, SSL_SESSION *session,
                       struct gosess_scope *scope);

/* What the server name of a connection has led to; false where that cannot be said. */
bool gosess_scope_led(struct gosess_connection *connection, struct gosess_scope *scope);

/* The same of a session that the host adds by itself. */
void gosess_scope_added(struct gosess_context *context, const SSL_SESSION *session,
                        struct gosess_scope *scope);

/*
 * Whether a host switches a connection to another context after libssl has looked for a session:
 * one that was made of the first context, and is switched to another one by then, if it is.
 */
bool gosess_switches_late(const struct gosess_context *first, const SSL_CTX *now, bool named);

/*
 * Whether a connection that resumes what its handshake was given may have it still, now that the
 * host has chosen: under the same terms, and it decides on its client as its context does.
 */
bool gosess_may_keep(struct gosess_connection *connection);

/*
 * The last second in which a full handshake may let the client of a session that is shared in, by
 * its certificates and the revocation lists of what verifies it; INT64_MAX where there is no end.
 */
int64_t gosess_client_ends(const SSL *ssl, const SSL_SESSION *session);

#endif
