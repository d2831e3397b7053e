/* terms.h - under which terms a connection's session is made, or would be. */
#ifndef GOSESS_SERVE_TERMS_H
#define GOSESS_SERVE_TERMS_H

#include "claim.h"
#include "context.h"

/*
 * Under which circumstances a connection asks for a session, while its ClientHello is there, and
 * has made one. Asked: false where nothing may be found.
 */
bool gosess_scope_asked(struct gosess_attached *context, SSL *ssl, struct gosess_scope *scope);
void gosess_scope_made(struct gosess_attached *context, SSL *ssl, SSL_SESSION *session,
                       struct gosess_scope *scope);

/* The same of a session that the host adds by itself. */
void gosess_scope_added(struct gosess_attached *context, const SSL_SESSION *session,
                        struct gosess_scope *scope);

/*
 * Whether a connection may still have what it was given, now that the host has chosen: its terms;
 * and that it verifies its client as its context does, under which it was given that.
 */
bool gosess_terms_hold(SSL *ssl, const struct gosess_given *given);
bool gosess_demands_hold(SSL *ssl, const struct gosess_given *given);

#endif
