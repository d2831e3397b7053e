/*
 * routes.h - what server names lead to, as the Go half has said: a process asks once, not for each
 * ticket.
 *
 * What one process learns of a name it writes to the store, where the others see that their answer
 * holds no longer (struct gosess_watch). A child of a fork has the same mapping, and goes on with
 * what its parent was told.
 */
#ifndef GOSESS_TICKETS_ROUTES_H
#define GOSESS_TICKETS_ROUTES_H

#include "../../shim.h"

/* Of one cache. As many names as GOSESS_ROUTES; any thread. */
struct gosess_routes;

#define GOSESS_ROUTES 1024

struct gosess_routes *gosess_routes_make(void);        /* NULL without memory */
void gosess_routes_free(struct gosess_routes *routes); /* NULL is fine */

/* What the server name of a scope leads to; false where the Go half has to be asked. */
bool gosess_routes_find(struct gosess_routes *routes, const struct gosess_scope *scope, int64_t now,
                        unsigned char terms[GOSESS_DIGEST_SIZE]);

/*
 * Keeps what it has said of the name. One that was asked for often stays, whatever names clients
 * make up; then this one may not be kept.
 */
void gosess_routes_keep(struct gosess_routes *routes, const struct gosess_scope *scope,
                        const unsigned char terms[GOSESS_DIGEST_SIZE],
                        const struct gosess_watch *watch);

#endif
