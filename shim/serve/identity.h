/* identity.h - clients that are known by something else than a certificate. */
#ifndef GOSESS_SERVE_IDENTITY_H
#define GOSESS_SERVE_IDENTITY_H

#include "connection.h"

/* In the get callback: whether the client offers nothing but the session that is looked up. */
bool gosess_offers_one_key(SSL *ssl);

/* Whether a new session may be that of a client whom a callback of the host's has identified. */
bool gosess_may_be_identified(const struct gosess_connection *connection,
                              const SSL_SESSION *session);

#endif
