/* lookup.h - what a connection may have of the cache. */
#ifndef GOSESS_SERVE_LOOKUP_H
#define GOSESS_SERVE_LOOKUP_H

#include "connection.h"

/* What this connection, which asks, may have of the cache; libssl and the host are told of it. */
SSL_SESSION *gosess_look_up(struct gosess_connection *connection, const unsigned char *id,
                            int length);

/* The callback of the cache alone for a lookup, without the application's. */
SSL_SESSION *gosess_find_session(struct gosess_context *context, SSL *ssl, const unsigned char *id,
                                 int length);

#endif
