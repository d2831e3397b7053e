/* own.h - rules for clients that a connection has of its own. */
#ifndef GOSESS_SERVE_OWN_H
#define GOSESS_SERVE_OWN_H

#include "../../shim.h"

/*
 * 0 where a connection decides on its client as its context does; else a number that says something
 * in this process, the same for connections of which no difference is known.
 */
uint64_t gosess_own_rules(SSL *ssl);

#endif
