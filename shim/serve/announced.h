/* announced.h - a new session that the host is told of before it is stored. */
#ifndef GOSESS_SERVE_ANNOUNCED_H
#define GOSESS_SERVE_ANNOUNCED_H

#include "context.h"

struct gosess_announced {
    const struct gosess_context *context;
    const SSL_SESSION *session; /* NULL: there is none */
    bool live;                  /* libssl would have it in its own cache by now */
    bool superseded;            /* the host has removed it, or added another one of its id */
};

/* Notes what this thread tells the host of, and returns what was noted before. */
struct gosess_announced gosess_announce(struct gosess_announced next);

/* What was announced of this context and is still to be stored; NULL: nothing. */
struct gosess_announced *gosess_pending(const struct gosess_context *context);

#endif
