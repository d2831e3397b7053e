/* changes.h - what a host changes of sessions that it has. */
#ifndef GOSESS_SERVE_CHANGES_H
#define GOSESS_SERVE_CHANGES_H

#include "../../shim.h"

/* What this thread is about to call of the host's, and the sessions that it may change there. */
struct gosess_changing {
    const SSL_SESSION *newborn; /* its new callback for this one, of which nothing is shared yet */
    bool decodes; /* a get callback that makes its sessions of bytes, of which nothing is shared */
};

/* Says so, and returns what was said before, to be said again after the call. */
struct gosess_changing gosess_set_changing(struct gosess_changing changing);

#endif
