/* stored.h - the objects that stand for what a shared store has. */
#ifndef GOSESS_SERVE_STORED_H
#define GOSESS_SERVE_STORED_H

#include "../ssl/functions.h"

/*
 * Notes that a session's bytes are in a shared store, or that it was made of such. False without
 * memory: then it is not to be put there, or not to be given out.
 */
bool gosess_mark_stored(const SSL_SESSION *session);

/* Whether that was noted of this very object, and not of a copy. */
bool gosess_is_stored(const SSL_SESSION *session);

/* Registers the index of ex_data that tells when a session ends. Before the host forks. */
bool gosess_stored_prepare(const struct gosess_libssl *table);

#endif
