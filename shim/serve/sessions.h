/* sessions.h - what gosess does with sessions as a cache, without the callbacks of the application.
 */
#ifndef GOSESS_SERVE_SESSIONS_H
#define GOSESS_SERVE_SESSIONS_H

#include "connection.h"

/* The callback of the cache alone for a new session, without the application's. */
void gosess_store_session(struct gosess_context *context, SSL *ssl, SSL_SESSION *session);

/*
 * Whether the cache had the session. *was is what it had, with its reference, to be freed when
 * nobody looks at the session any more; or NULL.
 */
bool gosess_drop_session(struct gosess_context *context, SSL_SESSION *session, SSL_SESSION **was);

/* A new session, and what becomes of it. */
struct gosess_newborn {
    struct gosess_connection *connection;
    SSL_SESSION *session;
    struct gosess_scope scope;
};

/* Whether the cache is to have a new session; and stores one that it is to have. */
bool gosess_is_wanted(struct gosess_connection *connection, SSL_SESSION *session,
                      struct gosess_newborn *born);
void gosess_store(struct gosess_newborn *born);

/* Adds a session of the host's, as SSL_CTX_add_session does: whether it was not there. */
bool gosess_add_session(struct gosess_context *context, SSL_SESSION *session);

/* Keeps a session that has been shared as the object that it is, where it has been shared. */
void gosess_keep_object(SSL_SESSION *session);

#endif
